"""Cuts rectangles out of pictures in planes, at any place, and scales them to any size."""

from __future__ import annotations

import math

import cv2
import numpy as np
from av.video.frame import VideoFrame

from ...core.media.upright import samples
from ...core.types import UInt8

Place = tuple[float, float, float, float]
"""x, y, width and height; whole numbers are the edges of pixels, not their middles."""


def planes_of(frame: VideoFrame) -> list[UInt8]:
    """The planes Y, U and V of a picture, in place."""
    return [samples(plane) for plane in frame.planes]


def cut_out(plane: UInt8, place: Place, size: tuple[int, int], outside: int | None = None) -> UInt8:
    """A rectangle of a plane, scaled.

    Its place need not be whole pixels: the pixels around it are scaled, and the wanted ones of
    those are taken, so that a crop moves by single pixels of what comes out. (An affine
    transformation, which is exact, takes OpenCV ten times as long.)

    Args:
        plane: (h, w) uint8.
        place: The rectangle, in pixels.
        size: Width and height to scale it to.
        outside: The value outside of the plane; None repeats its edge.

    Returns:
        (height, width) uint8.
    """
    x, y, wide, tall = place
    width, height = size
    left, columns, skip_x = _scaled(x, wide, width)
    top, rows, skip_y = _scaled(y, tall, height)
    right, bottom = left + columns[0], top + rows[0]
    if top >= 0 and left >= 0 and bottom <= plane.shape[0] and right <= plane.shape[1]:
        pixels = plane[top:bottom, left:right]
    else:
        pixels = _bordered(plane, (top, bottom, left, right), outside)
    larger = columns[1] > columns[0] and rows[1] > rows[0]
    how = cv2.INTER_CUBIC if larger else cv2.INTER_AREA
    scaled = cv2.resize(pixels, (columns[1], rows[1]), interpolation=how)
    return np.asarray(scaled[skip_y : skip_y + height, skip_x : skip_x + width], np.uint8)


def _bordered(plane: UInt8, rect: tuple[int, int, int, int], outside: int | None) -> UInt8:
    """A rectangle of a plane, by first and last row and column, that is partly outside of it."""
    top, bottom, left, right = rect
    rows, columns = np.arange(top, bottom), np.arange(left, right)
    height, width = plane.shape
    found: UInt8 = plane[np.ix_(rows.clip(0, height - 1), columns.clip(0, width - 1))]
    if outside is not None:
        found[(rows < 0) | (rows >= height)] = outside
        found[:, (columns < 0) | (columns >= width)] = outside
    return found


def _scaled(first: float, length: float, wanted: int) -> tuple[int, tuple[int, int], int]:
    """How to scale whole pixels so that a span of them comes to a wanted length.

    Returns:
        The first pixel, how many pixels come to how many, and how many of these to leave out
        before the wanted ones.
    """
    begin = math.floor(first + 1e-6)
    count = max(1, math.ceil(first + length - 1e-6) - begin)
    scale = wanted / length
    scaled = max(wanted, round(count * scale))
    return begin, (count, scaled), min(max(round((first - begin) * scale), 0), scaled - wanted)
