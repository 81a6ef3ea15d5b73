"""Asks a dataset's judge which frames of which faces have labels, and what these are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .errors import InputError
from .labels import Judged
from .types import Float32, Float64, Int64, Track


def numbers(number: int, length: int) -> Float32:
    """Logits (length, 2) that say which track it is, and which place in it.

    A judge hands on the logits of the faces that it matches, so its rows tell which face and frame
    each is about. float32 holds such numbers exactly up to 2^24, the frames of a week.

    Args:
        number: The number of the track, from 0.
        length: How many frames it has.
    """
    places = np.arange(length)
    return np.stack([np.full(length, number), places], 1).astype(np.float32)


def numbered(number: int, shot: int, first_frame: int, boxes: Float64) -> Track:
    """A track with such logits, to be judged.

    Args:
        number: Its number among the tracks of its result, from 0.
        shot: The index of its shot.
        first_frame: Grid frame of the first box.
        boxes: (n, 4) float64, one per grid frame.
    """
    n = len(boxes)
    return Track(number, shot, first_frame, boxes, np.zeros((n, 3)), numbers(number, n), ())


def numbers_of(video: str, rows: Judged, lengths: Sequence[int]) -> tuple[Int64, Int64]:
    """Which track each row is about, and which place in it: (n,) each, 0 where no face was found.

    Args:
        video: The video, for the error.
        rows: What the judge made of numbered tracks.
        lengths: How many frames each of these has.

    Raises:
        InputError: The rows' logits are not those of the tracks.
    """
    known = np.where(rows.found[:, None], rows.logits, 0)
    whole = np.isfinite(known).all() and (known == np.floor(known)).all() and (known >= 0).all()
    number, place = known.astype(np.int64).T if whole else np.zeros((2, len(rows)), np.int64)
    ends = np.array([*lengths, 0], np.int64)  # of a track beyond the last one
    beyond = place >= ends[np.minimum(number, len(lengths))]
    if not whole or (rows.found & beyond).any():
        raise InputError(
            f"The dataset does not hand on the scores of the faces that it matches in {video}, so "
            "that it cannot be told which face a label is about",
            "Let its judge use asdkit.plugin.judge_matches",
        )
    return number, place
