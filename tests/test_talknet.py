"""TalkNet: the figures of the published code, one visual pass, and every way loading can fail."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import rule
import torch
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from asdkit.core.bundle import Bundle
from asdkit.core.components import Context
from asdkit.core.errors import DeviceError, MissingExtraError, WeightsError
from asdkit.core.features import FACE_MEAN, FACE_STD, mfcc
from asdkit.core.types import SAMPLES_PER_FRAME, Clip
from asdkit.plugins import torch_support
from asdkit.plugins.scorers.talknet import TALKNET, loading, scorer
from asdkit.plugins.scorers.talknet.checkpoint import read_network
from asdkit.plugins.scorers.talknet.loading import AVA, TALKSET
from asdkit.plugins.scorers.talknet.model import TalkNetNetwork
from asdkit.plugins.scorers.talknet.onnx_runtime import SplitRuntime, WholeRuntime
from asdkit.plugins.scorers.talknet.scorer import TalkNetConfig
from asdkit.plugins.scorers.talknet.torch_runtime import TorchRuntime
from asdkit.plugins.scorers.talknet.windows import plan

DATA = Path(__file__).parent / "data"
REFERENCE = np.load(DATA / "talknet.npz")
SHAPES = json.loads((DATA / "talknet_state_dict.json").read_text(encoding="utf-8"))
STAGES = {
    "audio_embed": "audioEncoder",
    "visual_embed": "visualConv1D",
    "audio_cross": "crossA2V",
    "visual_cross": "crossV2A",
}
needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


def close(found, wanted, tolerance=1e-4):
    np.testing.assert_allclose(found, wanted, atol=tolerance, rtol=0)


def normalised(faces):
    return (torch.from_numpy(faces).float() / 255 - FACE_MEAN) / FACE_STD


def tensors(tag, frames):
    """The network's inputs for one window, (1, T, 112, 112) and (1, 4T, 13)."""
    faces = normalised(rule.face_frames(tag, frames))
    return faces[None], torch.from_numpy(rule.mfcc(tag, 4 * frames))[None]


def clip_of(tag, frames):
    return Clip(rule.face_frames(tag, frames), rule.waveform(tag, SAMPLES_PER_FRAME * frames))


def windows_of(frames, seconds):
    """The windows of one length, as the reference cuts them."""
    return [(first, min(first + 25 * seconds, frames)) for first in range(0, frames, 25 * seconds)]


@pytest.fixture(scope="module")
def state(checkpoint):
    return torch.load(checkpoint, weights_only=True)


@pytest.fixture(scope="module")
def network(checkpoint):
    return read_network(checkpoint).eval()


def talknet_with(network, window_seconds, device="cpu"):
    return scorer.TalkNet(TorchRuntime(network, torch.device(device), 32), window_seconds)


# The network


def test_the_state_dict_is_the_published_one():
    state = TalkNetNetwork().state_dict()
    assert {key: list(value.shape) for key, value in state.items()} == SHAPES


@pytest.mark.parametrize("frames", [1, 2, 7, 25, 37, 75, 150])
def test_meets_the_reference_logits(network, frames):
    with torch.inference_mode():
        logits = network(*tensors(f"talknet{frames}", frames))
    close(logits[0], REFERENCE[f"logits_{frames}"])


@pytest.mark.parametrize("frames", [7, 25])
def test_meets_the_reference_stages(network, frames):
    found = {}

    def keep(name):
        def hook(_module, _inputs, output):
            found[name] = output[0]

        return hook

    handles = [
        getattr(network.model, module).register_forward_hook(keep(stage))
        for stage, module in STAGES.items()
    ]
    with torch.inference_mode():
        network(*tensors(f"talknet{frames}", frames))
    for handle in handles:
        handle.remove()
    found["visual_embed"] = found["visual_embed"].T  # its module has channels before time
    for stage in STAGES:
        close(found[stage], REFERENCE[f"{stage}_{frames}"])


def test_windows_in_a_batch_do_not_leak(network):
    faces, sounds = zip(*(tensors(tag, 6) for tag in ("one", "two", "three")), strict=True)
    with torch.inference_mode():
        together = network(torch.cat(faces), torch.cat(sounds))
        for logits, face, sound in zip(together, faces, sounds, strict=True):
            close(logits, network(face, sound)[0], 1e-5)


# Windows


