"""Evaluations and results are repeated from their folders alone."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from evaluating import evaluated

import asdkit
from asdkit.core.cli.main import main
from asdkit.core.evaluation.compare import compare


def test_an_evaluation_is_repeated(options, folder, capsys, tmp_path, monkeypatch):
    relative = [f"dataset.folder={os.path.relpath(folder)}", *options[1:]]
    main(["evaluate", *relative, "output=first", "segments.on=0.7"])
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    capsys.readouterr()
    main(["repeat", "../first"])
    out = capsys.readouterr().out
    assert "The same as before" in out
    assert "faces found by" in out  # not taken from what the first has kept
    again = json.loads((tmp_path / "first-again" / "evaluation.json").read_text())
    again["metrics"]["f1"] = 0.5
    (tmp_path / "first-again" / "evaluation.json").write_text(json.dumps(again))
    monkeypatch.chdir(elsewhere)
    main(["repeat", str(tmp_path / "first-again"), "output=mine"])
    assert "f1: 0.5 before" in capsys.readouterr().out
    assert (elsewhere / "mine" / "evaluation.json").is_file()
    with pytest.raises(SystemExit):
        main(["repeat", str(tmp_path / "first"), "segments.on=0.5"])
    assert "takes only output=FOLDER, but got" in capsys.readouterr().err


NEWER = (
    "protocol",
    "bootstrap",
    "gallery",
    "foreign_sound",
    "sync",
    "voice",
    "conversation",
    "name",
)


def test_an_evaluation_of_before_some_options(options, capsys):
    """It is repeated as it was made, and compared as one that has their values."""
    words = [*options, "foreign_sound=false", "bootstrap=0"]
    evaluated(words, "new")
    path = Path("old/evaluation.json")
    shutil.copytree("new", "old")
    found = json.loads(path.read_text())
    for key in NEWER:
        found["settings"].pop(key, None)
    del found["intervals"]
    path.write_text(json.dumps(found))
    main(["repeat", "old"])
    assert "The same as before" in capsys.readouterr().out
    again = json.loads(Path("old-again/evaluation.json").read_text())
    assert again["intervals"] is None
    assert again["settings"]["protocol"] == "none"
    heads = compare([Path("old"), Path("new")]).heads
    assert heads[:2] == ("AP", "F1")  # no setting differs
    del found["settings"]["detect_every"]
    path.write_text(json.dumps(found))
    with pytest.raises(SystemExit):
        main(["repeat", "old"])
    assert "it has no detect_every" in capsys.readouterr().err


def test_a_result_is_repeated_from_its_folder_alone(options, folder, capsys, monkeypatch, tmp_path):
    run = [word for word in options if not word.startswith(("dataset", "plots"))]
    video = os.path.relpath(folder / "one.mp4")
    main(["run", video, *run, "segments.on=0.7", "seed=5", "output=first", "writers=[json]"])
    first = json.loads(Path("first/result.json").read_text())
    assert first["provenance"]["folder"] == str(tmp_path)
    assert first["settings"]["seed"] == 5
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    main(["repeat", str(tmp_path / "first")])
    assert "The same as before" in capsys.readouterr().out
    again = json.loads((tmp_path / "first-again" / "result.json").read_text())
    assert again["tracks"] == first["tracks"]
    assert again["settings"]["segments"]["on"] == 0.7
    main(["repeat", str(tmp_path / "first"), "segments.on=0.95", f"output={tmp_path / 'other'}"])
    assert "speaking: [[" in capsys.readouterr().out
    # Parts can be chosen anew; a path given now is one from here.
    monkeypatch.chdir(elsewhere)
    main(["repeat", "../first", "tracker.max_gap_frames=5", "writers=[rttm]", "output=third"])
    assert [path.name for path in (elsewhere / "third").iterdir()] == ["speakers.rttm"]
    monkeypatch.chdir(tmp_path / "first")
    main(["repeat", ".", f"output={tmp_path / 'fourth'}"])
    assert "The same as before" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "words", "says"),
    [
        (None, [], "cannot be read"),
        ("{}", [], "schema is missing"),
        ("no json", [], "is not a result of asd run: line 1, column 1"),
        ("old", [], "another version of asdkit made it"),
        ("torn", [], "damaged, or another version"),
        ("good", ["segments.no=1"], "There is no option"),
        ("good", ["detect_every=0"], "detect_every must be at least 1"),
        ("good", ["detect_every=1.5"], "detect_every"),
        ("good", ["threads=x"], "threads"),
        ("good", ["overwrite=maybe"], "overwrite"),
        ("good", ["device="], "device"),
        ("good", ["scorer=fly"], "There is no scorer 'fly'"),
        ("good", ["experiment=fast"], "does not take experiment=fast"),
        ("good", ["+x=1"], "does not take +x=1"),
    ],
)
def test_what_cannot_be_repeated(options, folder, text, words, says, capsys):
    if text in ("good", "old", "torn"):
        run = [word for word in options if not word.startswith(("dataset", "plots"))]
        asdkit.run(folder / "one.mp4", [*run, "output=first", "writers=[json]"])
        capsys.readouterr()
    elif text is not None:
        Path("first").mkdir()
        Path("first/result.json").write_text(text)
    if text == "torn":
        found = json.loads(Path("first/result.json").read_text())
        Path("first/result.json").write_text(json.dumps({**found, "tracks": None}))
    if text == "old":
        found = json.loads(Path("first/result.json").read_text())
        del found["settings"]["vad"]
        Path("first/result.json").write_text(json.dumps(found))
    with pytest.raises(SystemExit) as stopped:
        main(["repeat", "first", *words])
    assert stopped.value.code == 2
    assert says in capsys.readouterr().err
