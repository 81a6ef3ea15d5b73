"""How far something long is, how fast it goes and how long it will take, in a line a minute."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from .types import GRID_FPS

EVERY_S = 60.0
"""Seconds between two lines."""
Clock = Callable[[], float]


class Minutes:
    """Tells when it is time for another line.

    Args:
        clock: The time in seconds, from any beginning.
    """

    def __init__(self, clock: Clock = monotonic) -> None:
        self.clock = clock
        self.begin()

    def begin(self) -> None:
        """Count from now on."""
        self.began_s = self._said_s = self.clock()

    def are_over(self) -> bool:
        """Whether a minute has passed since the last time that this was so, or the beginning."""
        now_s = self.clock()
        if now_s - self._said_s < EVERY_S:
            return False
        self._said_s = now_s
        return True

    @property
    def spent_s(self) -> float:
        """Seconds since the beginning."""
        return self.clock() - self.began_s


class StageLog:
    """Says when a stage of a run begins, and once a minute how far it is.

    Args:
        say: Called with each line.
        clock: The time in seconds, from any beginning.
    """

    def __init__(self, say: Callable[[str], None], clock: Clock = monotonic) -> None:
        self._say = say
        self._minutes = Minutes(clock)
        self._stage = ""
        self._first = 0

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Take the progress of the run; see `core.progress.Progress`."""
        if stage != self._stage or done < self._first:
            self._stage, self._first = stage, done
            self._minutes.begin()
            self._say(stage)
        elif total and self._minutes.are_over():
            speed = (done - self._first) / self._minutes.spent_s
            told = f"{stage}: {100 * done / total:.0f} %, {speed:.1f} frames/s"
            if speed:
                left = in_words(max(0, total - done) / speed)
                told += f" ({speed / GRID_FPS:.2f} times real time), {left} left"
            self._say(told)


def in_words(seconds: float) -> str:
    """A duration as people say it, such as "12 min" or "3 h 20 min"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 48 else f"{hours // 24} days {hours % 24} h"
