"""TalkNet, LR-ASD and Light-ASD alike: the published figures, windows, bundles, by each runtime."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import rule
from checkout import DATA
from extras import onnx, onnxruntime, torch
from family import (
    MODELS,
    RUNTIMES,
    SMALL,
    clip_of,
    close,
    logits_by_length,
    normalised,
    scorer,
    shapes,
    windows_of,
)
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from onnx import TensorProto

from asdkit.core.analysis.features import mfcc
from asdkit.core.bundle import Bundle
from asdkit.core.component import Context
from asdkit.core.config.chosen import Chosen
from asdkit.core.errors import ConfigError, WeightsError
from asdkit.core.types import Clip
from asdkit.export import agreement, bundles, proof
from asdkit.export.bundles import check, export
from asdkit.export.settings import ExportOptions, ExportPlan
from asdkit.plugins.scorers.windowed.checkpoint import read_network
from asdkit.plugins.scorers.windowed.config import WindowedConfig
from asdkit.plugins.scorers.windowed.reach import Layer, Reach
from asdkit.plugins.scorers.windowed.scorer import WindowedScorer
from asdkit.plugins.scorers.windowed.torch_runtime import TorchRuntime
from asdkit.plugins.scorers.windowed.windows import cut
from asdkit.plugins.support.onnx_devices import CUDA

PARAMETERS = {"lr_asd": 0.84, "light_asd": 1.02}
"""In millions, as published."""
REACHES = {"lr_asd": 9, "light_asd": 6}
AVA = {"lr_asd": "pretrain_AVA", "light_asd": "pretrain_AVA_CVPR"}
"""What the figures of the weights `ava` are called; those of `talkset` are the same for both."""
PARTS = ("frontend.onnx", "window.onnx")
small = pytest.mark.parametrize("name", SMALL)


def on_cuda(kind):
    ready = torch.cuda.is_available() and (
        kind == "PyTorch" or CUDA in onnxruntime.get_available_providers()
    )
    marks = [pytest.mark.gpu, pytest.mark.skipif(not ready, reason="needs a CUDA device")]
    return pytest.param((kind, "cuda"), marks=marks, id=f"{kind} on CUDA")


@pytest.fixture(scope="module", params=MODELS)
def name(request):
    return request.param


@pytest.fixture(
    scope="module",
    params=[*(pytest.param((kind, "cpu"), id=kind) for kind in RUNTIMES), *map(on_cuda, RUNTIMES)],
)
def runtime(request, family, name):
    return family.runtime(name, *request.param)


@pytest.fixture(scope="module")
def network(family, name):
    return read_network(MODELS[name], family.checkpoint(name)).eval()


# The published figures


@small
def test_the_state_dict_is_the_published_one(name):
    network = MODELS[name].network()
    assert {key: list(value.shape) for key, value in network.state_dict().items()} == shapes(name)
    millions = sum(parameter.numel() for parameter in network.parameters()) / 1e6
    assert millions == pytest.approx(PARAMETERS[name], abs=0.005)


def meets(reference, prefix, name, runtime):
    for frames in (1, 2, 7, 25, 75):
        *_, logits = logits_by_length(runtime, f"{name}{frames}", frames)
        close(logits, reference[f"{prefix}logits_{frames}"])
    wanted = reference[f"{prefix}clip_205_per_duration_logits"]
    close(logits_by_length(runtime, f"{name}_clip", 205), wanted)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    ["talknet", *(pytest.param(name, marks=pytest.mark.weights) for name in SMALL)],
    indirect=True,
)
def test_each_runtime_meets_the_reference(runtime, name, shared):
    if name == "talknet":
        reference, prefix = np.load(DATA / "talknet.npz"), ""
    else:
        shared(f"weights/{name}_talkset.model")
        reference, prefix = np.load(shared(f"reference/{name}.npz")), "finetuning_TalkSet_"
    meets(reference, prefix, name, runtime)


@pytest.mark.weights
@pytest.mark.parametrize("name", AVA)
def test_the_weights_ava_meet_the_reference(shared, name):
    network = read_network(MODELS[name], shared(f"weights/{name}_ava.model"))
    runtime = TorchRuntime(network, MODELS[name].sharing, torch.device("cpu"), 32)
    meets(np.load(shared(f"reference/{name}.npz")), f"{AVA[name]}_", name, runtime)


# Windows


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
@settings(max_examples=3, suppress_health_check=[HealthCheck.differing_executors])
@given(frames=st.integers(1, 40), lengths=st.sets(st.integers(1, 6), min_size=1, max_size=2))
@example(frames=1, lengths={1, 2, 3, 4, 5, 6})
@example(frames=4, lengths={1, 6})
@example(frames=28, lengths={1, 2})
@example(frames=53, lengths={1, 2})
def test_sharing_gives_the_scores_of_window_by_window(runtime, network, frames, lengths):
    clip = clip_of(f"pass{frames}", frames)
    (scores,) = WindowedScorer(runtime, sorted(lengths)).score([clip])
    # Sums in another order differ by up to 1e-5; a frame or a step of another window by far more.
    close(scores.logits, window_by_window(network, clip, lengths), 5e-5)


def convolved(pictures, reach):
    """A frontend in NumPy, (b, t, 112, 112) to (b, t): convolutions that see zeros at the edges."""
    x = pictures[:, :, 0, 0] / 255
    for _ in range(reach):
        padded = np.pad(x, ((0, 0), (1, 1)))
        x = np.tanh(0.7 * padded[:, :-2] + x - 0.9 * padded[:, 2:] + 0.5)
    return x


@given(
    frames=st.integers(1, 400),
    seconds=st.lists(st.integers(1, 8), min_size=1, max_size=6),
    batch_frames=st.integers(1, 400),
    reach=st.integers(1, 30),
    seed=st.integers(0, 2**32 - 1),
)
@example(frames=400, seconds=[1], batch_frames=1, reach=13, seed=0)
@example(frames=301, seconds=[3, 2], batch_frames=72, reach=9, seed=0)
@example(frames=205, seconds=[1, 2, 3, 4, 5, 6], batch_frames=32, reach=6, seed=0)
def test_each_window_gets_the_vectors_it_would_get_by_itself(
    frames, seconds, batch_frames, reach, seed
):
    grey = np.random.default_rng(seed).integers(0, 256, (frames, 1, 1))
    spans = list(cut(frames, seconds))
    pieces, rows = Reach(reach, 128, [Layer(reach, 1, 1)]).plan(spans, batch_frames)
    assert max(piece.size for piece in pieces) <= max(batch_frames, 8 * reach)
    vectors = np.concatenate([convolved(grey[piece], reach).ravel() for piece in pieces])
    for (start, end), mine in zip(spans, rows, strict=True):
        close(vectors[mine], convolved(grey[None, start:end], reach)[0], 1e-12)


@pytest.mark.parametrize(
    ("seconds", "batch_frames", "passes"),
    [
        ([1, 2, 3, 4, 5, 6], 32, 2.28),
        ([1, 2, 3, 4, 5, 6], 256, 2.06),
        ([6], 32, 1.24),
        ([6], 150, 1.0),
        ([1], 32, 1.0),
    ],
)
def test_what_a_minute_of_lr_asd_costs(seconds, batch_frames, passes):
    pieces, _ = MODELS["lr_asd"].sharing.plan(list(cut(1500, seconds)), batch_frames)
    assert sum(piece.size for piece in pieces) / 1500 == pytest.approx(passes, abs=0.01)


@small
@torch.inference_mode()
def test_a_vector_reaches_as_far_as_it_is_said_to(name):
    model, reach = MODELS[name], REACHES[name]
    network = model.network().eval()
    faces = normalised(rule.face_frames("reach", 2 * reach + 3))[None]
    middle = reach + 1
    before = network.vectors(faces)[0, middle]
    for frame, is_seen in ((0, False), (1, True), (-2, True), (-1, False)):
        changed = faces.clone()
        changed[0, frame] = changed[0, frame].flip(0) + 1
        assert torch.equal(network.vectors(changed)[0, middle], before) != is_seen
    assert sum(map(len, model.sharing.plan([(0, 99)], 99).pieces)) == 1
    pieces, _ = model.sharing.plan([(0, 50), (50, 100), (0, 100)], 1000)
    # Besides the two halves: what lies within reach of the edge between, seen from both sides.
    assert sorted(piece.size for piece in pieces) == [4 * reach, 100]


def test_windows_and_clips_do_not_leak(network, name):
    tags = ("one", "two", "three")
    faces = torch.stack([normalised(rule.face_frames(tag, 6)) for tag in tags])
    sound = torch.stack([torch.from_numpy(rule.mfcc(tag, 24)) for tag in tags])
    with torch.inference_mode():
        together = network(faces, sound)
        for i in range(3):
            close(together[i], network(faces[i : i + 1], sound[i : i + 1])[0], 1e-5)
    runtime = TorchRuntime(network, MODELS[name].sharing, torch.device("cpu"), 32)
    model = WindowedScorer(runtime, [1, 2])
    clips = [clip_of(f"clip{frames}", frames) for frames in (13, 3, 13)]
    for clip, scores in zip(clips, model.score(clips), strict=True):
        close(scores.logits, model.score([clip])[0].logits, 1e-5)
    assert model.score([]) == []


def test_faces_may_be_read_only_and_strided(network, name):
    clip = clip_of("strided", 6)
    faces = np.repeat(clip.faces, 2, axis=0)[::2]
    faces.setflags(write=False)
    runtime = TorchRuntime(network, MODELS[name].sharing, torch.device("cpu"), 32)
    model = WindowedScorer(runtime, [1])
    (scores,) = model.score([Clip(faces, clip.sound)])
    close(scores.logits, model.score([clip])[0].logits, 0)


# The scorers


def test_published_weights_are_located(family, monkeypatch, name):
    for weights, published in MODELS[name].published.items():
        asked = []
        monkeypatch.setattr(
            "asdkit.core.weights.locate",
            lambda which, asked=asked: asked.append(which) or family.checkpoint(name),
        )
        scorer(name).build(WindowedConfig(weights), Context("cpu"))
        assert asked == [published]
        assert published in scorer(name).weights
        assert published.name == f"{name}_{weights}"


def test_neither_runtime_is_imported_until_it_is_built(name):
    program = (
        f"import sys, asdkit.plugins.scorers.{name}\n"
        "sys.exit(bool({'torch', 'onnxruntime', 'onnx'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_checkpoints_of_another_model_are_refused(family, name):
    other = {"talknet": "lr_asd", "lr_asd": "light_asd", "light_asd": "lr_asd"}[name]
    model = MODELS[name]
    with pytest.raises(WeightsError) as caught:
        read_network(model, family.checkpoint(other))
    text = str(caught.value)
    assert f"is no checkpoint of {model.title}: " in text
    assert f"{model.name} takes talkset, ava or the path of a checkpoint of {model.title}" in text
    assert "\n" not in text


# Bundles


@pytest.mark.slow
@small
def test_bundles_of_another_model_are_refused(family, name):
    (other,) = set(SMALL) - {name}
    folder, _ = family.exported(name)
    for weights, said in (
        (folder, f"is a bundle of {name}, not of {other}"),
        (folder / "model.onnx", f"holds {name}, not {other}"),
    ):
        with pytest.raises(WeightsError, match=said):
            scorer(other).build(WindowedConfig(str(weights)), Context("cpu"))


@pytest.mark.slow
@small
def test_a_bundle_is_proven_and_can_be_checked(family, name):
    folder, said = family.exported(name)
    plan = ExportPlan(ExportOptions(), Chosen(scorer(name), WindowedConfig("none")))
    sizes = {"batch": (2,), "frames": (1, 37)}
    again = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(proof, "_SIZES", sizes)
        check(Bundle(folder), plan, again.append)
    assert len(again) > 3 * len(sizes["frames"])
    assert set(again) <= set(said)
    manifest = Bundle(folder).manifest
    assert manifest["model"] == name
    seen, vectors = ("batch", "frames", 112, 112), ("batch", "frames", 128)
    frontend = manifest["files"]["frontend.onnx"]
    assert [tuple(tensor["shape"]) for tensor in frontend["inputs"]] == [seen]
    assert tuple(frontend["output"]["shape"]) == vectors
    assert MODELS[name].title in manifest["files"]["model.onnx"]["meaning"]


@pytest.mark.slow
@small
def test_convolutions_are_plain_ones_with_their_norms_in_them(family, name):
    model = onnx.load(family.exported(name)[0] / "model.onnx")
    weights = {entry.name: len(entry.dims) for entry in model.graph.initializer}
    kinds = [node.op_type for node in model.graph.node]
    assert "BatchNormalization" not in kinds
    assert "Loop" not in kinds
    assert kinds.count("GRU") == 2
    in_pictures = [node for node in model.graph.node if "isualEncoder" in node.name]
    convolutions = [node for node in in_pictures if node.op_type == "Conv"]
    assert {weights[node.input[1]] for node in convolutions} == {4}


def parts_of(name, family):
    """The component, made to export all but model.onnx, which takes longest and is shown above."""
    config = WindowedConfig(str(family.checkpoint(name)), window_seconds=[1, 2])
    parts = scorer(name).export(config)
    parts = replace(parts, graphs=parts.graphs[1:])
    return parts, Chosen(replace(scorer(name), export=lambda _: parts), config)


@pytest.mark.slow
def test_half_precision_from_end_to_end(family, tmp_path, monkeypatch):
    monkeypatch.setattr(proof, "_SIZES", {"batch": (1, 2), "frames": (1, 37)})
    _, chosen = parts_of("light_asd", family)
    options = ExportOptions(output=str(tmp_path / "out"), precision="fp16", opset=20)
    folder = export(ExportPlan(options, chosen), lambda _: None).folder
    half, full = (
        scorer("light_asd").build(replace(chosen.config, weights=str(weights)), Context("cpu"))
        for weights in (folder, family.checkpoint("light_asd"))
    )
    clip = clip_of("fp16", 40)
    (found,), (wanted,) = half.score([clip]), full.score([clip])
    close(found.logits, wanted.logits, 2e-2)
    assert np.abs(found.logits - wanted.logits).max() > 1e-5


@pytest.mark.slow
def test_int8_from_end_to_end(family, tmp_path, monkeypatch):
    recorders = []

    def record_once(*words):
        if not recorders:
            recorders.append(agreement.record(*words))
        return recorders[0]

    compose = agreement.compose_run
    short = ["end_s=3", "detect_every=5"]
    monkeypatch.setattr(agreement, "compose_run", lambda w, video: compose([*w, *short], video))
    monkeypatch.setattr(bundles, "record", record_once)
    monkeypatch.setattr(proof, "_SIZES", {"batch": (1, 2), "frames": (1, 7)})
    parts, chosen = parts_of("lr_asd", family)
    options = ExportOptions(output=str(tmp_path / "out"), precision="int8")
    said = []
    bundle = export(ExportPlan(options, chosen), said.append)
    (line,) = [line for line in said if "frames of faces" in line]
    found = bundle.manifest["proof"]["agreement"]
    assert found["calibration"] == "asd demo"
    assert found["frames"] == 150
    assert found["decisions"] >= agreement.LEAST_DECISIONS
    assert found["ranking"] >= agreement.LEAST_RANKING
    assert found["largest_difference"] > 1e-3
    assert f"{100 * found['decisions']:.1f} % of the decisions" in line
    sizes = {name: (family.exported("lr_asd")[0] / name).stat().st_size for name in PARTS}
    assert bundle.file("frontend.onnx").stat().st_size < 0.4 * sizes["frontend.onnx"]
    assert bundle.file("window.onnx").stat().st_size == pytest.approx(sizes["window.onnx"], rel=0.1)

    # What reads the grey picture costs little, and would lose most.
    kept = onnx.load(bundle.file("frontend.onnx")).graph.initializer
    kept = {tuple(entry.dims) for entry in kept if entry.data_type == TensorProto.FLOAT}
    assert [dims for dims in kept if len(dims) == 4] == [(16, 1, 5, 5)]

    # A check judges anew, and needs the same checkpoint.
    said.clear()
    check(bundle, ExportPlan(options, chosen), said.append)
    assert said[-1] == line
    unknown = replace(chosen, config=replace(chosen.config, weights="none"))
    file = parts.source.name
    with pytest.raises(ConfigError, match=rf"not known here \({file}\)"):
        check(bundle, ExportPlan(options, unknown), said.append)
    other = replace(parts, source=tmp_path / "other.model")
    other.source.write_bytes(b"other weights")
    chosen = replace(chosen, component=replace(chosen.component, export=lambda _: other))
    with pytest.raises(ConfigError, match=rf"made of other weights.*{file}"):
        check(bundle, ExportPlan(options, chosen), said.append)
