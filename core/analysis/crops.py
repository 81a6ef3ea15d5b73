"""The face crops scorers read, made as the reference makes them.

The formulas are those of the reference script (see docs/migrating.md): the half size of a face is
half the larger side of its box, smoothed with its centre by a running median of 13 frames; the
crop is a square reaching one half size up, and wider by `crop_scale` to the left, the right and
below. It is resized to 224x224; its central 112x112, in grey, is what scorers see.
"""

from __future__ import annotations

from math import floor

import cv2
import numpy as np

from ..types import FACE_SIZE_PX, PORTRAIT_SIZE_PX, Float64, UInt8

SMOOTHING_FRAMES = 13
"""Length of the running median over centre and half size."""
LOOKAHEAD_FRAMES = SMOOTHING_FRAMES // 2
"""Frames after a face that its smoothed position depends on."""
CROP_SIZE_PX = 2 * FACE_SIZE_PX
"""Side of the whole crop, of which scorers read the centre."""
_PADDING_GREY = 110
_MOST_PADDED_PX = 1 << 24
"""Pixels of the largest square that is made whole before it is resized."""


def centre_and_half_size(boxes: Float64) -> Float64:
    """Centre x, centre y and half the larger side of boxes (n, 4): (n, 3), in pixels."""
    x1, y1, x2, y2 = boxes.T
    return np.stack([(x1 + x2) / 2, (y1 + y2) / 2, np.maximum(x2 - x1, y2 - y1) / 2], 1)


class Smoother:
    """The running median over 13 frames of a track, as its boxes come in.

    Before the first and after the last frame the edge values go on. (The reference pads with
    zeros, which pulls the first and last six crops of a track aside.)
    """

    def __init__(self) -> None:
        self._window: list[Float64] = []

    def add(self, boxes: Float64) -> Float64:
        """Take the next boxes (n, 4); return what became certain, (m, 3), six frames behind."""
        rows = list(centre_and_half_size(boxes))
        if rows and not self._window:
            self._window = [rows[0]] * LOOKAHEAD_FRAMES
        return self._extend(rows)

    def finish(self) -> Float64:
        """The rows that were held back, (m, 3), at the end of a track."""
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


def crop(image: UInt8, x: float, y: float, half_size: float, crop_scale: float) -> UInt8:
    """The square around a face, grey (110) where it leaves the picture.

    Args:
        image: (height, width, channels) uint8.
        x: Centre of the face in pixels.
        y: Centre of the face in pixels.
        half_size: Half of the face's larger side, in pixels.
        crop_scale: How much the square is wider than the face, 0.4 in the reference.

    Returns:
        (224, 224, channels) uint8.
    """
    height, width = image.shape[:2]
    top, left = floor(y - half_size), floor(x - half_size * (1 + crop_scale))
    bottom = max(top + 1, floor(y + half_size * (1 + 2 * crop_scale)))
    right = max(left + 1, floor(x + half_size * (1 + crop_scale)))
    inside = image[
        min(max(top, 0), height - 1) : max(bottom, 1), min(max(left, 0), width - 1) : max(right, 1)
    ]
    if (bottom - top) * (right - left) > max(_MOST_PADDED_PX, 2 * height * width):
        return _far_out(inside, (top, bottom), (left, right), image.shape)
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
    inside: UInt8, rows: tuple[int, int], columns: tuple[int, int], shape: tuple[int, ...]
) -> UInt8:
    """The crop of a square far larger than the picture, without making the square.

    Args:
        inside: What the square has of the picture.
        rows: First and end row of the square, in the picture's pixels.
        columns: First and end column.
        shape: The picture's.
    """
    square = np.full((CROP_SIZE_PX, CROP_SIZE_PX, shape[2]), _PADDING_GREY, np.uint8)
    spans = []
    for (first, end), length in zip((rows, columns), shape[:2], strict=True):
        scale = CROP_SIZE_PX / (end - first)
        start = min(int((min(max(0, first), length) - first) * scale), CROP_SIZE_PX - 1)
        spans.append(slice(start, max(start + 1, int((min(end, length) - first) * scale))))
    height, width = (min(span.stop, CROP_SIZE_PX) - span.start for span in spans)
    square[spans[0], spans[1]] = cv2.resize(inside, (width, height), interpolation=cv2.INTER_AREA)
    return square


def face(image: UInt8, x: float, y: float, half_size: float, crop_scale: float) -> UInt8:
    """What a scorer sees of a face: (112, 112) uint8, grey; arguments as for `crop`."""
    middle = slice((CROP_SIZE_PX - FACE_SIZE_PX) // 2, (CROP_SIZE_PX + FACE_SIZE_PX) // 2)
    red, green, blue = cv2.split(crop(image, x, y, half_size, crop_scale)[middle, middle])
    # In torchvision's way, rounded down: OpenCV's moves TalkNet's scores by up to 0.02.
    grey = np.float32(0.2989) * red + np.float32(0.587) * green + np.float32(0.114) * blue
    return np.asarray(grey, np.uint8)


def portrait(image: UInt8, box: Float64) -> UInt8:
    """What an embedder sees of a face: its box, as facenet-pytorch's MTCNN cuts it, in colour.

    What of the box lies outside the picture is left away, and the rest is made square.

    Args:
        image: (height, width, 3) uint8, RGB.
        box: (4,) x1, y1, x2, y2 in pixels.

    Returns:
        (160, 160, 3) uint8, RGB.
    """
    height, width = image.shape[:2]
    x1, y1, x2, y2 = (int(value) for value in box)
    left, top = min(max(x1, 0), width - 1), min(max(y1, 0), height - 1)
    inside = image[top : max(top + 1, y2), left : max(left + 1, x2)]
    size = (PORTRAIT_SIZE_PX, PORTRAIT_SIZE_PX)
    return np.asarray(cv2.resize(inside, size, interpolation=cv2.INTER_AREA), np.uint8)
