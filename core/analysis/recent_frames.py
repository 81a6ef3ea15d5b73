"""Holds the frames that are still needed, in reused buffers."""

from __future__ import annotations

import numpy as np

from ..types import Frame, UInt8
from .square_pixels import Square


class RecentFrames:
    """The frames that are still needed, in buffers that are reused.

    Allocating each frame anew fragments the heap: a minute of 960x540 took 2.4 GB although at
    most 41 frames were alive. A picture repeated in several frames, as the very same array, is
    stored once.

    Args:
        square: Converts pictures to square pixels.
    """

    def __init__(self, square: Square | None = None) -> None:
        self._square = square or Square()
        self._kept: dict[int, UInt8] = {}
        self._spare: list[UInt8] = []
        self._last: tuple[UInt8, UInt8] | None = None
        """The last picture stored: the array passed in, and its copy."""
        self._numbers: dict[int, int] = {}
        self._pictures = 0

    def put(self, frame: Frame) -> None:
        """Store a copy of a frame; all frames have the same size."""
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
        """Free the frames before grid frame `index`."""
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
        """The number of a frame's picture; frames that repeat a picture share its number."""
        return self._numbers[index]

    @property
    def room(self) -> int:
        """How many frames fit into the buffers allocated so far."""
        return len({id(room) for room in self._kept.values()}) + len(self._spare)
