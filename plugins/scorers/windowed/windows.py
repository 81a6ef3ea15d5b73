"""How a clip is cut into windows, and what may be computed once for several of them."""

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
"""Stands for a picture of zeros where frames are numbered."""


class PassPlan(NamedTuple):
    """All that the visual frontend is to compute for a clip, each thing once.

    Attributes:
        pieces: What goes through it at once, each (b, t) frames of the clip or `ZEROS`. The
            vectors they give are counted through, over all pieces.
        rows: For each window asked for, the numbers of its frames' vectors.
    """

    pieces: list[Int64]
    rows: list[Int64]


class Sharing(Protocol):
    """What the windows of a clip can share of the visual frontend's work.

    Attributes:
        seen: What the frontend reads.
        vectors: What it gives.
        visual: What the rest of the network reads of it, for whole windows.
    """

    seen: Tensor
    vectors: Tensor
    visual: Tensor

    def plan(self, spans: Sequence[Span], batch_frames: int) -> PassPlan:
        """Plan the least work that gives each window the vectors it would get by itself.

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
        How many of the lengths have each window. Those of the shortest length come first.
    """
    return Counter(
        (start, min(start + length, frames))
        for length in sorted(GRID_FPS * seconds for seconds in window_seconds)
        for start in range(0, frames, length)
    )


def pictures(faces: UInt8, piece: Int64) -> Float32:
    """What the visual frontend reads.

    Args:
        faces: (n, 112, 112) uint8, the faces of a clip.
        piece: (b, t) frames of it; `ZEROS` stands for zeros.

    Returns:
        (b, t, 112, 112) float32, normalised.
    """
    found = faces[piece].astype(np.float32)
    found /= np.float32(255 * FACE_STD)  # in place: this is a quarter of a megabyte a frame
    found -= np.float32(FACE_MEAN / FACE_STD)
    found[piece == ZEROS] = 0
    return found
