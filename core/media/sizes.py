"""Finds the sizes of a video's pictures from the headers of its key frames."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import av

_HEAD_BYTES = 4096
"""How many first bytes of a key frame are searched for its size."""
_MOST_TRIED = 100
_PLACES = {"vp8": slice(3, 10), "vp9": slice(9)}
_ANNEX_B = b"\0\0\1"
_SEQUENCE = {"h264": (7, 0, 31), "hevc": (33, 1, 63)}
"""NAL unit type of the header with the size, and shift and mask of the type in the first byte."""


class Sizes:
    """Takes the packets of a picture and collects the sizes that occur.

    A key frame is decoded only if the bytes of its header that state the size are new. For codecs
    that state the size once per file, none is decoded.

    Args:
        stream: The picture.
        max_pixels: Pictures with more pixels are not decoded.

    Attributes:
        found: (width, height) as stored, of each size after the first.
    """

    def __init__(self, stream: Any, max_pixels: int) -> None:
        self.found: list[tuple[int, int]] = []
        self._codec = stream.codec_context.codec.canonical_name
        self._extradata = stream.codec_context.extradata
        self._max_pixels = max_pixels
        self._heads: set[bytes] = set()

    def take(self, packet: Any) -> None:
        """Examine the next packet of the picture."""
        if not (packet.is_keyframe and packet.size) or len(self._heads) >= _MOST_TRIED:
            return
        head = _head(self._codec, bytes(memoryview(packet)[:_HEAD_BYTES]))
        if head and head not in self._heads:
            if self._heads:
                self._decode(packet)
            self._heads.add(head)

    def _decode(self, packet: Any) -> None:
        context: Any = av.CodecContext.create(self._codec, "r")
        context.extradata = self._extradata
        context.thread_count = 1
        context.options = {"max_pixels": str(self._max_pixels)}
        try:
            frames = [*context.decode(packet), *context.decode(None)]
        except av.FFmpegError:
            return
        self.found += [(frame.width, frame.height) for frame in frames[:1]]


def _head(codec: str, data: bytes) -> bytes:
    """The bytes of a key frame's header that state its size; empty for codecs without any."""
    if codec in _PLACES:
        return data[_PLACES[codec]]
    if codec in ("mpeg1video", "mpeg2video"):
        at = data.find(b"\0\0\1\xb3")
        return data[at + 4 : at + 7] if at >= 0 else b""
    if codec == "mjpeg":
        places = [data.find(bytes((0xFF, kind))) for kind in (0xC0, 0xC1, 0xC2)]
        return b"".join(data[at + 5 : at + 9] for at in places if at >= 0)
    if codec == "av1":
        return b"".join(_av1_sequences(data))
    if codec in _SEQUENCE:
        wanted, shift, mask = _SEQUENCE[codec]
        return b"".join(unit for unit in _units(data) if unit[0] >> shift & mask == wanted)
    return b""


def _units(data: bytes) -> Iterator[bytes]:
    """The NAL units of H.264 or HEVC, separated by start codes or prefixed with their length."""
    if data.startswith((_ANNEX_B, b"\0" + _ANNEX_B)):
        for unit in data.split(_ANNEX_B)[1:]:
            if unit:
                yield unit.rstrip(b"\0")
        return
    at = 0
    while at + 4 < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        if length:
            yield data[at + 4 : at + 4 + length]
        at += 4 + length


def _av1_sequences(data: bytes) -> Iterator[bytes]:
    """The sequence headers of AV1 (its specification, 5.3)."""
    at = 0
    while at < len(data) and data[at] & 2:  # a unit (OBU) with a length field
        kind, start = data[at] >> 3 & 15, at + 1 + (data[at] >> 2 & 1)
        length = shift = 0
        while start < len(data):
            byte = data[start]
            start, length, shift = start + 1, length | (byte & 127) << shift, shift + 7
            if byte < 128:
                break
        if kind == 1:
            yield data[start : start + length]
        at = start + length
