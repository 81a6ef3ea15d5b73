"""asd export, on a network that takes no time: what is proven, refused and left behind."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from extras import onnx, torch
from refusing import refusal
from torch import nn

from asdkit.core.bundle import Bundle
from asdkit.core.component import Component
from asdkit.core.config.chosen import Chosen
from asdkit.core.errors import (
    ConfigError,
    DeviceError,
    ExportError,
    MissingExtraError,
    OutputError,
    PluginError,
    WeightsError,
)
from asdkit.core.exportable import Exportable, Graph, Tensor
from asdkit.core.files import sha256
from asdkit.core.installation import install_words
from asdkit.export import convert, proof
from asdkit.export.bundles import check, export
from asdkit.export.settings import ExportOptions, ExportPlan
from asdkit.plugins.scorers.lip_motion import LIP_MOTION, LipMotionConfig
from asdkit.plugins.scorers.talknet import MODEL
from asdkit.plugins.scorers.windowed.config import WindowedConfig
from asdkit.plugins.scorers.windowed.exporting import exportable


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
    return refusal(kind, export, plan, quiet)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A bundle, exported once."""
    folder = tmp_path_factory.mktemp("made")
    said = []
    export(toy_plan(folder), said.append)
    return folder / "out", said


@pytest.fixture
def there(made, tmp_path):
    """A folder of the test's own that holds that bundle and the checkpoint."""
    shutil.copytree(made[0], tmp_path / "out")
    toy_plan(tmp_path)
    return tmp_path / "out"


def left(folder):
    """What an export left in a folder besides the checkpoint."""
    return sorted(path.name for path in Path(folder).iterdir() if path.name != "toy.model")


# What is made


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


class Pinned(Network):
    """Holds the length that it was traced with, once it is a graph."""

    def forward(self, x):
        found = super().forward(x)
        if torch.compiler.is_exporting():
            return found * torch.ones(convert._EXAMPLE["frames"], 1)
        return found


def test_a_graph_that_holds_the_length_it_was_traced_with_leaves_no_bundle(tmp_path):
    text = refused(ExportError, toy_plan(tmp_path, Pinned()))
    assert "'logits': ['batch', 11, 2]" in text
    assert "its contract is" in text
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


def test_a_miss_leaves_the_bundle_that_was_there(there, tmp_path):
    before = sha256(there / "manifest.json")
    refused(ExportError, toy_plan(tmp_path, Network(error=1.0), overwrite=True))
    assert left(tmp_path) == ["out"]
    assert sha256(there / "manifest.json") == before
    check(Bundle(there), toy_plan(tmp_path), quiet)


def test_a_bundle_is_replaced_only_if_asked(there, tmp_path):
    assert "overwrite=true" in refused(OutputError, toy_plan(tmp_path))
    assert export(toy_plan(tmp_path, opset=20, overwrite=True), quiet).manifest["opset"] == 20
    assert left(tmp_path) == ["out"]


@pytest.mark.parametrize("of_a_bundle", [False, True])
@pytest.mark.parametrize("manifest", [None, '{"name": "a web app"}'])
def test_other_folders_are_not_touched(made, tmp_path, of_a_bundle, manifest):
    if of_a_bundle:
        shutil.copytree(made[0], tmp_path / "out")
    (tmp_path / "out").mkdir(exist_ok=True)
    (tmp_path / "out" / "thesis.txt").write_text("years of work")
    if manifest:
        (tmp_path / "out" / "manifest.json").write_text(manifest)
    text = refused(OutputError, toy_plan(tmp_path, overwrite=True))
    assert "holds something that is not of a bundle" in text
    assert (tmp_path / "out" / "thesis.txt").read_text() == "years of work"


def test_the_bundle_that_was_there_stays_if_the_last_step_fails(there, tmp_path, monkeypatch):
    real = Path.rename

    def rename(path, target):
        if path.name == "new":
            raise PermissionError(13, "Permission denied")
        return real(path, target)

    monkeypatch.setattr(Path, "rename", rename)
    refused(OutputError, toy_plan(tmp_path, opset=20, overwrite=True))
    assert Bundle(there).manifest["opset"] == 18
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
        ({"precision": "fp64"}, "precision must be fp32, fp16 or int8, got"),
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
    text = refused(PluginError, plan)
    assert "lip_motion has no network to export; these have: light_asd, lr_asd, talknet" in text


def test_the_runtime_of_an_export_is_not_chosen():
    with pytest.raises(ConfigError, match=r"not by scorer.runtime=onnx. Use scorer=talknet"):
        exportable(MODEL, WindowedConfig(runtime="onnx"))


def test_a_network_without_a_part_for_int8(tmp_path):
    text = refused(ConfigError, toy_plan(tmp_path, precision="int8"))
    assert "scorer=toy has nothing that may be computed in int8. Choose precision=fp32" in text
    assert left(tmp_path) == []


