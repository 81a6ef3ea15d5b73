"""Converts frames to RGB of standard dynamic range."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from functools import lru_cache
from typing import Any, cast

import cv2
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter

from ..types import UInt8
from .container import PYAV

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
_MOST_PREPARED = 64
"""Most reformatters that are kept, of which each holds tables for one pair of sizes."""
_ONE_THREAD: dict[str, Any] = {"threads": 1} if PYAV >= (17,) else {}
"""The argument by which a reformatter uses one thread, which PyAV before 17 always does."""

Converter = Callable[[VideoFrame, int, int], UInt8]
"""Converts a stored frame, given width and height, to (height, width, 3) uint8, RGB."""


def converter(transfer: int) -> Converter:
    """A converter for analysis, which tone maps high dynamic range to standard range.

    Args:
        transfer: Transfer characteristics of the video, a code of ITU-T H.273.
    """
    reformatters = Reformatters()
    if transfer not in TRANSFERS:
        return reformatters.rgb
    table = tone_table(transfer)

    def mapped(frame: VideoFrame, width: int, height: int) -> UInt8:
        source = BT709 if frame.colorspace == BT709 else BT2020
        image = reformatters.rgb(frame, width, height, **_colours(frame, source))
        return cast("UInt8", cv2.LUT(image, table))

    return mapped


class Reformatters(threading.local):
    """Converts frames to RGB, with a prepared reformatter for each pair of sizes and thread."""

    def __init__(self) -> None:
        self._prepared: dict[tuple[int, ...], VideoReformatter] = {}

    def rgb(self, frame: VideoFrame, width: int, height: int, **colours: Any) -> UInt8:
        """Convert a frame to (height, width, 3) uint8, RGB; a smaller one is averaged over areas.

        Args:
            frame: The frame.
            width: Width to scale it to.
            height: Height to scale it to.
            colours: The colours of both sides, as `VideoReformatter.reformat` takes them.
        """
        sizes = frame.width, frame.height, width, height
        if len(self._prepared) >= _MOST_PREPARED and sizes not in self._prepared:
            self._prepared.clear()
        reformatter = self._prepared.setdefault(sizes, VideoReformatter())
        smaller = width < frame.width and height < frame.height
        how = {**_ONE_THREAD, **colours, **({"interpolation": "AREA"} if smaller else {})}
        image = reformatter.reformat(frame, width, height, "rgb24", **how)
        return cast("UInt8", image.to_ndarray())


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
    image = reformatter.reformat(frame, width, height, "rgb24", **_colours(frame, conversion))
    return cast("UInt8", image.to_ndarray())


def _colours(frame: VideoFrame, conversion: int) -> dict[str, Any]:
    """The arguments of a reformatter that make it convert YUV by the given conversion."""
    return {
        "src_colorspace": conversion,
        # PyAV before 17 ignores the source's colour space if it equals the target's, and the
        # source's range unless it is given.
        "dst_colorspace": BT709 if conversion != BT709 else BT2020,
        "src_color_range": frame.color_range,
    }


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
