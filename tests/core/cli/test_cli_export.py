"""asd export: what it refuses, checks and tells."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["precision=fp64"],
            "precision must be fp32, fp16 or int8, got 'fp64'. Did you mean fp16?",
        ),
        (["opset=x"], "opset must be a whole number, got 'x'"),
        (["video=a.mp4"], "There is no option video. There are output, overwrite, precision"),
        (["scorer=lip_motion", "output=out"], "lip_motion has no network to export"),
        (["scorer.weights=nowhere.model", "output=out"], "There is no file of weights"),
        (["check"], "asd: export check takes one folder, but got none"),
        (["check", "."], "is not a bundle"),
        (["check", "a", "b"], "takes one folder, but got a b"),
        (["check", "a", "opset=20"], "no option opset. Use: asd export check FOLDER"),
        (["check", "a", "devise=cpu"], "no option devise. Did you mean device?"),
        (["check", "a", "--device", "cpu"], "--device cpu is written device=cpu"),
        (["chek", "a"], "Did you mean: asd export check FOLDER?"),
        (["talknet"], "takes options of the form KEY=VALUE, but got 'talknet'. Use: asd export ["),
        (["output="], "output names no folder. Name one: output=FOLDER"),
        (["device=gpu", "output=out"], "device must be auto, cpu, cuda or cuda:N, got gpu"),
    ],
)
def test_exports_that_are_refused(refused, words, said):
    assert said in refused("export", *words)
    assert not Path("out").exists()


@pytest.mark.slow
def test_a_bundle_is_checked_again(asd, bundle, monkeypatch):
    from extras import onnxruntime
    from family import PROVEN

    from asdkit.export import proof

    monkeypatch.setattr(proof, "_SIZES", PROVEN)
    code, out, err = asd("export", "check", str(bundle))
    assert code == 0, err
    assert "window.onnx: batch 2, frames 37: (2, 37, 2) differs from PyTorch by" in out
    assert out.endswith(f"{bundle} is as it should be\n")
    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        code, _, err = asd("export", "check", str(bundle), "device=cuda")
        assert code == 2
        assert err.startswith("asd: device=cuda needs the CUDAExecutionProvider")


def test_several_exports_at_once(asd, monkeypatch):
    from types import SimpleNamespace

    from asdkit.export import bundles

    made = []

    def export(plan, say):
        made.append((plan.options.precision, plan.options.output))
        return SimpleNamespace(folder=Path(plan.options.output))

    monkeypatch.setattr(bundles, "export", export)
    words = ["--multirun", "precision=fp32,int8", "output=talknet_${precision}"]
    code, out, err = asd("export", *words)
    assert code == 0, err
    assert made == [("fp32", "talknet_fp32"), ("int8", "talknet_int8")]
    assert "asd run FILE scorer=talknet scorer.weights=talknet_int8" in out
    assert not Path("talknet_fp32").exists()
