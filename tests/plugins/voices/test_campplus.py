"""CAM++: what it reads of a sound, and voices as vectors of length 1."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import asdkit
from asdkit import testing
from asdkit.core.errors import ConfigError, DeviceError, MissingExtraError, WeightsError
from asdkit.core.media.probe import probe
from asdkit.core.media.sound import Sound
from asdkit.core.registry import registry
from asdkit.core.weights import status
from asdkit.plugins.voices import campplus
from asdkit.plugins.voices.campplus.filterbank import log_mel

CLIPS = ("bbaf2n", "brbk7n", "lbax4n", "lbbc2a", "lrwp9a", "sbia1a")


def tone(hertz, seconds=0.5):
    time = np.arange(round(seconds * 16_000)) / 16_000
    return np.round(8000 * np.sin(2 * np.pi * hertz * time)).astype(np.int16)


def noise(seconds, seed=0):
    random = np.random.default_rng(seed)
    return random.normal(0, 2000, round(seconds * 16_000)).astype(np.int16)


# The spectra


def test_a_row_for_each_whole_window():
    assert [len(log_mel(np.zeros(n, np.int16))) for n in (400, 559, 560, 16_000)] == [1, 1, 2, 98]
    assert log_mel(np.zeros(100, np.int16)).shape == (1, 80)
    assert log_mel(noise(1)).dtype == np.float32


@pytest.mark.parametrize("hertz", [200, 1000, 3000, 7000])
def test_a_tone_is_loudest_in_its_bin(hertz):
    sound = np.concatenate([tone(hertz), np.zeros(8000, np.int16)])
    found = log_mel(sound)
    lowest, highest = (1127 * np.log(1 + f / 700) for f in (20, 8000))
    mel = 1127 * np.log(1 + hertz / 700)
    wanted = (mel - lowest) / (highest - lowest) * 81 - 1
    assert abs(found[10].argmax() - wanted) <= 1


def test_means_and_loudness_do_not_count():
    sound = noise(1)
    found = log_mel(sound)
    np.testing.assert_allclose(found.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(log_mel(sound * np.int16(2)), found, atol=1e-4)
    np.testing.assert_allclose(log_mel(sound + np.int16(500)), found, atol=1e-4)


def test_spectra_are_those_of_kaldi():
    """Bins 0, 20, 40 and 60 of a chirp, as kaldi-native-fbank 1.23.0 gives them, without dither."""
    time = np.arange(1600) / 16_000
    chirp = (9000 * np.sin(2 * np.pi * (300 + 15_000 * time) * time)).astype(np.int16)
    wanted = [
        [2.2381, 12.7390, -9.1934, -1.1907],
        [0.3925, -2.3435, 7.5214, -0.5605],
        [-1.5809, -5.8184, -1.7726, 1.2314],
    ]
    np.testing.assert_allclose(log_mel(chirp)[::3, ::20], wanted, atol=2e-3)


# The embedder

torch = pytest.importorskip("torch")
from asdkit.plugins.voices.campplus.network import CamppNetwork  # noqa: E402

one_thread = pytest.mark.usefixtures("one_thread")
needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """Random weights, the batch norms set so that they tell sounds apart."""
    torch.manual_seed(0)
    network = CamppNetwork()
    for module in network.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            module.momentum = 1.0
    spectra = [log_mel(noise(1)), log_mel(tone(300, 1)), log_mel(tone(2000, 1))]
    with torch.no_grad():
        network.train()(torch.from_numpy(np.stack(spectra)))
    path = tmp_path_factory.mktemp("campplus") / "random.pt"
    torch.save(network.state_dict(), path)
    return path


@pytest.fixture(scope="module")
def embedder(checkpoint):
    return asdkit.load("voice", "campplus", device="cpu", weights=str(checkpoint))


@one_thread
def test_the_check_of_every_embedder(embedder):
    testing.check_voice(embedder)


@one_thread
def test_vectors_have_length_one_and_differ(embedder):
    found = embedder.embed([noise(1), tone(300, 1.5), tone(2000, 2.5)])
    assert (found.shape, found.dtype) == ((3, 192), np.float32)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    likeness = found @ found.T
    assert likeness[~np.eye(3, dtype=bool)].max() < 0.98
    assert (found < 0).any()  # nothing rectifies them


@one_thread
def test_no_sound_gives_no_vector(embedder):
    assert embedder.embed([]).shape == (0, 192)


@pytest.mark.gpu
@needs_cuda
def test_cuda_gives_the_same_vectors(embedder, checkpoint):
    other = asdkit.load("voice", "campplus", device="cuda", weights=str(checkpoint))
    assert (embedder.device, other.device) == ("cpu", "cuda:0")
    sounds = [noise(1), tone(300, 2)]
    np.testing.assert_allclose(other.embed(sounds), embedder.embed(sounds), atol=1e-4)


# What can be wrong


def test_the_name_stands_for_the_published_file(checkpoint, monkeypatch):
    asked = []

    def locate(weights):
        asked.append(weights)
        return checkpoint

    monkeypatch.setattr("asdkit.core.weights.locate", locate)
    asdkit.load("voice", "campplus", device="cpu")
    assert asked == [campplus.ZH_EN]
    assert registry().find("voice", "campplus").weights == (campplus.ZH_EN,)


def test_another_file_under_the_published_name_is_refused(checkpoint, tmp_path, monkeypatch):
    (tmp_path / campplus.ZH_EN.local).symlink_to(checkpoint)
    monkeypatch.setenv("ASDKIT_WEIGHTS", str(tmp_path))
    with pytest.raises(WeightsError, match=r"campplus_zh_en\.pt .* is not the weights"):
        asdkit.load("voice", "campplus", device="cpu")


def test_another_checkpoint_is_refused(tmp_path):
    torch.save({"head.conv1.weight": torch.zeros(1)}, tmp_path / "other.pt")
    with pytest.raises(WeightsError, match=r"no checkpoint of CAM\+\+: .* missing") as caught:
        asdkit.load("voice", "campplus", device="cpu", weights=str(tmp_path / "other.pt"))
    assert "voice.weights takes zh_en" in str(caught.value)


def test_without_pytorch_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match=r"voice=campplus needs .*torch.*voice=none"):
        asdkit.load("voice", "campplus")


def test_a_device_that_is_not_there_is_refused(checkpoint):
    with pytest.raises(DeviceError, match="device=tpu"):
        asdkit.load("voice", "campplus", device="tpu", weights=str(checkpoint))


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"max_distance": -0.1}, "max_distance must be from 0 to 2"),
        ({"max_distance": 2.1}, "max_distance must be from 0 to 2"),
        ({"min_s": 0.0}, "min_s must be above 0"),
        ({"min_s": float("inf")}, "min_s must be above 0"),
    ],
)
def test_parameters_out_of_range_are_refused(given, says):
    with pytest.raises(ConfigError, match=says):
        asdkit.load("voice", "campplus", **given)


# On real voices


def speech(path):
    """The speech of a clip: from the first to the last frame that is nearly as loud as any."""
    with Sound(probe(path)) as sound:
        samples = sound.read(0, 3 * 16_000)
    loud = np.square(samples.reshape(-1, 640).astype(float)).mean(1)
    (frames,) = np.nonzero(loud > loud.max() / 200)
    return samples[640 * frames[0] : 640 * (frames[-1] + 1)]


@one_thread
@pytest.mark.weights
def test_a_voice_is_closer_to_itself_than_to_others(shared, monkeypatch):
    """Both halves, of about a second each, of what six people say."""
    if status(campplus.ZH_EN).path is None:
        monkeypatch.setenv("ASDKIT_WEIGHTS", str(shared("weights")))
    if status(campplus.ZH_EN).path is None:
        pytest.skip(f"needs {campplus.ZH_EN.local} in ASDKIT_WEIGHTS, the cache or ../shared")
    embedder = asdkit.load("voice", "campplus", device="cpu", min_s=0.5)
    spoken = [speech(shared(f"clips/{clip}.mpg")) for clip in CLIPS]
    halves = [half for sound in spoken for half in np.array_split(sound, 2)]
    vectors = embedder.embed(halves)
    distance = 1 - vectors @ vectors.T
    people = np.arange(12) // 2
    same = people[:, None] == people
    others = distance[~same]
    assert distance[same & ~np.eye(12, dtype=bool)].max() < others.min()
    assert others.min() > embedder.max_distance
