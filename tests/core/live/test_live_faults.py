"""Faults in what comes in: none ends a session but the one that should."""

from __future__ import annotations

import math
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from enduring import followed, installed_in, interruptions, known, whole
from streams import (
    Piece,
    Sender,
    cut,
    free_port,
    joined,
    pieces_of,
    to_pipe,
    to_udp,
    with_garbage,
)
from synth import clicks, steady, write_video

import asdkit
from asdkit.core.live.events import LiveEvent

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs pipes to wait for")
SIZES = {"small": (96, 64), "large": (160, 120)}


@pytest.fixture(scope="module", autouse=True)
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Quick parts, found as a stranger's are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(installed_in(tmp_path_factory.mktemp("site")))
        known()
        yield
    known()


@pytest.fixture(scope="module")
def streams(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Piece]]:
    """Two seconds of pictures with a click now and then, in two sizes: of one face."""
    folder = tmp_path_factory.mktemp("clips")
    made = {}
    for name, size in SIZES.items():
        path = folder / f"{name}.ts"
        sounds = [(0.0, clicks(np.arange(0.1, 2.0, 0.05), 2.0))]
        write_video(path, frames=50, size=size, keyframe_every=5, image=steady, sounds=sounds)
        made[name] = pieces_of(path)
        made[f"{name} path"] = path
    return made


def reaches(time_s: float) -> Any:
    """Whether faces are told of at this time, or later."""
    return lambda event: event.event == "faces" and event.time_s >= time_s and event.faces


def random_bytes(size: int) -> bytes:
    return np.random.default_rng(0).bytes(size)


def without_start(pieces: list[Piece], at_s: float) -> list[Piece]:
    """As if it was sent before somebody listened."""
    return [Piece(due - at_s, data) for due, data in pieces if due >= at_s]


def twice(pieces: list[Piece]) -> list[Piece]:
    return [Piece(due, data + data) for due, data in pieces]


UDP = {
    "stall": (lambda s: s["small"], 1.8, ["stalled", "came back"]),
    "cut": (lambda s: cut(s["small"], 0.8, 0.3), 1.5, []),
    "garbage before": (
        lambda s: joined([Piece(0, random_bytes(5000))], s["small"]),
        1.5,
        [],
    ),
    "garbage within": (lambda s: with_garbage(s["small"], 0.8, 0.3), 1.5, []),
    "joined in the middle": (lambda s: without_start(s["small"], 0.3), 1.0, []),
    "size up and down": (
        lambda s: joined(s["small"], s["large"], s["small"]),
        4.5,
        ["changed its size to 160x120", "changed its size to 96x64"],
    ),
    "clock leaps ahead": (lambda s: pieces_of(s["small path"], leap=(0.8, 100)), 1.5, []),
    "clock leaps ahead a little": (lambda s: pieces_of(s["small path"], leap=(0.8, 1)), 1.5, []),
    "clock starts anew": (lambda s: joined(s["small"], s["small"]), 3.0, []),
    "sound lost and back": (
        lambda s: joined(pieces_of(s["small path"], silent_from_s=0.8), s["small"]),
        3.0,
        [],
    ),
    "picture lost and back": (
        lambda s: joined(pieces_of(s["small path"], blind_from_s=1.2), s["small"]),
        2.5,
        ["stalled", "came back"],
    ),
    "sound first": (
        lambda s: joined(pieces_of(s["small path"], blind_from_s=0.04), s["small"]),
        2.0,
        [],
    ),
    "packets twice": (lambda s: twice(s["small"]), 1.5, []),
}
HELD_S = {"stall": 1.6, "picture lost and back": 1.9}
"""From when on nothing is sent until it was told that the stream stalled."""


@pytest.mark.parametrize("fault", UDP)
def test_a_fault_of_a_stream_over_udp_does_not_end_it(streams, tmp_path, fault):
    """It goes on after the fault, to a time that the stream reaches after it alone."""
    made, time_s, reasons = UDP[fault]
    port = free_port()
    pieces = made(streams)
    rest = joined(pieces, streams["small"], streams["small"])
    reached = reaches(time_s)
    with Sender(rest, to_udp(port), held_s=HELD_S.get(fault, math.inf)) as sender:

        def until(event: LiveEvent) -> bool:
            if (event.reason or "").startswith("stalled"):
                sender.go_on()
            return reached(event)

        with followed(f"udp://127.0.0.1:{port}", tmp_path / "out", until=until) as told:
            pass
    events = whole(tmp_path / "out")
    assert [event.event for event in told if event.event != "faces"] == [e.event for e in events]
    said = iter(interruptions(events))
    for reason in reasons:
        assert any(one.startswith(reason) for one in said), interruptions(events)
    assert events[-1].time_s >= time_s


