"""Sorts what was seen and heard into shots."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

import numpy as np

from .types import Float32, Heard, Track


def places_by_shot(
    tracks: Sequence[Track], shots: Sequence[tuple[int, int]]
) -> list[tuple[int, ...]]:
    """Of each shot the places in `tracks` of its faces, in their order.

    Args:
        tracks: The faces; each begins in a shot.
        shots: (first, end) grid frames of each shot, end excluded.
    """
    starts = [first for first, _ in shots]
    found: list[list[int]] = [[] for _ in shots]
    for place, track in enumerate(tracks):
        found[bisect_right(starts, track.first_frame) - 1].append(place)
    return [tuple(places) for places in found]


def heard_in(heard: Heard | None, first: int, end: int) -> Float32 | None:
    """How likely speech is in some grid frames, 0 where nothing was heard any more.

    Args:
        heard: The detected speech; None without voice activity detection.
        first: The first grid frame, not before `heard.first_frame`.
        end: The grid frame after the last one.

    Returns:
        (end - first,) float32 from 0 to 1; None without voice activity detection.
    """
    if heard is None:
        return None
    part = np.zeros(end - first, np.float32)
    known = heard.probabilities[first - heard.first_frame : end - heard.first_frame]
    part[: len(known)] = known
    return part
