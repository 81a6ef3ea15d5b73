"""Landmarks of faces, and the similarity that moves them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asdkit.core.kept_answers import Answer, packed, rebuilt, taken_apart, unpacked
from asdkit.core.landmarks import TYPICAL, FaceTemplate, moved, similarity, typical
from asdkit.core.types import Detections

BOXES = np.array([[10.0, 20, 50, 80], [100, 20, 140, 70]])
SCORES = np.array([0.8, 0.9])
POINTS = np.arange(20, dtype=float).reshape(2, 5, 2)

angles, scales, shifts = st.floats(-np.pi, np.pi), st.floats(0.01, 100), st.floats(-500, 500)


@given(angles, scales, shifts, shifts)
def test_a_similarity_is_found_again(angle, scale, x, y):
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    places = typical(np.array([3.0, 4, 63, 84]))
    found = similarity(places, places @ turn.T + [x, y])
    np.testing.assert_allclose(found[:, :2], turn, atol=1e-9 * scale, rtol=0)
    np.testing.assert_allclose(found[:, 2], [x, y], atol=1e-6 * max(scale, 1), rtol=0)


def test_of_no_exact_similarity_the_best_is_found():
    """Held against the least squares of the four numbers a, b, x and y of (a -b x; b a y)."""
    rng = np.random.default_rng(0)
    places, wanted = rng.uniform(0, 100, (2, 5, 2))
    rows = np.zeros((10, 4))
    rows[::2, 0], rows[::2, 1], rows[::2, 2] = places[:, 0], -places[:, 1], 1
    rows[1::2, 0], rows[1::2, 1], rows[1::2, 3] = places[:, 1], places[:, 0], 1
    (a, b, x, y), *_ = np.linalg.lstsq(rows, wanted.ravel(), rcond=None)
    np.testing.assert_allclose(similarity(places, wanted), [[a, -b, x], [b, a, y]], atol=1e-9)


def test_landmarks_move_and_grow_with_the_box():
    old, new = np.array([10.0, 20, 30, 60]), np.array([100.0, 0, 110, 80])
    np.testing.assert_allclose(moved(typical(old), old, new), typical(new))
    still = np.array([5.0, 5, 5, 9])  # as narrow as nothing
    assert np.isfinite(moved(TYPICAL, still, new)).all()


@pytest.mark.parametrize(
    ("side", "landmarks", "said"),
    [
        (0, TYPICAL, "side_px must be a number of pixels, got 0"),
        (1.5, TYPICAL, "side_px must be a number of pixels, got 1.5"),
        (112, TYPICAL[:4], r"must have shape \(5, 2\), but got shape \(4, 2\)"),
        (112, TYPICAL * np.nan, "must be finite"),
        (112, np.ones((5, 2)), r"are all at \[1.0, 1.0\]"),
    ],
)
def test_templates_that_are_none(side, landmarks, said):
    with pytest.raises(ValueError, match=said):
        FaceTemplate(side, landmarks)


@pytest.mark.parametrize(
    ("landmarks", "said"),
    [
        (POINTS[:1], r"landmarks must have shape \(2, 5, 2\), but got shape \(1, 5, 2\)"),
        (POINTS + np.array([np.inf, 1]), "landmarks must be finite x, y"),
    ],
)
def test_landmarks_of_detections_are_checked(landmarks, said):
    with pytest.raises(ValueError, match=said):
        Detections(BOXES, SCORES, landmarks)


def test_some_of_the_faces():
    found = Detections(BOXES, SCORES, POINTS.tolist()).of(np.array([1]))
    assert found.landmarks.tolist() == POINTS[1:].tolist()
    assert Detections(BOXES, SCORES).of(np.array([1])).landmarks is None


# What a run keeps of them, to go on later.

KEPT = [Detections(BOXES, SCORES, POINTS), Detections(BOXES, SCORES), Detections.none()]


def kept_and_read(drop=()):
    arrays = packed([Answer("detector", "key", taken_apart("detector", KEPT))])
    arrays = {name: array for name, array in arrays.items() if name not in drop}
    ((key, items),) = unpacked("detector", arrays)
    assert key == "key"
    return rebuilt("detector", items)


def test_landmarks_are_kept_bit_for_bit():
    first, second, third = kept_and_read()
    assert first.landmarks.tobytes() == POINTS.tobytes()
    assert second.landmarks is None
    assert [len(faces) for faces in (first, second, third)] == [2, 2, 0]


def test_what_an_earlier_version_kept_has_none():
    found = kept_and_read(drop=["detector.landmarks"])
    assert [faces.landmarks for faces in found] == [None] * 3
    assert found[0].boxes.tobytes() == BOXES.tobytes()
