"""What `asd live` shows: changes, what is now, and the summary."""

from __future__ import annotations

from pathlib import Path

import pytest

from asdkit.core.cli.live_views import (
    Changes,
    NowLine,
    Tally,
    files_of,
    line_of_now,
    moment,
)
from asdkit.core.live.events import LiveEvent, LiveFace
from asdkit.core.live.ticks import Counts

BOX = (10.0, 20.0, 50.0, 70.0)
CALM = Counts(pictures=100, frames=100)


def face(name, track=0, *, speaking=False, certain=True):
    return LiveFace(track, name, BOX, 0.9 if speaking else 0.1, speaking, certain)


@pytest.mark.parametrize(
    ("time_s", "told"),
    [(0, "0:00.0"), (0.28, "0:00.2"), (12.4, "0:12.4"), (0.3, "0:00.3"), (59.96, "0:59.9"),
     (83.0, "1:23.0"), (3723.04, "1:02:03.0"), (90000.16, "25:00:00.1")],
)  # fmt: skip
def test_moments(time_s, told):
    assert moment(time_s) == told


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (LiveEvent("appeared", 0.4, track=3), "0:00.4  track_3 appears"),
        (LiveEvent("appeared", 0.4, track=3, name="ann"), "0:00.4  ann appears"),
        (LiveEvent("appeared", 0.4, certain=False, track=3), "0:00.4  track_3 appears"),
        (LiveEvent("named", 1.0, track=3, name="ann"), "0:01.0  track_3 is ann"),
        (LiveEvent("speaking", 12.4, track=3, name="ann"), "0:12.4  ann speaks"),
        (
            LiveEvent("silent", 15.0, track=3, name="ann", since_s=12.4),
            "0:15.0  ann is silent, after 2.6 s",
        ),
        (LiveEvent("speaking", 2, name="off_screen"), "0:02.0  somebody off screen speaks"),
        (
            LiveEvent("silent", 3, name="off_screen", since_s=2),
            "0:03.0  somebody off screen is silent, after 1.0 s",
        ),
        (LiveEvent("left", 20.0, track=3, name="ann"), "0:20.0  ann is out of sight"),
        (
            LiveEvent("interrupted", 21, reason="stalled: nothing came for 2.0 s"),
            "0:21.0  interrupted: the stream stalled: nothing came for 2.0 s",
        ),
        (LiveEvent("note", 0, reason="there is no sound"), "0:00.0  note: there is no sound"),
        (
            LiveEvent("speaking", 1, track=1, name="a\x1b[2J\nb\udcff"),
            "0:01.0  a\ufffd[2J b\ufffd speaks",
        ),
    ],
)
def test_a_certain_change_is_a_line(event, told):
    assert Changes()(event) == told


@pytest.mark.parametrize(
    "event",
    [
        LiveEvent("speaking", 1, certain=False, track=1),
        LiveEvent("silent", 1, certain=False, track=1, since_s=0.5),
        LiveEvent("faces", 1, faces=(face("ann"),)),
        LiveEvent("status", 1, about={}),
        *(LiveEvent(kind, 1, about={}) for kind in ("begun", "written", "ended")),
        LiveEvent("cut", 1),
    ],
)
def test_all_else_is_none(event):
    assert Changes()(event) is None


def test_who_somebody_is_is_told_once_and_of_the_name_that_was_shown():
    names = [("appeared", "person_0"), ("named", "person_0"), ("named", "ann"), ("left", "ann")]
    changes = Changes()
    assert [changes(LiveEvent(kind, 1.0, track=0, name=name)) for kind, name in names] == [
        "0:01.0  person_0 appears",
        None,
        "0:01.0  person_0 is ann",
        "0:01.0  ann is out of sight",
    ]


def turn(track, begin_s, end_s, name=None, delay_s=None):
    """The events of somebody who speaks for a while."""
    yield LiveEvent("speaking", begin_s, track=track, name=name, delay_s=delay_s)
    yield LiveEvent("silent", end_s, track=track, name=name, since_s=begin_s, delay_s=delay_s)


def summary(*events, counts=CALM, name="camera"):
    tally = Tally()
    for event in events:
        tally(event)
    return list(tally.lines(name, counts))


def test_the_summary_says_who_spoke_for_how_long_by_name():
    """Also of what somebody said before it was known who it is, and of several tracks."""
    lines = summary(
        *turn(0, 0.0, 2.0, "track_0"),
        LiveEvent("named", 2.5, track=0, name="ann"),
        *turn(0, 3.0, 4.0, "ann"),
        *turn(1, 4.0, 5.5, "bob"),
        LiveEvent("left", 6.0, track=0, name="ann"),
        *turn(2, 8.0, 8.5, "ann"),
        *turn(None, 9.0, 9.4, "off_screen"),
        LiveEvent("ended", 83.0, about={}),
    )
    assert lines == [
        "camera: 1:23.0",
        "spoke: ann 3.5 s, bob 1.5 s",
        "spoken off screen: 0.4 s",
    ]


