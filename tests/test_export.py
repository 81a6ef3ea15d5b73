"""asd export: graphs, manifest, proof, and that nothing unproven is left behind."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import rule
import torch
from torch import nn

from asdkit.core.bundle import FORMAT, Bundle, sha256
from asdkit.core.components import Component, Context
from asdkit.core.config import Chosen
from asdkit.core.errors import (
    ConfigError,
    DeviceError,
    ExportError,
    MissingExtraError,
    OutputError,
    PluginError,
    WeightsError,
)
from asdkit.core.graphs import Exportable, Graph, Tensor
from asdkit.core.types import SAMPLES_PER_FRAME, Clip, Scores
from asdkit.export import agreement, bundles, proof
from asdkit.export.agreement import Recorder, judge
from asdkit.export.bundles import check, export
from asdkit.export.convert import to_int8, to_onnx
from asdkit.export.settings import ExportOptions, ExportPlan
from asdkit.plugins.scorers.lip_motion import LIP_MOTION, LipMotionConfig
from asdkit.plugins.scorers.talknet import TALKNET
from asdkit.plugins.scorers.talknet.exporting import exportable
from asdkit.plugins.scorers.talknet.scorer import TalkNetConfig

REFERENCE = np.load(Path(__file__).parent / "data" / "talknet.npz")
FRAMES = (1, 2, 7, 25, 37, 75, 150)


# A network that takes no time: the machinery is the same


class Network(nn.Module):
    """Wrong by `error` when it runs as a graph."""

    def __init__(self, error=0.0, swell=1.0):
        super().__init__()
        torch.manual_seed(0)
        self.linear = nn.Linear(4, 2)
        self.error, self.swell = error, swell

    def forward(self, x):
        found = self.linear(x.to(self.linear.weight.dtype)).float() * self.swell
        return found + self.error if torch.compiler.is_exporting() else found


@dataclass(frozen=True)
class ToyConfig:
    weights: str = "toy"


def toy_plan(folder, network=None, weights="", low=-1.0, **options):
    source = Path(folder) / "toy.model"
    source.write_bytes(b"weights")
    x = Tensor("x", ("batch", "frames", 4), "numbers", low, 1.0)
    logits = Tensor("logits", ("batch", "frames", 2), "no, yes", -9.0, 9.0)
    graph = Graph("model", "a toy", network or Network(), (x,), logits, lambda clips: ())
    made = Exportable("toy", weights, source, "MIT", (graph,))
    toy = Component("scorer", "toy", ToyConfig, lambda *_: None, export=lambda config: made)
    options.setdefault("output", str(Path(folder) / "out"))
    return ExportPlan(ExportOptions(**options), Chosen(toy, ToyConfig()))


def quiet(line):
    assert "\n" not in line


def refused(kind, plan):
    with pytest.raises(kind) as caught:
        export(plan, quiet)
    text = str(caught.value)
    assert "\n" not in text
    return text


def left(folder):
    """What an export left in a folder besides the checkpoint."""
    return sorted(path.name for path in Path(folder).iterdir() if path.name != "toy.model")


# What a bundle is


@pytest.mark.slow
def test_every_case_is_told_with_its_tolerance(exported):
    _, said = exported
    for graph in ("model.onnx", "window.onnx"):
        for batch in (1, 2, 5):
            for frames in (1, 2, 7, 25, 37, 150):
                (line,) = [
                    x for x in said if x.startswith(f"{graph}: batch {batch}, frames {frames}:")
                ]
                assert f"({batch}, {frames}, 2) differs from PyTorch by" in line
                assert "(at most 1e-04)" in line
    assert len([line for line in said if line.startswith("frontend.onnx: batch")]) == 3
    assert "model.onnx: valid, shapes inferred, opset 18" in said
    assert any("nodes run on CPUExecutionProvider" in line for line in said)


@pytest.mark.slow
def test_the_manifest_tells_all(bundle, checkpoint):
    manifest = Bundle(bundle).manifest
    assert manifest["format"] == FORMAT
    assert manifest["model"] == "talknet"
    assert manifest["weights"] == {"name": "", "file": "rule.model", "sha256": sha256(checkpoint)}
    assert (manifest["precision"], manifest["opset"]) == ("fp32", 18)
    assert manifest["versions"]["torch"] == torch.__version__
    assert set(manifest["files"]) == {path.name for path in bundle.iterdir()} - {"manifest.json"}
    for name, entry in manifest["files"].items():
        assert entry["sha256"] == sha256(bundle / name)
        assert entry["bytes"] == (bundle / name).stat().st_size
    shapes = {t["name"]: t["shape"] for t in manifest["files"]["model.onnx"]["inputs"]}
    assert shapes == {
        "mfcc": ["batch", "4*frames", 13],
        "faces": ["batch", "frames", 112, 112],
    }
    differences = manifest["proof"]["largest_differences"]
    assert set(differences) == {"model.onnx", "frontend.onnx", "window.onnx"}
    assert all(0 < difference <= 1e-4 for difference in differences.values())


@pytest.mark.slow
@pytest.mark.parametrize("name", ["model.onnx", "frontend.onnx", "window.onnx"])
def test_the_graphs_describe_themselves(bundle, name):
    model = onnx.load(bundle / name)
    onnx.checker.check_model(model, full_check=True)
    assert model.producer_name == "asdkit"
    assert "TalkNet" in model.doc_string
    assert model.graph.name == Path(name).stem
    notes = {entry.key: entry.value for entry in model.metadata_props}
    assert notes["asdkit.model"] == "talknet"
    assert notes["asdkit.precision"] == "fp32"
    assert notes["asdkit.weights"] == "rule.model"
    assert all(value.doc_string for value in (*model.graph.input, *model.graph.output))
    named = {node.name.partition("/")[0] for node in model.graph.node}
    seen, heard = "visualFrontend.resnet.layer1.conv2a", "audioEncoder.layer1.0.conv1"
    parts = {"model": (seen, heard), "frontend": (seen,), "window": (heard,)}
    assert {f"network.model.{part}" for part in parts[Path(name).stem]} <= named
    # The exporter's notes tell where on the disk the source lies.
    content = model.SerializeToString()
    assert not [word for word in (b"visual.py", b"pkg.torch", b"stack_trace") if word in content]
    assert len(model.graph.value_info) >= len(model.graph.node) * 0.9  # shapes are inferred


PLAIN_SCRIPT = """
import sys
import numpy as np
import onnxruntime

