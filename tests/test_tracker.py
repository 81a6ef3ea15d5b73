"""The iou tracker: the reference's tracks, one to one, whatever comes in."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import asdkit
from asdkit.core.components import Context
from asdkit.core.errors import ConfigError
from asdkit.core.types import Detections, TrackPiece
from asdkit.plugins.trackers.iou import IouConfig, IouTracker, build, iou

CASES = json.loads((Path(__file__).parent / "data" / "tracker.json").read_text())


def detections(rows: Sequence[Sequence[float]]) -> Detections:
    array = np.array(rows, float).reshape(-1, 5)
    return Detections(array[:, :4], array[:, 4])


def joined(pieces: Sequence[TrackPiece]) -> dict[int, tuple[int, np.ndarray, str]]:
    """First frame, boxes and end of each track; checks that its pieces fit together."""
    tracks: dict[int, list[TrackPiece]] = {}
    for piece in pieces:
        tracks.setdefault(piece.track, []).append(piece)
    for parts in tracks.values():
        for before, after in pairwise(parts):
            assert before.status == "live"
            assert after.first_frame == before.first_frame + len(before.boxes)
    return {
        number: (
            parts[0].first_frame,
            np.concatenate([part.boxes for part in parts]),
            parts[-1].status,
        )
        for number, parts in tracks.items()
    }


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_meets_the_reference(case):
    names = ("iou_threshold", "max_gap_frames", "min_track_detections", "min_face_px")
    tracker = IouTracker(IouConfig(**{name: case[name] for name in names}))
    pieces = []
    for index, rows in enumerate(case["detections"]):
        pieces += tracker.update(index, detections(rows))
    pieces += tracker.flush()
    got = [(first, boxes) for first, boxes, end in joined(pieces).values() if end == "kept"]
    want = [(track["first_frame"], np.array(track["boxes"])) for track in case["tracks"]]
    assert len(got) == len(want)
    for first, boxes in want:
        assert any(
            first == other and boxes.shape == others.shape and np.abs(boxes - others).max() < 1e-6
            for other, others in got
        )


def test_two_boxes_on_one_face_never_enter_one_track():
    tracker = IouTracker(IouConfig(min_track_detections=2))
    pieces = []
    for index in range(8):
        pieces += tracker.update(index, detections([[10, 10, 60, 60, 0.9], [12, 12, 62, 62, 0.8]]))
    pieces += tracker.flush()
    tracks = joined(pieces)
    assert [len(boxes) for _, boxes, _ in tracks.values()] == [8, 8]


def test_the_greatest_overlap_wins():
    tracker = IouTracker(IouConfig())
    tracker.update(0, detections([[0, 0, 100, 100, 1], [30, 0, 130, 100, 1]]))
    pieces = tracker.update(1, detections([[28, 0, 128, 100, 1], [2, 0, 102, 100, 1]]))
    assert {piece.track: piece.boxes[0, 0] for piece in pieces} == {0: 2, 1: 28}


def test_numbers_are_not_used_again_after_a_flush():
    tracker = IouTracker(IouConfig())
    first = tracker.update(0, detections([[0, 0, 9, 9, 1]]))
    tracker.flush()
    second = tracker.update(1, detections([[0, 0, 9, 9, 1]]))
    assert second[0].track > first[0].track


def test_each_detection_stands_for_detect_every_frames():
    tracker = build(IouConfig(min_track_detections=10), Context(detect_every=4))
    pieces = []
    for index in (0, 4, 8):
        pieces += tracker.update(index, detections([[0, 0, 50, 50, 1]]))
    pieces += tracker.flush()
    assert joined(pieces)[0][2] == "kept"  # 3 detections stand for 12 frames


def test_detecting_less_often_than_the_gap_is_refused():
    with pytest.raises(ConfigError, match="detect_every=11"):
        build(IouConfig(max_gap_frames=10), Context(detect_every=11))


boxes_ = st.tuples(
    *[st.floats(-50, 500) for _ in range(2)], *[st.floats(0.5, 200) for _ in range(2)]
).map(lambda b: [b[0], b[1], b[0] + b[2], b[1] + b[3], 0.9])


@settings(max_examples=60, deadline=None)
@given(
    frames=st.lists(st.lists(boxes_, max_size=4), max_size=25),
    gap=st.integers(1, 6),
    threshold=st.floats(0, 0.9),
)
def test_whatever_comes_in(frames, gap, threshold):
    """Pieces fit together, each detection is in one track, gaps stay within bounds."""
    tracker = IouTracker(
        IouConfig(iou_threshold=threshold, max_gap_frames=gap, min_track_detections=0)
    )
    pieces = []
    for index, rows in enumerate(frames):
        pieces += tracker.update(index, detections(rows))
    pieces += tracker.flush()
    tracks = joined(pieces)
    found = sorted(tuple(row[:4]) for rows in frames for row in rows)
    placed: list[tuple[float, ...]] = []
    for first, boxes, end in tracks.values():
        assert end in ("kept", "dropped")
        own = [
            [row[:4] for row in frames[first + k] if np.allclose(row[:4], boxes[k], atol=0)]
            for k in range(len(boxes))
        ]
        assert own[0] and own[-1]
        missing = "".join("x" if rows else "." for rows in own).split("x")
        assert max(len(part) for part in missing) < gap
        placed += [tuple(rows[0]) for rows in own if rows]
    assert set(placed) == set(found)


def test_iou_of_known_boxes():
    a = np.array([[0.0, 0, 10, 10]])
    b = np.array([[0.0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30], [3, 3, 3, 3]])
    assert iou(a, b) == pytest.approx(np.array([[1, 1 / 3, 0, 0]]))


@pytest.mark.parametrize(
    "parameter", [{"iou_threshold": 1.0}, {"max_gap_frames": 0}, {"min_face_px": -1.0}]
)
def test_parameters_out_of_range(parameter):
    with pytest.raises(ConfigError, match=next(iter(parameter))):
        asdkit.load("tracker", "iou", **parameter)
