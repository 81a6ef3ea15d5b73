"""A session tells the same whatever happens around it, and whatever ends it leaves all whole."""

from __future__ import annotations

import json
import shutil
import socket
import threading
from collections import defaultdict
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import pytest
from refusing import refusal
from sessions import cheap, talk

import asdkit
from asdkit.core.errors import (
    CancelledError,
    ConfigError,
    InputError,
    OutputError,
    PluginError,
)
from asdkit.core.live import session as live_session
from asdkit.core.live.events import MEASURED
from asdkit.core.live.lines import event_of, line_of
from asdkit.core.live.sources import FileInput
from asdkit.core.registry import registry
from asdkit.core.rttm import read_rttm

FRAMES = 150


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    return talk(tmp_path_factory.mktemp("talk") / "talk.mkv", FRAMES)


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """The folder of the plugin."""
    yield tmp_path_factory.mktemp("parts")
    registry.cache_clear()


@pytest.fixture
def session(video, parts):
    """Makes a session over the talk."""

    def make(source=video, **options):
        return asdkit.live(source, **cheap(parts, **{"pace": "fast", **options}))

    return make


def told(events):
    """What does not depend on the time of day."""
    return [event for event in events if event.event not in MEASURED]


def turns(events):
    """By track: the turns that are certain."""
    found = defaultdict(list)
    for event in events:
        if event.event == "silent" and event.certain:
            found[event.track].append((event.since_s, event.time_s))
    return {track: tuple(spans) for track, spans in found.items()}


def recorded(folder):
    """The events in a folder."""
    text = (folder / "events.jsonl").read_text("utf-8")
    assert text.endswith("\n")
    return [event_of(json.loads(line)) for line in text.splitlines()]


def test_events_are_those_of_a_run_and_the_same_each_time(session, video, parts):
    first, second = list(session()), list(session(**{"live.late_s": 0.1}))
    assert told(first) == told(second)
    assert [event.event for event in (first[0], first[-1])] == ["begun", "ended"]
    result = asdkit.run(video, **cheap(parts, writers=[]))
    assert turns(first) == {track.id: track.speaking for track in result.tracks}
    assert turns(first)[0][:2] == ((0.0, 0.8), (1.6, 2.4))
    assert all(event.delay_s is None for event in first), "of a file taken fast"
    assert not any(event.event == "status" for event in first)


def test_parts_hold_what_was_told(session, tmp_path):
    events = list(session(output=str(tmp_path / "out"), live={"part_s": 2}))
    written = [event.about["folder"] for event in events if event.event == "written"]
    assert written == ["parts/0001", "parts/0002", "parts/0003"]
    parts = [asdkit.Result.load(tmp_path / "out" / folder) for folder in written]
    assert [part.shots for part in parts] == [((0, 50),), ((50, 100),), ((100, 150),)]
    found = defaultdict(list)
    for part in parts:
        for track in part.tracks:
            found[track.id].append(np.flatnonzero(track.speaking_frames) + track.first_frame)
    for track, spans in turns(events).items():
        told_of = [frame for a, b in spans for frame in range(round(a * 25), round(b * 25))]
        assert np.concatenate(found[track]).tolist() == told_of
    lines = (tmp_path / "out/events.jsonl").read_text("utf-8").splitlines()
    assert lines == [line_of(event) for event in events if event.event != "faces"]
    turns_there = read_rttm([tmp_path / "out/speakers.rttm"])["talk"]
    assert turns_there.keys() == {f"track_{track}" for track in turns(events)}
    for track, spans in turns(events).items():
        np.testing.assert_allclose(turns_there[f"track_{track}"], spans)


def test_parts_together_are_the_result_at_the_end(session, tmp_path):
    list(session(output=str(tmp_path / "parts"), live={"part_s": 1}))
    list(session(output=str(tmp_path / "one"), live={"part_s": None}))
    whole = asdkit.Result.load(tmp_path / "one")
    parts = [asdkit.Result.load(path) for path in sorted(tmp_path.glob("parts/parts/*"))]
    assert len(parts) == 6
    for track in whole.tracks:
        own = [one for part in parts for one in part.tracks if one.id == track.id]
        for name in ("boxes", "logits", "speaking_frames"):
            together = np.concatenate([getattr(one, name) for one in own])
            np.testing.assert_array_equal(together, getattr(track, name))
    assert whole.video.name == "talk" and whole.video.width == 160
    assert whole.provenance["versions"]["asdkit"] == asdkit.__version__