session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
given = np.load(sys.argv[2])
found = {
    frames: session.run(
        ["logits"], {"mfcc": given[f"mfcc_{frames}"], "faces": given[f"faces_{frames}"]}
    )[0][0]
    for frames in sys.argv[4:]
}
assert not {"asdkit", "torch"} & set(sys.modules)
np.savez(sys.argv[3], **found)
"""


@pytest.mark.slow
def test_model_onnx_meets_the_reference_without_asdkit(bundle, tmp_path):
    inputs = {}
    for frames in FRAMES:
        tag = f"talknet{frames}"
        inputs[f"mfcc_{frames}"] = rule.mfcc(tag, 4 * frames)[None]
        inputs[f"faces_{frames}"] = rule.face_frames(tag, frames)[None].astype(np.float32)
    np.savez(tmp_path / "in.npz", **inputs)
    words = [bundle / "model.onnx", tmp_path / "in.npz", tmp_path / "out.npz", *FRAMES]
    subprocess.run([sys.executable, "-c", PLAIN_SCRIPT, *map(str, words)], check=True)
    found = np.load(tmp_path / "out.npz")
    for frames in FRAMES:
        wanted = REFERENCE[f"logits_{frames}"]
        np.testing.assert_allclose(found[str(frames)], wanted, atol=1e-4, rtol=0)


@pytest.mark.slow
def test_half_precision_keeps_the_logits(checkpoint):
    """Over the longest window: sums over it are what half precision holds worst."""
    graph = exportable(TalkNetConfig(str(checkpoint))).graphs[2]
    model = to_onnx(graph, True, 18, {})
    random = np.random.default_rng(0)
    inputs = {
        "mfcc": random.uniform(-20, 20, (1, 600, 13)).astype(np.float32),
        "visual": random.uniform(0, 2, (1, 150, 512)).astype(np.float32),
    }
    import onnxruntime

    session = onnxruntime.InferenceSession(model.SerializeToString())
    with torch.inference_mode():
        wanted = graph.module(*map(torch.from_numpy, inputs.values())).numpy()
    np.testing.assert_allclose(session.run(None, inputs)[0], wanted, atol=2e-2, rtol=0)
    assert model.ByteSize() < 0.6 * sum(p.numel() * 4 for p in graph.module.network.parameters())


@pytest.mark.slow
def test_half_precision_from_end_to_end(checkpoint, tmp_path, monkeypatch):
    """But for model.onnx; and the two parts as a run puts them together."""
    parts = exportable(TalkNetConfig(str(checkpoint)))
    talknet = replace(TALKNET, export=lambda _: replace(parts, graphs=parts.graphs[1:]))
    monkeypatch.setattr(proof, "_SIZES", {"batch": (1, 2), "frames": (1, 37)})
    config = TalkNetConfig(str(checkpoint), window_seconds=[1, 2])
    options = ExportOptions(output=str(tmp_path / "out"), precision="fp16", opset=20)
    folder = export(ExportPlan(options, Chosen(talknet, config)), quiet).folder
    by_onnx, by_torch = (
        TALKNET.build(replace(config, weights=str(weights)), Context("cpu"))
        for weights in (folder, checkpoint)
    )
    clip = Clip(rule.face_frames("fp16", 40), rule.waveform("fp16", 40 * SAMPLES_PER_FRAME))
    (found,), (wanted,) = by_onnx.score([clip]), by_torch.score([clip])
    np.testing.assert_allclose(found.logits, wanted.logits, atol=2e-2, rtol=0)
    assert np.abs(found.logits - wanted.logits).max() > 1e-5


@pytest.mark.slow
def test_int8_is_smaller_and_nearly_the_same(checkpoint, tmp_path):
    graph = exportable(TalkNetConfig(str(checkpoint))).graphs[1]
    clips = [Clip(rule.face_frames("int8", 50), rule.waveform("int8", 50 * SAMPLES_PER_FRAME))]
    fp32 = to_onnx(graph, False, 18, {})
    int8 = to_int8(fp32, graph, clips)
    kinds = [node.op_type for node in int8.graph.node]
    assert kinds.count("QuantizeLinear") > 20
    assert "BatchNormalization" not in kinds
    assert int8.ByteSize() < 0.3 * fp32.ByteSize()
    import onnxruntime

    (sample, *_) = graph.samples(clips)
    found, wanted = (
        onnxruntime.InferenceSession(model.SerializeToString()).run(None, sample)[0]
        for model in (int8, fp32)
    )
    assert np.corrcoef(found.ravel(), wanted.ravel())[0, 1] > 0.995
    assert not np.array_equal(found, wanted)


@pytest.mark.parametrize("opset", [18, 20, 22])
def test_opsets(tmp_path, opset):
    bundle = export(toy_plan(tmp_path, opset=opset), quiet)
    assert bundle.manifest["opset"] == opset
    model = onnx.load(bundle.file("model.onnx"))
    assert [entry.version for entry in model.opset_import if not entry.domain] == [opset]


def test_published_weights_go_where_they_are_looked_for(tmp_path, monkeypatch):
    monkeypatch.setenv("ASDKIT_CACHE", str(tmp_path / "cache"))
    bundle = export(toy_plan(tmp_path, weights="talkset", output=None), quiet)
    assert bundle.folder == tmp_path / "cache" / "toy_talkset_fp32"
    assert bundle.manifest["weights"]["name"] == "talkset"
    assert bundle.manifest["licence"] == "MIT"


# A miss leaves nothing


def test_a_graph_that_differs_leaves_no_bundle(tmp_path):
    text = refused(ExportError, toy_plan(tmp_path, Network(error=2e-4)))
    assert "model.onnx: batch 1, frames 1: differs from PyTorch by 2.0e-04, more than 1e-04" in text
    assert left(tmp_path) == []


def test_half_precision_has_a_tolerance_of_its_own(tmp_path):
    export(toy_plan(tmp_path, Network(error=1e-2), precision="fp16"), quiet)
    text = refused(
        ExportError, toy_plan(tmp_path, Network(error=3e-2), precision="fp16", overwrite=True)
    )
    assert "more than 2e-02" in text


def test_values_that_are_not_finite_are_a_miss(tmp_path):
    plan = toy_plan(tmp_path, Network(swell=1e39), precision="fp16")
    assert "not finite" in refused(ExportError, plan)
    assert left(tmp_path) == []


def test_a_miss_leaves_the_bundle_that_was_there(tmp_path):
    export(toy_plan(tmp_path), quiet)
    before = sha256(tmp_path / "out" / "manifest.json")
    refused(ExportError, toy_plan(tmp_path, Network(error=1.0), overwrite=True))
    assert left(tmp_path) == ["out"]
    assert sha256(tmp_path / "out" / "manifest.json") == before
    check(Bundle(tmp_path / "out"), toy_plan(tmp_path), quiet)


def test_a_bundle_is_replaced_only_if_asked(tmp_path):
    export(toy_plan(tmp_path), quiet)
    assert "overwrite=true" in refused(OutputError, toy_plan(tmp_path))
    assert export(toy_plan(tmp_path, opset=20, overwrite=True), quiet).manifest["opset"] == 20
    assert left(tmp_path) == ["out"]


@pytest.mark.parametrize("of_a_bundle", [False, True])
@pytest.mark.parametrize("manifest", [None, '{"name": "a web app"}'])
def test_other_folders_are_not_touched(tmp_path, of_a_bundle, manifest):
    if of_a_bundle:
        export(toy_plan(tmp_path), quiet)
    (tmp_path / "out").mkdir(exist_ok=True)
    (tmp_path / "out" / "thesis.txt").write_text("years of work")
    if manifest:
        (tmp_path / "out" / "manifest.json").write_text(manifest)
    text = refused(OutputError, toy_plan(tmp_path, overwrite=True))
    assert "holds something that is not of a bundle" in text
    assert (tmp_path / "out" / "thesis.txt").read_text() == "years of work"


def test_the_bundle_that_was_there_stays_if_the_last_step_fails(tmp_path, monkeypatch):
    export(toy_plan(tmp_path), quiet)
    real = Path.rename

    def rename(path, target):
        if path.name == "new":
            raise PermissionError(13, "Permission denied")
        return real(path, target)

    monkeypatch.setattr(Path, "rename", rename)
    refused(OutputError, toy_plan(tmp_path, opset=20, overwrite=True))
    assert Bundle(tmp_path / "out").manifest["opset"] == 18
    assert left(tmp_path) == ["out"]


def test_a_reader_who_leaves_is_no_fault_of_the_folder(tmp_path):
    def leave(line):
        if "differs" in line:
            raise BrokenPipeError(32, "Broken pipe")

    with pytest.raises(BrokenPipeError):
        export(toy_plan(tmp_path), leave)
    assert left(tmp_path) == []


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    text = refused(OutputError, toy_plan(tmp_path, output=str(tmp_path / "file" / "out")))
    assert "Cannot write" in text
    assert "output=FOLDER" in text
    for output in ("/proc/asdkit/out", "x" * 300, "~nobody-of-this-name/out"):
        assert "Cannot write" in refused(OutputError, toy_plan(tmp_path, output=output))


def test_a_folder_that_may_not_be_looked_at(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    plan = toy_plan(tmp_path)
    monkeypatch.setattr(Path, "exists", refuse)
    assert "Cannot write" in refused(OutputError, plan)


def test_an_empty_folder_is_as_good_as_none(tmp_path):
    (tmp_path / "out").mkdir()
    assert export(toy_plan(tmp_path), quiet).folder == tmp_path / "out"


# What can be wrong with what is asked


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"precision": "fp64"}, "precision must be fp32, fp16, int8"),
        ({"opset": 17}, "opset must be 18 or higher"),
        ({"calibration": "talk.mp4"}, "calibration is read with precision=int8 only"),
        ({"threads": 0}, "threads"),
        ({"device": "gpu"}, "device must be auto, cpu, cuda or cuda:N, got gpu"),
    ],
)
def test_options_out_of_range_are_named(options, named):
    with pytest.raises(ValueError, match=named):
        ExportOptions(**options)


def test_an_opset_nobody_knows(tmp_path):
    text = refused(ConfigError, toy_plan(tmp_path, opset=99))
    assert "opset=99 is not known" in text
    assert left(tmp_path) == []


def test_weights_of_ones_own_need_an_output(tmp_path):
    assert "output is not set" in refused(ConfigError, toy_plan(tmp_path, output=None))


def test_a_scorer_without_a_network(tmp_path):
    plan = ExportPlan(ExportOptions(str(tmp_path)), Chosen(LIP_MOTION, LipMotionConfig()))
    assert "lip_motion has no network to export; these have: talknet" in refused(PluginError, plan)


def test_the_runtime_of_an_export_is_not_chosen():
    with pytest.raises(ConfigError, match=r"not by scorer.runtime=onnx. Use scorer=talknet"):
        exportable(TalkNetConfig(runtime="onnx"))


def test_an_onnx_model_is_not_exported_again(tmp_path):
    with pytest.raises(WeightsError, match="is an ONNX model already"):
        exportable(TalkNetConfig(str(tmp_path)))


@pytest.mark.parametrize(
    ("package", "extra"),
    [("torch", "torch"), ("onnx", "torch"), ("onnxscript", "torch"), ("onnxruntime", "cpu")],
)
def test_what_is_not_installed_is_named(tmp_path, monkeypatch, package, extra):
    plan = toy_plan(tmp_path)
    monkeypatch.setitem(sys.modules, package, None)
    text = refused(MissingExtraError, plan)
    assert f"asd export needs the package {package}, which is not installed" in text
    assert f"asdkit[{extra}]" in text


def test_a_proof_on_a_device_that_is_not_there(tmp_path):
    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device")
    text = refused(DeviceError, toy_plan(tmp_path, device="cuda"))
    assert "device=cuda needs the CUDAExecutionProvider" in text
    assert "asdkit[gpu]" in text
    assert left(tmp_path) == []


# asd export check


def checked(folder, plan):
    said = []
    check(Bundle(folder), plan, said.append)
    return said


def rewritten(folder, change):
    """Change a graph and put its new hash into the manifest, as a forger would."""
    path, manifest = folder / "model.onnx", folder / "manifest.json"
    model = onnx.load(path)
    change(model)
    onnx.save(model, path)
    told = json.loads(manifest.read_text())
    told["files"]["model.onnx"]["sha256"] = sha256(path)
    manifest.write_text(json.dumps(told))


def test_a_check_repeats_the_proof(tmp_path):
    said = []
    export(toy_plan(tmp_path), said.append)
    assert checked(tmp_path / "out", toy_plan(tmp_path)) == said[1:]


def test_a_check_without_the_package_onnx_says_so(tmp_path, monkeypatch):
    export(toy_plan(tmp_path), quiet)
    monkeypatch.setattr(proof, "find_spec", lambda name: None)
    said = checked(tmp_path / "out", toy_plan(tmp_path))
    assert "not checked for validity, the package onnx is not installed" in said[0]


@pytest.mark.parametrize("name", ["model.onnx", "proof.npz"])
def test_files_that_are_missing_or_altered(tmp_path, name):
    export(toy_plan(tmp_path), quiet)
    path = tmp_path / "out" / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=f"{name} was altered"):
        checked(tmp_path / "out", toy_plan(tmp_path))
    path.unlink()
    with pytest.raises(WeightsError, match=f"{name} of the bundle cannot be read: No such file"):
        checked(tmp_path / "out", toy_plan(tmp_path))


def test_a_graph_that_computes_something_else_is_caught(tmp_path):
    def change(model):
        (weight,) = [i for i in model.graph.initializer if i.name.endswith("bias")]
        weight.CopyFrom(onnx.numpy_helper.from_array(np.float32([1, 2]), weight.name))

    export(toy_plan(tmp_path), quiet)
    rewritten(tmp_path / "out", change)
    with pytest.raises(ExportError, match="differs from PyTorch"):
        checked(tmp_path / "out", toy_plan(tmp_path))


def test_a_graph_of_another_contract_is_caught(tmp_path):
    def change(model):
        model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 7

    export(toy_plan(tmp_path), quiet)
    rewritten(tmp_path / "out", change)
    with pytest.raises(ExportError, match="but its contract is"):
        checked(tmp_path / "out", toy_plan(tmp_path))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda m: "{", "is damaged"),
        (lambda m: "[]", "is not a manifest this version reads"),
        (lambda m: json.dumps({**m, "format": "asdkit-bundle-9"}), "asdkit-bundle-9"),
        (lambda m: json.dumps({**m, "model": 3}), "says nothing of 'model'"),
        (lambda m: json.dumps({**m, "files": {"model.onnx": {}}}), "no SHA-256 of model.onnx"),
        (lambda m: json.dumps({**m, "opset": "new"}), "says nothing of 'opset'"),
        (lambda m: json.dumps({**m, "weights": {}}), "its weights have no 'name'"),
    ],
)
def test_manifests_that_are_wrong(tmp_path, change, said):
    export(toy_plan(tmp_path), quiet)
    path = tmp_path / "out" / "manifest.json"
    path.write_text(change(json.loads(path.read_text())))
    with pytest.raises(WeightsError, match=said) as caught:
        Bundle(tmp_path / "out")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda files: files["model.onnx"].pop("output"), "does not say all of its graphs"),
        (lambda files: files["model.onnx"]["inputs"][0].pop("low"), "does not say all"),
        (lambda files: files.pop("model.onnx"), "names no graph"),
    ],
)
def test_manifests_that_say_too_little(tmp_path, change, said):
    export(toy_plan(tmp_path), quiet)
    path = tmp_path / "out" / "manifest.json"
    manifest = json.loads(path.read_text())
    change(manifest["files"])
    path.write_text(json.dumps(manifest))
    with pytest.raises(WeightsError, match=said):
        checked(tmp_path / "out", toy_plan(tmp_path))


def test_a_folder_that_is_no_bundle(tmp_path):
    with pytest.raises(WeightsError, match=r"is not a bundle: manifest.json cannot be read"):
        Bundle(tmp_path)


# int8 is judged on real faces


class Answering:
    """A scorer whose scores are given."""

    def __init__(self, scores):
        self.scores = np.asarray(scores, np.float32)

    def score(self, clips):
        logits = np.stack([np.zeros_like(self.scores), self.scores], axis=1)
        return [Scores(logits) for _ in clips]


def recorded(scores):
    clip = Clip(np.zeros((len(scores), 112, 112), np.uint8), np.zeros(640 * len(scores), np.int16))
    recorder = Recorder(Answering(scores))
    recorder.score([clip])
    return recorder


def test_agreement_is_measured():
    scores = np.linspace(-1, 1, 100)
    found = scores.copy()
    found[[49, 50]] = found[[50, 49]]  # the two next to the threshold change places
    result = judge(recorded(scores), Answering(found))
    assert result.frames == 100
    assert result.decisions == pytest.approx(0.98)
    assert result.ranking == pytest.approx(1 - 6 * 2 / (100 * (100**2 - 1)))  # Spearman's formula
    assert result.largest_difference == pytest.approx(2 / 99)
    assert "98.0 % of the decisions" in str(result)


@pytest.mark.parametrize(
    "found",
    [np.linspace(-0.8, 1.2, 100), np.linspace(1, -1, 100), np.zeros(100)],
    ids=["decisions", "ranking", "constant"],
)
@pytest.mark.filterwarnings("ignore:An input array is constant")
def test_too_little_agreement_is_an_error(found):
    with pytest.raises(ExportError, match=r"calibration=FILE; or choose precision=fp32"):
        judge(recorded(np.linspace(-1, 1, 100)), Answering(found))


@pytest.mark.slow
def test_int8_from_end_to_end(checkpoint, tmp_path, monkeypatch):
    """But for model.onnx, over few sizes and one recording: they take long and are tested above."""
    recorders = []

    def record_once(*words):
        if not recorders:
            recorders.append(agreement.record(*words))
        return recorders[0]

    monkeypatch.setattr(bundles, "record", record_once)
    parts = exportable(TalkNetConfig(str(checkpoint)))
    talknet = replace(TALKNET, export=lambda _: replace(parts, graphs=parts.graphs[1:]))
    monkeypatch.setattr(proof, "_SIZES", {"batch": (1, 2), "frames": (1, 7)})
    chosen = Chosen(talknet, TalkNetConfig(str(checkpoint), window_seconds=[1]))
    options = ExportOptions(output=str(tmp_path / "out"), precision="int8")
    said = []
    bundle = export(ExportPlan(options, chosen), said.append)
    (line,) = [line for line in said if "frames of real faces" in line]
    found = bundle.manifest["proof"]["agreement"]
    assert found["calibration"] == "asd demo"
    assert found["frames"] == 400
    assert found["decisions"] >= agreement.LEAST_DECISIONS
    assert found["ranking"] >= agreement.LEAST_RANKING
    assert found["largest_difference"] > 1e-3
    assert f"{100 * found['decisions']:.1f} % of the decisions" in line
    scorer = TALKNET.build(TalkNetConfig(str(bundle.folder), window_seconds=[1]), Context("cpu"))
    clip = Clip(rule.face_frames("int8", 5), rule.waveform("int8", 5 * SAMPLES_PER_FRAME))
    assert scorer.score([clip])[0].logits.shape == (5, 2)

    # A check judges anew, and needs the same checkpoint.
    said.clear()
    check(bundle, ExportPlan(options, chosen), said.append)
    assert said[-1] == line
    unknown = replace(chosen, config=replace(chosen.config, weights="none"))
    with pytest.raises(ConfigError, match=r"not known here \(rule\.model\)"):
        check(bundle, ExportPlan(options, unknown), quiet)
    parts = replace(parts, source=tmp_path / "other.model")
    parts.source.write_bytes(b"other weights")
    with pytest.raises(ConfigError, match=r"made of other weights.*rule\.model"):
        check(bundle, ExportPlan(options, chosen), quiet)
