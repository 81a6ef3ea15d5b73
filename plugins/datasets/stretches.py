"""Interpolates labelled boxes at any times onto the 25 fps grid."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...core.matching import grid_frame
from ...core.types import GRID_FPS, Float64


def stretches(time_s: Float64, boxes: Float64, max_gap_s: float) -> Iterator[tuple[int, Float64]]:
    """Divide the labels of a face at long gaps; interpolate a box for each grid frame in between.

    Args:
        time_s: (n,) rising, from the start of the picture.
        boxes: (n, 4), the boxes at these times.
        max_gap_s: If two successive times are further apart than this, a new stretch begins.

    Yields:
        The first grid frame of each stretch, and its boxes (m, 4), linearly interpolated, from the
        frame nearest to its first time to the one nearest to its last.
    """
    gaps_s = np.diff(time_s).round(6)  # as 1.6 - 1.4 is a little more than 0.2
    for stretch in np.split(np.arange(len(time_s)), np.flatnonzero(gaps_s > max_gap_s) + 1):
        times = time_s[stretch]
        frames = np.arange(grid_frame(times[0]), grid_frame(times[-1]) + 1)
        columns = [np.interp(frames / GRID_FPS, times, column) for column in boxes[stretch].T]
        yield int(frames[0]), np.stack(columns, 1)
