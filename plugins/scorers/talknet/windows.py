"""How a clip is cut into windows, and which frames every visual vector is computed from.

The frontend mixes time only over five frames, and a window shows it zeros beyond its edges. So a
vector is known by the five frames it sees, and windows that show the same five share it: with
windows of 1 to 6 s, 1.16 vectors a frame serve all six instead of one for each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ....core.features import FACE_MEAN, FACE_STD
from ....core.types import GRID_FPS, Float32, UInt8

Int64 = NDArray[np.int64]

FRAMES_SEEN = 5
"""Successive frames that one visual vector is computed from: two before, itself, two after."""
WINDOW_FRAMES_PER_FACE = 32
"""A frame takes about 2 MB in the visual frontend but 70 kB or less in a window of up to 60 s, so
this many times `batch_frames` go through the windows at once."""
_SEEN = np.arange(FRAMES_SEEN) - FRAMES_SEEN // 2
"""The frames a vector is computed from, relative to its own."""


class Window(NamedTuple):
    """A part of a clip that the network looks at as a whole.

    Attributes:
        start: Its first frame.
        end: One past its last frame.
        times: How many of the window lengths have this very window.
        vectors: (end - start,) rows of `Plan.seen`, the vector of each of its frames.
    """

    start: int
    end: int
    times: int
    vectors: Int64


class Plan(NamedTuple):
    """All that is to be computed for a clip, each thing once.

    Attributes:
        seen: (m, 5) frames that each of the m distinct vectors is computed from; -1 is zeros.
        windows: The distinct windows.
    """

    seen: Int64
    windows: list[Window]


def plan(frames: int, window_seconds: Sequence[int]) -> Plan:
    """Cut a clip into windows of each length, from its start, the last one shorter.

    Args:
        frames: Frames of the clip, 1 or more.
        window_seconds: Lengths in seconds, each 1 or more; one named twice counts twice.
    """
    spans = Counter(
        (start, min(start + length, frames))
        for length in (GRID_FPS * seconds for seconds in window_seconds)
        for start in range(0, frames, length)
    )
    seen, rows = np.unique(
        np.concatenate([_seen(start, end) for start, end in spans]), axis=0, return_inverse=True
    )
    ends = np.cumsum([end - start for start, end in spans])
    vectors = np.split(rows.reshape(-1), ends[:-1])
    windows = [
        Window(start, end, times, mine)
        for ((start, end), times), mine in zip(spans.items(), vectors, strict=True)
    ]
    return Plan(seen, windows)


def _seen(start: int, end: int) -> Int64:
    """(end - start, 5) the frames each frame of a window sees, -1 beyond the window's edges."""
    frames = np.arange(start, end)[:, None] + _SEEN
    return np.where((frames >= start) & (frames < end), frames, -1)


def pictures(faces: UInt8, seen: Int64) -> Float32:
    """What the visual frontend reads.

    Args:
        faces: (n, 112, 112) uint8, the faces of a clip.
        seen: (m, 5) frames that each vector is computed from; -1 stands for zeros.

    Returns:
        (m, 5, 112, 112) float32, normalised.
    """
    found = faces[seen].astype(np.float32)
    found /= np.float32(255 * FACE_STD)  # in place: this is a quarter of a megabyte a frame
    found -= np.float32(FACE_MEAN / FACE_STD)
    found[seen < 0] = 0
    return found
