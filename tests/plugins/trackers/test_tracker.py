"""The iou tracker: the reference's tracks, and how it matches. test_trackers.py has the rest."""

from __future__ import annotations

import json

import numpy as np
import pytest
from checkout import DATA
from following import detections, follow, make

from asdkit.core.boxes import iou

CASES = json.loads((DATA / "tracker.json").read_text())


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_meets_the_reference(case):
    names = ("iou_threshold", "max_gap_frames", "min_track_detections", "min_face_px")
    tracker = make("iou", **{name: case[name] for name in names})
    tracks = follow(tracker, dict(enumerate(case["detections"])))
    got = [(track.first_frame, track.boxes) for track in tracks if track.status == "kept"]
    want = [(track["first_frame"], np.array(track["boxes"])) for track in case["tracks"]]
    assert len(got) == len(want)
    for first, boxes in want:
        assert any(
            first == other and boxes.shape == others.shape and np.abs(boxes - others).max() < 1e-6
            for other, others in got
        )


def test_the_greatest_overlap_wins():
    tracker = make("iou")
    tracker.update(0, detections([[0, 0, 100, 100, 1], [30, 0, 130, 100, 1]]))
    pieces = tracker.update(1, detections([[28, 0, 128, 100, 1], [2, 0, 102, 100, 1]]))
    assert {piece.track: piece.boxes[0, 0] for piece in pieces} == {0: 2, 1: 28}


def test_iou_of_known_boxes():
    a = np.array([[0.0, 0, 10, 10]])
    b = np.array([[0.0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30], [3, 3, 3, 3]])
    assert iou(a, b) == pytest.approx(np.array([[1, 1 / 3, 0, 0]]))
