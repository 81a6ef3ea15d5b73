"""The work of a session, with a feed, a pass and a decider that are made up."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from decidings import decided, rows

from asdkit.core.errors import InputError
from asdkit.core.live.delays import Delays
from asdkit.core.live.events import LiveEvent
from asdkit.core.live.outlets import Outlets
from asdkit.core.live.status import Status
from asdkit.core.live.ticks import Counts, Gap, Notice, Tick
from asdkit.core.live.working import Working
from asdkit.core.notes import Notes
from asdkit.core.pictures import Frame, as_picture
from asdkit.core.progress import Stopwatch

PICTURE = as_picture(np.zeros((48, 64, 3), np.uint8))


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


class Passing:
    """A hop every five frames, and one at the end of a stretch; hops are numbers of frames."""

    def __init__(self) -> None:
        self.end = 0

    def take(self, frame: Frame, begins: bool, *, late: bool) -> int | None:
        self.end = frame.index + 1
        return None if self.end % 5 else self.end

    def end_stretch(self) -> int:
        return self.end


class Decider:
    """Decides all at once, and tells where a hop ended and whether it was flushed."""

    def __init__(self) -> None:
        self.stop = 0

    def take(self, hop: int, *, flush: bool) -> Any:
        first, self.stop = self.stop, hop
        event = LiveEvent("left" if flush else "appeared", hop / 25, track=0, name="track_0")
        return _with_events(decided(first, hop, rows(0, first, hop - first)), event)


def _with_events(found: Any, *events: LiveEvent) -> Any:
    object.__setattr__(found, "events", events)
    return found


class Shown:
    """A page."""

    def __init__(self) -> None:
        self.events: list[LiveEvent] = []
        self.shown: list[float] = []

    def publish(self, event: LiveEvent) -> None:
        self.events.append(event)

    def show(self, time_s: float, picture: object) -> None:
        assert picture is PICTURE
        self.shown.append(time_s)


@dataclass
class Sized:
    """Takes the size."""

    size: tuple[int, int] = (0, 0)


@dataclass
class Bench:
    """A session's work over given items."""

    items: Any
    end_s: float | None = None
    notes: Notes = field(default_factory=Notes)
    clock: Clock = field(default_factory=Clock)
    tell: Outlets = field(default_factory=lambda: Outlets(None))
    results: Any = field(default_factory=Sized)

    def __post_init__(self) -> None:
        parts: tuple[Any, ...] = (self.items, Passing(), Decider(), self.notes, self.tell)
        self.work = Working(*parts, self.results, lambda: None, self.end_s)

    def told(self) -> list[tuple[str, float]]:
        return [(event.event, event.time_s) for event in self.work.events()]


def ticks(first: int, frames: int, at_s: float = 100.0, **other: Any) -> list[Tick]:
    return [
        Tick(Frame(k, PICTURE), at_s, k == first, **other) for k in range(first, first + frames)
    ]


def test_a_gap_ends_what_there_is_and_is_told():
    gap = Gap(7, "stalled: nothing came for 2.0 s", 102.0)
    bench = Bench([*ticks(0, 7), gap, Notice("came back", 103.0), *ticks(50, 6), None])
    assert bench.told() == [
        ("appeared", 0.2),
        ("left", 0.28),
        ("interrupted", 0.28),
        ("interrupted", 0.28),
        ("appeared", 2.2),
        ("left", 2.24),
    ]
    assert (bench.work.why, bench.work.failed) == ("the stream ended", None)


def test_a_gap_before_anything_and_two_in_a_row_end_no_stretch():
    gap = Gap(0, "stalled", 1.0)
    assert Bench([gap, *ticks(3, 2), gap, gap]).told() == [
        ("interrupted", 0.0),
        ("appeared", 0.2),
        ("left", 0.2),
        ("interrupted", 0.0),
        ("interrupted", 0.0),
    ]


def test_what_came_before_an_error_of_the_stream_is_decided():
    def items():
        yield from ticks(0, 6)
        raise InputError("It cannot be read any more", "Look")

    bench = Bench(items())
    assert bench.told() == [("appeared", 0.2), ("left", 0.24)]
    assert bench.work.why == "It cannot be read any more"
    assert isinstance(bench.work.failed, InputError)


def test_each_note_is_told_once():
    notes = Notes()

    def items():
        notes.add("first")
        yield from ticks(0, 2)
        notes.add("second")
        notes.add("first")
        yield None

    bench = Bench(items(), notes=notes)
    found = [event.reason for event in bench.work.events() if event.event == "note"]
    assert found == ["first", "second"]


@pytest.mark.parametrize(("end_s", "frames"), [(0.4, 10), (0.2, 5), (None, 12), (math.inf, 12)])
def test_it_works_up_to_a_time(end_s, frames):
    bench = Bench(iter(ticks(0, 12)), end_s)
    bench.told()
    assert bench.work.time_s == frames / 25
    assert bench.results.size == (64, 48)


def test_pictures_are_shown_unless_they_were_left_out():
    bench = Bench([*ticks(0, 3), *ticks(3, 2, left_out=True)])
    bench.tell.server = page = Shown()  # type: ignore[assignment]
    events = list(bench.work.events())
    assert page.shown == [0.0, 0.04, 0.08]
    assert page.events == events


def test_delays_are_those_since_the_frame_came_and_are_measured_once_a_second():
    def items():
        for tick in ticks(0, 10):
            clock.now_s = 100.0 + tick.frame.index / 25
            late = Tick(tick.frame, clock.now_s - 0.1, tick.begins)
            counts.frames += 1
            yield late
        clock.now_s += 2
        watch.seconds["detect"] = 1.18
        yield None
        yield None

    clock, counts, watch = Clock(), Counts(), Stopwatch()
    bench = Bench(items(), clock=clock)
    bench.tell.delays = Delays(100, clock)
    bench.tell.status = Status(counts, watch, clock)
    events = list(bench.work.events())
    kinds = [(event.event, event.delay_s) for event in events]
    assert kinds[:2] == [("appeared", pytest.approx(0.1))] * 2
    assert [kind for kind, _ in kinds[2:]] == ["status", "left"]
    assert events[2].about == {
        "delay_s": {
            "frames": {"mean": 0.1, "worst": 0.1},
            "events": {"mean": 0.1, "worst": 0.1},
        },
        "counts": {
            **dict.fromkeys(("pictures", "lost", "left_out", "skipped", "silent", "breaks"), 0),
            "frames": 10,
        },
        "faces_per_s": round(10 / 2.36, 1),
        "used": {"detect": 0.5},
    }


def test_delays_are_known_of_frames_that_are_not_too_old():
    clock = Clock()
    delays = Delays(3, clock)
    for index in (0, 1, 2, 50):
        delays.came(index, 99.0 + index / 100)

    def of(time_s: float, event: Any = "speaking") -> float | None:
        return delays.timed(LiveEvent(event, time_s)).delay_s

    assert of(0.0) is None, "it is forgotten"
    assert of(0.04) == pytest.approx(0.99)
    assert of(0.12) == of(0.08), "a turn ends with the last frame of a stretch"
    assert of(2.0) == of(2.04) == pytest.approx(0.5)
    assert of(2.0, "status") is None
    assert Delays(3, clock).timed(LiveEvent("cut", 1.0)).delay_s is None


def test_nothing_is_measured_of_a_second_without_frames():
    clock = Clock()
    status = Status(Counts(), Stopwatch(), clock)
    assert status.told() is None
    clock.now_s += 1.5
    about = status.told()
    assert about is not None and about["delay_s"] == {"frames": None, "events": None}
    assert status.told() is None
