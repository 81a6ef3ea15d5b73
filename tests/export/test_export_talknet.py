"""TalkNet as a bundle: its graphs, its manifest, and each precision against PyTorch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import rule
from checkout import DATA
from extras import onnx, onnxruntime, torch
from family import PROVEN

from asdkit.core.bundle import FORMAT, Bundle
from asdkit.core.files import sha256
from asdkit.core.types import SAMPLES_PER_FRAME, Clip
from asdkit.export.convert import to_int8, to_onnx
from asdkit.plugins.scorers.talknet import MODEL
from asdkit.plugins.scorers.windowed.config import WindowedConfig
from asdkit.plugins.scorers.windowed.exporting import exportable

REFERENCE = np.load(DATA / "talknet.npz")
FRAMES = (1, 2, 7, 25, 37, 75, 150)


def quiet(line):
    assert "\n" not in line


@pytest.mark.slow
def test_every_case_is_told_with_its_tolerance(exported):
    _, said = exported
    for graph in ("model.onnx", "window.onnx"):
        for batch in PROVEN["batch"]:
            for frames in PROVEN["frames"]:
                (line,) = [
                    x for x in said if x.startswith(f"{graph}: batch {batch}, frames {frames}:")
                ]
                assert f"({batch}, {frames}, 2) differs from PyTorch by" in line
                assert "(at most 1e-04)" in line
    assert len([line for line in said if line.startswith("frontend.onnx: batch")]) == 2
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
    graph = exportable(MODEL, WindowedConfig(str(checkpoint))).graphs[2]
    model = to_onnx(graph, True, 18, {})
    random = np.random.default_rng(0)
    inputs = {
        "mfcc": random.uniform(-20, 20, (1, 600, 13)).astype(np.float32),
        "visual": random.uniform(0, 2, (1, 150, 512)).astype(np.float32),
    }

    session = onnxruntime.InferenceSession(model.SerializeToString())
    with torch.inference_mode():
        wanted = graph.module(*map(torch.from_numpy, inputs.values())).numpy()
    np.testing.assert_allclose(session.run(None, inputs)[0], wanted, atol=2e-2, rtol=0)
    assert model.ByteSize() < 0.6 * sum(p.numel() * 4 for p in graph.module.network.parameters())


@pytest.mark.slow
def test_int8_is_smaller_and_nearly_the_same(checkpoint, tmp_path):
    graph = exportable(MODEL, WindowedConfig(str(checkpoint))).graphs[1]
    clips = [Clip(rule.face_frames("int8", 50), rule.waveform("int8", 50 * SAMPLES_PER_FRAME))]
    fp32 = to_onnx(graph, False, 18, {})
    int8 = to_int8(fp32, graph, clips)
    kinds = [node.op_type for node in int8.graph.node]
    assert kinds.count("QuantizeLinear") > 20
    assert "BatchNormalization" not in kinds
    assert int8.ByteSize() < 0.3 * fp32.ByteSize()

    (sample, *_) = graph.samples(clips)
    found, wanted = (
        onnxruntime.InferenceSession(model.SerializeToString()).run(None, sample)[0]
        for model in (int8, fp32)
    )
    assert np.corrcoef(found.ravel(), wanted.ravel())[0, 1] > 0.995
    assert not np.array_equal(found, wanted)
