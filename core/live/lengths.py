"""How long what is decided must last, in grid frames."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ..decisions.segments import mask, stretches
from ..types import GRID_FPS

Bools = NDArray[np.bool_]


def frames_of(seconds: float) -> int:
    """The least whole number of grid frames that last so long; 0.2 s is five all the same."""
    return math.ceil(seconds * GRID_FPS - 1e-9)


def waiting(frames: Bools, least: int) -> int:
    """How many of the last frames are true, if that is too short so far, and may go on; else 0."""
    others = np.flatnonzero(~frames)
    last = len(frames) - (int(others[-1]) + 1 if len(others) else 0)
    return last if last < least else 0


def lasting(frames: Bools, min_s: float) -> Bools:
    """Without stretches of true ones that are shorter than `min_s` seconds."""
    return mask(stretches(frames, 0, min_s), 0, len(frames))
