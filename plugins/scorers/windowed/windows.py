"""Cuts clips into windows, and defines plans for computing shared visual vectors once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ....core.analysis.features import FACE_MEAN, FACE_STD
from ....core.exportable import Tensor
from ....core.types import GRID_FPS, Float32, UInt8

Int64 = NDArray[np.int64]
Span = tuple[int, int]
"""A window: its first frame and one past its last."""
ZEROS = -1
"""In place of a frame number: a picture of zeros."""


class PassPlan(NamedTuple):
    """The visual frontend's work list for a clip, without repeats.

    Attributes:
        pieces: The frontend's batches, each (b, t) frame numbers of the clip or `ZEROS`. Output
            vectors are numbered consecutively across pieces.
        rows: For each window, the vector numbers of its frames.
    """

    pieces: list[Int64]
    rows: list[Int64]


class Sharing(Protocol):
    """Plans which visual vectors the windows of a clip share.

    Attributes:
        seen: The input of the visual frontend.
        vectors: The output of the visual frontend.
        visual: The visual input of the rest of the network, for whole windows.
    """

    seen: Tensor
    vectors: Tensor
    visual: Tensor

    def plan(self, spans: Sequence[Span], batch_frames: int) -> PassPlan:
        """Plan frontend work that gives each window the vectors it would get by itself.

        Args:
            spans: The windows, as `cut` gives them.
            batch_frames: How many frames may go through the frontend at once.
        """
        ...


def cut(frames: int, window_seconds: Sequence[int]) -> Counter[Span]:
    """Cut a clip into windows of each length, from its start, the last one shorter.

    Args:
        frames: Frames of the clip, 1 or more.
        window_seconds: Lengths in seconds, each 1 or more; one named twice counts twice.

    Returns:
        Each window with the number of lengths it occurs for; windows of the shortest length first.
    """
    return Counter(
        (start, min(start + length, frames))
        for length in sorted(GRID_FPS * seconds for seconds in window_seconds)
        for start in range(0, frames, length)
    )


def pictures(faces: UInt8, piece: Int64) -> Float32:
    """The input of the visual frontend for one piece of a plan.

    Args:
        faces: (n, 112, 112) uint8, the faces of a clip.
        piece: (b, t) frame numbers of the clip, or `ZEROS`.

    Returns:
        (b, t, 112, 112) float32, normalised.
    """
    found = faces[piece].astype(np.float32)
    found /= np.float32(255 * FACE_STD)  # in place: each face takes 50 kB
    found -= np.float32(FACE_MEAN / FACE_STD)
    found[piece == ZEROS] = 0
    return found
