"""The benchmark of live: what it sends, and what it makes of what was told."""

from __future__ import annotations

import math
import socket
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest
from by_hand import result, track
from synth import clicks, write_video

from asdkit.benchmarks import live_stream
from asdkit.benchmarks.live import memory_line, resident
from asdkit.benchmarks.live_figures import (
    Change,
    Told,
    changes,
    delay_lines,
    difference,
    precision,
    repeated,
    tells_of,
    tenths,
)
from asdkit.benchmarks.live_stream import Sender, free_port, is_taken, length_of, packets, write
from asdkit.plugins.datasets.dialogue import Truth

SPEAKS = np.array([0, 0, 1, 1, 0, 1, 1, 1, 0, 0], np.bool_)
TRUTH = Truth(
    Path("talk.json"),
    ((0, 5), (5, 10)),
    {"left": np.array([0.0, 0, 50, 100]), "right": np.array([50.0, 0, 100, 100])},
    {"left": SPEAKS, "right": np.zeros(10, np.bool_)},
)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    path = tmp_path_factory.mktemp("clip") / "talk.mp4"
    return write_video(path, frames=20, sounds=[(0.0, clicks([0.4], 0.8))])


def test_changes_are_those_within_shots():
    found = [Change(2, "left", True), Change(4, "left", False), Change(8, "left", False)]
    assert changes(TRUTH, 10) == found
    assert changes(TRUTH, 8) == found[:2]
    assert [one.frame for one in changes(repeated(TRUTH, 2), 20)] == [2, 4, 8, 12, 14, 18]
    assert repeated(TRUTH, 2).shots == ((0, 5), (5, 10), (10, 15), (15, 20))


def line(event, time_s, certain, x=20):
    box = [x - 5, 10, x + 5, 30]
    return {"event": event, "time_s": time_s, "certain": certain, "track": 0, "box": box}


@pytest.mark.parametrize(
    ("told", "so"),
    [
        (line("speaking", 0.2, True), True),
        (line("silent", 0.2, True), False),
        (line("speaking", 0.8, True), False),
        (line("speaking", 0.2, True, x=80), False),
        ({"event": "speaking", "time_s": 0.08, "certain": True}, False),
    ],
)
def test_an_event_tells_of_a_change_in_its_region_near_its_time(told, so):
    assert tells_of(Told(told, 0.0), Change(2, "left", True), TRUTH) is so


def test_delays_are_from_when_the_picture_was_sent():
    sent = [100 + frame / 25 for frame in range(10)]
    told = [
        Told(line("speaking", 0.12, False), 100.5),
        Told(line("speaking", 0.08, True), 101.0),
        Told(line("silent", 0.16, True), 101.16),
        Told({"event": "status", "time_s": 1.0}, 101.2),
    ]
    assert delay_lines(told, TRUTH, sent, 5) == [
        "certain of a change of the truth: median 0.960 s, worst 1.000 s (n=2), 0 never told",
        "first of a change of the truth: median 0.710 s, worst 1.000 s (n=2), 0 never told",
        "certain events against their own time: median 0.960 s, worst 1.000 s (n=2)",
        "provisional events against their own time: median 0.380 s, worst 0.380 s (n=1)",
    ]
    assert "none, 2 never told" in delay_lines([], TRUTH, sent, 5)[0]


def test_events_are_the_same_but_for_what_is_measured():
    one = [
        {"event": "begun", "time_s": 0.0, "about": {"source": "udp"}},
        line("speaking", 0.08, True) | {"delay_s": 0.5},
        {"event": "status", "time_s": 1.0, "about": {}},
        {"event": "ended", "time_s": 1.0, "about": {}},
    ]
    other = [line("speaking", 0.08, True)]
    assert difference(one, other) == "are the same, all 1"
    assert difference(one, []) == "differ: 1 and 0"
    assert difference(one, [line("silent", 0.08, True)]).startswith("differ from event 0 on: {")


def test_precision_is_that_of_all_parts_together():
    boxes = np.tile([10.0, 10, 30, 30], (5, 1))
    scores = np.where(SPEAKS, 1.0, -1.0)
    parts = [
        result(replace(track(0, first, boxes), logits=np.stack([-own, own], 1).astype(np.float32)))
        for first, own in ((0, scores[:5]), (5, scores[5:]))
    ]
    assert precision(parts, TRUTH, 10) == 1.0
    assert precision(parts[:1], TRUTH, 5) == 1.0
    wrong = [parts[0], replace(parts[0], tracks=())]
    assert precision(wrong, TRUTH, 10) < 1.0


def test_tenths_are_the_second_and_the_last():
    assert tenths([(float(k), float(k)) for k in range(101)]) == (15.0, 95.0)
    rising = [(float(k), 2.0**20 * (100 + k / 10)) for k in range(101)]
    assert memory_line([*rising, (101.0, math.nan)]) == (
        "memory: 101.5 MiB in the second tenth, 109.5 MiB in the last, +7.9 %"
    )


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_the_memory_of_a_process_is_known():
    import os

    assert 2**20 < resident(os.getpid()) < 2**40
    assert math.isnan(resident(2**30))


def test_copies_follow_each_other_without_a_gap(clip, tmp_path):
    """Decoded, the pictures are 1/25 s apart throughout, and whole copies."""
    file = tmp_path / "out.ts"
    due = []
    times = write(clip, 1.0, str(file), due.append)
    assert due == sorted(due)
    assert due[0] == 0
    assert len(times) == 40
    assert times == sorted(times)
    with av.open(str(file)) as stream:
        shown = [frame.time for frame in stream.decode(video=0)]
    assert np.diff(shown) == pytest.approx(1 / 25, abs=1e-4)
    assert len(shown) == 40
    assert length_of(clip) == pytest.approx(0.8)
    sound = [float(pts) for packet, pts, _ in packets(clip, 1.0) if packet.stream.type == "audio"]
    assert sound == sorted(sound)


@pytest.mark.parametrize("fps", [30, 15])
def test_times_are_those_of_grid_frames_whatever_the_rate(tmp_path, monkeypatch, fps):
    file = tmp_path / "clip.mp4"
    clip = write_video(file, frames=2 * fps, fps=fps, sounds=[(0.0, clicks([0.4], 2.0))])
    due = [0.0]
    monkeypatch.setattr(live_stream, "time", SimpleNamespace(monotonic=lambda: due[-1]))
    sent = write(clip, 3.0, str(tmp_path / "out.ts"), due.append)
    assert len(sent) == 100
    assert np.abs(np.array(sent) - np.arange(100) / 25).max() < 3.5 / fps


def test_what_is_sent_is_what_the_file_holds(clip, tmp_path):
    file = tmp_path / "out.ts"
    write(clip, 0.5, str(file), lambda _: None)
    whole = file.read_bytes()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(30)
        port = receiver.getsockname()[1]
        assert is_taken(port)
        before = time.monotonic()
        sender = Sender(clip, 0.5, port)
        sender.start()
        got = b""
        while len(got) < len(whole):
            got += receiver.recv(65536)
        sender.join()
    assert got == whole
    assert not is_taken(free_port())
    assert len(sender.sent) == 20
    assert sender.sent[-1] - before >= 0.75, "in real time"
