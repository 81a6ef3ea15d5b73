"""How long it took from the arrival of a frame until something was told of it."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Callable
from dataclasses import replace

from ..types import GRID_FPS
from .events import LiveEvent

_TIMED = ("appeared", "left", "named", "speaking", "silent", "cut", "faces")
"""Kinds of events that tell of a frame."""


class Delays:
    """Knows when the last frames arrived.

    Args:
        frames: Of how many grid frames it is known.
        clock: The time in seconds, on the clock of `core.live.ticks.Tick.at_s`.
    """

    def __init__(self, frames: int, clock: Callable[[], float]) -> None:
        self._indices: deque[int] = deque(maxlen=frames)
        self._at_s: deque[float] = deque(maxlen=frames)
        self._clock = clock

    def came(self, index: int, at_s: float) -> None:
        """Note when a grid frame arrived; they come in order."""
        self._indices.append(index)
        self._at_s.append(at_s)

    def timed(self, event: LiveEvent) -> LiveEvent:
        """The event with the seconds since the frame of its time arrived, as far as known.

        An event of the end of something, such as a turn that lasts to the last frame, is of the
        frame before.
        """
        if event.event not in _TIMED:
            return event
        place = bisect_right(self._indices, round(event.time_s * GRID_FPS)) - 1
        if place < 0:
            return event
        return replace(event, delay_s=max(0.0, self._clock() - self._at_s[place]))