class Remembering:
    """Computes each vector of one clip once, however many scorers ask: the test is quicker."""

    def __init__(self, runtime):
        self.runtime, self.window_frames = runtime, runtime.window_frames
        self.known = {}

    def vectors(self, faces, seen):
        rows = list(map(tuple, seen.tolist()))
        new = [row for row in rows if row not in self.known]
        if new:
            found = self.runtime.vectors(faces, np.array(new))
            self.known.update(zip(new, found, strict=True))
        return np.stack([self.known[row] for row in rows])

    def logits(self, visual, mfcc):
        return self.runtime.logits(visual, mfcc)


def on_cuda(name):
    return pytest.param((name, "cuda"), marks=[pytest.mark.gpu, needs_cuda], id=f"{name} on CUDA")


KINDS = ("PyTorch", "bundle", "model.onnx")


@pytest.fixture(
    scope="module",
    params=[*(pytest.param((name, "cpu"), id=name) for name in KINDS), *map(on_cuda, KINDS)],
)
def runtime(request, checkpoint):
    kind, device = request.param
    if kind == "PyTorch":
        return TorchRuntime(read_network(checkpoint), torch.device(device), 32)
    bundle = request.getfixturevalue("bundle")
    if kind == "bundle":
        return SplitRuntime(Bundle(bundle), Context(device), False, 32)
    return WholeRuntime(bundle / "model.onnx", Context(device), False, 32)


@pytest.mark.slow
def test_meets_the_reference_windows(runtime, monkeypatch):
    monkeypatch.setattr(scorer, "mfcc", lambda clip: rule.mfcc("talknet_clip", 4 * len(clip)))
    clip = clip_of("talknet_clip", 205)
    wanted = REFERENCE["clip_205_per_duration_logits"]
    runtime = Remembering(runtime)
    for seconds in range(1, 7):
        (scores,) = scorer.TalkNet(runtime, [seconds]).score([clip])
        close(scores.logits, wanted[seconds - 1])
    (scores,) = scorer.TalkNet(runtime, TalkNetConfig().window_seconds).score([clip])
    close(scores.logits, wanted.mean(axis=0))
    close(scores.score, REFERENCE["clip_205_score"])


def window_by_window(network, clip, window_seconds):
    """Scores the plain way: the whole network over each window of each length by itself."""
    faces, sound = normalised(clip.faces), torch.from_numpy(mfcc(clip))
    by_length = []
    with torch.inference_mode():
        for seconds in window_seconds:
            logits = [
                network(faces[None, first:end], sound[None, 4 * first : 4 * end])[0]
                for first, end in windows_of(len(clip), seconds)
            ]
            by_length.append(torch.cat(logits).numpy())
    return np.mean(by_length, axis=0)


@pytest.mark.slow
@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.differing_executors])
@given(frames=st.integers(1, 40), lengths=st.sets(st.integers(1, 6), min_size=1, max_size=2))
@example(frames=1, lengths={1, 2, 3, 4, 5, 6})
@example(frames=4, lengths={1, 6})
@example(frames=28, lengths={1, 2})
@example(frames=53, lengths={1, 2})
def test_one_pass_gives_the_scores_of_window_by_window(runtime, network, frames, lengths):
    clip = clip_of(f"pass{frames}", frames)
    (scores,) = scorer.TalkNet(runtime, sorted(lengths)).score([clip])
    close(scores.logits, window_by_window(network, clip, lengths))


class FakeRuntime:
    """In place of the network: sums in which every frame and every step tells where it stands."""

    device = "fake"

    def __init__(self, window_frames):
        self.window_frames = window_frames
        self.frames_at_once = []

    def vectors(self, faces, seen):
        return (faces[:, 0, 0].astype(np.float32)[seen] + 1) * (seen >= 0)

    def logits(self, visual, mfcc):
        self.frames_at_once.append(visual.shape[0] * visual.shape[1])
        return np.stack([self.window(*pair) for pair in zip(visual, mfcc, strict=True)])

    @staticmethod
    def window(visual, mfcc):
        """(T, 5) and (4T, 13) to (T, 2), changed by whatever the window holds."""
        # Not by `@`: the matrix products of some processors raise flags for lanes they discard.
        frame = (visual * np.array([1, 10, 100, 1000, 10000], np.float32)).sum(axis=1) / 1e5
        sound = mfcc.reshape(len(visual), -1).mean(axis=1)
        place = np.arange(1, len(visual) + 1)
        return np.stack([frame * place + frame.mean(), sound + sound.mean()], axis=1)


def fake_window_by_window(clip, window_seconds):
    sound, totals = mfcc(clip), np.zeros((len(clip), 2))
    for seconds in window_seconds:
        for first, end in windows_of(len(clip), seconds):
            grey = np.pad(clip.faces[first:end, 0, 0].astype(np.float32) + 1, 2)
            visual = np.lib.stride_tricks.sliding_window_view(grey, 5)
            totals[first:end] += FakeRuntime.window(visual, sound[4 * first : 4 * end])
    return totals / len(window_seconds)