@contextmanager
def piped(data: list[Piece], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Standard input, into which this is sent as fast as it is read."""
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as end, Sender(data, to_pipe(writing), speed=2):
        monkeypatch.setattr(sys, "stdin", end)
        yield


def encoded(folder: Path, name: str, **options: Any) -> bytes:
    path = write_video(folder / name, frames=50, keyframe_every=5, image=steady, **options)
    return path.read_bytes()


def spoilt(data: bytes, share: float) -> bytes:
    """Some bytes are others, but for those at the beginning."""
    chance = np.random.default_rng(0)
    spoiling = np.frombuffer(data, np.uint8).copy()
    wrong = chance.random(len(spoiling)) < share
    wrong[: len(spoiling) // 4] = False
    spoiling[wrong] = chance.integers(0, 256, np.count_nonzero(wrong))
    return spoiling.tobytes()


SOUND = {"sounds": [(0.0, clicks([0.5, 1.5], 2.0))]}
PIPED = {
    "cut off within a packet": lambda f: encoded(f, "a.ts", **SOUND)[:-10_001],
    "slices of H.264 are wrong": lambda f: spoilt(encoded(f, "a.ts", **SOUND), 0.001),
    "JPEGs are wrong": lambda f: spoilt(
        encoded(f, "a.mkv", codec="mjpeg", pixels="yuvj420p", **SOUND), 0.001
    ),
    "no timestamps": lambda f: encoded(f, "a.h264", codec="libx264"),
}


@pytest.mark.parametrize("fault", PIPED)
def test_a_fault_of_a_pipe_ends_it_where_the_pipe_ends(tmp_path, monkeypatch, fault):
    data = PIPED[fault](tmp_path)
    size = 1 + len(data) // 50
    pieces = [Piece(k / 25, data[k * size : (k + 1) * size]) for k in range(50)]
    with (
        piped(pieces, monkeypatch),
        followed("-", tmp_path / "out", "allow_silent=true") as told,
    ):
        pass
    events = whole(tmp_path / "out")
    assert events[-1].about["why"] == told[-1].about["why"]
    assert any(event.event == "faces" and event.faces for event in told)
    assert events[-1].time_s >= 1.0


def test_a_pipe_of_garbage_is_refused(tmp_path, monkeypatch):
    with (
        piped([Piece(0, random_bytes(200_000))], monkeypatch),
        pytest.raises(asdkit.AsdError, match=r"pipe|standard input"),
        followed("-", tmp_path / "out"),
    ):
        pass
    assert not (tmp_path / "out").exists()


# Handed over


def hand_over(feed: asdkit.LiveFeed, sizes: Any, fps: float, *, sound: bool = True) -> None:
    for number, (width, height) in enumerate(sizes):
        feed.picture(steady(number, width, height), number / fps)
        if sound:
            begin, end = (round(k / fps * 16_000) for k in (number, number + 1))
            feed.sound(np.full(end - begin, 5000, np.int16), 16_000, begin / 16_000)
    feed.end()


HANDED = {
    "a thousand pictures a second": ([(96, 64)] * 2000, 1000.0),
    "a picture in two seconds": ([(96, 64)] * 4, 0.5),
    "tiny pictures": ([(1, 1), (2, 2), (3, 1), (1, 5)] * 10, 25.0),
    "another size each time": ([(40 + k % 7, 30 + k % 5) for k in range(50)], 25.0),
    "a single picture": ([(96, 64)], 25.0),
    "no picture": ([], 25.0),
}


@pytest.mark.parametrize("fault", HANDED)
def test_odd_pictures_that_are_handed_over(tmp_path, fault):
    sizes, fps = HANDED[fault]
    feed = asdkit.LiveFeed(live=False, fps=fps)
    thread = threading.Thread(target=hand_over, args=(feed, sizes, fps))
    thread.start()
    with followed(feed, tmp_path / "out") as told:
        pass
    thread.join()
    events = whole(tmp_path / "out")
    assert events[-1].time_s == pytest.approx(len(sizes) / fps, abs=2.0 if fps < 1 else 0.08)
    assert told[-1].about["why"] == "the stream ended"


def test_a_feed_without_timestamps_is_timed_by_its_rate(tmp_path):
    feed = asdkit.LiveFeed(live=False, fps=50, sound=False)

    def hand() -> None:
        for _ in range(100):
            feed.picture(np.zeros((64, 96, 3), np.uint8))
        feed.end()

    thread = threading.Thread(target=hand)
    thread.start()
    with followed(feed, tmp_path / "out", "allow_silent=true"):
        pass
    thread.join()
    assert whole(tmp_path / "out")[-1].time_s == pytest.approx(2.0, abs=0.04)


def test_clocks_of_a_feed_that_jump_to_and_fro(tmp_path):
    feed = asdkit.LiveFeed(live=False, sound=False)

    def hand() -> None:
        for number in range(100):
            jump = (0.0, 1e6, -1e6, 50.0)[number // 25]
            feed.picture(np.zeros((64, 96, 3), np.uint8), number / 25 + jump)
        feed.end()

    thread = threading.Thread(target=hand)
    thread.start()
    with followed(feed, tmp_path / "out", "allow_silent=true"):
        pass
    thread.join()
    events = whole(tmp_path / "out")
    assert len(interruptions(events)) >= 3
    assert events[-1].time_s >= 3.5


def test_a_file_that_is_damaged_in_the_middle(tmp_path):
    (tmp_path / "talk.ts").write_bytes(spoilt(encoded(tmp_path, "a.ts", **SOUND), 0.001))
    with followed(str(tmp_path / "talk.ts"), tmp_path / "out", "pace=fast"):
        pass
    assert whole(tmp_path / "out")[-1].time_s >= 1.0


def test_a_file_of_a_picture_without_sound_to_the_end(tmp_path):
    encoded(tmp_path, "a.ts", sounds=[(0.0, clicks([0.2], 0.5))])
    with followed(str(tmp_path / "a.ts"), tmp_path / "out", "pace=fast"):
        pass
    assert whole(tmp_path / "out")[-1].time_s == pytest.approx(2.0, abs=0.08)


def test_av_is_not_left_with_another_way_of_logging(tmp_path):
    encoded(tmp_path, "a.ts", **SOUND)
    before = av.logging.get_level()
    with followed(str(tmp_path / "a.ts"), tmp_path / "out", "pace=fast"):
        pass
    assert av.logging.get_level() == before
