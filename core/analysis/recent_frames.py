"""Frames that are still needed, in memory that is used again."""

from __future__ import annotations

import numpy as np

from ..types import Frame, UInt8
from .square_pixels import Square


class RecentFrames:
    """The frames that are still needed, in memory that is used again and again.

    Left to the heap, frames that come and go between other things, large and small, break it
    up: a minute of 960x540 took 2.4 GB where 41 frames were alive at most. A picture that
    stands still, the very same array in several frames, is kept once.

    Args:
        square: Makes pictures of square pixels.
    """

    def __init__(self, square: Square | None = None) -> None:
        self._square = square or Square()
        self._kept: dict[int, UInt8] = {}
        self._spare: list[UInt8] = []
        self._last: tuple[UInt8, UInt8] | None = None
        """The picture put last, as it came and as it is kept."""
        self._numbers: dict[int, int] = {}
        self._pictures = 0

    def put(self, frame: Frame) -> None:
        """Keep a copy of a frame, of the same size as all others."""
        if self._last and self._last[0] is frame.image and self._holds(self._last[1]):
            self._kept[frame.index] = self._last[1]
            self._numbers[frame.index] = self._pictures
            return
        image = self._square.image(frame.image)
        room = self._spare.pop() if self._spare else np.empty_like(image)
        room[:] = image
        self._kept[frame.index] = room
        self._last = frame.image, room
        self._pictures += 1
        self._numbers[frame.index] = self._pictures

    def forget_before(self, index: int) -> None:
        """Forget the frames before grid frame `index`."""
        for old in [kept for kept in self._kept if kept < index]:
            room = self._kept.pop(old)
            del self._numbers[old]
            if not self._holds(room):
                self._spare.append(room)

    def _holds(self, room: UInt8) -> bool:
        return any(kept is room for kept in self._kept.values())

    def __contains__(self, index: int) -> bool:
        return index in self._kept

    def __getitem__(self, index: int) -> UInt8:
        """The picture of a frame, in square pixels."""
        return self._kept[index]

    def number(self, index: int) -> int:
        """Counts the pictures put so far: the same for frames in which a picture stood still."""
        return self._numbers[index]

    @property
    def room(self) -> int:
        """How many frames the memory taken so far can hold."""
        return len({id(room) for room in self._kept.values()}) + len(self._spare)
