"""Voice activity: where somebody speaks, whatever the recording and however it is cut."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import asdkit
from asdkit.core.errors import ConfigError, MissingExtraError, WeightsError
from asdkit.core.installation import install_words
from asdkit.core.media.probe import probe
from asdkit.core.media.sound import Sound
from asdkit.core.registry import registry
from asdkit.core.types import SAMPLES_PER_FRAME

AGREEMENT = {"dialogue": 0.75, "dialogue_30fps": 0.8, "dialogue_small": 0.86}
"""Least share of frames judged as in the truth; in dialogue it takes breath for speech."""


needs_silero = pytest.mark.skipif(
    not (find_spec("onnxruntime") and find_spec("silero_vad")),
    reason="needs the packages onnxruntime and silero-vad",
)
every_vad = pytest.mark.parametrize("name", ["energy", pytest.param("silero", marks=needs_silero)])


def heard(name, sound, **parameters):
    """(n,) float32 of a sound in one piece."""
    return asdkit.load("vad", name, **parameters).speech(sound)


def in_pieces(name, sound, frames):
    """The same in pieces of these lengths."""
    vad = asdkit.load("vad", name)
    stops = np.cumsum(frames) * SAMPLES_PER_FRAME
    return np.concatenate([vad.speech(piece) for piece in np.split(sound, stops)])


def as_sound(values):
    return np.clip(np.round(values), -32768, 32767).astype(np.int16)


def noise(seconds, rms, seed=0):
    return np.random.default_rng(seed).normal(0, rms, round(seconds * 16_000))


def voice(seconds, rms=3000):
    """A buzz at 120 Hz that swells four times a second, as syllables do."""
    time = np.arange(round(seconds * 16_000)) / 16_000
    buzz = sum(np.sin(2 * np.pi * 120 * k * time + k * k) / k for k in range(1, 40))
    return buzz * (0.6 + 0.4 * np.cos(2 * np.pi * 4 * time)) * rms


def sentence(noise_rms=30):
    """(225 frames) noise, with a voice from 3 s to 6 s."""
    sound = noise(9, noise_rms)
    sound[48_000:96_000] += voice(3)
    return as_sound(sound)


def clip(shared, name):
    """The sound of a real clip, and (n,) bool: whether somebody speaks."""
    truth = json.loads(shared(f"clips/{name}.json").read_text())
    spoken = np.any(list(truth["speaking"].values()), axis=0)
    with Sound(probe(shared(f"clips/{name}.mp4"))) as sound:
        return sound.read(0, len(spoken) * SAMPLES_PER_FRAME), spoken


# Every one of them


@every_vad
def test_a_frame_gets_a_value_from_0_to_1(name):
    found = heard(name, sentence())
    assert found.shape == (225,)
    assert found.dtype == np.float32
    assert found.min() >= 0
    assert found.max() <= 1


@every_vad
@pytest.mark.parametrize("frames", [0, 1, 3, 4, 7])
def test_a_piece_can_have_any_length(name, frames):
    sound = np.zeros(frames * SAMPLES_PER_FRAME, np.int16)
    assert heard(name, sound).shape == (frames,)


@every_vad
def test_silence_is_no_speech(name):
    found = heard(name, np.zeros(100 * SAMPLES_PER_FRAME, np.int16))
    assert found.max() < (1e-6 if name == "energy" else 0.1)


@settings(max_examples=25)
@given(
    frames=st.lists(st.integers(0, 20).map(lambda n: 4 * n), max_size=8),
    seed=st.integers(0, 99),
)
@every_vad
def test_cuts_change_nothing(name, frames, seed):
    random = np.random.default_rng(seed)
    length = sum(frames) + int(random.integers(0, 50))
    loudness = np.repeat(random.choice([0, 20, 3000], length), SAMPLES_PER_FRAME)
    sound = as_sound(random.normal(0, 1, length * SAMPLES_PER_FRAME) * loudness)
    np.testing.assert_allclose(
        in_pieces(name, sound, frames), heard(name, sound), atol=1e-6, rtol=0
    )


@every_vad
def test_an_instance_hears_one_sound(name):
    sound = sentence()
    np.testing.assert_array_equal(heard(name, sound), heard(name, sound))


@every_vad
@pytest.mark.parametrize("of", AGREEMENT)
@pytest.mark.parametrize("change", ["none", "quiet", "hiss", "hum"])
def test_real_speech_is_found(name, shared, of, change):
    sound, spoken = clip(shared, of)
    rms = np.sqrt(np.mean(sound.astype(float)[np.repeat(spoken, SAMPLES_PER_FRAME)] ** 2))
    time = np.arange(len(sound)) / 16_000
    changed = {
        "none": sound,
        "quiet": sound * 0.1,
        "hiss": sound + noise(len(sound) / 16_000, rms * 10 ** (-15 / 20)),
        "hum": sound + np.sin(2 * np.pi * 100 * time) * np.sqrt(2) * rms * 10 ** (-15 / 20),
    }[change]
    found = heard(name, as_sound(changed)) >= 0.5
    assert (found == spoken).mean() >= AGREEMENT[of]
    assert found[spoken].mean() > 0.5
    changes = np.count_nonzero(np.diff(found))
    assert changes <= 2 * np.count_nonzero(np.diff(spoken))  # no flutter


# Energy


@pytest.mark.parametrize("noise_rms", [0, 1, 10, 100])
@pytest.mark.parametrize("loudness", [0.3, 1, 5])
def test_energy_finds_a_voice_in_any_noise(noise_rms, loudness):
    sound = noise(9, noise_rms)
    sound[48_000:96_000] += voice(3, 3000 * loudness)
    found = heard("energy", as_sound(sound)) >= 0.5
    assert found[76:150].all()
    assert not found[:74].any()
    assert not found[156:].any()


@pytest.mark.parametrize("rms", [0.3, 3, 300, 9000])
def test_energy_takes_steady_noise_for_none(rms):
    assert heard("energy", as_sound(noise(60, rms))).max() < 0.5


@pytest.mark.parametrize("hz", [440, 1000, 1500, 3000])
def test_energy_takes_a_tone_for_none(hz):
    time = np.arange(16_000) / 16_000
    sound = noise(3, 30)
    sound[16_000:32_000] += 8000 * np.sin(2 * np.pi * hz * time) * np.hanning(16_000)
    assert heard("energy", as_sound(sound)).max() < 0.5


def test_energy_closes_pauses_within_words_and_no_others():
    sound = sentence().astype(float)
    spoken = np.full(225, False)
    spoken[75:150] = True
    for first, stop in ((90, 94), (120, 132)):
        sound[first * SAMPLES_PER_FRAME : stop * SAMPLES_PER_FRAME] = noise((stop - first) / 25, 30)
    found = heard("energy", as_sound(sound)) >= 0.5
    assert found[76:120].all()
    assert not found[127:132].any()
    assert found[133:150].all()
    without = heard("energy", as_sound(sound), hold_s=0) >= 0.5
    assert not without[92:94].any()


def test_energy_falls_gently():
    """From certain speech to 0.5 in the hold, to 0 in twice that."""
    found = heard("energy", sentence(noise_rms=0))
    end = int(np.flatnonzero(found == 1)[-1])
    np.testing.assert_allclose(found[end : end + 12], [*np.linspace(1, 0, 11), 0], atol=1e-6)


def test_energy_gets_used_to_noise_that_stays():
    sound = np.concatenate([noise(4, 10), noise(8, 1000, seed=1)])
    found = heard("energy", as_sound(sound), noise_window_s=2.0)
    assert found[102:149].min() >= 0.5
    assert found[165:].max() < 0.5


def test_energy_parameters_do_what_they_say():
    sound = sentence()
    found, higher = heard("energy", sound), heard("energy", sound, above_noise_db=30, hold_s=0)
    assert (higher <= found).all()
    assert (higher < found).sum() > 40
    assert heard("energy", sound, quietest_dbfs=-10).max() < 0.5
    assert heard("energy", sound, noise_window_s=0.04).max() == 0  # each frame its own noise


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"above_noise_db": 0}, "above_noise_db must be above 0, got 0"),
        ({"noise_window_s": -1}, "noise_window_s must be above 0, got -1"),
        ({"hold_s": -0.1}, "hold_s must be at least 0, got -0.1"),
        ({"quietest_dbfs": 3}, "quietest_dbfs must be from -120 to 0, got 3"),
    ],
)
def test_energy_checks_its_parameters(parameters, said):
    with pytest.raises(ConfigError, match=said):
        asdkit.load("vad", "energy", **parameters)


# Silero


@pytest.fixture
def wheel():
    """The package's own way to run its model, by PyTorch's tensors."""
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    from silero_vad import load_silero_vad  # takes all threads but one from PyTorch

    yield load_silero_vad(onnx=True)
    torch.set_num_threads(before)


@needs_silero
def test_silero_windows_are_those_of_the_package(wheel, shared):
    from extras import torch

    sound, _ = clip(shared, "dialogue_small")
    sound = sound[: 148 * SAMPLES_PER_FRAME]
    wanted = wheel.audio_forward(torch.from_numpy(sound / np.float32(32768)), 16_000)[0].numpy()
    assert wanted.max() > 0.9
    assert wanted.min() < 0.1
    vad = asdkit.load("vad", "silero")
    pieces = [vad.windows(piece) for piece in np.split(sound, [5120, 51_200])]
    np.testing.assert_allclose(np.concatenate(pieces), wanted, atol=1e-6, rtol=0)


@needs_silero
def test_silero_frames_are_the_mean_of_their_windows():
    sound = sentence()[: 74 * SAMPLES_PER_FRAME]
    windows = asdkit.load("vad", "silero").windows(sound)
    assert len(windows) == 93  # the last one is half silence
    samples = np.repeat(windows.astype(float), 512)[: len(sound)]
    wanted = samples.reshape(-1, SAMPLES_PER_FRAME).mean(axis=1)
    np.testing.assert_allclose(heard("silero", sound), wanted, atol=1e-6, rtol=0)


NO_TORCH = """
import sys

