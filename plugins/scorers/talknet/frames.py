"""Which frames TalkNet's visual vectors depend on, and which vectors windows can share.

The frontend's receptive field is five frames, and beyond a window's edges it reads zeros. So a
vector depends only on its five input frames, and windows with the same five frames share it: for
windows of 1 to 6 s, 1.16 vectors per frame serve all six lengths instead of six.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..windowed import tensors
from ..windowed.windows import ZEROS, Int64, PassPlan, Span

FRAMES_SEEN = 5
"""Successive frames that one visual vector depends on: two before, its own, two after."""
VECTOR = 512
"""Values of a visual vector."""
_SEEN = np.arange(FRAMES_SEEN) - FRAMES_SEEN // 2
"""These frames relative to the vector's own."""


class FiveFrames:
    """Shares vectors between windows where their five input frames are the same; see `Sharing`."""

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
    """The input frames of each vector of a window, (end - start, 5); `ZEROS` beyond the edges."""
    frames = np.arange(start, end)[:, None] + _SEEN
    return np.where((frames >= start) & (frames < end), frames, ZEROS)
