"""asdkit.live from Python: frames that are handed over, the page, and what is refused."""

from __future__ import annotations

import gc
import os
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from refusing import refusal
from sessions import SIZE, cheap, painted, talk

import asdkit
from asdkit.core.errors import CancelledError, ConfigError, InputError, OutputError
from asdkit.core.live.events import MEASURED
from asdkit.core.registry import registry

RATE = 16_000
FRAMES = 75


@pytest.fixture(scope="module")
def parts(tmp_path_factory) -> Iterator[Path]:
    """The folder of the plugin, and of a talk."""
    folder = tmp_path_factory.mktemp("parts")
    talk(folder / "talk.mkv", FRAMES)
    yield folder
    registry.cache_clear()


def hand_over(feed: asdkit.LiveFeed) -> None:
    """Hand over what the talk holds, and end."""
    times_s = np.arange(FRAMES * RATE // 25) / RATE
    loud = (times_s % 1.6) < 0.8
    sound = np.where(loud, 8000 * np.sin(2 * np.pi * 200 * times_s), 0).astype(np.int16)
    for number, block in enumerate(np.split(sound, FRAMES)):
        feed.picture(painted(number, *SIZE), number / 25)
        feed.sound(block, RATE, number / 25)
    feed.end()


def handed(parts: Path, feed: asdkit.LiveFeed, **options: Any) -> list[asdkit.LiveEvent]:
    thread = threading.Thread(target=hand_over, args=(feed,))
    thread.start()
    with asdkit.live(feed, **cheap(parts, **options)) as session:
        events = list(session)
    thread.join()
    return events


def test_a_session_that_nobody_holds_is_closed_at_once(parts, tmp_path):
    """Its feed, its page and its folder are let go of without the garbage collector."""
    pytest.importorskip("aiohttp")
    feed = asdkit.LiveFeed("call", live=False)
    thread = threading.Thread(target=hand_over, args=(feed,))
    thread.start()
    options = cheap(parts, serve=True, port=0, output=str(tmp_path / "out"))
    gc.collect()
    gc.disable()
    try:
        for event in asdkit.live(feed, **options):
            if event.event == "faces":
                break
        assert feed.closed
        assert "asd live server" not in {other.name for other in threading.enumerate()}
    finally:
        gc.enable()
        thread.join()
    assert '"ended"' in (tmp_path / "out" / "events.jsonl").read_text().splitlines()[-1]
    again = asdkit.live(feed, **cheap(parts))
    assert refusal(InputError, next, again).startswith("The LiveFeed call was another session's")


def of_frames(events: list[asdkit.LiveEvent]) -> list[asdkit.LiveEvent]:
    return [event for event in events if event.event not in MEASURED]


def test_frames_that_are_handed_over_are_as_those_of_a_file(parts):
    events = handed(parts, asdkit.LiveFeed("call", live=False))
    file = list(asdkit.live(parts / "talk.mkv", pace="fast", **cheap(parts)))
    assert of_frames(events)[:-1] == of_frames(file)[:-1]
    assert events[0].about["name"] == "call"
    assert [event.about["why"] for event in (events[-1], file[-1])] == ["the stream ended"] * 2


def test_a_live_feed_is_measured_and_its_results_bear_its_name(parts, tmp_path):
    feed = asdkit.LiveFeed("a call", live=True, stall_s=60)
    events = handed(parts, feed, output=str(tmp_path), live={"late_s": 59, "skip_s": 60})
    assert all(event.delay_s >= 0 for event in events if event.event in ("speaking", "faces"))
    (part,) = [event.about["folder"] for event in events if event.event == "written"]
    result = asdkit.Result.load(tmp_path / part)
    assert (result.video.name, str(result.video.path)) == ("a call", "a call")
    assert result.tracks[0].speaking == ((0.0, 0.8), (1.6, 2.4))
    assert feed.closed


def test_a_feed_without_sound_needs_leave(parts):
    feed = asdkit.LiveFeed("camera", sound=False)
    text = refusal(InputError, next, asdkit.live(feed, **cheap(parts)))
    assert "LiveFeed camera was made without sound" in text and "allow_silent=True" in text


def test_an_event_is_printed_with_what_it_tells_alone():
    event = asdkit.LiveEvent("left", 2.0, track=1, name="ann")
    assert repr(event) == "LiveEvent(event='left', time_s=2.0, certain=True, track=1, name='ann')"


def test_a_feed_is_stopped_while_nothing_comes(parts):
    feed = asdkit.LiveFeed("camera", sound=False)
    events: list[asdkit.LiveEvent] = []
    session = asdkit.live(feed, on_event=events.append, **cheap(parts, allow_silent=True))
    thread = threading.Thread(target=session.run)
    thread.start()
    feed.picture(painted(0, *SIZE))
    session.stop()
    thread.join(60)
    assert not thread.is_alive() and feed.closed
    assert [event.event for event in events][0 :: len(events) - 1] == ["begun", "ended"]
    assert events[-1].about is not None and events[-1].about["why"] == "stopped"


@pytest.mark.parametrize("begins", [True, False])
def test_a_feed_is_closed_whatever_becomes_of_its_session(parts, tmp_path, begins):
    """Else whoever hands over would wait for ever."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out/result.json").write_text("{}")
    feed = asdkit.LiveFeed("camera", live=False)
    with asdkit.live(feed, **cheap(parts, output=str(tmp_path / "out"))) as session:
        assert not feed.closed
        if begins:
            refusal(OutputError, next, session)
            assert feed.closed
    assert feed.closed


def test_a_session_leaves_the_feed_of_another_alone(parts):
    feed = asdkit.LiveFeed("camera", sound=False)
    feed.picture(painted(0, *SIZE))
    with asdkit.live(feed, **cheap(parts, allow_silent=True)) as session:
        next(session)
        with asdkit.live(feed, **cheap(parts, allow_silent=True)) as other:
            assert "The LiveFeed camera has a session" in refusal(InputError, next, other)
        assert not feed.closed
        feed.end()
        assert [event.event for event in session][-1] == "ended"


@pytest.mark.parametrize("cancelled", [True, False])
def test_it_ends_while_nothing_has_come(parts, monkeypatch, cancelled):
    """A pipe may say nothing for ever."""
    ours, theirs = os.pipe()
    with os.fdopen(ours) as pipe, os.fdopen(theirs, "w"):
        monkeypatch.setattr("sys.stdin", pipe)
        cancel = threading.Event()
        session = asdkit.live("-", cancel=cancel, **cheap(parts))
        threading.Timer(0.5, cancel.set if cancelled else session.stop).start()
        if cancelled:
            assert refusal(CancelledError, session.run) == "The session was cancelled"
        else:
            assert list(session) == []


def test_the_page_is_there_as_long_as_the_session(parts):
    pytest.importorskip("aiohttp")
    options = cheap(parts, pace="fast", serve=True, port=0)
    with asdkit.live(parts / "talk.mkv", **options) as session:
        assert session.url is None
        next(session)
        with urllib.request.urlopen(session.url) as page:
            assert page.status == 200
        list(session)
    with pytest.raises(OSError):
        urllib.request.urlopen(session.url)


def test_the_callers_random_numbers_go_on_where_they_were(parts):
    np.random.seed(3)
    expected = np.random.random()
    np.random.seed(3)
    list(asdkit.live(parts / "talk.mkv", pace="fast", **cheap(parts, end_s=1)))
    assert np.random.random() == expected


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"overwrite": "perhaps"}, "overwrite"),
        ({"writers": ["annotated"]}, "needs the video as a file"),
        ({"output": ""}, "output names no folder"),
        ({"output": "-"}, "output=-"),
        ({"hop_s": 1}, "hop_s"),
    ],
)
def test_options_are_refused_when_it_is_made(options, told):
    assert told in refusal(ConfigError, asdkit.live, "camera", **options)


def test_the_folder_of_a_session_without_one_is_named_after_it(parts, tmp_path):
    from asdkit.core.config.compose import compose_app
    from asdkit.core.config.words import words_of
    from asdkit.core.live.plan import LIVE, make_live_plan

    def folder(**options: Any) -> str:
        given = {"source": str(parts / "talk.mkv"), **cheap(parts, end_s=1, **options)}
        plan = make_live_plan(compose_app(LIVE, words_of(given)))
        session = asdkit.LiveSession(plan, results=tmp_path)
        session.run()
        assert session.folder is not None and (session.folder / "events.jsonl").exists()
        return session.folder.relative_to(tmp_path).as_posix()

    assert folder(pace="fast") == "talk"
    assert folder(pace="fast", name="room 1/2: ..") == "room 1_2_"
    assert folder(pace="fast", name="v1.2") == "v1.2"