def test_an_onnx_model_is_not_exported_again(tmp_path):
    with pytest.raises(WeightsError, match="is an ONNX model already"):
        exportable(MODEL, WindowedConfig(str(tmp_path)))


@pytest.mark.parametrize(
    ("package", "extra"),
    [("torch", "torch"), ("onnx", "torch"), ("onnxscript", "torch"), ("onnxruntime", "cpu")],
)
def test_what_is_not_installed_is_named(tmp_path, monkeypatch, package, extra):
    plan = toy_plan(tmp_path)
    monkeypatch.setitem(sys.modules, package, None)
    text = refused(MissingExtraError, plan)
    assert f"asd export needs the package {package}, which is not installed" in text
    assert install_words(extra) in text


def test_a_proof_on_a_device_that_is_not_there(tmp_path):
    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device")
    text = refused(DeviceError, toy_plan(tmp_path, device="cuda"))
    assert "device=cuda needs the CUDAExecutionProvider" in text
    assert install_words("gpu") in text
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


def test_a_check_repeats_the_proof(made, there, tmp_path):
    _, said = made
    assert checked(there, toy_plan(tmp_path)) == said[1:]


def test_a_check_without_the_package_onnx_says_so(there, tmp_path, monkeypatch):
    monkeypatch.setattr(proof, "find_spec", lambda name: None)
    said = checked(there, toy_plan(tmp_path))
    assert "not checked for validity, the package onnx is not installed" in said[0]


@pytest.mark.parametrize("name", ["model.onnx", "proof.npz"])
def test_files_that_are_missing_or_altered(there, tmp_path, name):
    path = there / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=f"{name} was altered"):
        checked(there, toy_plan(tmp_path))
    path.unlink()
    with pytest.raises(WeightsError, match=f"{name} of the bundle cannot be read: No such file"):
        checked(there, toy_plan(tmp_path))


def test_a_graph_that_computes_something_else_is_caught(there, tmp_path):
    def change(model):
        (weight,) = [i for i in model.graph.initializer if i.name.endswith("bias")]
        weight.CopyFrom(onnx.numpy_helper.from_array(np.float32([1, 2]), weight.name))

    rewritten(there, change)
    with pytest.raises(ExportError, match="differs from PyTorch"):
        checked(there, toy_plan(tmp_path))


def test_a_graph_of_another_contract_is_caught(there, tmp_path):
    def change(model):
        model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 7

    rewritten(there, change)
    with pytest.raises(ExportError, match="but its contract is"):
        checked(there, toy_plan(tmp_path))


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
        (lambda m: "[" * 10**5, "nested deeper than 100"),
        (lambda m: json.dumps({**m, "format": "9" * 10**5}), "its format is '9999"),
        (lambda m: json.dumps({**m, "opset": 10**400}), "a number of 401 digits"),
        (lambda m: json.dumps({**m, "opset": 10**9}), "no such opset"),
        (lambda m: json.dumps({**m, "opset": True}), "says nothing of 'opset'"),
        (lambda m: json.dumps({**m, "files": {"../model.onnx": {"sha256": "0"}}}), "in its folder"),
        (lambda m: json.dumps({**m, "files": {"a\0": {"sha256": "0"}}}), "in its folder"),
    ],
)
def test_manifests_that_are_wrong(there, change, said):
    path = there / "manifest.json"
    path.write_text(change(json.loads(path.read_text())))
    with pytest.raises(WeightsError, match=said) as caught:
        Bundle(there)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda files: files["model.onnx"].pop("output"), "does not say all of its graphs"),
        (lambda files: files["model.onnx"]["inputs"][0].pop("low"), "does not say all"),
        (lambda files: files["model.onnx"]["inputs"][0].update(low=10**400), "401 digits"),
        (lambda files: files["model.onnx"]["inputs"][0].update(low=float("nan")), "holds NaN"),
        (lambda files: files["model.onnx"]["inputs"][0].update(shape=7), "does not say all"),
        (lambda files: files["model.onnx"]["inputs"][0].update(shape=["ever"]), "the size 'ever'"),
        (lambda files: files["model.onnx"]["inputs"][0].update(shape=[10**9]), "does not say all"),
        (lambda files: files.pop("model.onnx"), "names no graph"),
    ],
)
def test_manifests_that_say_too_little(there, tmp_path, change, said):
    path = there / "manifest.json"
    manifest = json.loads(path.read_text())
    change(manifest["files"])
    path.write_text(json.dumps(manifest))
    with pytest.raises(WeightsError, match=said):
        checked(there, toy_plan(tmp_path))


def test_a_folder_that_is_no_bundle(tmp_path):
    with pytest.raises(WeightsError, match=r"is not a bundle: manifest.json cannot be read"):
        Bundle(tmp_path)
