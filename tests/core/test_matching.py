"""Boxes and labels are paired: each with one at most, and the closest first."""

from __future__ import annotations

import numpy as np
from by_hand import square, track
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from asdkit.core.boxes import iou, pairs
from asdkit.core.matching import Label, judge_matches, match


@given(
    arrays.arrays(
        np.float64, st.tuples(st.integers(0, 6), st.integers(0, 6)), elements=st.floats()
    ),
    st.floats(-1, 1),
)
def test_pairs_take_each_row_and_column_once_and_leave_no_closer_pair(closeness, least):
    found = pairs(closeness, least)
    assert len({row for row, _ in found}) == len({column for _, column in found}) == len(found)
    taken = [closeness[pair] for pair in found]
    assert taken == sorted(taken, reverse=True)
    assert all(value >= least for value in taken)
    for row, column in np.argwhere(closeness >= least):
        rivals = [closeness[pair] for pair in found if pair[0] == row or pair[1] == column]
        assert max(rivals) >= closeness[row, column]


box_sides = st.tuples(*[st.floats(0, 100) for _ in range(4)])


@given(st.lists(box_sides, min_size=1, max_size=4), st.lists(box_sides, min_size=1, max_size=4))
def test_overlap_is_symmetric_and_within_bounds(a, b):
    a, b = ([[x, y, x + w, y + h] for x, y, w, h in boxes] for boxes in (a, b))
    overlap = iou(np.array(a), np.array(b))
    assert overlap.shape == (len(a), len(b))
    assert ((overlap >= 0) & (overlap <= 1 + 1e-9)).all()
    np.testing.assert_allclose(overlap, iou(np.array(b), np.array(a)).T)


def test_overlap_by_hand():
    a = np.array([[0, 0, 10, 10.0]])
    # half of the width is shared: 50 of 150; nothing is; an empty box
    b = np.array([[5, 0, 15, 10], [20, 0, 30, 10], [3, 3, 3, 3.0]])
    np.testing.assert_allclose(iou(a, b), [[1 / 3, 0, 0]])


@given(
    st.lists(
        st.tuples(st.integers(0, 8), st.integers(0, 60), st.integers(0, 20), st.booleans()),
        max_size=30,
    ),
    st.lists(st.tuples(st.integers(0, 8), st.integers(0, 60)), max_size=6),
)
def test_a_face_found_is_that_of_one_label_at_most(labelled, found):
    labels = sorted(
        (Label(f"p{who}", frame / 25, speaks, square(x, 20)) for frame, x, who, speaks in labelled),
        key=lambda label: label.time_s,
    )
    tracks = [track(k, first, [square(x, 20)] * 3) for k, (first, x) in enumerate(found)]
    matched = match(labels, tracks, iou, 0.3)
    judged = judge_matches(labels, matched, tracks)
    assert len(judged) == len(labels)
    taken = [
        (label.time_s, face[0].id) for label, face in zip(labels, matched, strict=True) if face
    ]
    assert len(set(taken)) == len(taken) == judged.found.sum()
    assert judged.unlabelled == 3 * len(tracks) - len(taken)
    assert (judged.score[~judged.found] == -np.inf).all()


def test_labels_of_another_frame_rate_leave_no_frame_unlabelled():
    for fps in (23.976, 29.97, 50):
        labels = [Label("a", k / fps, False, square(20, 20)) for k in range(round(2 * fps))]
        tracks = [track(0, 0, [square(20, 20)] * 50)]
        judged = judge_matches(labels, match(labels, tracks, iou, 0.5), tracks)
        assert judged.found.all()
        assert judged.unlabelled == 0


def test_no_label_and_no_track_judge_nothing():
    judged = judge_matches([], [], [])
    assert len(judged) == 0
    assert judged.unlabelled == 0
