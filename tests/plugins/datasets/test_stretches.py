"""Labelled faces between their labels."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from asdkit.plugins.datasets.stretches import stretches


@given(
    st.lists(st.floats(0, 20), min_size=1, max_size=30, unique=True),
    st.floats(0.05, 2),
)
def test_stretches_hold_every_label(times, max_gap_s):
    times = np.array(sorted(times))
    boxes = np.stack([times, times, times + 1, times + 2], 1)
    found = list(stretches(times, boxes, max_gap_s))
    assert len(found) == 1 + (np.diff(times) > max_gap_s).sum()
    covered = {first + k for first, on_grid in found for k in range(len(on_grid))}
    assert {math.ceil(time_s * 25 - 0.5) for time_s in times} <= covered
    for first, on_grid in found:
        on_time = np.arange(first, first + len(on_grid)) / 25
        # x1 is the time itself, but before the first and after the last label
        np.testing.assert_allclose(on_grid[:, 0], on_time, atol=0.02 + 1e-9)


def test_boxes_between_labels_are_interpolated():
    (found,) = stretches(np.array([0.0, 0.16]), np.array([[0, 0, 10, 10], [8, 4, 18, 14.0]]), 0.2)
    assert found[0] == 0
    np.testing.assert_allclose(found[1][2], [4, 2, 14, 12])
    assert len(found[1]) == 5