for name in ("torch", "torchaudio"):
    sys.modules[name] = None  # importing it fails

import numpy as np
import asdkit

assert asdkit.load("vad", "silero").speech(np.zeros(2560, np.int16)).shape == (4,)
assert "silero_vad" not in sys.modules
"""


@needs_silero
def test_silero_needs_no_torch():
    subprocess.run([sys.executable, "-W", "error", "-c", NO_TORCH], check=True)


def test_silero_is_refused_without_its_packages(monkeypatch):
    pytest.importorskip("onnxruntime")
    monkeypatch.setitem(sys.modules, "silero_vad", None)
    with pytest.raises(MissingExtraError) as caught:
        asdkit.load("vad", "silero")
    for said in (
        "vad=silero needs the package silero-vad",
        f"{install_words('silero')}, or choose vad=energy",
        "pip install --no-deps silero-vad leaves out PyTorch, which vad=silero does not need",
    ):
        assert said in str(caught.value)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingExtraError, match="vad=silero needs the package onnxruntime"):
        asdkit.load("vad", "silero")


@pytest.mark.parametrize("is_package", [True, False])
def test_silero_is_refused_without_the_file(monkeypatch, tmp_path, is_package):
    pytest.importorskip("onnxruntime")
    monkeypatch.delitem(sys.modules, "silero_vad", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    path = tmp_path / ("silero_vad/__init__.py" if is_package else "silero_vad.py")
    path.parent.mkdir(exist_ok=True)
    path.write_text("raise AssertionError('it must not be imported')")
    with pytest.raises(WeightsError, match=r"silero_vad_16k_sequence.*6\.2\.2.*--upgrade"):
        asdkit.load("vad", "silero")


def test_they_are_registered():
    names = [component.name for component in registry().of_kind("vad")]
    assert {"energy", "none", "silero"} <= set(names)
