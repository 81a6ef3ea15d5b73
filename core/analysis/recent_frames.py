"""Holds the pictures of the frames that are still needed."""

from __future__ import annotations

from ..pictures import Frame, Picture
from .square_pixels import Square


class RecentFrames:
    """The pictures of the frames that are still needed, in square pixels.

    A picture repeated in several frames, as the very same object, is one here, too.

    Args:
        square: Converts pictures to square pixels.
    """

    def __init__(self, square: Square | None = None) -> None:
        self._square = square or Square()
        self._kept: dict[int, tuple[int, Picture]] = {}
        """By frame: the number of its picture, and the picture."""
        self._last: tuple[Picture, int, Picture] | None = None
        """The last picture put: as passed in, its number, and in square pixels."""

    def put(self, frame: Frame) -> None:
        """Hold a frame; frames come in order."""
        if self._last is None or self._last[0] is not frame.picture:
            number = self._last[1] + 1 if self._last else 0
            self._last = frame.picture, number, self._square.picture(frame.picture)
        self._kept[frame.index] = self._last[1:]

    def forget_before(self, index: int) -> None:
        """Free the frames before grid frame `index`."""
        for old in [kept for kept in self._kept if kept < index]:
            del self._kept[old]

    def __contains__(self, index: int) -> bool:
        return index in self._kept

    def __getitem__(self, index: int) -> Picture:
        """The picture of a frame, in square pixels."""
        return self._kept[index][1]

    def number(self, index: int) -> int:
        """The number of a frame's picture; frames that repeat a picture share its number."""
        return self._kept[index][0]

    def __len__(self) -> int:
        """How many different pictures are held."""
        return len({number for number, _ in self._kept.values()})
