"""The face crops that scorers read, made with the formulas of the reference script.

See docs/migrating.md for the script. The half size of a face is half the larger side of its box.
A running median of 13 frames smooths centre and half size. The crop is a square that reaches one
half size up and, by `crop_scale`, further to the left, the right and below. It is resized to
224x224; scorers get its central 112x112 in grey.
"""

from __future__ import annotations

from math import floor

import cv2
import numpy as np

from ..pictures import Picture, as_picture
from ..types import FACE_SIZE_PX, PORTRAIT_SIZE_PX, Float64, UInt8

SMOOTHING_FRAMES = 13
"""Length of the running median over centre and half size."""
LOOKAHEAD_FRAMES = SMOOTHING_FRAMES // 2
"""How many later frames the smoothed position of a face depends on."""
CROP_SIZE_PX = 2 * FACE_SIZE_PX
"""Side of the whole crop; scorers read its centre."""
_PADDING_GREY = 110
_RESIZED_FROM_PX = 2
"""How far from its own place, rounded, resizing looks at pixels."""
_MOST_PADDED_PX = 1 << 24
"""Area in pixels up to which a square is padded at full size before it is resized."""


def centre_and_half_size(boxes: Float64) -> Float64:
    """Centre x, centre y and half the larger side of boxes (n, 4): (n, 3), in pixels."""
    x1, y1, x2, y2 = boxes.T
    return np.stack([(x1 + x2) / 2, (y1 + y2) / 2, np.maximum(x2 - x1, y2 - y1) / 2], 1)


class Smoother:
    """The running median over 13 frames of a track, computed as its boxes arrive.

    The first and last values are repeated beyond the track's ends. (The reference pads with
    zeros, which displaces the first and last six crops of a track.)
    """

    def __init__(self) -> None:
        self._window: list[Float64] = []

    def add(self, boxes: Float64) -> Float64:
        """Take the next boxes (n, 4); return the rows (m, 3) now final, six frames behind."""
        rows = list(centre_and_half_size(boxes))
        if rows and not self._window:
            self._window = [rows[0]] * LOOKAHEAD_FRAMES
        return self._extend(rows)

    def finish(self) -> Float64:
        """Return the last rows (m, 3), at the end of a track."""
        return self._extend(self._window[-1:] * LOOKAHEAD_FRAMES)

    def _extend(self, rows: list[Float64]) -> Float64:
        self._window += rows
        ready = max(0, len(self._window) - SMOOTHING_FRAMES + 1)
        if not ready:
            return np.empty((0, 3))
        values = np.stack(self._window)
        self._window = self._window[ready:]
        spans = np.lib.stride_tricks.sliding_window_view(values, SMOOTHING_FRAMES, axis=0)
        return np.asarray(np.median(spans, axis=2), np.float64)


def crop(
    image: Picture | UInt8,
    x: float,
    y: float,
    half_size: float,
    crop_scale: float,
    *,
    only_middle: bool = False,
) -> UInt8:
    """The square around a face, grey (110) where it leaves the picture.

    Args:
        image: The picture, or an array (height, width, 3) uint8, RGB.
        x: Centre of the face in pixels.
        y: Centre of the face in pixels.
        half_size: Half of the face's larger side, in pixels.
        crop_scale: How much the square is wider than the face, 0.4 in the reference.
        only_middle: Only the middle (112, 112) must be right.

    Returns:
        (224, 224, 3) uint8, RGB.
    """
    picture = as_picture(image)
    height, width = picture.height, picture.width
    top, left = floor(y - half_size), floor(x - half_size * (1 + crop_scale))
    bottom = max(top + 1, floor(y + half_size * (1 + 2 * crop_scale)))
    right = max(left + 1, floor(x + half_size * (1 + crop_scale)))
    square = top, bottom, left, right
    within = shown(picture, *square)
    inside = (
        _middle(picture, square) if only_middle and within == square else picture.region(*within)
    )
    if (bottom - top) * (right - left) > max(_MOST_PADDED_PX, 2 * height * width):
        return _far_out(inside, (top, bottom), (left, right), (height, width))
    above, before = max(-top, 0), max(-left, 0)
    below, after = max(bottom - height, 0), max(right - width, 0)
    if above or below or before or after:
        grey = (_PADDING_GREY,) * 3
        padded = cv2.copyMakeBorder(
            inside, above, below, before, after, cv2.BORDER_CONSTANT, value=grey
        )
        inside = np.asarray(padded, np.uint8)
    return np.asarray(cv2.resize(inside, (CROP_SIZE_PX, CROP_SIZE_PX)), np.uint8)


