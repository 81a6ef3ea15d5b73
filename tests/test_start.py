"""What `asd run` imports where ONNX Runtime computes."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import synth

pytest.importorskip("onnxruntime")

HEAVY = ("torch", "pandas", "matplotlib", "scipy.signal", "scipy.ndimage")
CODE = f"""
import sys

from asdkit.core.analysis.one_pass import Analysis
from asdkit.core.cli.main import main

found = None
fed = Analysis.feed


def feed(self, frame, cut):
    global found
    if found is None:
        found = {set(HEAVY)!r} & set(sys.modules)
    fed(self, frame, cut)


Analysis.feed = feed
main(sys.argv[1:])

assert "onnxruntime" in sys.modules
assert found == set(), found
assert not {{"torch", "pandas", "matplotlib", "scipy.signal"}} & set(sys.modules)
"""


def scorer(path):
    """A model.onnx of LR-ASD's form, whose logits are the mean light of a face."""
    onnx = pytest.importorskip("onnx")
    value, of = onnx.helper.make_tensor_value_info, onnx.TensorProto.FLOAT
    node = onnx.helper.make_node
    graph = onnx.helper.make_graph(
        [
            node("ReduceMean", ["faces"], ["light"], axes=[3], keepdims=0),
            node("ReduceMean", ["light"], ["mean"], axes=[2], keepdims=1),
            node("Concat", ["mean", "mean"], ["logits"], axis=2),
        ],
        "light",
        [
            value("mfcc", of, ["batch", "steps", 13]),
            value("faces", of, ["batch", "frames", 112, 112]),
        ],
        [value("logits", of, ["batch", "frames", 2])],
    )
    opset = onnx.helper.make_opsetid("", 17)
    onnx.save(onnx.helper.make_model(graph, opset_imports=[opset], ir_version=8), path)
    return path


def test_a_run_imports_nothing_heavy(tmp_path):
    clip = synth.write_video(tmp_path / "clip.mp4", frames=25)
    (tmp_path / "boxes.json").write_text(json.dumps([[[8, 2, 68, 62, 1.0]]] * 25))
    words = [
        *("run", str(clip), "detector=boxes", f"detector.path={tmp_path / 'boxes.json'}"),
        *("scorer=lr_asd_onnx", f"scorer.weights={scorer(tmp_path / 'model.onnx')}"),
        *(
            "device=cpu",
            "allow_silent=true",
            "cutter=none",
            "writers=[json]",
            f"output={tmp_path / 'out'}",
        ),
    ]
    done = subprocess.run(
        [sys.executable, "-c", CODE, *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert len(json.loads((tmp_path / "out" / "result.json").read_text())["tracks"]) == 1
