"""Turns of a diarizer in runs, repetitions and evaluations: they cost no inference."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from evaluating import evaluated

import asdkit
from asdkit.core.cli.main import main
from asdkit.core.errors import ConfigError, InputError


def turns(name: str, *voices: str) -> str:
    """Two turns of the clips, as RTTM: on the left to 1.6 s, then on the right."""
    spans = [(0.0, 1.6), (1.6, 1.4)]
    return "".join(
        f"SPEAKER {name} 1 {start} {length} <NA> <NA> {voice} <NA> <NA>\n"
        for voice, (start, length) in zip(voices, spans, strict=True)
    )


@pytest.fixture
def diarization(options) -> Path:
    """The turns of both clips."""
    path = Path("turns.rttm").absolute()
    path.write_text(turns("one", "S0", "S1") + turns("two", "S1", "S0"))
    return path


@pytest.fixture
def run(options) -> list[str]:
    return [word for word in options if not word.startswith(("dataset", "plots"))]


def test_a_run_names_its_turns(run, folder, diarization):
    words = [*run, "diarization=turns.rttm", "writers=[json,rttm]", "output=first"]
    found = asdkit.run(folder / "two.mp4", words)
    assert {voice.name: voice.person for voice in found.voices} == {
        "S1": "track_0",
        "S0": "track_1",
    }
    written = json.loads(Path("first/result.json").read_text())
    assert written["settings"]["diarization"] == "turns.rttm"
    assert [voice["turns"] for voice in written["voices"]] == [[[1.6, 3.0]], [[0.0, 1.6]]]
    lines = Path("first/speakers.rttm").read_text().splitlines()
    assert [line.split()[7] for line in lines] == ["track_0", "track_1"]
    assert found.off_screen == ()


def test_a_run_without_turns_has_no_voices(run, folder):
    found = asdkit.run(folder / "two.mp4", [*run, "writers=[]"])
    assert (found.voices, found.off_screen) == (None, None)


def test_turns_that_cannot_be_used_are_told_before_anything_is_decoded(run, folder, detected):
    Path("turns.srt").write_text("1\n00:00:00,000 --> 00:00:01,000\nHello\n")
    for given, told in [
        ("none.rttm", "there is no such file or folder"),
        ("turns.srt", "is no diarization that is known here"),
        (".", "holds no diarization of two.mp4"),
    ]:
        with pytest.raises(InputError, match=told):
            asdkit.run(folder / "two.mp4", [*run, f"diarization={given}", "writers=[]"])
    with pytest.raises(ConfigError, match="diarization names no file"):
        asdkit.run(folder / "two.mp4", [*run, "diarization=''"])
    assert not detected


def test_a_run_is_repeated_with_its_turns_and_with_others(
    run, folder, diarization, capsys, tmp_path, monkeypatch
):
    main(["run", str(folder / "one.mp4"), *run, "diarization=turns.rttm", "output=first",
          "writers=[json]"])  # fmt: skip
    other = tmp_path / "elsewhere" / "other.rttm"
    other.parent.mkdir()
    other.write_text(turns("one", "X", "Y"))
    monkeypatch.chdir(other.parent)
    capsys.readouterr()
    main(["repeat", os.path.relpath(tmp_path / "first")])
    assert "The same as before" in capsys.readouterr().out
    monkeypatch.chdir(other.parent)
    main(["repeat", str(tmp_path / "first"), "diarization=other.rttm", "output=mine"])
    assert "voices: not the same" in capsys.readouterr().out
    written = json.loads((other.parent / "mine" / "result.json").read_text())
    assert [voice["name"] for voice in written["voices"]] == ["X", "Y"]


def test_results_of_before_the_option_are_repeated(run, folder, tmp_path, capsys):
    main(["run", str(folder / "one.mp4"), *run, "output=first", "writers=[json]"])
    path = tmp_path / "first" / "result.json"
    before = json.loads(path.read_text())
    del before["voices"], before["settings"]["diarization"]
    path.write_text(json.dumps(before))
    main(["repeat", "first"])
    assert "The same as before" in capsys.readouterr().out


def test_an_evaluation_takes_turns_without_inference(options, folder, diarization, scored):
    pytest.importorskip("pyannote.metrics")
    truth = [f"dataset.videos={folder}", f"dataset.rttm={diarization}", "dataset=rttm"]
    words = [*truth, *options[1:], "foreign_sound=false"]
    alone = evaluated(words)["metrics"]
    assert scored
    scored.clear()
    lines: list[str] = []
    found = evaluated([*words, "diarization=turns.rttm"], "second", lines.append)["metrics"]
    assert not scored
    assert all("all kept from an earlier run" in line for line in lines)
    assert found["diarization_error_rate"] == pytest.approx(0, abs=1e-6)
    assert alone["diarization_error_rate"] > 0.01
