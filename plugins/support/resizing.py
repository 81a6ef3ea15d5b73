"""Scales pictures down, for cutters and detectors."""

from __future__ import annotations

import cv2
import numpy as np

from ...core.types import UInt8


def shrink(frame: UInt8, longer_side_px: int) -> tuple[UInt8, float]:
    """Scale a frame (h, w, 3) down so that its longer side is `longer_side_px`.

    Returns:
        The frame, and its scale, at most 1: frames that are small enough are returned as they are.
    """
    height, width = frame.shape[:2]
    scale = longer_side_px / max(height, width)
    if scale >= 1:
        return frame, 1.0
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8), scale
