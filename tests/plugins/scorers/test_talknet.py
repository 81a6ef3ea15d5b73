"""TalkNet: the figures of the published code, one visual pass, and every way loading can fail."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import refusing
import rule
from checkout import DATA
from extras import torch
from family import clip_of, close, normalised, shapes, windows_of
from hypothesis import given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from asdkit.core.analysis.features import mfcc
from asdkit.core.component import Context
from asdkit.core.errors import DeviceError, MissingExtraError, WeightsError
from asdkit.core.types import SAMPLES_PER_FRAME, Clip
from asdkit.plugins.scorers.talknet import MODEL, TALKNET
from asdkit.plugins.scorers.windowed.checkpoint import read_network
from asdkit.plugins.scorers.windowed.config import WindowedConfig
from asdkit.plugins.scorers.windowed.scorer import WindowedScorer
from asdkit.plugins.scorers.windowed.torch_runtime import TorchRuntime
from asdkit.plugins.scorers.windowed.windows import cut
from asdkit.plugins.support import pytorch as torch_support

REFERENCE = np.load(DATA / "talknet.npz")
STAGES = {
    "audio_embed": "audioEncoder",
    "visual_embed": "visualConv1D",
    "audio_cross": "crossA2V",
    "visual_cross": "crossV2A",
}
needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


def tensors(tag, frames):
    """The network's inputs for one window, (1, T, 112, 112) and (1, 4T, 13)."""
    faces = normalised(rule.face_frames(tag, frames))
    return faces[None], torch.from_numpy(rule.mfcc(tag, 4 * frames))[None]


@pytest.fixture(scope="module")
def state(checkpoint):
    return torch.load(checkpoint, weights_only=True)


@pytest.fixture(scope="module")
def network(checkpoint):
    return read_network(MODEL, checkpoint).eval()


def talknet_with(network, window_seconds, device="cpu"):
    return WindowedScorer(
        TorchRuntime(network, MODEL.sharing, torch.device(device), 32), window_seconds
    )


# The network


def test_the_state_dict_is_the_published_one():
    state = MODEL.network().state_dict()
    assert {key: list(value.shape) for key, value in state.items()} == shapes("talknet")


@pytest.mark.parametrize("frames", [37, 150])  # test_asd_family.py has the other lengths
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


# Windows


class FakeRuntime:
    """In place of the network: sums in which every frame and every step tells where it stands."""

    device = "fake"

    def __init__(self, window_frames):
        self.window_frames = window_frames
        self.frames_at_once = []

    def look(self, faces, spans):
        pieces, rows = MODEL.sharing.plan(spans, self.window_frames)
        assert max(len(piece) for piece in pieces) <= self.window_frames
        seen = np.concatenate(pieces)
        return (faces[:, 0, 0].astype(np.float32)[seen] + 1) * (seen >= 0), rows

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


