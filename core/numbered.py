"""Asks a dataset's judge which frames of which faces have labels, and what these are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .errors import PluginError
from .labels import Judged
from .types import Float64, Int64, Track


def numbered(number: int, shot: int, first_frame: int, boxes: Float64) -> Track:
    """A track whose scores tell it, and each of its frames, apart from all others.

    Its logits are its number and the places of its frames, from 0: float32 holds these exactly up
    to 2^24, the frames of a week. A judge hands them on.

    Args:
        number: Its number among the tracks of the result that is to be judged, from 0.
        shot: The index of its shot.
        first_frame: Grid frame of the first box.
        boxes: (n, 4) float64, one per grid frame.
    """
    n = len(boxes)
    logits = np.stack([np.full(n, number, np.float32), np.arange(n, dtype=np.float32)], 1)
    return Track(number, shot, first_frame, boxes, np.zeros((n, 3)), logits, ())


def numbers_of(video: str, judged: Judged, lengths: Sequence[int]) -> tuple[Int64, Int64]:
    """Which track, and which place in it, each row is about that has a face.

    Args:
        video: The video, for the error.
        judged: What the judge made of numbered tracks.
        lengths: How many frames each of these has.

    Returns:
        The numbers of the tracks and the places, (m,) each, of the m rows that are `found`.

    Raises:
        PluginError: The judge does not hand on the logits of the faces that it matches.
    """
    logits = judged.logits[judged.found]
    known = np.where(np.isfinite(logits), logits, -1)
    number, place = np.floor(known).astype(np.int64).T
    ends = np.array(lengths, np.int64)
    sound = (known == np.floor(known)).all() and (known >= 0).all()
    if not sound or (number >= len(ends)).any() or (place >= ends[number]).any():
        raise PluginError(
            f"The dataset's judge of {video} does not hand on the logits of the faces that it "
            "matches, so nobody knows which face a label is about",
            "asdkit.plugin.judge_matches does",
        )
    return number, place
