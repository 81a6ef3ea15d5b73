"""What the weights settle: windows, and the calibration that ships, by name and by content."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import asdkit
from asdkit.core.config.chosen import Chosen
from asdkit.core.config.compose import compose_run
from asdkit.core.config.plan import make_plan
from asdkit.core.files import sha256
from asdkit.core.provenance import provenance
from asdkit.core.weights import Weights
from asdkit.plugins.scorers.light_asd import MODEL as LIGHT_ASD
from asdkit.plugins.scorers.lr_asd import MODEL as LR_ASD
from asdkit.plugins.scorers.talknet import MODEL as TALKNET
from asdkit.plugins.scorers.windowed.settling import published_name

SIX = [1, 2, 3, 4, 5, 6]


def chosen(*words: str) -> Chosen:
    return make_plan(compose_run(words, "talk.mp4")).chosen["scorer"]


@pytest.mark.parametrize(
    ("words", "weights", "windows"),
    [
        (["scorer=lr_asd"], "ava", [60]),
        (["scorer=light_asd"], "ava", [60]),
        (["scorer=lr_asd_onnx"], "ava", [60]),
        (["scorer=lr_asd", "scorer.weights=talkset"], "talkset", SIX),
        (["scorer=lr_asd", "scorer.window_seconds=[3]"], "ava", [3]),
        (["scorer=talknet"], "talkset", SIX),
        (["scorer=talknet", "scorer.weights=ava"], "ava", SIX),
        (["scorer=lr_asd", "scorer.weights=mine.model"], "mine.model", SIX),
        (["experiment=fast"], "ava", [60]),
        (["experiment=reference", "cutter.path=x.csv"], "talkset", SIX),
    ],
)
def test_windows_follow_from_the_weights(words: list[str], weights: str, windows: list[int]):
    plan = make_plan(compose_run(words, "talk.mp4"))
    config = plan.chosen["scorer"].config
    assert (config.weights, config.window_seconds) == (weights, windows)
    # What was used stands in the result, so that it can be made again.
    assert plan.settings["scorer"]["window_seconds"] == windows


@pytest.mark.parametrize("weights", ["ava", "talkset"])
@pytest.mark.parametrize("name", ["lr_asd", "light_asd"])
def test_published_weights_of_the_small_scorers_have_a_calibration(name: str, weights: str):
    found = chosen(f"scorer={name}", f"scorer.weights={weights}")
    calibration = found.calibration
    assert calibration is not None
    assert (calibration.scorer, calibration.weights) == (name, weights)
    assert list(calibration.window_seconds or ()) == found.config.window_seconds
    assert calibration.held_out is not None
    before, after = calibration.held_out["before"], calibration.held_out["after"]
    assert all(after[measure] < before[measure] for measure in before)
    plan = make_plan(compose_run([f"scorer={name}", f"scorer.weights={weights}"], "talk.mp4"))
    (file,) = provenance(plan, {}, {})["weights"]["calibration"]
    path = Path(file["path"])
    assert path.parts[-2:] == (name, f"{weights}.calibration.json")
    assert file["sha256"] == sha256(path)


@pytest.mark.parametrize("weights", ["ava", "talkset"])
@pytest.mark.parametrize("name", ["lr_asd", "light_asd"])
def test_with_the_other_faces_the_calibration_is_the_one_fitted_with_them(name: str, weights: str):
    words = [f"scorer={name}", f"scorer.weights={weights}", "context=others"]
    found = chosen(*words)
    assert found.calibration is not None
    assert found.calibration.context == {"name": "others", "weight": 0.25}
    assert found.calibration != chosen(*words[:2]).calibration
    assert chosen(*words, "context.weight=0.5").calibration is None


@pytest.mark.parametrize(
    "words",
    [
        ["scorer=lr_asd", "scorer.calibration=null"],
        ["scorer=lr_asd", "scorer.window_seconds=[1,2]"],  # not what it was fitted with
        ["scorer=lr_asd", "scorer.weights=mine.model"],
        ["scorer=talknet"],
        ["scorer=lip_motion"],
        ["experiment=reference", "cutter.path=x.csv"],
    ],
)
def test_nothing_is_corrected(words: list[str]):
    plan = make_plan(compose_run(words, "talk.mp4"))
    assert plan.chosen["scorer"].calibration is None
    assert "calibration" not in provenance(plan, {}, {})["weights"]


def test_a_file_takes_the_place_of_what_ships(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    path = tmp_path / "mine.json"
    mine = {"schema": "asdkit.calibration/1", "scorer": "lr_asd", "temperature": 3.5, "bias": 1}
    mine |= {"weights": "ava", "window_seconds": [1, 2]}
    path.write_text(json.dumps(mine))
    words = ["scorer=lr_asd", f"scorer.calibration={path}"]
    found = chosen(*words, "scorer.window_seconds=[2,1]")
    assert found.calibration is not None
    assert found.calibration.temperature == 3.5
    assert found.calibration_path == path
    assert not caplog.messages
    chosen(*words)
    assert "was fitted with scorer.window_seconds=[1, 2], so its probabilities" in caplog.text


@pytest.fixture
def checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that stands for the published weights `ava` of LR-ASD, under another name."""
    path = tmp_path / "copied.model"
    path.write_bytes(b"weights")
    monkeypatch.setitem(LR_ASD.published, "ava", stands_for(LR_ASD.published["ava"], path))
    return path


