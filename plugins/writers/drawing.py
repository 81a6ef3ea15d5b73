"""Draws the boxes of faces, with labels, on pictures in planes."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import cast

import cv2
import numpy as np

from ...core.media.planes import Canvas, Colour
from ...core.types import Float64, UInt8

_INK = (255, 255, 255)
_LEAST_LINE_PX = 3
"""With this width a line covers samples of U and V wholly, wherever it is, and has its colour."""
_FONT = cv2.FONT_HERSHEY_SIMPLEX


def draw_face(canvas: Canvas, box: Float64, text: str, colour: Colour) -> None:
    """Draw a box, and a label kept within the picture; sizes scale with the picture.

    Args:
        canvas: The picture.
        box: (4,) x1, y1, x2, y2 in pixels.
        text: Text of the label.
        colour: Red, green and blue.
    """
    line = max(_LEAST_LINE_PX, round(min(canvas.height, canvas.width) / 160) // 2 * 2 + 1)
    left, top, right, bottom = (round(float(value)) - line // 2 for value in box)
    canvas.fill(left, top, right + line, top + line, colour)
    canvas.fill(left, bottom, right + line, bottom + line, colour)
    canvas.fill(left, top + line, left + line, bottom, colour)
    canvas.fill(right, top + line, right + line, bottom, colour)
    draw_label(canvas, left, top + line // 2, text, colour)


def draw_label(canvas: Canvas, left: int, bottom: int, text: str, colour: Colour) -> None:
    """Draw a label with its lower edge at `bottom`, or below it if there is no space above."""
    mask = _letters(text, min(canvas.height, canvas.width))
    height, width = mask.shape
    x = max(0, min(left, canvas.width - width))
    y = bottom - height if bottom >= height else bottom
    y = max(0, min(y, canvas.height - height))
    canvas.fill(x, y, x + width, y + height, colour)
    canvas.blend(x, y, mask, _INK)


@lru_cache(maxsize=256)
def _letters(text: str, side: int) -> UInt8:
    """A label's letters, (height, width) uint8, from 0 to 255 where there is only ink.

    Args:
        text: The text.
        side: The shorter side of the picture in pixels.
    """
    weight = max(1, round(side / 300))
    height_px = max(10, round(side / 30))
    scale = cv2.getFontScaleFromHeight(_FONT, height_px, weight)
    (text_width, text_height), _ = cv2.getTextSize(text, _FONT, scale, weight)
    margin = math.ceil(0.3 * text_height)
    mask = np.zeros((text_height + 2 * margin + 1, text_width + 2 * margin + 1), np.uint8)
    # OpenCV 4 and 5 differ in the extents of digits and of #; this baseline suits both.
    baseline = text_height + margin - text_height // 8
    cv2.putText(mask, text, (margin, baseline), _FONT, scale, 255, weight, cv2.LINE_AA)
    return cast("UInt8", mask)