@settings(max_examples=25)  # each computes the MFCC of up to half a minute, twice
@given(
    st.lists(st.integers(1, 400), min_size=1, max_size=2),
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
    for clip, scores in zip(clips, WindowedScorer(runtime, seconds).score(clips), strict=True):
        wanted = fake_window_by_window(clip, seconds)
        np.testing.assert_allclose(scores.logits, wanted, atol=1e-4, rtol=1e-5)
    assert max(runtime.frames_at_once) <= max(window_frames, 25 * max(seconds))


def test_a_minute_costs_1_16_passes():
    spans = cut(1500, [1, 2, 3, 4, 5, 6])
    pieces, _ = MODEL.sharing.plan(list(spans), 32)
    # Each of the 59 whole seconds inside is an edge of some windows, two frames on either side,
    # and lies within others.
    assert sum(map(len, pieces)) == 1500 + 59 * 4
    assert len(spans) == 60 + 30 + 20 + 15 + 12 + 10


def test_a_short_clip_has_one_window_for_all_lengths():
    spans = cut(20, [1, 2, 3, 4, 5, 6])
    assert spans == {(0, 20): 6}
    pieces, rows = MODEL.sharing.plan(list(spans), 32)
    assert [len(piece) for piece in pieces] == [len(mine) for mine in rows] == [20]


# The component


def test_builds_from_a_path(network, checkpoint):
    config = WindowedConfig(weights=str(checkpoint), window_seconds=[1])
    talknet = TALKNET.build(config, Context(device="cpu", threads=torch.get_num_threads()))
    assert talknet.device == "cpu"
    clip = clip_of("built", 3)
    close(talknet.score([clip])[0].logits, talknet_with(network, [1]).score([clip])[0].logits)


def test_the_config_is_a_schema_for_hydra():
    schema = OmegaConf.structured(WindowedConfig)
    merged = OmegaConf.merge(schema, {"window_seconds": [2], "weights": "ava"})
    assert OmegaConf.to_object(merged) == WindowedConfig("ava", window_seconds=[2])


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
        WindowedConfig(**options)


# Loading


def refusal(path):
    message = refusing.refusal(WeightsError, read_network, MODEL, path)
    assert str(path) in message
    assert "As weights talknet takes" in message
    return message


def saved(content, path):
    torch.save(content, path)
    return path


def test_missing_weights_are_refused(tmp_path):
    assert "There is no file" in refusal(tmp_path / "nowhere.model")
    assert "There is no file" in refusal(tmp_path)
    with pytest.raises(WeightsError, match=r"There is no file.*nosuch"):
        TALKNET.build(WindowedConfig(weights="nosuch"), Context(device="cpu"))


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
    assert "no checkpoint of TalkNet: it holds a Tensor" in message
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
    assert "no checkpoint of TalkNet" in message
    assert "1 missing (lossA.FC.bias)" in message
    assert "1 unexpected (extra.weight)" in message
    assert "2 of another shape (lossAV.FC.weight, lossV.FC.bias)" in message


@pytest.mark.filterwarnings("ignore:Validating sparse tensor")
@pytest.mark.parametrize(
    ("value", "said"),
    [
        (torch.tensor([1.0, float("nan")]), "holds values that are NaN, infinite or too large"),
        (torch.tensor([1e300, 0.0], dtype=torch.float64), "holds values that are NaN, infinite"),
        (torch.zeros(2, device="meta"), "is a tensor without data"),
        (torch.zeros(2, dtype=torch.complex64), "holds complex64 instead of real numbers"),
        (torch.zeros(2, dtype=torch.int64), "holds int64 instead of real numbers"),
        (torch.zeros(2).to_sparse(), "is a sparse or quantised tensor"),
    ],
)
def test_what_are_no_weights_is_refused(state, tmp_path, value, said):
    path = saved({**state, "lossAV.FC.bias": value}, tmp_path / "odd.model")
    message = refusal(path)
    assert f"{path} has no usable weights: lossAV.FC.bias {said}" in message
    assert "\n" not in message


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
    with pytest.raises(MissingExtraError, match=r'\[torch\]", or choose talknet_onnx'):
        TALKNET.build(WindowedConfig(), Context())


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


def test_a_placed_network_has_its_channels_last_and_the_same_numbers():
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.Conv2d(8, 4, 3))
    pictures = torch.rand(2, 3, 9, 7)
    with torch_support.inference():
        before = network(pictures)
        placed = torch_support.placed(network, torch.device("cpu"))
        assert placed is network
        found = placed(pictures)
    for tensor in (placed[1].weight, found):
        assert tensor.is_contiguous(memory_format=torch.channels_last)
    close(found, before, 1e-6)


@pytest.mark.gpu
@needs_cuda
def test_cuda_gives_the_scores_of_the_cpu(checkpoint):
    config = WindowedConfig(weights=str(checkpoint), window_seconds=[1, 2])
    on_cpu, on_cuda = (TALKNET.build(config, Context(device=name)) for name in ("cpu", "cuda"))
    assert on_cuda.device == "cuda:0"
    clip = clip_of("cuda", 60)
    close(on_cuda.score([clip])[0].logits, on_cpu.score([clip])[0].logits)