def stands_for(weights: Weights, path: Path) -> Weights:
    check, size = f"sha256:{sha256(path)}", path.stat().st_size
    return Weights(weights.name, weights.url, path.name, check, size, weights.licence)


def bundle(folder: Path, model: str, name: str, digest: str) -> Path:
    folder.mkdir()
    manifest: dict[str, Any] = {"format": "asdkit-bundle-1", "model": model, "precision": "fp32"}
    manifest |= {"opset": 18, "files": {}}
    manifest["weights"] = {"name": name, "file": "x.model", "sha256": digest}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def test_published_weights_are_known_by_their_content(checkpoint: Path, tmp_path: Path):
    digest = sha256(checkpoint)
    assert published_name(LR_ASD, str(checkpoint)) == "ava"
    assert published_name(LIGHT_ASD, str(checkpoint)) is None
    by_name = bundle(tmp_path / "by_name", "lr_asd", "talkset", "0" * 64)
    by_hash = bundle(tmp_path / "by_hash", "lr_asd", "", digest)
    other = bundle(tmp_path / "other", "lr_asd", "", "0" * 64)
    assert published_name(LR_ASD, str(by_name)) == "talkset"
    assert published_name(LR_ASD, str(by_hash)) == "ava"
    assert published_name(LR_ASD, str(other)) is None
    assert published_name(TALKNET, str(by_name)) is None
    found = chosen("scorer=lr_asd_onnx", f"scorer.weights={by_hash}")
    assert found.config.window_seconds == [60]
    assert found.calibration is not None
    assert found.calibration.weights == "ava"
    checkpoint.write_bytes(b"Weights")
    assert published_name(LR_ASD, str(checkpoint)) is None


def test_weights_that_cannot_be_read_settle_nothing(tmp_path: Path):
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "manifest.json").write_text("{")
    for weights in ("", "nowhere.model", "~nobody-of-this-name/x", str(tmp_path / "damaged"), "/"):
        assert published_name(LR_ASD, weights) is None


def test_a_loaded_scorer_has_its_calibration_and_its_device(monkeypatch: pytest.MonkeyPatch):
    class Scorer:
        device = "cpu"

    monkeypatch.setattr(Chosen, "build", lambda self, context: Scorer())
    assert type(asdkit.load("scorer", "lr_asd")).__name__ == "_Calibrated"
    assert asdkit.load("scorer", "lr_asd").device == "cpu"
    assert type(asdkit.load("scorer", "lr_asd", calibration=None)) is Scorer