def _far_out(
    inside: UInt8, rows: tuple[int, int], columns: tuple[int, int], size: tuple[int, int]
) -> UInt8:
    """The crop of a square far larger than the picture, without making the square.

    Args:
        inside: The part of the picture inside the square.
        rows: First row of the square and one past its last, in the picture's pixels.
        columns: First column and one past the last.
        size: Height and width of the picture.
    """
    square = np.full((CROP_SIZE_PX, CROP_SIZE_PX, 3), _PADDING_GREY, np.uint8)
    spans = []
    for (first, end), length in zip((rows, columns), size, strict=True):
        scale = CROP_SIZE_PX / (end - first)
        start = min(int((min(max(0, first), length) - first) * scale), CROP_SIZE_PX - 1)
        spans.append(slice(start, max(start + 1, int((min(end, length) - first) * scale))))
    height, width = (min(span.stop, CROP_SIZE_PX) - span.start for span in spans)
    square[spans[0], spans[1]] = cv2.resize(inside, (width, height), interpolation=cv2.INTER_AREA)
    return square


def shown(
    picture: Picture, top: int, bottom: int, left: int, right: int
) -> tuple[int, int, int, int]:
    """What of a rectangle is within a picture; at least one pixel, the nearest one."""
    top, left = min(max(top, 0), picture.height - 1), min(max(left, 0), picture.width - 1)
    bottom, right = max(top + 1, bottom), max(left + 1, right)
    return top, min(bottom, picture.height), left, min(right, picture.width)


def _middle(picture: Picture, square: tuple[int, int, int, int]) -> UInt8:
    """A square within a picture, of which only the middle half is converted."""
    top, bottom, left, right = square
    image = np.empty((bottom - top, right - left, 3), np.uint8)
    above = max((bottom - top) // 4 - _RESIZED_FROM_PX, 0)
    before = max((right - left) // 4 - _RESIZED_FROM_PX, 0)
    image[above : bottom - top - above, before : right - left - before] = picture.region(
        top + above, bottom - above, left + before, right - before
    )
    return image


def face(image: Picture | UInt8, x: float, y: float, half_size: float, crop_scale: float) -> UInt8:
    """The crop of a face that scorers read: (112, 112) uint8, grey; arguments as for `crop`."""
    middle = slice((CROP_SIZE_PX - FACE_SIZE_PX) // 2, (CROP_SIZE_PX + FACE_SIZE_PX) // 2)
    square = crop(image, x, y, half_size, crop_scale, only_middle=True)
    red, green, blue = cv2.split(square[middle, middle])
    # torchvision's grey, rounded down: with OpenCV's, TalkNet's scores differ by up to 0.02.
    grey = np.float32(0.2989) * red + np.float32(0.587) * green + np.float32(0.114) * blue
    return np.asarray(grey, np.uint8)


def portrait(image: Picture | UInt8, box: Float64) -> UInt8:
    """The portrait that embedders read: a face's box in colour, cut as by facenet-pytorch's MTCNN.

    The box is clipped to the picture, and what is left is resized to a square.

    Args:
        image: The picture, or an array (height, width, 3) uint8, RGB.
        box: (4,) x1, y1, x2, y2 in pixels.

    Returns:
        (160, 160, 3) uint8, RGB.
    """
    x1, y1, x2, y2 = (int(value) for value in box)
    picture = as_picture(image)
    inside = picture.region(*shown(picture, y1, y2, x1, x2))
    size = (PORTRAIT_SIZE_PX, PORTRAIT_SIZE_PX)
    return np.asarray(cv2.resize(inside, size, interpolation=cv2.INTER_AREA), np.uint8)
