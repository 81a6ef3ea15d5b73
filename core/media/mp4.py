"""Reads from the boxes of an MP4 or MOV file (ISO 14496-12) what PyAV does not expose."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

BEGINNINGS = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"styp")
_ENCRYPTED = frozenset({b"encv", b"enca", b"encu", b"drmi", b"drms"})
"""Sample formats of encrypted tracks: Common Encryption, and Apple's older ones."""
_SELF_CONTAINED = 1
_NO_PLACE_BYTES = 5
"""Version, flags and an empty string: an empty data reference means the file itself."""
_MOST_BOXES = 1 << 20
"""Most boxes read in one sequence."""
_MOST_TRACKS = 1000
"""FFmpeg's limit of tracks."""


@dataclass(frozen=True)
class Mp4Track:
    """A track of a file.

    Attributes:
        encrypted: Whether its samples are encrypted.
        elsewhere: Whether its samples are in another file.
    """

    encrypted: bool
    elsewhere: bool


def boxes(file: BinaryIO, begin: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """The successive boxes in a part of a file.

    Yields:
        (name, where the content begins, where the box ends by its stated length, which may be past
        the file's end).
    """
    at = begin
    for _ in range(_MOST_BOXES):
        if at + 8 > end:
            return
        file.seek(at)
        head = file.read(16)
        length, content = int.from_bytes(head[:4], "big"), at + 8
        if length == 1:
            length, content = int.from_bytes(head[8:], "big"), at + 16
        elif length == 0:  # the box extends to the end
            length = end - at
        if at + length < content:
            return
        yield head[4:8], content, at + length
        at += length


def tracks(path: Path) -> dict[int, Mp4Track]:
    """The tracks of an MP4 by track id, which is also the id of the stream."""
    found: dict[int, Mp4Track] = {}
    size = path.stat().st_size
    with path.open("rb") as file:
        for name, begin, end in boxes(file, 0, size):
            if name == b"moov":
                for child, first, last in boxes(file, begin, min(end, size)):
                    if child == b"trak" and len(found) < _MOST_TRACKS:
                        number, track = _track(file, first, min(last, size))
                        found[number] = track
    return found


def _track(file: BinaryIO, begin: int, end: int) -> tuple[int, Mp4Track]:
    number = 0
    if head := _inside(file, begin, end, b"tkhd"):
        data = _bytes(file, head[0], 24)
        at = 20 if data[:1] == b"\1" else 12
        number = int.from_bytes(data[at : at + 4], "big")
    formats: set[bytes] = set()
    if where := _inside(file, begin, end, b"mdia", b"minf", b"stbl", b"stsd"):
        formats = {name for name, _, _ in boxes(file, where[0] + 8, where[1])}
    elsewhere = False
    if where := _inside(file, begin, end, b"mdia", b"minf", b"dinf", b"dref"):
        elsewhere = any(
            last - first > _NO_PLACE_BYTES and not _flags(file, first) & _SELF_CONTAINED
            for _, first, last in boxes(file, where[0] + 8, where[1])
        )
    return number, Mp4Track(bool(formats & _ENCRYPTED), elsewhere)


def _inside(file: BinaryIO, begin: int, end: int, *names: bytes) -> tuple[int, int] | None:
    """Where the content of a nested box, given by its path, begins and ends; None if not found."""
    for name in names:
        for child, first, last in boxes(file, begin, end):
            if child == name:
                begin, end = first, min(last, end)
                break
        else:
            return None
    return begin, end


def _bytes(file: BinaryIO, at: int, count: int) -> bytes:
    file.seek(at)
    return file.read(count)


def _flags(file: BinaryIO, at: int) -> int:
    return int.from_bytes(_bytes(file, at + 1, 3), "big")
