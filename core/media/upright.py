"""Converts stored pictures to upright RGB pictures of one size and standard dynamic range."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any, cast

import cv2
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter

from ..types import UInt8

BT601, BT709, BT2020 = 5, 1, 9
"""Conversions between YUV and RGB, by FFmpeg's numbers."""
TRANSFERS = {16: "PQ", 18: "HLG"}
"""Transfer characteristics (ITU-T H.273) of high dynamic range, with their names."""
_WHITE_NIT = 203.0
"""Brightness of white paper in high dynamic range (ITU-R BT.2408)."""
_HLG_PEAK_NIT = 1000.0
_GAMMA = 2.4
"""Gamma of standard screens (ITU-R BT.1886)."""
_KNEE = 0.7
"""Fraction of the standard range up to which tone mapping leaves values as they are."""
_OTHER_SHAPE = 1.05
"""Pictures whose aspect ratio differs by more from the video's are padded with black bars."""


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
        matrix = frame.side_data.get("DISPLAYMATRIX")
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


Converter = Callable[[VideoFrame, int, int], UInt8]
"""Converts a stored frame, given width and height, to (height, width, 3) uint8, RGB."""


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


def converter(transfer: int, reformatter: VideoReformatter) -> Converter:
    """A converter for analysis, which tone maps high dynamic range to standard range.

    Args:
        transfer: Transfer characteristics of the video, a code of ITU-T H.273.
        reformatter: Scales and converts frames.
    """

    def plain(frame: VideoFrame, width: int, height: int) -> UInt8:
        return cast("UInt8", reformatter.reformat(frame, width, height, "rgb24").to_ndarray())

    if transfer not in TRANSFERS:
        return plain
    table = tone_table(transfer)

    def mapped(frame: VideoFrame, width: int, height: int) -> UInt8:
        source = BT709 if frame.colorspace == BT709 else BT2020
        image = converted(frame, width, height, reformatter, source)
        return cast("UInt8", cv2.LUT(image, table))

    return mapped


def converted(
    frame: VideoFrame, width: int, height: int, reformatter: VideoReformatter, conversion: int
) -> UInt8:
    """Convert a frame to (height, width, 3) uint8, RGB, by the given conversion.

    Args:
        frame: The frame.
        width: Width to scale it to.
        height: Height to scale it to.
        reformatter: Scales and converts frames.
        conversion: One of `BT601`, `BT709`, `BT2020`.
    """
    image = reformatter.reformat(
        frame,
        width,
        height,
        "rgb24",
        src_colorspace=cast("Any", conversion),
        # PyAV before 17 ignores the source's colour space if it equals the target's, and the
        # source's range unless it is given.
        dst_colorspace=cast("Any", BT709 if conversion != BT709 else BT2020),
        src_color_range=cast("Any", frame.color_range),
    )
    return cast("UInt8", image.to_ndarray())


@lru_cache
def tone_table(transfer: int) -> UInt8:
    """The tone mapping table from high dynamic range to standard range, (256,) uint8.

    White paper (203 cd/m2) is mapped near the top of the standard range, brighter values between
    white and the top. Values below the knee are not compressed.

    Args:
        transfer: One of `TRANSFERS`.
    """
    signal = np.arange(256) / 255
    nits = _pq(signal) if TRANSFERS[transfer] == "PQ" else _hlg(signal)
    level = (nits / _WHITE_NIT) ** (1 / _GAMMA)
    above = np.maximum(level - _KNEE, 0) / (1 - _KNEE)
    mapped = np.where(level <= _KNEE, level, 1 - (1 - _KNEE) * np.exp(-above))
    return cast("UInt8", np.round(255 * mapped).astype(np.uint8))


def _pq(signal: Any) -> Any:
    """Luminance in cd/m2 of a PQ signal (SMPTE ST 2084)."""
    power = signal ** (4096 / 2523 / 128)
    part = np.maximum(power - 3424 / 4096, 0) / (2413 / 128 - 2392 / 128 * power)
    return 10_000 * part ** (16384 / 2610)


def _hlg(signal: Any) -> Any:
    """Luminance in cd/m2 of an HLG signal (ARIB STD-B67) on a screen of 1000 cd/m2."""
    a = 0.17883277
    b, c = 1 - 4 * a, 0.5 - a * math.log(4 * a)
    scene = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
    return _HLG_PEAK_NIT * scene**1.2
