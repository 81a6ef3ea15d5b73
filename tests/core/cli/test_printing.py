"""output=- prints JSON alone, quiet=true nothing, and a log file gets a line a minute."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from commanding import BOXES, CHEAP, result, video
from jsonschema import Draft202012Validator
from rich.console import Console
from rich.progress import Progress

from asdkit.core.bars import drawn
from asdkit.core.batch.manifest import Record, now
from asdkit.core.batch.pace import BatchPace, Reports
from asdkit.core.batch.run import run_batch
from asdkit.core.batch.settings import BATCH
from asdkit.core.cli.console import ProgressLine
from asdkit.core.cli.main import main
from asdkit.core.config.compose import compose_app
from asdkit.core.errors import ConfigError
from asdkit.core.pace import StageLog, in_words
from asdkit.core.pipeline import run
from asdkit.core.results import schema

RUN = [*BOXES, "scorer=lip_motion", "cutter=none"]
RECORD = Record(
    video="/a.mp4", name="a", state="done", time=now(), shard=0, host="h", pid=1, asdkit="0",
    settings_hash="0", video_s=120.0,
)  # fmt: skip


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def test_the_result_alone_goes_to_stdout(asd):
    video("Zoë talks.mp4")
    code, out, err = asd("Zoë talks.mp4", *RUN, "output=-")
    assert code == 0, err
    found = json.loads(out)
    Draft202012Validator(schema()).validate(found)
    assert found["video"]["path"].endswith("Zoë talks.mp4")
    assert len(found["tracks"]) == 1
    assert "1 face track" in err
    assert "finding speakers" in err
    assert not Path("asd_results").exists()
    assert not Path("-").exists()
    assert asd("Zoë talks.mp4", *RUN, "output=out")[0] == 0
    assert found["tracks"] == result("out")["tracks"]


def test_the_result_comes_through_a_pipe_and_nothing_beside_it():
    """In a process of its own, whose terminal is said to know no letter beyond ASCII."""
    video("Zoë.mp4")
    words = [sys.executable, "-m", "asdkit", "Zoë.mp4", *RUN, "output=-", "quiet=true"]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(words, capture_output=True, check=True, env=environment)
    assert done.stderr == b""
    assert json.loads(done.stdout.decode())["video"]["path"].endswith("Zoë.mp4")


def test_what_a_part_prints_does_not_get_into_the_result(asd, monkeypatch):
    from asdkit.core.analysis.one_pass import Analysis

    feed = Analysis.feed

    def loud(*args, **kwargs):
        print("hello from a plugin")
        return feed(*args, **kwargs)

    monkeypatch.setattr(Analysis, "feed", loud)
    code, out, err = asd(video(), *RUN, "output=-")
    assert code == 0, err
    assert "hello from a plugin" in err
    json.loads(out)


def test_a_preset_s_writers_do_not_count(asd):
    code, out, err = asd("run", "x.mp4", "output=-", "experiment=reference", "--cfg", "job")
    assert code == 0, err
    assert "  json:" in out
    assert "pywork:" not in out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["run", "writers=[rttm]"], "output=- prints JSON alone, but writers=[rttm]"),
        (["run", "writers=[json,rttm]"], "but writers=[json,rttm]. Leave writers out"),
        (["run", "writers=[]"], "output=- prints JSON alone, but writers=[]"),
        (["run", "resume=true"], "resume=true goes on with what lies in a folder"),
        (["run", "-m"], "prints the result of one run, but --multirun makes several"),
        (["batch"], "is of no use here. Name a folder: output=FOLDER"),
        (["demo"], "is of no use here. Name a folder: output=FOLDER"),
    ],
)
def test_what_cannot_be_printed(refused, words, told):
    words = [words[0], *([] if words[0] == "demo" else [video()]), *words[1:]]
    assert told in refused(*words, *RUN, "output=-")


@pytest.mark.parametrize("command", ["run", "batch", "demo", "evaluate", "calibrate"])
def test_an_empty_output_is_refused(refused, command):
    words = {"demo": [], "run": [video()], "batch": [video()]}
    labelled = ["dataset=dialogue", "dataset.folder=."]
    told = refused(command, *words.get(command, labelled), *RUN, "output=")
    assert "output names no folder. Name one: output=FOLDER" in told


def test_python_has_the_result_already():
    with pytest.raises(ConfigError, match="of no use here"):
        run(video(), [*RUN, "output=-"])
    assert not Path("-").exists()


def test_a_quiet_run_says_nothing(asd, caplog):
    video(sounds=[])
    code, out, err = asd("run", "clip.mp4", *BOXES, *CHEAP, "allow_silent=true", "quiet=true")
    assert (code, out, err) == (0, "", "")
    assert not caplog.records
    assert result()["settings"]["quiet"] is False  # as the results do not depend on it
    assert asd("run", "clip.mp4", *BOXES, *CHEAP, "quiet=true")[2].startswith("asd: ")


def test_a_quiet_batch_says_its_outcome_alone(asd):
    video("a.mp4")
    video("b.mp4")
    code, out, err = asd("batch", "a.mp4", "b.mp4", *BOXES, *CHEAP, "quiet=true")
    assert (code, err) == (0, "")
    assert out == (
        "2 videos: 2 done, 0 failed, 0 left as they are; see asd_batch/manifest-0.jsonl\n"
    )
    again = asd("batch", "a.mp4", "b.mp4", *BOXES, *CHEAP)  # it is no other batch
    assert "2 videos, 0 to do" in again[1]


def test_a_quiet_multirun_names_no_jobs(asd):
    sweep = ["tracker.min_face_px=1,900", "--multirun", "output=out", "quiet=true"]
    assert asd("run", video(), *BOXES, *CHEAP, *sweep) == (0, "", "")
    assert Path("out/tracker.min_face_px=900/result.json").exists()


def test_a_log_gets_a_line_a_minute(capsys):
    clock = Clock()
    with ProgressLine(clock=clock) as progress:
        progress("loading", 0, 0)
        for second in range(0, 151, 10):
            clock.now_s = 1000.0 + second
            progress("finding speakers", 50 * second, 15000)
        progress("scoring", 0, 0)
    assert capsys.readouterr().err.splitlines() == [
        "asd: loading",
        "asd: finding speakers",
        "asd: finding speakers: 20 %, 50.0 frames/s (2.00 times real time), 4 min left",
        "asd: finding speakers: 40 %, 50.0 frames/s (2.00 times real time), 3 min left",
        "asd: scoring",
    ]


def test_a_log_of_a_run_that_stands_still_or_goes_on_from_the_middle():
    clock, said = Clock(), []
    log = StageLog(said.append, clock)
    log("finding speakers", 500, 1000)
    clock.now_s += 60
    log("finding speakers", 500, 1000)
    clock.now_s += 60
    log("finding speakers", 620, 1000)
    log("finding speakers", 0, 200)  # anew
    assert said == [
        "finding speakers",
        "finding speakers: 50 %, 0.0 frames/s",
        "finding speakers: 62 %, 1.0 frames/s (0.04 times real time), 6 min left",
        "finding speakers",
    ]


def test_a_terminal_gets_a_bar_and_no_lines(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")  # so that rich takes it for a terminal
    clock = Clock()
    with ProgressLine(clock=clock) as progress:
        progress("finding speakers", 0, 100)
        clock.now_s += 60
        progress("finding speakers", 50, 100)
    err = capsys.readouterr().err
    assert "asd: finding" not in err
    assert "50/100 frames" in err


def test_a_batch_says_once_a_minute_how_far_it_is():
    clock = Clock()
    pace = BatchPace(4, clock)
    pace.step("a", 100, 3000)
    clock.now_s += 59
    assert pace.line() is None
    clock.now_s += 61
    pace.step("b", 750, 3000)
    pace.end(RECORD)
    assert pace.line() == ("1 of 4 videos, 31.2 %, 1.25 times real time, 4 min left; b 25 %")
    assert pace.line() is None
    pace.end(replace(RECORD, name="b", state="failed", video_s=None))
    clock.now_s += 120
    assert pace.line() == "2 of 4 videos, 50.0 %, 0.50 times real time, 4 min left"


def test_workers_report_now_and_then():
    clock, sent = Clock(), []
    reports = Reports(sent.append, clock)
    reports("loading", 0, 0)
    for second in range(12):
        clock.now_s = 1000.0 + second
        reports("finding speakers", second, 50)
    assert [step.done for step in sent] == [0, 5, 10]


def test_a_batch_logs_what_its_workers_report(monkeypatch):
    monkeypatch.setattr("asdkit.core.pace.EVERY_S", 0.0)
    video("a.mp4")
    said = []
    config = compose_app(BATCH, ["videos=a.mp4", "output=out", *BOXES, *CHEAP])
    run_batch(config, lambda line: None, said.append)
    assert said
    assert re.fullmatch(r"0 of 1 videos, [\d.]+ %, [\d.]+ times real time.*; a \d+ %", said[0])


def test_the_last_output_counts(asd):
    video()
    assert json.loads(asd("clip.mp4", *RUN, "output=a", "output=-")[1])
    assert not Path("a").exists()
    assert asd("clip.mp4", *RUN, "output=-", "output=a")[0] == 0
    assert Path("a/result.json").exists()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (89, "89 s"), (90, "2 min"), (3600, "60 min"), (5400, "1 h 30 min"),
     (12000, "3 h 20 min"), (200000, "2 days 7 h")],
)  # fmt: skip
def test_durations_in_words(seconds, words):
    assert in_words(seconds) == words


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [({"FORCE_COLOR": "1"}, True), ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False), ({}, False)],
)
def test_colours_are_for_terminals_and_for_those_who_want_them(
    capsys, monkeypatch, environment, coloured
):
    for name in ("FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"TERM": "xterm-256color", **environment}.items():
        monkeypatch.setenv(name, value)
    with ProgressLine() as progress:
        progress("finding speakers", 0, 100)
        progress("finding speakers", 50, 100)
    found = re.findall(r"\x1b\[[\d;]*m", capsys.readouterr().err)
    assert any(re.search(r"\b(3|9)\d", code) for code in found) == coloured


def test_what_is_drawn_meanwhile_is_hidden_from_quiet_runs(monkeypatch):
    """As is the bar of a download."""
    started = []

    def look(*_):
        bars = Progress(console=Console(file=io.StringIO(), force_terminal=True))
        with drawn(bars):
            started.append(bars.live.is_started)

    monkeypatch.setattr("asdkit.core.cli.run.run_shown", look)
    main(["run", video(), *RUN, "quiet=true"])
    main(["run", video(), *RUN])
    assert started == [False, True]


def test_a_quiet_repetition_says_what_differs_alone(asd):
    assert asd(video(), *BOXES, *CHEAP, "output=out")[0] == 0
    code, out, err = asd("repeat", "out", "quiet=true")
    assert (code, out, err) == (0, "The same as before, number for number\n", "")
