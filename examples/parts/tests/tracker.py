"""The part as asdkit finds and makes it, by the checks that asdkit's own pass."""

from __future__ import annotations

import asdkit
import numpy as np
import pytest
from asdkit import testing


def test_it_keeps_its_contract() -> None:
    """A tracker is made anew for each video, so the check takes what makes one."""
    testing.check_tracker(lambda: asdkit.load("tracker", "centre"))


def test_gaps_are_filled_and_the_larger_face_is_followed() -> None:
    """The pieces of a track follow each other without a gap."""
    tracker = asdkit.load("tracker", "centre")
    small, large = [0.0, 0, 10, 10], [20.0, 0, 60, 40]
    both = asdkit.Detections(np.array([small, large]), np.ones(2))
    moved = asdkit.Detections(np.array([large]) + 2, np.ones(1))
    pieces = [*tracker.update(0, both), *tracker.update(2, moved), *tracker.flush()]
    assert [piece.first_frame for piece in pieces] == [0, 1, 3]
    boxes = np.concatenate([piece.boxes for piece in pieces])
    assert boxes[:, 0].tolist() == [20, 21, 22]
    assert pieces[-1].status == "kept"


def test_wrong_parameters_are_refused() -> None:
    """In one line that names the parameter."""
    with pytest.raises(asdkit.AsdError, match="max_gap_frames"):
        asdkit.load("tracker", "centre", max_gap_frames=-1)
