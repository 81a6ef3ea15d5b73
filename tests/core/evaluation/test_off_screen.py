"""Off-screen speech against frames counted by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from by_hand import result

from asdkit.core.evaluation.metrics import Confusion
from asdkit.core.evaluation.off_screen import off_screen_counts, off_screen_metrics


def frames(*spans, of=50):
    found = np.zeros(of, bool)
    for first, end in spans:
        found[first:end] = True
    return found


def counted(truth, spans, **more):
    return off_screen_counts(truth, result(off_screen=spans, speech=spans, **more))


def test_frames_are_counted():
    # 20 frames are off screen, of which 10 are found, and 5 others are.
    counts = counted(frames((10, 30)), ((0.8, 1.4),), duration_s=2.0)
    assert counts == Confusion(10, 5, 25, 10)
    found = off_screen_metrics([counts])
    assert found == {
        "off_screen_recall": pytest.approx(10 / 20),
        "off_screen_precision": pytest.approx(10 / 15),
        "off_screen_frames": 20,
    }


def test_frames_without_a_label_or_a_look_do_not_count():
    # Labels end at frame 50, and only frames 20 to 60 were looked at.
    spans = ((0.8, 1.2), (1.8, 3.0))
    counts = counted(frames((10, 30)), spans, duration_s=4.0, shots=[(20, 40), (40, 60)])
    assert counts == Confusion(10, 5, 15, 0)


def test_without_voice_activity_detection_there_is_nothing_to_count():
    assert off_screen_counts(frames((10, 30)), result()) is None


def test_videos_are_pooled_by_frames():
    found = off_screen_metrics([Confusion(10, 0, 40, 0), Confusion(0, 10, 10, 30)])
    assert found == {
        "off_screen_recall": pytest.approx(10 / 40),
        "off_screen_precision": pytest.approx(10 / 20),
        "off_screen_frames": 40,
    }


def test_what_is_not_there_gives_no_full_score():
    nobody = off_screen_metrics([counted(frames(), ())])
    assert math.isnan(nobody["off_screen_recall"])
    assert math.isnan(nobody["off_screen_precision"])
    missed = off_screen_metrics([counted(frames((0, 5)), ())])
    assert missed["off_screen_recall"] == 0
    assert math.isnan(missed["off_screen_precision"])
