"""Which frames TalkNet's visual vectors are computed from, and what windows share of them.

The frontend mixes time only over five frames, and a window shows it zeros beyond its edges. So a
vector is known by the five frames it sees, and windows that show the same five share it: with
windows of 1 to 6 s, 1.16 vectors a frame serve all six instead of one for each.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..windowed import tensors
from ..windowed.windows import ZEROS, Int64, PassPlan, Span

FRAMES_SEEN = 5
"""Successive frames that one visual vector is computed from: two before, itself, two after."""
VECTOR = 512
"""Values of a visual vector."""
_SEEN = np.arange(FRAMES_SEEN) - FRAMES_SEEN // 2
"""The frames a vector is computed from, relative to its own."""


class FiveFrames:
    """Shares the vectors of frames whose five frames seen are the same."""

    seen = tensors.seen(
        FRAMES_SEEN,
        "five successive grey faces, the middle one that of the frame, zeros where the window has "
        "none",
    )
    vectors = tensors.vectors(VECTOR, "a visual vector for each frame", "batch")
    visual = tensors.vectors(VECTOR, "the visual vectors of a window's frames", "batch", "frames")

    def plan(self, spans: Sequence[Span], batch_frames: int) -> PassPlan:
        """Plan each distinct vector once; see `Sharing.plan`."""
        distinct, rows = np.unique(
            np.concatenate([_seen(*span) for span in spans]), axis=0, return_inverse=True
        )
        pieces = np.split(distinct, range(batch_frames, len(distinct), batch_frames))
        ends = np.cumsum([end - start for start, end in spans])
        return PassPlan(pieces, np.split(rows.reshape(-1), ends[:-1]))


def _seen(start: int, end: int) -> Int64:
    """(end - start, 5) the frames each frame of a window sees."""
    frames = np.arange(start, end)[:, None] + _SEEN
    return np.where((frames >= start) & (frames < end), frames, ZEROS)
