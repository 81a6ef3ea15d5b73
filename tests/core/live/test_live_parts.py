"""What a live session writes is whole at any moment, and all parts together are one result."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from decidings import decided, rows
from refusing import refusal

import asdkit
from asdkit.core.component import Component, Context
from asdkit.core.config.chosen import Chosen
from asdkit.core.config.plan import choose_writer
from asdkit.core.errors import OutputError, PluginError
from asdkit.core.file_patterns import INCOMPLETE
from asdkit.core.live import turns
from asdkit.core.live.events import LiveEvent
from asdkit.core.live.parts import EVENTS_FILE, TURNS_FILE, Recorder, recording
from asdkit.core.live.stretches import Collected, Stretch
from asdkit.core.live.turns import TurnFile
from asdkit.core.live.whole_lines import WholeLines
from asdkit.core.result import Result, VideoInfo
from asdkit.core.rttm import read_rttm

SECOND = LiveEvent("status", 1.0, about={})


def as_result(stretch: Stretch) -> Result:
    return Result(
        VideoInfo(Path("talk"), stretch.end / 25, 640, 480, 25.0, has_sound=True),
        stretch.shots,
        stretch.tracks,
        {"start_s": stretch.first / 25},
        {},
        speech=stretch.speech,
        off_screen=stretch.off_screen,
        heard=stretch.heard,
    )


@contextmanager
def recorder(folder: Path, part_frames: int | None = 50, **other: Any) -> Iterator[Recorder]:
    writers = other.pop("writers", [choose_writer("json", {}), choose_writer("rttm", {})])
    options = {"as_result": as_result, "name": "a talk", "overwrite": False, **other}
    with recording(folder, writers, Context(), part_frames=part_frames, **options) as found:
        yield found


def write(folder: Path, part_frames: int | None = 50, **other: Any) -> list[LiveEvent]:
    """Write six seconds: two faces, of which one goes on across parts, and two shots."""
    told = []
    with recorder(folder, part_frames, **other) as found:
        found.event(SECOND)
        for first in range(0, 140, 7):
            shots = [(0, 0, None)] if first < 84 else [(0, 0, 90), (1, 90, None)]
            own = [rows(0, first, 7)] if first < 84 else []
            if first == 84:
                own = [rows(0, 84, 6, ended=True), rows(1, 90, 1, shot=1)]
            elif first > 84:
                own = [rows(1, first, 7, shot=1, name="Ada" if first > 120 else "person_0")]
            found.take(decided(first, first + 7, *own, shots=shots, heard=True))
            told += found.write()
        told += found.finish()
    return told


def test_parts_appear_one_by_one_and_tell_when_they_are(tmp_path):
    folder = tmp_path / "out"
    told = write(folder)
    assert [event.event for event in told] == ["written"] * 3
    assert [dict(event.about or {}) for event in told[1:]] == [
        {
            "folder": "parts/0002",
            "files": ["result.json", "speakers.rttm"],
            "start_s": 2.0,
            "end_s": 4.0,
        },
        {
            "folder": "parts/0003",
            "files": ["result.json", "speakers.rttm"],
            "start_s": 4.0,
            "end_s": 5.6,
        },
    ]
    there = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.*"))
    parts = [f"parts/000{k}/{name}" for k in (1, 2, 3) for name in ("result.json", TURNS_FILE)]
    assert there == [EVENTS_FILE, *parts]


def test_parts_go_on_where_those_before_end(tmp_path):
    write(tmp_path)
    first, second, third = (asdkit.Result.load(tmp_path / f"parts/000{k}") for k in (1, 2, 3))
    assert (first.shots, second.shots, third.shots) == (
        ((0, 50),),
        ((50, 90), (90, 100)),
        ((100, 140),),
    )
    assert [[track.id for track in part.tracks] for part in (first, second, third)] == [
        [0],
        [0, 1],
        [1],
    ]
    assert [track.shot for track in second.tracks] == [0, 1]
    assert [track.identity for track in second.tracks] == [None, "person_0"]
    assert third.tracks[0].identity == "Ada", "as it is known in the end"
    assert (first.tracks[0].speaking[-1], second.tracks[0].speaking[0]) == ((1.2, 1.6), (2.0, 2.4))


def test_parts_together_are_the_one_result(tmp_path):
    write(tmp_path / "parts")
    write(tmp_path / "one", None)
    whole = asdkit.Result.load(tmp_path / "one")
    parts = [asdkit.Result.load(tmp_path / f"parts/parts/000{k}") for k in (1, 2, 3)]
    for track in whole.tracks:
        own = [other for part in parts for other in part.tracks if other.id == track.id]
        assert [frame for one in own for frame in one.frames] == list(track.frames)
        for name in ("boxes", "logits", "uncalibrated", "speaking_frames"):
            together = np.concatenate([getattr(one, name) for one in own])
            np.testing.assert_array_equal(together, getattr(track, name))
    heard = [part.heard for part in parts]
    assert whole.heard is not None
    np.testing.assert_array_equal(
        np.concatenate([one.probabilities for one in heard if one]), whole.heard.probabilities
    )
    assert whole.speech == ((1.0, 2.0), (3.0, 4.0), (5.0, 5.6))
    assert [part.speech for part in parts] == [((1.0, 2.0),), ((3.0, 4.0),), ((5.0, 5.6),)]


def test_a_result_at_the_end_is_as_a_run_writes_it(tmp_path):
    (event,) = write(tmp_path, None)
    assert event.about is not None and event.about["folder"] == "."
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        EVENTS_FILE,
        "result.json",
        TURNS_FILE,
    ]


@pytest.mark.parametrize("at_once", [True, False])
def test_what_was_embedded_goes_to_the_part_of_its_frame(at_once):
    """Also if that frame is not decided yet when the part before is taken."""
    collected = Collected()
    embeddings = np.eye(3, dtype=np.float32)
    early = rows(0, 0, 10, embedded=np.array([0, 8, 12]), embeddings=embeddings)
    collected.add(decided(0, 10, early))
    first = collected.take(10) if at_once else None
    collected.add(decided(10, 20, rows(0, 10, 10, ended=True)))
    first, second = first or collected.take(10), collected.take(20)
    assert first.tracks[0].embedded.tolist() == [0, 8]
    np.testing.assert_array_equal(first.tracks[0].embeddings, embeddings[:2])
    assert second.tracks[0].embedded.tolist() == [12]


def test_memory_holds_the_current_part_alone():
    collected = Collected()
    for first in range(0, 1000, 5):
        shot = first // 100
        ended = first % 100 == 95
        shots = [(shot, shot * 100, shot * 100 + 100 if ended else None)]
        own = rows(shot, first, 5, shot=shot, ended=ended)
        collected.add(decided(first, first + 5, own, shots=shots, heard=True))
        if first % 50 == 45:
            collected.take(first + 5)
            kept = [len(vars(collected)[name]) for name in ("_shots", "_rows")]
            assert max(kept) <= 1
            assert not collected._speech._pieces


def test_nothing_is_written_of_the_time_in_which_nothing_was_seen(tmp_path):
    with recorder(tmp_path) as found:
        found.event(SECOND)
        found.take(decided(0, 30, rows(0, 0, 30, ended=True), shots=[(0, 0, 30)]))
        found.take(decided(30, 170, shots=[(1, 160, None)]))
        told = [*found.write(), *found.finish()]
    assert [(event.about or {})["folder"] for event in told] == ["parts/0001", "parts/0004"]
    assert asdkit.Result.load(tmp_path / "parts/0004").shots == ((160, 170),)
    assert asdkit.Result.load(tmp_path / "parts/0004").tracks == ()


def test_events_are_lines_and_turns_are_those_that_are_certain(tmp_path):
    def face(event: Any, time_s: float, **other: Any) -> LiveEvent:
        return LiveEvent(event, time_s, **{"track": 0, "name": "person_0", **other})

    with recorder(tmp_path) as found:
        for event in [
            LiveEvent("begun", 0.0, about={"name": "x"}),
            face("speaking", 0.9, certain=False),
            face("speaking", 1.0),
            LiveEvent("faces", 1.0, faces=()),
            face("speaking", 1.2, track=3, name="off screen"),
            LiveEvent("speaking", 1.5, name="off_screen"),
            face("named", 1.8, name="Ada L"),
            face("silent", 2.0, since_s=1.0, name="Ada L"),
            LiveEvent("silent", 2.5, name="off_screen", since_s=1.5),
        ]:
            found.event(event)
        text = (tmp_path / EVENTS_FILE).read_text()
        kinds = [json.loads(line)["event"] for line in text.splitlines()]
        assert "faces" not in kinds and len(kinds) == 8, "while it goes on"
        assert len((tmp_path / TURNS_FILE).read_text().splitlines()) == 2
        found.take(decided(0, 75))
        list(found.finish())
    found = read_rttm([tmp_path / TURNS_FILE])["a_talk"]
    assert found == {
        "Ada_L": ((1.0, 2.0),),
        "off_screen": ((1.5, 2.5),),
        "off_screen_2": ((1.2, 3.0),),
    }


def test_of_many_speakers_the_last_are_known(tmp_path, monkeypatch):
    """Without an embedder each track is somebody new, for days."""
    monkeypatch.setattr(turns, "_MOST_SPEAKERS", 3)
    file = TurnFile(WholeLines(tmp_path / TURNS_FILE), "a_talk")
    for number, name in enumerate(["Ada L", "Ada\tL", "c", "Ada L", "d", "e", "Ada L"]):
        for kind in ("speaking", "silent"):
            time_s = number + (kind == "silent") / 2
            file.event(LiveEvent(kind, time_s, track=number, name=name))
    assert len(file._speakers) == 3
    file.close()
    lines = (tmp_path / TURNS_FILE).read_text().splitlines()
    assert [line.split()[7] for line in lines] == [
        "Ada_L",
        "Ada_L_2",
        "c",
        "Ada_L",
        "d",
        "e",
        "Ada_L",
    ]


def test_earlier_results_are_refused_and_replaced_when_asked(tmp_path):
    write(tmp_path)
    text = refusal(OutputError, write, tmp_path)
    assert "already holds results" in text and "overwrite=true" in text
    (tmp_path / "parts/0003/mine.txt").write_text("keep")
    (tmp_path / "parts/.0009.abc/new").mkdir(parents=True)
    with pytest.raises(RuntimeError), recorder(tmp_path, overwrite=True):
        raise RuntimeError("before the first event")
    assert (tmp_path / "parts/0001/result.json").exists(), "what failed at once replaced nothing"
    with recorder(tmp_path, overwrite=True) as found:
        found.event(SECOND)
    files = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*"))
    assert files == [EVENTS_FILE, "parts", "parts/0003", "parts/0003/mine.txt"]


def test_a_folder_is_one_sessions(tmp_path):
    with recorder(tmp_path):
        assert "is at work in" in refusal(OutputError, write, tmp_path)


def test_a_file_in_the_way_is_told_beforehand(tmp_path):
    (tmp_path / "parts").write_text("")
    assert "parts is a file, where a folder is to be made" in refusal(OutputError, write, tmp_path)


def test_nothing_is_left_if_nothing_was_told(tmp_path):
    with recorder(tmp_path / "a/b"):
        pass
    assert not list(tmp_path.iterdir())


class Full:
    """A file on a disk that is full after some bytes."""

    def __init__(self, file: Any, room: int) -> None:
        self._file, self.room = file, room

    def write(self, data: bytes) -> int:
        if not self.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = self._file.write(data[: self.room])
        self.room -= written
        return int(written)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def test_a_full_disk_leaves_whole_lines(tmp_path):
    lines = WholeLines(tmp_path / "a.jsonl")
    lines.add("first")
    lines._file = Full(lines._file, 4)  # type: ignore[assignment]
    text = refusal(OutputError, lines.add, "second")
    assert "a.jsonl: No space left on device" in text and "output=FOLDER" in text
    assert (tmp_path / "a.jsonl").read_text() == "first\n"
    lines._file.room = 99  # type: ignore[union-attr]
    lines.add("third")
    lines.close()
    assert (tmp_path / "a.jsonl").read_text() == "first\nthird\n"


@pytest.mark.skipif(os.name == "nt", reason="open files cannot be removed there")
@pytest.mark.parametrize("how", ["removed", "replaced", "moved"])
def test_a_folder_that_goes_away_ends_it(tmp_path, how):
    folder = tmp_path / "out"
    with recorder(folder) as found:
        found.event(SECOND)
        if how == "removed":
            shutil.rmtree(folder)
        else:
            folder.rename(tmp_path / "elsewhere")
        if how == "replaced":
            folder.mkdir()
            (folder / EVENTS_FILE).touch()
        assert "it was removed meanwhile" in refusal(OutputError, found.event, SECOND)
        found.take(decided(0, 60, rows(0, 0, 60)))
        assert "it was removed meanwhile" in refusal(OutputError, lambda: list(found.write()))
    assert not (folder / "parts").exists()


@dataclass(frozen=True)
class FailingConfig:
    """Of a writer that fails."""


class Failing:
    """A writer that fails in the middle, as often as it is told to."""

    times = 0
    error: Exception = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def write(self, result: Result, folder: Path) -> list[Path]:
        path = folder / "own.txt"
        path.write_text("own")
        if Failing.times:
            Failing.times -= 1
            raise Failing.error
        return [path]


FAILING = Component(
    "writer", "failing", FailingConfig, lambda config, context: Failing(), files=("own.txt",)
)


@pytest.fixture
def failing(monkeypatch):
    monkeypatch.setattr(Failing, "times", 1)
    return [Chosen(FAILING, FailingConfig())]


def test_a_part_that_cannot_be_written_leaves_nothing_and_is_tried_again(tmp_path, failing):
    with recorder(tmp_path, writers=failing) as found:
        found.event(SECOND)
        found.take(decided(0, 60, rows(0, 0, 60)))
        text = refusal(OutputError, lambda: list(found.write()))
        assert "No space left" in text and "parts" in text
        there = {path.name for path in tmp_path.rglob("*")} - {INCOMPLETE, ".lock"}
        assert there == {EVENTS_FILE}
        told = list(found.finish())
    assert [(event.about or {})["folder"] for event in told] == ["parts/0001", "parts/0002"]


def test_a_writer_that_fails_is_named(tmp_path, failing, monkeypatch):
    monkeypatch.setattr(Failing, "error", RuntimeError("broken"))
    with recorder(tmp_path, None, writers=failing) as found:
        found.event(SECOND)
        found.take(decided(0, 60, rows(0, 0, 60)))
        text = refusal(PluginError, lambda: list(found.finish()))
        assert "failing" in text and "broken" in text
    assert [path.name for path in tmp_path.iterdir()] == [EVENTS_FILE]


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path[:0] = {path!r}
from decidings import decided, rows
from test_live_parts import SECOND, recorder
with recorder(Path({folder!r})) as found:
    for first in range(0, 100_000, 5):
        found.event(SECOND)
        found.take(decided(first, first + 5, rows(0, first, 5)))
        for event in found.write():
            found.event(event)
            print(event.about["folder"], flush=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL there")
def test_a_session_that_is_killed_leaves_whole_files(tmp_path):
    code = KILLED.format(path=sys.path, folder=str(tmp_path / "out"))
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as job:
        assert job.stdout is not None
        seen = [job.stdout.readline().strip() for _ in range(3)]
        job.send_signal(signal.SIGKILL)
    assert seen == ["parts/0001", "parts/0002", "parts/0003"]
    text = (tmp_path / "out" / EVENTS_FILE).read_text()
    assert text.endswith("\n") and [json.loads(line) for line in text.splitlines()]
    parts = [path for path in (tmp_path / "out/parts").iterdir() if path.name[0] != "."]
    assert len(parts) >= 3
    for part in parts:
        assert asdkit.Result.load(part).tracks[0].id == 0
    told = write(tmp_path / "out", overwrite=True)
    assert len(told) == 3
    there = sorted(path.name for path in (tmp_path / "out/parts").iterdir())
    assert there == ["0001", "0002", "0003"]
