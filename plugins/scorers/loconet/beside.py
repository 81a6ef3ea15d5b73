"""Which faces LoCoNet sees beside the one in question, and which pictures its first layers read."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ....core.types import Int64
from ..talknet.frames import FRAMES_SEEN

SPEAKERS = 3
"""Faces that are seen together: the one in question and its context."""
NO_PICTURE = -1
"""Number of the zeros that stand before the first and after the last picture of a row."""


def with_context(target: int, tracks: Sequence[range]) -> Int64:
    """Number the pictures of a face and of two others during its frames.

    As in the published code (dataLoader_multiperson.py, val_loader), others are those that are
    there in its middle frame. If one is, it is taken twice; if none is, the face itself thrice.
    Of more than two the published code draws two at random; here it is the two that share the most
    frames with it, and of equal ones the first.

    Args:
        target: Which of the tracks is the face in question.
        tracks: The frames of each face on screen, one after the other. Pictures are numbered in
            this order, those of a face by frame; the number after the last is of a black one.

    Returns:
        (3, n) the numbers of the pictures, the face in question first; a black one where another
        face is not there.
    """
    frames = tracks[target]
    middle = frames[len(frames) // 2]
    there = [k for k, track in enumerate(tracks) if k != target and middle in track]
    there.sort(key=lambda k: -len(_shared(frames, tracks[k])))
    beside = (there or [target])[: SPEAKERS - 1]
    begins = np.cumsum([0, *map(len, tracks)])
    numbers = np.full((SPEAKERS, len(frames)), begins[-1])
    for row, k in zip(numbers, [target, *beside, *beside], strict=False):
        shared = np.array(_shared(frames, tracks[k]))
        row[shared - frames.start] = begins[k] + shared - tracks[k].start
    return numbers


def stacks(numbers: Int64) -> Int64:
    """The five pictures that each visual vector is computed from.

    As in the published network the pictures of the speakers stand in one row, so that the first and
    last two frames of one see those of the next.

    Args:
        numbers: (3, n) numbers of pictures.

    Returns:
        (3 n, 5) numbers of pictures, `NO_PICTURE` before and after the row.
    """
    row = np.pad(numbers.ravel(), FRAMES_SEEN // 2, constant_values=NO_PICTURE)
    return np.lib.stride_tricks.sliding_window_view(row, FRAMES_SEEN)


def _shared(one: range, other: range) -> range:
    return range(max(one.start, other.start), min(one.stop, other.stop))
