"""How well speech of people who are not seen is found, frame by frame."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..decisions.segments import mask
from ..labels import Bool
from ..result import Result
from .metrics import Confusion, confusion, precision, recall


def off_screen_counts(truth: Bool, result: Result) -> Confusion | None:
    """Count the grid frames in which a result is right about off-screen speech.

    Frames after the last label, and those that were not looked at, do not count.

    Args:
        truth: (n,) bool, for each grid frame from 0 on, whether somebody speaks who is not seen.
        result: The result.

    Returns:
        The counts; None if the result was made without voice activity detection.
    """
    if result.off_screen is None:
        return None
    looked_at = np.zeros(len(truth), np.bool_)
    for first, end in result.shots:
        looked_at[first:end] = True
    decided = mask(result.off_screen, 0, len(truth))
    return confusion(decided[looked_at], truth[looked_at])


def off_screen_metrics(counts: Sequence[Confusion]) -> dict[str, float]:
    """The metrics of one or more videos, pooled by frames.

    Args:
        counts: What `off_screen_counts` returned for each video, at least one.

    Returns:
        - off_screen_recall: of the frames with such speech, the fraction that was found, from 0 to
          1; nan if there are none.
        - off_screen_precision: of the frames found, the fraction with such speech, from 0 to 1;
          nan if none was found.
        - off_screen_frames: number of frames with such speech.
    """
    total = Confusion(*(np.sum(cells) for cells in zip(*counts, strict=True)))
    return {
        "off_screen_recall": float(recall(total)),
        "off_screen_precision": float(precision(total)),
        "off_screen_frames": int(total.true_positive + total.false_negative),
    }