@settings(deadline=None)
@given(
    st.lists(st.integers(1, 400), min_size=1, max_size=3),
    st.lists(st.integers(1, 8), min_size=1, max_size=6),
    st.integers(1, 256),
    st.integers(0, 2**32 - 1),
)
def test_every_window_gets_its_own_frames_and_steps(frames, seconds, window_frames, seed):
    random = np.random.default_rng(seed)
    clips = [
        Clip(
            np.broadcast_to(random.integers(0, 256, (n, 1, 1), np.uint8), (n, 112, 112)),
            random.integers(-9999, 9999, n * SAMPLES_PER_FRAME, np.int16),
        )
        for n in frames
    ]
    runtime = FakeRuntime(window_frames)
    for clip, scores in zip(clips, scorer.TalkNet(runtime, seconds).score(clips), strict=True):
        wanted = fake_window_by_window(clip, seconds)
        np.testing.assert_allclose(scores.logits, wanted, atol=1e-4, rtol=1e-5)
    assert max(runtime.frames_at_once) <= max(window_frames, 25 * max(seconds))


def test_a_minute_costs_1_16_passes():
    seen, windows = plan(1500, [1, 2, 3, 4, 5, 6])
    # Each of the 59 whole seconds inside is an edge of some windows, two frames on either side,
    # and lies within others.
    assert len(seen) == 1500 + 59 * 4
    assert len(windows) == 60 + 30 + 20 + 15 + 12 + 10


def test_a_short_clip_has_one_window_for_all_lengths():
    seen, windows = plan(20, [1, 2, 3, 4, 5, 6])
    assert len(seen) == 20
    assert [(window.start, window.end, window.times) for window in windows] == [(0, 20, 6)]


def test_clips_do_not_influence_each_other(network):
    talknet = talknet_with(network, [1, 2])
    clips = [clip_of(f"clip{frames}", frames) for frames in (13, 3, 13)]
    for clip, together in zip(clips, talknet.score(clips), strict=True):
        close(together.logits, talknet.score([clip])[0].logits, 1e-5)
    assert talknet.score([]) == []


def test_faces_may_be_read_only_and_strided(network):
    clip = clip_of("strided", 6)
    faces = np.repeat(clip.faces, 2, axis=0)[::2]
    faces.setflags(write=False)
    talknet = talknet_with(network, [1])
    (scores,) = talknet.score([Clip(faces, clip.sound)])
    close(scores.logits, talknet.score([clip])[0].logits, 0)


# The component


def test_torch_is_not_imported_until_it_is_built():
    program = "import sys, asdkit.plugins.scorers.talknet; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_builds_from_a_path(network, checkpoint):
    config = TalkNetConfig(weights=str(checkpoint), window_seconds=[1])
    talknet = TALKNET.build(config, Context(device="cpu", threads=torch.get_num_threads()))
    assert talknet.device == "cpu"
    clip = clip_of("built", 3)
    close(talknet.score([clip])[0].logits, talknet_with(network, [1]).score([clip])[0].logits)


@pytest.mark.parametrize(("name", "weights"), [("talkset", TALKSET), ("ava", AVA)])
def test_published_weights_are_located(checkpoint, monkeypatch, name, weights):
    asked = []
    monkeypatch.setattr(loading, "locate", lambda which: asked.append(which) or checkpoint)
    TALKNET.build(TalkNetConfig(weights=name), Context(device="cpu"))
    assert asked == [weights]
    assert weights in TALKNET.weights


def test_the_config_is_a_schema_for_hydra():
    schema = OmegaConf.structured(TalkNetConfig)
    merged = OmegaConf.merge(schema, {"window_seconds": [2], "weights": "ava"})
    assert OmegaConf.to_object(merged) == TalkNetConfig("ava", window_seconds=[2])


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"window_seconds": []}, "window_seconds"),
        ({"window_seconds": [1, 0]}, "window_seconds"),
        ({"window_seconds": [-2]}, "window_seconds"),
        ({"batch_frames": 0}, "batch_frames"),
    ],
)
def test_options_out_of_range_are_named(options, name):
    with pytest.raises(ValueError, match=name):
        TalkNetConfig(**options)


# Loading


def refusal(path):
    with pytest.raises(WeightsError) as caught:
        read_network(path)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    assert "scorer.weights takes" in message
    return message


def saved(content, path):
    torch.save(content, path)
    return path


