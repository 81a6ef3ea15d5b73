"""The evidence of faces for voices, against figures worked out by hand."""

from __future__ import annotations

import math

import by_hand
import numpy as np
import pytest

from asdkit.core.types import Track
from asdkit.core.voices.evidence import evidence, frame_evidence


def face(*odds: float) -> Track:
    return by_hand.track(0, 0, np.tile([0.0, 0.0, 9.0, 9.0], (len(odds), 1)), odds)


def test_a_frame_says_more_for_than_against():
    found = frame_evidence(face(0.0, 60.0, -60.0, math.log(3)), 0.05) * 12.5
    figures = [0, math.log(0.7 / 0.05), math.log(0.3 / 0.95), math.log(2.4 / 1.1)]
    assert found == pytest.approx(figures, abs=1e-5)
    assert frame_evidence(face(60.0, -60.0), 0.25) * 12.5 == pytest.approx(
        [math.log(0.7 / 0.25), math.log(0.3 / 0.95)], abs=1e-5
    )


def test_frames_add_up_and_overlaps_count_by_halves():
    active = np.array([[True] * 4 + [False] * 2, [False] * 3 + [True] * 3])
    found = evidence(active, [[face(60.0, 60.0, 60.0, 60.0, -60.0, -60.0)]])
    plain, silent = math.log(0.7 / found.mistaken[0, 0]), math.log(0.3 / 0.95)
    assert found.nats[0, 0] == pytest.approx(3.5 * plain / 12.5, abs=1e-5)
    other = math.log(0.7 / found.mistaken[1, 0])
    assert found.nats[1, 0] == pytest.approx((0.5 * other + 2 * silent) / 12.5, abs=1e-5)
    assert found.seen.tolist() == [[True], [True]]


def test_a_face_that_speaks_with_all_others_too_is_known_for_it():
    """It speaks all the time with the first two, and in 4 of 10 frames with the third."""
    active = np.zeros((3, 30), np.bool_)
    for voice in range(3):
        active[voice, 10 * voice : 10 * (voice + 1)] = True
    speaks = [60.0] * 24 + [-60.0] * 6
    found = evidence(active, [[face(*speaks)], [face(*[-60.0] * 30)]]).mistaken
    third = (0.05 * 50 + 4) / (50 + 10)
    both = (0.05 * 50 + 10) / (50 + 10)
    assert found[:, 0] == pytest.approx([third, third, both], abs=1e-5)
    assert found[:, 1] == pytest.approx([0.05] * 3)  # no less than is supposed of any face
    often = evidence(np.repeat(active, 9, axis=1), [[face(*[60.0] * 270)]]).mistaken
    assert often[:, 0] == pytest.approx([0.25] * 3)  # no more is believed
