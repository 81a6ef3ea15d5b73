"""What a live session measures of itself, once a second."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from ..progress import Stopwatch
from .ticks import Counts

EVERY_S = 1.0
"""Seconds between two measurements."""


class Status:
    """Measures delays, and how much of the time each stage takes.

    Args:
        counts: What is counted of the stream.
        watch: Times the stages.
        clock: The time in seconds.
    """

    def __init__(self, counts: Counts, watch: Stopwatch, clock: Callable[[], float]) -> None:
        self._counts, self._watch, self._clock = counts, watch, clock
        self._begin()

    def _begin(self) -> None:
        self._since_s = self._clock()
        self._spent_s = dict(self._watch.seconds)
        self._frames: list[float] = []
        self._events: list[float] = []
        self._faces = 0

    def frame(self, at_s: float) -> None:
        """Note that a frame that arrived at this time was looked at."""
        self._frames.append(max(0.0, self._clock() - at_s))

    def event(self, delay_s: float | None) -> None:
        """Note the delay of an event."""
        if delay_s is not None:
            self._events.append(delay_s)

    def faces(self, rows: int) -> None:
        """Note for how many faces, each in a frame, it was decided whether they speak."""
        self._faces += rows

    def told(self) -> dict[str, Any] | None:
        """The measurements since the last ones, as plain values; None if it is too early.

        Counts are those of the session. `used` is the share of the time that each stage took:
        those of stages beside each other may add up to more than 1.
        """
        passed_s = self._clock() - self._since_s
        if passed_s < EVERY_S:
            return None
        before = self._spent_s
        about = {
            "delay_s": {"frames": _summary(self._frames), "events": _summary(self._events)},
            "counts": asdict(self._counts),
            "faces_per_s": round(self._faces / passed_s, 1),
            "used": {
                stage: round((spent_s - before.get(stage, 0.0)) / passed_s, 3)
                for stage, spent_s in self._watch.seconds.items()
            },
        }
        self._begin()
        return about


def _summary(delays_s: list[float]) -> dict[str, float] | None:
    if not delays_s:
        return None
    return {"mean": round(sum(delays_s) / len(delays_s), 3), "worst": round(max(delays_s), 3)}
