"""Whether own and foreign sounds fit the lips, in an evaluation with a scorer that knows."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from evaluating import evaluated
from knowing import Knowing, KnowingModels, speech, video

from asdkit.core.cli.evaluation_views import print_evaluation
from asdkit.core.errors import ConfigError
from asdkit.core.evaluation import dataset
from asdkit.core.evaluation.compare import compare

FRAMES = 300
LATE = {"one": 0, "two": 5}


@pytest.fixture
def knowing(tmp_path, monkeypatch):
    """Options for two videos, one with late sound, whose faces a scorer knows."""
    monkeypatch.setenv("ASDKIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(dataset, "Models", KnowingModels)
    folder = tmp_path / "data"
    folder.mkdir()
    for seed, (name, late) in enumerate(LATE.items()):
        speaks = speech(FRAMES, 4 * seed)
        words = video(folder / f"{name}.mkv", speaks, late_frames=late)
        (folder / "boxes.json").rename(tmp_path / "boxes.json")
        shutil.move(folder / f"{name}.mkv", folder / f"{name}.mp4")
        truth = {
            "shots": [[0, FRAMES]],
            "regions": {"face": [0, 0, 96, 64]},
            "speaking": {"face": speaks.astype(int).tolist()},
        }
        (folder / f"{name}.json").write_text(json.dumps(truth))
    words = [word for word in words if not word.startswith("detector.path")]
    own = [f"detector.path={tmp_path / 'boxes.json'}", f"dataset.folder={folder}", "plots=false"]
    return [*words, *own]


@pytest.fixture
def scanned(monkeypatch):
    """The faces that were scored with shifted sound, call by call."""
    calls = []
    score = Knowing.score_shifted

    def noted(self, clips):
        calls.append(len(clips))
        return score(self, clips)

    monkeypatch.setattr(Knowing, "score_shifted", noted)
    return calls


def test_own_sounds_fit_and_foreign_ones_do_not(knowing, capsys):
    found = evaluated([*knowing, "sync=check", "writers=[json]"])
    for name, late in LATE.items():
        own, foreign = (found["per_video"][name][key] for key in ("own_sound", "foreign_sound"))
        assert own["fits"] == "yes"
        assert own["offset_s"] == pytest.approx(late / 25, abs=0.04)
        assert (foreign["fits"], foreign["offset_s"]) == ("no", None)
        assert 0 <= foreign["certainty"] < own["certainty"]
        written = json.loads(Path("out", name, "result.json").read_text())["sync"]
        assert {key: written[key] for key in own} == own
    figures = {
        "own_sound_fits": 1, "own_sound_refused": 0,
        "foreign_sound_fits": 0, "foreign_sound_refused": 1,
    }  # fmt: skip
    assert {key: found["metrics"][key] for key in figures} == figures
    print_evaluation(found, Path("out"))
    out = capsys.readouterr().out
    assert "own sound fits              1.0000" in out
    assert "foreign sound refused       1.0000" in out
    certainty = found["per_video"]["two"]["own_sound"]["certainty"]
    assert f"two, own sound: The sound comes 0.20 s late (certainty {certainty:.2f}); " in out
    assert "foreign sound: The sound fits nobody in sight (certainty" in out


def test_other_thresholds_scan_nothing_anew(knowing, scanned):
    first = evaluated([*knowing, "sync=check"])
    assert scanned
    scanned.clear()
    lines = []
    words = [*knowing, "sync=check", "segments.on=0.9", "segments.off=0.8"]
    second = evaluated(words, "second", lines.append)
    assert not scanned
    assert all("all kept from an earlier run" in line for line in lines)
    for name in LATE:
        for key in ("own_sound", "foreign_sound"):
            assert second["per_video"][name][key] == first["per_video"][name][key]


def test_nothing_is_scanned_or_said_without_asking(knowing, scanned):
    found = evaluated(knowing)
    assert not scanned
    assert not [key for key in found["metrics"] if key.endswith(("_fits", "_refused"))]
    assert not any("own_sound" in one for one in found["per_video"].values())
    # What was kept of that has no scan, and is not taken for one.
    evaluated([*knowing, "sync=check"], "second")
    assert scanned


def test_no_foreign_sound_leaves_the_own_one(knowing):
    found = evaluated([*knowing, "sync=check", "foreign_sound=false"])
    assert found["metrics"]["own_sound_fits"] == 1
    assert not [key for key in found["metrics"] if key.startswith("foreign")]


def test_a_scorer_that_cannot_shift_says_nothing(options):
    found = evaluated([*options, "sync=check"])
    assert found["settings"]["sync"] == "off"
    assert not [key for key in found["metrics"] if key.endswith("_fits")]


def test_how_sounds_fit_is_a_measure_and_a_column(knowing):
    found = evaluated([*knowing, "sync=check", "measure=foreign_sound_fits"])
    assert found["measure"] == {
        "name": "foreign_sound_fits", "higher_is_better": False, "value": 0,
    }  # fmt: skip
    evaluated([*knowing, "sync=check", "segments.on=0.9", "measure=own_sound_refused"], "more")
    table = compare([Path("out"), Path("more")])
    row = dict(zip(table.heads, table.rows[0], strict=True))
    assert row["own sound fits"] == 1
    assert row["foreign sound fits"] == 0
    with pytest.raises(ConfigError, match="no measure own_sound_fits"):
        evaluated([*knowing, "measure=own_sound_fits"], "third")


def test_the_sound_of_a_dataset_is_not_moved(knowing):
    with pytest.raises(ConfigError, match="sync must be off or check here, got auto"):
        evaluated([*knowing, "sync=auto"])
