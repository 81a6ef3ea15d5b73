"""Draws the pictures of a reframed video."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

import cv2
import numpy as np
from av.video.frame import VideoFrame

from ....core.media.planes import FORMAT
from ....core.types import UInt8
from ..scaling import cut_out, planes_of
from .paths import Pane, Rect, Take

_BLACK = (16, 128, 128)
"""Y, U and V of black, in limited range."""
_SMALL_PX = 64
"""The shorter side of the picture that a blurred background is made of."""
_BLUR_PX = 2.0
"""Standard deviation of its blur."""
_DIMMED = 0.6
"""The brightness of a blurred background, so that the picture stands out."""


class Renderer:
    """Draws one picture after the other.

    Args:
        takes: The path.
        size: Width and height of the new pictures, even numbers.
        middle: The largest crop of the new shape, from the middle of the source, in its pixels.
        blurred: Whether bars are a blurred copy of the picture; else they are black.
    """

    def __init__(
        self, takes: Sequence[Take], size: tuple[int, int], middle: Rect, *, blurred: bool
    ) -> None:
        self._takes = takes
        self._begins = [take.first for take in takes]
        self._size = size
        self._middle = middle
        self._blurred = blurred

    def drawn(self, source: VideoFrame, frames: range, position: float) -> VideoFrame:
        """The new picture of an upright picture of the source.

        Args:
            source: The picture, in the planes that the encoder takes.
            frames: The grid frames that it belongs to: it is of a take that holds some of these.
            position: Its own time in grid frames.
        """
        frame = min(max(int(position), frames[0]), frames[-1])
        take = self._takes[max(0, bisect_right(self._begins, frame) - 1)]
        position = min(max(position, take.first), take.end)
        target = VideoFrame(*self._size, FORMAT)
        pairs = zip(planes_of(source), planes_of(target), _BLACK, strict=True)
        for number, (plane, into, black) in enumerate(pairs):
            part = 2 if number else 1
            if take.layout == "whole":
                into[:] = self._background(plane, part, black) if self._blurred else black
            for pane in take.panes:
                self._draw(pane, position, plane, into, part)
        return target

    def _draw(self, pane: Pane, position: float, plane: UInt8, into: UInt8, part: int) -> None:
        left, right = self._even(pane.place.x, pane.place.width, self._size[0])
        top, bottom = self._even(pane.place.y, pane.place.height, self._size[1])
        place = into[top // part : bottom // part, left // part : right // part]
        place[:] = cut_out(plane, _of(pane.crop(position), part), place.shape[::-1])

    @staticmethod
    def _even(first: float, length: float, whole: int) -> tuple[int, int]:
        """Begin and end of a part of a length, as even numbers of pixels."""
        begin = 2 * round(first * whole / 2)
        return begin, max(begin + 2, 2 * round((first + length) * whole / 2))

    def _background(self, plane: UInt8, part: int, black: int) -> UInt8:
        width, height = self._size[0] // part, self._size[1] // part
        scale = _SMALL_PX / min(self._size)
        small = max(2, round(scale * self._size[0])), max(2, round(scale * self._size[1]))
        found = cut_out(plane, _of(self._middle, part), small)
        blurred = np.asarray(cv2.GaussianBlur(found, (0, 0), _BLUR_PX), np.float32)
        dimmed = black + _DIMMED * (blurred - black)
        return np.asarray(
            cv2.resize(dimmed.astype(np.uint8), (width, height), interpolation=cv2.INTER_LINEAR),
            np.uint8,
        )


def _of(rect: Rect, part: int) -> tuple[float, float, float, float]:
    """A rectangle in pixels of a plane that is so many times smaller."""
    return rect.x / part, rect.y / part, rect.width / part, rect.height / part
