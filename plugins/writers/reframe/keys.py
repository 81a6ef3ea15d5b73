"""Makes few key frames of a crop's place in every frame."""

from __future__ import annotations

from bisect import bisect_right

import numpy as np

from ....core.types import Float64
from .paths import Key, Kind, Rect

_DECIMALS = 1000
"""Crops are given in steps of 0.001 px, rounded down, so that they stay within the picture."""
_NEAR_PX = 0.02
"""Between keys a crop is nowhere further from its path."""
_MOST_FRAMES = 250
"""Longest distance of two keys between which a crop moves."""


def keys_of(crops: Float64, shot: int, first: int, *, cut: bool = True) -> tuple[Key, ...]:
    """The key frames of a crop, between which it moves in straight lines.

    Args:
        crops: (n, 4) x, y, width and height in each frame.
        shot: First grid frame of the shot.
        first: The first of these frames, counted from there.
        cut: Whether the crop begins with a cut; else it goes on from the same place.
    """
    rows = np.floor(crops * _DECIMALS + 1e-6) / _DECIMALS
    kept = _kept(rows)
    keys = []
    for place, frame in enumerate(kept):
        kind: Kind = "move"
        if place == 0:
            kind = "cut" if cut else "hold"
        elif np.array_equal(rows[frame], rows[kept[place - 1]]):
            kind = "hold"
        keys.append(Key(shot + first + frame, Rect(*rows[frame].tolist()), kind))
    return tuple(keys)


def _kept(rows: Float64) -> list[int]:
    """The frames that are to be keys: the first one, the last one, and as few as will do."""
    last = len(rows) - 1
    moves = (rows[1:] != rows[:-1]).any(axis=1)
    # The frames where a rest begins or ends.
    rests = {0, last, *(np.flatnonzero(moves[1:] != moves[:-1]) + 1).tolist()}
    steps = np.flatnonzero(moves).tolist()
    corners = sorted({*rests, *steps})
    kept = [0]
    while kept[-1] < last:
        kept.append(_furthest(rows, kept[-1], corners, rests))
    return kept


def _furthest(rows: Float64, start: int, corners: list[int], rests: set[int]) -> int:
    """The last corner that a straight line from `start` reaches without leaving the path.

    It goes neither from a move into a rest nor the other way round.
    """
    place = bisect_right(corners, start)
    found = corners[place]
    for frame in corners[place:]:
        length = frame - start
        if length > _MOST_FRAMES:
            break
        parts = np.arange(length + 1)[:, None] / length
        line = rows[start] + parts * (rows[frame] - rows[start])
        if np.abs(line - rows[start : frame + 1]).max() > _NEAR_PX:
            break
        found = frame
        if frame in rests:
            break
    return found