def test_nothing_is_written_unless_a_folder_is_named(session, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with session() as live:
        list(live)
    assert live.folder is None and not list(Path().iterdir())


def test_it_is_asked_for_nothing_before_the_first_event(session, tmp_path):
    live = session(str(tmp_path / "nowhere.mp4"))
    assert "nowhere.mp4" in refusal(InputError, next, live)
    assert list(live) == [], "it is over"


def test_options_in_words_and_by_name(video, parts):
    options = cheap(parts, pace="fast")
    plugins = options.pop("plugins")
    words = [f"{name}={value}" for name, value in options.items()]
    events = list(asdkit.live(str(video), words, plugins=plugins, end_s=1))
    assert events[-1].time_s == 1.0


def test_it_ends_where_it_is_told_to(session):
    live = session(end_s=2.5)
    counts = live.run()
    assert (live.counts, counts.frames) == (counts, 63), "the one after the last was looked at"
    events = list(session(end_s=2.5))
    assert events[-1].about["why"] == "end_s was reached"
    assert max(event.time_s for event in events) == events[-1].time_s


def test_each_event_is_handed_to_a_function(session):
    heard = []
    assert list(session(on_event=heard.append)) == heard


class EnoughError(Exception):
    """What the caller's code raises."""


@pytest.mark.parametrize("kind", [EnoughError, KeyboardInterrupt])
def test_what_the_function_raises_ends_it_with_all_written(session, tmp_path, kind):
    def stop(event):
        if event.event == "faces" and event.time_s > 3:
            raise kind

    live = session(on_event=stop, output=str(tmp_path / "out"), live={"part_s": 2})
    with pytest.raises(kind):
        live.run()
    events = recorded(tmp_path / "out")
    assert events[-1].event == "ended"
    last = asdkit.Result.load(tmp_path / "out/parts/0002")
    assert 2 < last.video.duration_s < 4
    assert not (tmp_path / "out/incomplete").exists()


def test_a_loop_that_is_left_leaves_all_whole(session, tmp_path):
    with session(output=str(tmp_path / "out")) as live:
        for event in live:
            if event.time_s > 3:
                break
    assert recorded(tmp_path / "out")[-1].about["why"] == "stopped"
    result = asdkit.Result.load(tmp_path / "out/parts/0001")
    assert result.tracks[0].speaking[:1] == ((0.0, 0.8),)
    assert live.folder == tmp_path / "out"
    with pytest.raises(StopIteration):
        next(live)


def test_who_leaves_with_the_last_event_changes_nothing(session, tmp_path):
    with session(output=str(tmp_path / "out")) as live:
        for event in live:
            if event.event == "ended":
                break
    lines = [event for event in recorded(tmp_path / "out") if event.event == "ended"]
    assert [event.about["why"] for event in lines] == ["the stream ended"]


def test_who_leaves_within_a_hop_leaves_all_of_it_written(session, tmp_path):
    """The events of a hop are written before anybody hears of the first."""
    others = ("faces", "ended")
    events = list(session())
    hops = [number for number, event in enumerate(events) if event.event == "faces"]
    last, end = next(pair for pair in pairwise(hops) if pair[1] - pair[0] > 2)
    with session(output=str(tmp_path / "out")) as live:
        for number, _ in enumerate(live):
            if number == last + 1:
                break
    kept, wanted = (
        [(one.event, one.time_s, one.certain) for one in told(some) if one.event not in others]
        for some in (recorded(tmp_path / "out"), events[:end])
    )
    assert kept == wanted


def test_it_can_be_cancelled(session, tmp_path):
    cancel = threading.Event()
    live = session(
        cancel=cancel,
        output=str(tmp_path / "out"),
        on_event=lambda event: cancel.set() if event.time_s > 3 else None,
    )
    assert refusal(CancelledError, live.run) == "The session was cancelled"
    assert recorded(tmp_path / "out")[-1].about["why"] == "The session was cancelled"
    assert asdkit.Result.load(tmp_path / "out/parts/0001").tracks


def test_it_can_be_stopped_from_another_thread_and_decides_what_has_come(session, tmp_path):
    stopped = threading.Event()

    def stop(event):
        if event.time_s > 3 and not stopped.is_set():
            other = threading.Thread(target=live.stop)
            other.start()
            other.join()
            stopped.set()

    live = session(on_event=stop, output=str(tmp_path / "out"))
    events = list(live)
    assert events[-1].about["why"] == "stopped"
    assert [event.event for event in events[-2:]] == ["written", "ended"]
    end_s = events[-1].time_s
    assert 3 < end_s < 6
    assert asdkit.Result.load(tmp_path / "out/parts/0001").video.duration_s == end_s


def test_it_can_be_stopped_before_it_begins(session):
    live = session()
    live.stop()
    assert [event.event for event in live] == ["begun", "ended"]


def test_a_part_that_fails_ends_it_with_what_was_decided(session, tmp_path):
    scorer = {"name": "loud", "fails_after": 12}
    live = session(output=str(tmp_path / "out"), scorer=scorer)
    assert "that was enough" in refusal(PluginError, live.run)
    assert "that was enough" in recorded(tmp_path / "out")[-1].about["why"]
    assert asdkit.Result.load(tmp_path / "out/parts/0001").tracks[0].speaking


def test_a_folder_that_is_removed_ends_it_and_is_told(session, tmp_path):
    def remove(event):
        if event.time_s > 2:
            shutil.rmtree(tmp_path / "out", ignore_errors=True)

    heard = []
    live = session(
        on_event=lambda event: (heard.append(event), remove(event)), output=str(tmp_path / "out")
    )
    assert "it was removed meanwhile" in refusal(OutputError, live.run)
    assert max(event.time_s for event in heard) > 2
    assert not (tmp_path / "out").exists()


def test_results_that_are_there_are_refused_before_anything_is_loaded(session, tmp_path):
    list(session(output=str(tmp_path / "out"), end_s=1))
    live = session(str(tmp_path / "nowhere.mp4"), output=str(tmp_path / "out"))
    assert "already holds results" in refusal(OutputError, next, live)
    assert list(session(output=str(tmp_path / "out"), end_s=1, overwrite=True))


@pytest.fixture
def nothing_loads(monkeypatch):
    """Fails where components are made."""
    monkeypatch.setattr(live_session.Models, "parts", lambda _: pytest.fail("parts were made"))


@pytest.mark.usefixtures("nothing_loads")
def test_a_source_that_is_no_video_is_refused_before_anything_is_loaded(session, tmp_path):
    for given, said in (("nothere.mp4", "No such file"), (__file__, "is not a video")):
        assert said in refusal(InputError, list, session(given, output=tmp_path / "out"))
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("nothing_loads")
def test_a_port_that_is_taken_is_refused_before_anything_is_loaded(session):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        told = refusal(ConfigError, list, session(serve=True, port=port))
    assert told.startswith(f"port={port} is taken by another program")


def test_faces_of_a_video_are_of_no_use(session, tmp_path):
    boxes = tmp_path / "boxes.json"
    boxes.write_text(json.dumps([[[10, 5, 50, 45, 1.0]]] * 30))
    live = session(detector={"name": "boxes", "path": str(boxes)})
    assert "not of a live session" in refusal(ConfigError, next, live)


def test_a_stream_that_fails_is_told_once_all_before_is_decided(session, tmp_path, monkeypatch):
    def failing(*asked):
        source = open_input(*asked)
        monkeypatch.setattr(type(source), "__iter__", lambda self: broken(read(source)))
        return source

    def broken(items):
        yield from islice(items, 120)
        raise InputError("The camera was unplugged", "Plug it in")

    open_input, read = live_session.open_input, FileInput.__iter__
    monkeypatch.setattr(live_session, "open_input", failing)
    events = []
    live = session(on_event=events.append, output=str(tmp_path / "out"))
    assert "unplugged. Plug it in" in refusal(InputError, live.run)
    assert events[-1].about["why"] == "The camera was unplugged"
    assert [event.event for event in events[-2:]] == ["written", "ended"]
    assert recorded(tmp_path / "out")[-1].event == "ended"
    assert turns(events)[0][0] == (0.0, 0.8)


def test_parts_work_once_before_what_comes_at_its_own_pace_is_opened(session):
    def said(error, live):
        feed = asdkit.LiveFeed(sound=False, live=live)  # which is refused when it is opened
        scorer = {"name": "loud", "fails_after": 0}
        return refusal(error, next, session(feed, pace="real", scorer=scorer))

    assert "that was enough" in said(PluginError, live=True)
    assert "made without sound" in said(InputError, live=False)


def test_parts_work_once_however_long_the_context_is(session):
    live = session(asdkit.LiveFeed(sound=False), pace="real", live={"context_s": 30})
    assert "made without sound" in refusal(InputError, next, live)


def test_the_page_is_told_how_wide_a_pixel_is(session):
    class Wide(asdkit.LiveFeed):
        pixel_aspect = 2.0

    feed = Wide(sound=False)
    feed.end()
    begun, *_ = session(feed, allow_silent=True)
    assert begun.about["pixel_aspect"] == 2.0


def test_at_its_own_pace_it_tells_the_same_and_measures(session):
    patient = {"late_s": 59, "skip_s": 60}
    events = list(session(pace="real", end_s=2, live=patient))
    assert told(events) == told(session(end_s=2))
    status = next(event for event in events if event.event == "status")
    assert status.about["counts"]["left_out"] == 0
    assert status.about["used"].keys() >= {"detect", "score"}
    assert all(event.delay_s > 0 for event in events if event.event in ("silent", "faces"))
