"""Detects truncated files by comparing their length with the sizes stated in them."""

from __future__ import annotations

from pathlib import Path

from . import mp4

_MATROSKA_BEGINNING = bytes.fromhex("1A45DFA3")


def is_cut_off(path: Path) -> bool:
    """Whether a file is shorter than the sizes stated in it, or an MP4 lacks its index.

    MP4 (ISO 14496-12), Matroska (RFC 9559) and AVI state sizes; other files count as whole.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(256)
        if head[4:8] in mp4.BEGINNINGS:
            outermost = list(mp4.boxes(file, 0, size))
            end = outermost[-1][2] if outermost else 0
            return end > size or b"moov" not in (name for name, _, _ in outermost)
    if head.startswith(_MATROSKA_BEGINNING):
        return _matroska_end(head) > size
    return head.startswith(b"RIFF") and 8 + int.from_bytes(head[4:8], "little") > size


def _matroska_end(head: bytes) -> int:
    """Where the segment, the second and last element of a file, should end; 0 if not stated."""
    end = 0
    for _element in ("header", "segment"):
        at = end + 4  # after the element's name
        if at >= len(head):
            return 0
        width = 9 - head[at].bit_length()
        if width > 8 or at + width > len(head):  # no length begins with a zero byte
            return 0
        unit = 1 << 7 * width
        length = int.from_bytes(head[at : at + width], "big") - unit
        if length == unit - 1:  # all ones: unknown when the file was written
            return 0
        end = at + width + length
    return end
