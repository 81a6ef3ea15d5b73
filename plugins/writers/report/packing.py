"""Packs the boxes and probabilities of a track for a page: quantised, as differences, deflated."""

from __future__ import annotations

import base64
import zlib

import numpy as np

from ....core.types import Track, UInt8

STEPS = 4096
"""A box is quantised to this part of the picture's longer side: half a pixel at 1080p."""
_LEVELS = 255


def packed(track: Track, longer_side_px: int) -> str:
    """A track's probabilities and boxes as text.

    The bytes, before they are deflated (zlib, RFC 1950) and written in base64: for each frame the
    probability, 0 to 255 for 0 to 1, less that of the frame before, modulo 256; then the low bytes
    of x1 in each frame, of y1, x2 and y2, and after these the high bytes in the same order, where
    each value is the coordinate in steps of `longer_side_px` / `STEPS`, less that of the frame
    before, modulo 65536. Neighbouring frames differ by little, so most bytes are alike.

    Args:
        track: The track.
        longer_side_px: The longer side of the picture, in pixels.
    """
    levels = np.rint(track.probabilities * _LEVELS).astype(np.int64)
    steps = np.rint(track.boxes * (STEPS / longer_side_px))
    steps = steps.clip(np.iinfo(np.int16).min, np.iinfo(np.int16).max).astype(np.int64)
    changes = np.diff(steps, axis=0, prepend=0).T
    parts: list[UInt8] = [
        np.diff(levels, prepend=0).astype(np.uint8),
        changes.astype(np.uint8).ravel(),
        (changes >> 8).astype(np.uint8).ravel(),
    ]
    return base64.b64encode(zlib.compress(np.concatenate(parts).tobytes())).decode("ascii")
