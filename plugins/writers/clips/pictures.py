"""Draws the square around a face, which follows it."""

from __future__ import annotations

import numpy as np
from av.video.frame import VideoFrame

from ....core.analysis.crops import Smoother
from ....core.analysis.square_pixels import Square
from ....core.media.planes import FORMAT, yuv
from ....core.types import Float64, Track
from ..scaling import cut_out, planes_of

_GREY = (110, 110, 110)
"""What is outside of the picture, as in the crops that scorers read."""


class FacePictures:
    """Draws one face, as scorers see it, but in colour and in any size.

    The square is that of `core.analysis.crops`: smoothed over 13 frames, half a face up from the
    middle, and further to the other sides. Between grid frames it is interpolated.

    Args:
        track: The face.
        square: The shape of pixels.
        size_px: Width and height of the pictures, even.
        around: How much the square is wider than the face.
        conversion: The conversion between the picture's colours and RGB, of `core.media.colours`.
    """

    def __init__(
        self, track: Track, square: Square, size_px: int, around: float, conversion: int
    ) -> None:
        smoother = Smoother()
        rows = [smoother.add(square.boxes(track.boxes)), smoother.finish()]
        self._rows: Float64 = np.concatenate(rows)
        self._first = track.first_frame
        self._square = square
        self._size_px = size_px
        self._around = around
        self._outside = yuv(_GREY, conversion)

    def place(self, position: float) -> tuple[float, float, float, float]:
        """x, y, width and height of the square, in stored pixels.

        Args:
            position: A place on the grid; before and after the track the face rests.
        """
        last = len(self._rows) - 1
        at = min(max(position - self._first, 0.0), float(last))
        before = int(at)
        row = self._rows[before] + (at - before) * (
            self._rows[min(before + 1, last)] - self._rows[before]
        )
        x, y, half = row.tolist()
        half = max(half, 0.5)  # a box may be empty
        reach = half * (1 + self._around)
        wide, tall = self._square.x, self._square.y
        return (x - reach) / wide, (y - half) / tall, 2 * reach / wide, 2 * reach / tall

    def drawn(self, upright: VideoFrame, position: float) -> VideoFrame:
        """The square in an upright picture, in the planes that the encoder takes."""
        target = VideoFrame(self._size_px, self._size_px, FORMAT)
        place = self.place(position)
        pairs = zip(planes_of(upright), planes_of(target), self._outside, strict=True)
        for number, (plane, into, outside) in enumerate(pairs):
            part = 2 if number else 1
            x, y, width, height = (value / part for value in place)
            into[:] = cut_out(plane, (x, y, width, height), into.shape[::-1], outside)
        return target