def test_what_is_provisional_is_not_counted():
    events = [LiveEvent("silent", 5, certain=False, track=0, since_s=1, delay_s=0.1)]
    assert summary(*events) == ["camera: 0:05.0", "nobody in sight spoke"]


def test_delays_are_those_of_certain_changes():
    delays = [0.4, 0.5, 0.45, 2.0]
    events = [event for at, d in enumerate(delays) for event in turn(0, at, at + 0.5, "a", d)]
    events.append(LiveEvent("faces", 4, faces=(), delay_s=30.0))
    assert "delay until it was certain: 0.45 s (median), 2.00 s (worst)" in summary(*events)


def test_the_summary_says_what_was_left_out():
    counts = Counts(pictures=90, lost=7, frames=100, left_out=3, skipped=75, silent=2, breaks=2)
    assert summary(counts=counts) == [
        "camera: 0:00.0, interrupted 2 times",
        "nobody in sight spoke",
        "too slow: 3 of 175 frames were left out, and 75 were skipped. "
        "Cheaper: detect_every=4, live.hop_s=0.4",
        "7 frames were thrown away: they came faster than they were taken",
        "no sound came for 2 of 100 frames",
    ]
    slow = summary(counts=Counts(frames=100, left_out=3))[2]
    assert slow.startswith("too slow: 3 of 100 frames were left out. Cheaper: ")
    assert "interrupted once" in summary(counts=Counts(breaks=1))[0]


def test_without_sound_it_is_not_said_that_nobody_spoke():
    begun = LiveEvent("begun", 0.0, about={"name": "camera", "has_sound": False})
    assert summary(begun)[1] == "there is no sound, so nobody can be said to speak"


def test_who_spoke_least_is_put_together_after_many_faces():
    """So that it takes no more memory after a day, in which thousands of tracks come and go."""
    events = []
    for track in range(150):
        seconds = 9.0 if track == 7 else 1.0
        events += turn(track, 10.0 * track, 10.0 * track + seconds)
        events.append(LiveEvent("left", 10.0 * track + 9.5, track=track))
    tally = Tally()
    for event in events:
        tally(event)
    spoke = list(tally.lines("camera", CALM))[1]
    assert spoke.startswith("spoke: others 50.0 s, track_7 9.0 s, track_")
    assert spoke.endswith(", and 95 more")


def now(faces, *, counts=CALM, off_screen=False, delay_s=0.41):
    event = LiveEvent("faces", 12.4, faces=tuple(faces), delay_s=delay_s)
    return line_of_now(event, counts, off_screen=off_screen)


def test_the_line_of_now():
    shown = now(
        [face("bob", 1), face("ann", 0, speaking=True), face("track_2", 2)],
        counts=Counts(frames=300, left_out=12, skipped=3),
        off_screen=True,
    )
    assert shown.plain == (
        "0:12.4  |  speaks: ann, somebody off screen  |  in sight: bob, track_2"
        "  |  delay 0.41 s  |  12 left out, 3 skipped"
    )
    assert now([], delay_s=None).plain == "0:12.4  |  nobody in sight"


@pytest.mark.parametrize(("certain", "style"), [(True, "bold green"), (False, "dim green")])
def test_what_is_provisional_is_dimmed(certain, style):
    shown = now([face("ann", speaking=True, certain=certain)])
    named = {shown.plain[span.start : span.end]: span.style for span in shown.spans}
    assert named["ann"] == style


def test_on_a_terminal_changes_stay_above_what_is_now(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")  # so that rich takes it for a terminal
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "60")
    counts = Counts()
    with NowLine(lambda: counts) as show:
        show(LiveEvent("faces", 0.2, faces=(face("[b]ann"),), delay_s=0.3))
        show(LiveEvent("speaking", 0.2, track=0, name="[b]ann"))
        show(LiveEvent("speaking", 0.3, certain=False, name="off_screen"))
        counts.left_out = 2
        show(LiveEvent("faces", 0.4, faces=tuple(face(f"n{n}", n) for n in range(30))))
        print("a warning")
    drawn = capsys.readouterr().out
    assert "in sight: [b]ann" in drawn
    assert "0:00.2  [b]ann speaks\n" in drawn
    assert "speaks: somebody off screen" in drawn
    assert "a warning\n" in drawn
    assert "…" in drawn  # one line, however many are in sight
    assert drawn.endswith("\x1b[?25h\r\x1b[1A\x1b[2K")  # nothing of it stays


def test_the_files_are_named_and_the_parts_counted():
    folder = Path("out")
    (folder / "parts" / "0000").mkdir(parents=True)
    (folder / "parts" / "0001").mkdir()
    (folder / "events.jsonl").touch()
    (folder / "speakers.rttm").touch()
    assert list(files_of(folder)) == [
        "out/events.jsonl",
        "out/parts/: 2 parts",
        "out/speakers.rttm",
    ]
