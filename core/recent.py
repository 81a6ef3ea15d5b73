"""Frames that are still needed, in memory that is used again."""

from __future__ import annotations

import numpy as np

from .types import Frame, UInt8


class RecentFrames:
    """The frames that are still needed, in memory that is used again and again.

    Left to the heap, frames that come and go between other things, large and small, break it
    up: a minute of 960x540 took 2.4 GB where 41 frames were alive at most.
    """

    def __init__(self) -> None:
        self._kept: dict[int, UInt8] = {}
        self._spare: list[UInt8] = []

    def put(self, frame: Frame) -> None:
        """Keep a copy of a frame, of the same size as all others."""
        room = self._spare.pop() if self._spare else np.empty_like(frame.image)
        room[:] = frame.image
        self._kept[frame.index] = room

    def forget_before(self, index: int) -> None:
        """Forget the frames before grid frame `index`."""
        for old in [kept for kept in self._kept if kept < index]:
            self._spare.append(self._kept.pop(old))

    def __contains__(self, index: int) -> bool:
        return index in self._kept

    def __getitem__(self, index: int) -> UInt8:
        return self._kept[index]

    @property
    def room(self) -> int:
        """How many frames the memory taken so far can hold."""
        return len(self._kept) + len(self._spare)
