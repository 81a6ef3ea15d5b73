"""Makes upright pictures of one size of stored ones, as far as somebody looks at them."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from threading import RLock
from typing import Any, cast

import numpy as np
from av.sidedata.sidedata import SideDataContainer
from av.video.frame import VideoFrame
from av.video.plane import VideoPlane

from ..pictures import ArrayPicture, Picture, room, scaled_size
from ..types import Int64, UInt8
from .colours import Converter

_OTHER_SHAPE = 1.05
"""Pictures whose aspect ratio differs by more from the video's are padded with black bars."""
_IN_PARTS = ("yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "gray")
"""Pixel formats whose parts FFmpeg converts exactly as it converts them within the whole."""
_STEP_PX = 64
"""Sides of converted parts are multiples of this, so that there are few kinds of conversions."""

Rect = tuple[int, int, int, int]
"""First row of a rectangle and one past its last, then the same of columns."""


@dataclass(frozen=True)
class Orientation:
    """The operations that make a stored picture upright, applied in this order.

    Attributes:
        transposed: Exchange rows and columns.
        mirrored: Exchange left and right.
        flipped: Exchange top and bottom.
    """

    transposed: bool = False
    mirrored: bool = False
    flipped: bool = False

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Convert a stored (width, height) to the upright one, or vice versa."""
        return (height, width) if self.transposed else (width, height)

    def stored(self, rect: Rect, height: int, width: int) -> Rect:
        """Where a rectangle of the upright picture of this size is in the stored one."""
        top, bottom, left, right = rect
        if self.flipped:
            top, bottom = height - bottom, height - top
        if self.mirrored:
            left, right = width - right, width - left
        return (left, right, top, bottom) if self.transposed else (top, bottom, left, right)

    def upright(self, rect: Rect, height: int, width: int) -> Rect:
        """Where a rectangle of the stored picture is in the upright one, which has this size."""
        top, bottom, left, right = rect
        if self.transposed:
            top, bottom, left, right = left, right, top, bottom
        if self.mirrored:
            left, right = width - right, width - left
        if self.flipped:
            top, bottom = height - bottom, height - top
        return top, bottom, left, right

    def applied(self, image: UInt8) -> UInt8:
        """Make a stored picture (height, width, 3) upright, as a contiguous array."""
        return np.ascontiguousarray(self.view(image))

    def view(self, image: UInt8) -> UInt8:
        """A stored picture (height, width, ...) upright, in the same memory."""
        turned = image.swapaxes(0, 1) if self.transposed else image
        turned = turned[:, ::-1] if self.mirrored else turned
        return turned[::-1] if self.flipped else turned


_TURNS = {
    "0": Orientation(),
    "90": Orientation(transposed=True, mirrored=True),
    "180": Orientation(mirrored=True, flipped=True),
    "270": Orientation(transposed=True, flipped=True),
}
"""Orientations by clockwise degrees."""


def orientation(frame: VideoFrame, rotate: str = "auto") -> Orientation:
    """The orientation of a frame.

    Args:
        frame: A frame, perhaps with a display matrix.
        rotate: "auto" follows the matrix, to the nearest 90 degrees; else the degrees clockwise.
    """
    if rotate != "auto":
        return _TURNS[rotate]
    try:
        # frame.side_data would tie frames to themselves: they would wait for the garbage collector.
        matrix = cast("Any", SideDataContainer)(frame).get("DISPLAYMATRIX")
    except ValueError:  # PyAV does not know some kind of side data
        return _TURNS[str(-round(frame.rotation / 90) % 4 * 90)]
    return Orientation() if matrix is None else _of_matrix(bytes(cast("Any", matrix)))


@lru_cache(maxsize=8)
def _of_matrix(data: bytes) -> Orientation:
    """The orientation of a display matrix (ISO 14496-12, 6.2.2): x' = a x + c y, y' = b x + d y."""
    a, b, _, c, d = np.frombuffer(data[:36], np.int32)[:5].tolist()
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return Orientation(mirrored=a < 0, flipped=d < 0)
    return Orientation(transposed=True, mirrored=c < 0, flipped=b < 0)


class Upright:
    """Converts the frames of a video to upright pictures of one size.

    Args:
        size: (width, height) of the upright pictures.
        rotate: See `orientation`.
        converter: Converts frames to RGB.
    """

    def __init__(self, size: tuple[int, int], rotate: str, converter: Converter) -> None:
        self._size = size
        self._rotate = rotate
        self._converter = converter

    def picture(self, frame: VideoFrame) -> Picture:
        """The upright picture of a frame, converted as far as somebody looks at it."""
        turn = orientation(frame, self._rotate)
        if (frame.width, frame.height) != turn.size(*self._size):
            return ArrayPicture(self(frame))
        return DecodedPicture(frame, turn, self._converter)

    def __call__(self, frame: VideoFrame) -> UInt8:
        """Convert a frame to (height, width, 3) uint8, RGB, upright and contiguous."""
        turn = orientation(frame, self._rotate)
        width, height = turn.size(*self._size)
        inner = self._inner(frame, width, height)
        image = self._converter(frame, *inner)
        if inner != (width, height):
            whole = np.zeros((height, width, 3), np.uint8)
            x, y = (width - inner[0]) // 2, (height - inner[1]) // 2
            whole[y : y + inner[1], x : x + inner[0]] = image
            image = whole
        return turn.applied(image)

    def _inner(self, frame: VideoFrame, width: int, height: int) -> tuple[int, int]:
        """Size within (width, height) that a frame fills; black bars fill the rest."""
        if (frame.width, frame.height) == (width, height):
            return width, height
        wider = Fraction(frame.width * height, frame.height * width)
        if max(wider, 1 / wider) <= _OTHER_SHAPE:
            return width, height
        if wider > 1:
            return width, max(1, round(height / wider))
        return max(1, round(width * wider)), height


class DecodedPicture:
    """An upright picture of a decoded frame; see `core.pictures.Picture`.

    The whole picture and the first scaled one are kept once they have been asked for. Several
    threads may ask.

    Args:
        frame: The frame.
        turn: Makes it upright.
        converter: Converts frames to RGB; safe in several threads, each with its own frame.
    """

    def __init__(self, frame: VideoFrame, turn: Orientation, converter: Converter) -> None:
        self.width, self.height = turn.size(frame.width, frame.height)
        self._frame = frame
        self._turn = turn
        self._converter = converter
        self._whole: UInt8 | None = None
        self._scaled: dict[int, UInt8] = {}
        # While it runs, PyAV's reformatter changes the colours that a frame is tagged with.
        self._lock = RLock()

    def rgb(self) -> UInt8:
        """See `Picture`."""
        with self._lock:
            if self._whole is None:
                whole = room((self.height, self.width, 3))
                whole[:] = self._upright(self._frame, self.height, self.width)
                self._whole = whole
            return self._whole

    def scaled(self, longer_side_px: int) -> UInt8:
        """See `Picture`."""
        height, width, scale = scaled_size(self.height, self.width, longer_side_px)
        if scale == 1:
            return self.rgb()
        with self._lock:
            image = self._scaled.get(longer_side_px)
            if image is None:
                image = self._upright(self._frame, height, width)
                if not self._scaled:
                    self._scaled[longer_side_px] = image
            return image

    def region(self, top: int, bottom: int, left: int, right: int, step: int = 1) -> UInt8:
        """See `Picture`."""
        frame, rect = self._frame, (top, bottom, left, right)
        even = frame.height % 2 == frame.width % 2 == 0
        if self._whole is not None or not even or frame.format.name not in _IN_PARTS:
            return self.rgb()[top:bottom:step, left:right:step]
        with self._lock:
            if step > 1:
                return self._sampled(np.arange(top, bottom, step), np.arange(left, right, step))
            rect = self._turn.stored(rect, self.height, self.width)
            rect = *_widened(*rect[:2], frame.height), *_widened(*rect[2:], frame.width)
            first, end, start, stop = self._turn.upright(rect, self.height, self.width)
            image = self._upright(_part(frame, rect), end - first, stop - start)
        return image[top - first : bottom - first, left - start : right - start]

    def _sampled(self, rows: Int64, columns: Int64) -> UInt8:
        """The pixels in some rows and columns, of a frame in one of `_IN_PARTS`."""
        turn, shape = self._turn, (len(rows), len(columns))
        rows = _padded(self.height - 1 - rows if turn.flipped else rows)
        columns = _padded(self.width - 1 - columns if turn.mirrored else columns)
        if turn.transposed:
            rows, columns = columns, rows
        spread = _spread(self._frame, rows, columns)
        image = self._converter(spread, spread.width, spread.height)
        image = image[:: spread.height // len(rows), :: spread.width // len(columns)]
        return (image.swapaxes(0, 1) if turn.transposed else image)[: shape[0], : shape[1]]

    def _upright(self, frame: VideoFrame, height: int, width: int) -> UInt8:
        """A stored frame, upright and of the given size."""
        return self._turn.applied(self._converter(frame, *self._turn.size(width, height)))


def _widened(first: int, end: int, length: int) -> tuple[int, int]:
    """The span that holds a given one, is within an even `length`, and begins at an even place.

    Its own length is a multiple of `_STEP_PX`, or `length`.
    """
    first -= first % 2
    wide = min(length, -(-(end - first) // _STEP_PX) * _STEP_PX)
    first = min(first, length - wide)
    return first, first + wide


def _part(frame: VideoFrame, rect: Rect) -> VideoFrame:
    """A part of a frame in one of `_IN_PARTS`, which begins and ends at even places."""
    top, bottom, left, right = rect
    part = _empty_like(frame, right - left, bottom - top)
    for of, to in zip(frame.planes, part.planes, strict=True):
        y, x = frame.height // of.height, frame.width // of.width
        rows = samples(of)[top // y : bottom // y, left // x : right // x]
        samples(to)[: rows.shape[0], : rows.shape[1]] = rows
    return part


def _padded(places: Int64) -> Int64:
    """Places with the last one repeated, so that their number is a multiple of 16."""
    return np.pad(places, (0, -len(places) % 16), mode="edge")


def _spread(frame: VideoFrame, rows: Int64, columns: Int64) -> VideoFrame:
    """Some pixels of a frame in one of `_IN_PARTS`, each as large as one of its chroma samples.

    So FFmpeg computes their colours as it computes them within the whole picture.
    """
    of_chroma = frame.planes[-1]
    tall, wide = frame.height // of_chroma.height, frame.width // of_chroma.width
    spread = _empty_like(frame, len(columns) * wide, len(rows) * tall)
    for of, to in zip(frame.planes, spread.planes, strict=True):
        y, x = frame.height // of.height, frame.width // of.width
        few = samples(of)[np.ix_(rows // y, columns // x)]
        few = few.repeat(tall // y, 0).repeat(wide // x, 1)
        samples(to)[: few.shape[0], : few.shape[1]] = few
    return spread


def _empty_like(frame: VideoFrame, width: int, height: int) -> VideoFrame:
    """A frame of another size, with the same format and colours and undefined pixels."""
    empty = VideoFrame(width, height, frame.format.name)
    empty.colorspace = frame.colorspace
    empty.color_range = frame.color_range
    return empty


def samples(plane: VideoPlane) -> UInt8:
    """The samples of a plane of bytes, (height, width) uint8, in place."""
    rows = np.frombuffer(cast("Any", plane), np.uint8).reshape(-1, plane.line_size)
    return rows[: plane.height, : plane.width]