def test_missing_weights_are_refused(tmp_path):
    assert "There is no file" in refusal(tmp_path / "nowhere.model")
    assert "There is no file" in refusal(tmp_path)
    with pytest.raises(WeightsError, match=r"There is no file.*nosuch"):
        TALKNET.build(TalkNetConfig(weights="nosuch"), Context(device="cpu"))


def test_damaged_weights_are_refused(checkpoint, tmp_path):
    content = checkpoint.read_bytes()
    damaged = tmp_path / "damaged.model"
    for part in (b"", b"\x00" * 99, b"<!doctype html>\n<title>Sign in</title>", content[:99999]):
        damaged.write_bytes(part)
        assert "is damaged" in refusal(damaged)


class Intruder:
    """What an unpickler would run."""

    def __reduce__(self):
        return (sys.exit, ("code in a checkpoint was run",))


def test_code_in_a_checkpoint_is_not_run(tmp_path):
    assert "is damaged" in refusal(saved(Intruder(), tmp_path / "intruder.model"))


def test_other_content_is_refused(tmp_path):
    message = refusal(saved(torch.zeros(3), tmp_path / "tensor.model"))
    assert "not a TalkNet checkpoint: it holds a Tensor" in message
    message = refusal(saved({"epoch": 3, "state_dict": {}}, tmp_path / "nested.model"))
    assert "487 missing (model.visualFrontend.frontend3D.0.weight, " in message
    assert "2 unexpected (epoch, state_dict)" in message


def test_differences_are_listed(state, tmp_path):
    other = dict(state)
    del other["lossA.FC.bias"]
    other["extra.weight"] = torch.zeros(1)
    other["lossAV.FC.weight"] = torch.zeros(2, 128)
    other["lossV.FC.bias"] = 7
    message = refusal(saved(other, tmp_path / "other.model"))
    assert "not a TalkNet checkpoint" in message
    assert "1 missing (lossA.FC.bias)" in message
    assert "1 unexpected (extra.weight)" in message
    assert "2 of another shape (lossAV.FC.weight, lossV.FC.bias)" in message


# PyTorch


def test_the_cpu_is_always_there(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert str(torch_support.pick_device("cpu")) == "cpu"
    assert str(torch_support.pick_device("auto")) == "cpu"


@pytest.mark.parametrize("asked", ["cuda", "cuda:0", "cuda:3"])
def test_a_cuda_that_is_not_there_is_an_error(monkeypatch, asked):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(DeviceError, match=rf"device={asked} .*device=cpu or device=auto"):
        torch_support.pick_device(asked)


def test_the_devices_there_are_named(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    chosen = {asked: str(torch_support.pick_device(asked)) for asked in ("auto", "cuda", "cuda:1")}
    assert chosen == {"auto": "cuda:0", "cuda": "cuda:0", "cuda:1": "cuda:1"}
    with pytest.raises(DeviceError, match="only cuda:0, cuda:1"):
        torch_support.pick_device("cuda:2")


@pytest.mark.parametrize("asked", ["gpu", "cuda:", "cuda:-1", "cuda:x", ""])
def test_an_unknown_device_is_an_error(asked):
    with pytest.raises(DeviceError, match="is not a device"):
        torch_support.pick_device(asked)


def test_missing_torch_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(
        MissingExtraError, match=r'"asdkit\[torch\]", or choose scorer=talknet_onnx'
    ):
        TALKNET.build(TalkNetConfig(), Context())


def test_threads_are_set_only_when_asked():
    before = torch.get_num_threads()
    torch_support.set_threads(None)
    assert torch.get_num_threads() == before
    try:
        torch_support.set_threads(before + 1)
        assert torch.get_num_threads() == before + 1
    finally:
        torch_support.set_threads(before)


def test_inference_is_true_float32_and_leaves_no_trace():
    before = torch.backends.cudnn.allow_tf32, torch.backends.cudnn.benchmark
    with torch_support.inference():
        assert torch.is_inference_mode_enabled()
        assert not torch.backends.cudnn.allow_tf32
    assert (torch.backends.cudnn.allow_tf32, torch.backends.cudnn.benchmark) == before
    assert not torch.is_inference_mode_enabled()


@pytest.mark.gpu
@needs_cuda
def test_cuda_gives_the_scores_of_the_cpu(checkpoint):
    config = TalkNetConfig(weights=str(checkpoint), window_seconds=[1, 2])
    on_cpu, on_cuda = (TALKNET.build(config, Context(device=name)) for name in ("cpu", "cuda"))
    assert on_cuda.device == "cuda:0"
    clip = clip_of("cuda", 60)
    close(on_cuda.score([clip])[0].logits, on_cpu.score([clip])[0].logits)
