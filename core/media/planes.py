"""Pictures in planes, 8-bit 4:2:0 in limited range, as most files store them: copying, drawing.

The planes are Y in full size, and U and V in half of its width and height.
"""

from __future__ import annotations

from functools import lru_cache
from typing import cast

import cv2
import numpy as np
from av.video.frame import VideoFrame

from ..types import Int16, UInt8
from .colours import BT601, BT709, BT2020
from .upright import Orientation, samples

Colour = tuple[int, int, int]
"""Red, green and blue, from 0 to 255."""

FORMAT = "yuv420p"
_FULL_RANGE = 2
_SHARES = {BT601: (0.299, 0.114), BT709: (0.2126, 0.0722), BT2020: (0.2627, 0.0593)}
"""The shares of red and blue in the luma, by conversion (ITU-T H.273, table 4)."""


def is_planar(frame: VideoFrame) -> bool:
    """Whether a frame can be copied with `copied`, without converting it."""
    return (
        frame.format.name == FORMAT
        and frame.color_range != _FULL_RANGE
        and frame.width % 2 == frame.height % 2 == 0
        and all(plane.line_size >= plane.width for plane in frame.planes)
    )


def copy(frame: VideoFrame, turn: Orientation, target: VideoFrame) -> None:
    """Copy a frame, made upright, into another one, which can then be drawn on.

    A decoder may still need the frame itself, to predict later ones from it.
    """
    for source, plane in zip(frame.planes, target.planes, strict=True):
        samples(plane)[:] = turn.view(samples(source))


class Canvas:
    """Draws on a picture in planes. What lies outside the picture is left out.

    Args:
        frame: The picture, of even width and height; drawn on.
        conversion: The conversion between its colours and RGB, of `core.media.colours`.
    """

    def __init__(self, frame: VideoFrame, conversion: int) -> None:
        self.width, self.height = frame.width, frame.height
        self._planes = [samples(plane) for plane in frame.planes]
        self._conversion = conversion

    def fill(self, left: int, top: int, right: int, bottom: int, colour: Colour) -> None:
        """Fill a rectangle, in pixels, without its column `right` and its row `bottom`."""
        left, right = max(left, 0), min(right, self.width)
        top, bottom = max(top, 0), min(bottom, self.height)
        if left >= right or top >= bottom:
            return
        luma, *chroma = yuv(colour, self._conversion)
        self._planes[0][top:bottom, left:right] = luma
        rows, columns = slice(top // 2, (bottom + 1) // 2), slice(left // 2, (right + 1) // 2)
        even = top % 2 == bottom % 2 == left % 2 == right % 2 == 0
        cover = 4 if even else np.outer(_halves(top, bottom), _halves(left, right))
        for plane, value in zip(self._planes[1:], chroma, strict=True):
            part = plane[rows, columns]
            part[:] = value if even else part + (((value - part.astype(np.int16)) * cover + 2) >> 2)

    def blend(self, left: int, top: int, mask: UInt8, colour: Colour) -> None:
        """Blend a colour into the picture, from its pixel (`left`, `top`), not negative, on.

        Args:
            left: Column of the mask's first column.
            top: Row of the mask's first row.
            mask: (height, width) uint8, from 0 (leaves a pixel alone) to 255 (gives it the colour).
            colour: The colour.
        """
        mask = mask[: max(self.height - top, 0), : max(self.width - left, 0)]
        luma, *chroma = yuv(colour, self._conversion)
        _blend(self._planes[0][top:, left:], mask, luma)
        half = _halved(mask, left % 2, top % 2)
        for plane, value in zip(self._planes[1:], chroma, strict=True):
            _blend(plane[top // 2 :, left // 2 :], half, value)


def _halves(first: int, end: int) -> Int16:
    """How many of the two pixels that share a sample of U and V a span covers, sample by sample."""
    cover = np.full((end + 1) // 2 - first // 2, 2, np.int16)
    cover[0] -= first % 2
    cover[-1] -= end % 2
    return cover


def _halved(mask: UInt8, left: int, top: int) -> UInt8:
    """A mask in half its size, whose first pixel is in column `left` and row `top` of two."""
    height, width = mask.shape
    even = np.zeros(
        (top + height + (top + height) % 2, left + width + (left + width) % 2), np.uint8
    )
    even[top : top + height, left : left + width] = mask
    half = cv2.resize(even, (even.shape[1] // 2, even.shape[0] // 2), interpolation=cv2.INTER_AREA)
    return cast("UInt8", half)


def _blend(plane: UInt8, mask: UInt8, value: int) -> None:
    height, width = mask.shape
    part = plane[:height, :width]
    weight = mask.astype(np.uint32)
    part[:] = (part * (255 - weight) + value * weight + 127) // 255


@lru_cache
def yuv(colour: Colour, conversion: int) -> tuple[int, int, int]:
    """Y, U and V of a colour, in limited range.

    Args:
        colour: Red, green and blue.
        conversion: One of `BT601`, `BT709`, `BT2020`.
    """
    of_red, of_blue = _SHARES[conversion]
    red, green, blue = (value / 255 for value in colour)
    luma = of_red * red + (1 - of_red - of_blue) * green + of_blue * blue
    u, v = (blue - luma) / (2 - 2 * of_blue), (red - luma) / (2 - 2 * of_red)
    return round(16 + 219 * luma), round(128 + 224 * u), round(128 + 224 * v)
