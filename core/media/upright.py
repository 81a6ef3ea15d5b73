"""From pictures as they are stored to upright ones of one size, in colours of ordinary range."""

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
"""Conversions between RGB and what is stored, as FFmpeg counts them."""
TRANSFERS = {16: "PQ", 18: "HLG"}
"""Transfer characteristics (ITU-T H.273) of high dynamic range, and what they are called."""
_WHITE_NIT = 203.0
"""Brightness of white paper in high dynamic range (ITU-R BT.2408)."""
_HLG_PEAK_NIT = 1000.0
_GAMMA = 2.4
"""Of ordinary screens (ITU-R BT.1886)."""
_KNEE = 0.7
"""Up to this part of the ordinary range nothing is compressed."""
_OTHER_SHAPE = 1.05
"""Pictures whose shape differs by more from the video's keep it, between black bars."""


@dataclass(frozen=True)
class Orientation:
    """How a stored picture becomes upright, in this order.

    Attributes:
        transposed: Rows become columns.
        mirrored: Left and right are exchanged.
        flipped: Top and bottom are exchanged.
    """

    transposed: bool = False
    mirrored: bool = False
    flipped: bool = False

    def size(self, width: int, height: int) -> tuple[int, int]:
        """(width, height) of what is upright from those stored, and the other way round."""
        return (height, width) if self.transposed else (width, height)

    def applied(self, image: UInt8) -> UInt8:
        """A stored picture (height, width, 3), upright and contiguous."""
        turned = image.swapaxes(0, 1) if self.transposed else image
        turned = turned[:, ::-1] if self.mirrored else turned
        return np.ascontiguousarray(turned[::-1] if self.flipped else turned)


_TURNS = {
    "0": Orientation(),
    "90": Orientation(transposed=True, mirrored=True),
    "180": Orientation(mirrored=True, flipped=True),
    "270": Orientation(transposed=True, flipped=True),
}
"""By degrees, clockwise."""


def orientation(frame: VideoFrame, rotate: str = "auto") -> Orientation:
    """How a frame becomes upright.

    Args:
        frame: It may have a display matrix.
        rotate: "auto" follows the matrix, to the nearest quarter turn; else the degrees clockwise.
    """
    if rotate != "auto":
        return _TURNS[rotate]
    try:
        matrix = frame.side_data.get("DISPLAYMATRIX")
    except ValueError:  # side data of a kind that PyAV does not know
        return _TURNS[str(-round(frame.rotation / 90) % 4 * 90)]
    return Orientation() if matrix is None else _of_matrix(bytes(cast("Any", matrix)))


@lru_cache(maxsize=8)
def _of_matrix(data: bytes) -> Orientation:
    """What a display matrix (ISO 14496-12, 6.2.2) asks for; x' = a x + c y, y' = b x + d y."""
    a, b, _, c, d = np.frombuffer(data[:36], np.int32)[:5].tolist()
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return Orientation(mirrored=a < 0, flipped=d < 0)
    return Orientation(transposed=True, mirrored=c < 0, flipped=b < 0)


Converter = Callable[[VideoFrame, int, int], UInt8]
"""Makes (height, width, 3) uint8, RGB, of a frame as it is stored, width and height."""


class Upright:
    """Makes upright pictures of one size of the frames of a video.

    Args:
        size: (width, height) of the pictures.
        rotate: See `orientation`.
        converter: Makes RGB of frames.
    """

    def __init__(self, size: tuple[int, int], rotate: str, converter: Converter) -> None:
        self._size = size
        self._rotate = rotate
        self._converter = converter

    def __call__(self, frame: VideoFrame) -> UInt8:
        """(height, width, 3) uint8, RGB, upright and contiguous."""
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
        """The part of a stored picture of this size that a frame fills."""
        if (frame.width, frame.height) == (width, height):
            return width, height
        wider = Fraction(frame.width * height, frame.height * width)
        if max(wider, 1 / wider) <= _OTHER_SHAPE:
            return width, height
        if wider > 1:
            return width, max(1, round(height / wider))
        return max(1, round(width * wider)), height


def converter(transfer: int, reformatter: VideoReformatter) -> Converter:
    """A converter for analysis: high dynamic range is brought into the ordinary one.

    Args:
        transfer: Transfer characteristics of the video, a code of ITU-T H.273.
        reformatter: What converts.
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
    """A frame as (height, width, 3) uint8, RGB, by a conversion that is known.

    Args:
        frame: The frame.
        width: Width to scale it to.
        height: Height to scale it to.
        reformatter: What converts.
        conversion: One of `BT601`, `BT709`, `BT2020`.
    """
    image = reformatter.reformat(
        frame,
        width,
        height,
        "rgb24",
        src_colorspace=cast("Any", conversion),
        # PyAV before 17 heeds the source's only if the target's is another, and no range unsaid.
        dst_colorspace=cast("Any", BT709 if conversion != BT709 else BT2020),
        src_color_range=cast("Any", frame.color_range),
    )
    return cast("UInt8", image.to_ndarray())


@lru_cache
def tone_table(transfer: int) -> UInt8:
    """What becomes of a value of high dynamic range, (256,) uint8.

    White paper (203 cd/m2) comes near the top of the ordinary range, what is brighter between
    it and the top: colours keep their place up to the knee.

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
    """Brightness in cd/m2 of PQ (SMPTE ST 2084)."""
    power = signal ** (4096 / 2523 / 128)
    part = np.maximum(power - 3424 / 4096, 0) / (2413 / 128 - 2392 / 128 * power)
    return 10_000 * part ** (16384 / 2610)


def _hlg(signal: Any) -> Any:
    """Brightness in cd/m2 of HLG (ARIB STD-B67) on a screen of 1000 cd/m2."""
    a = 0.17883277
    b, c = 1 - 4 * a, 0.5 - a * math.log(4 * a)
    scene = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
    return _HLG_PEAK_NIT * scene**1.2
