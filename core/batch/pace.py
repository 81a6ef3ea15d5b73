"""How far a batch is, in a line a minute, from what its workers report."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

from ..pace import Clock, Minutes, in_words
from ..types import GRID_FPS
from .manifest import Record

_STEP_S = 5.0
"""Least seconds between two reports of a worker's progress."""


@dataclass(frozen=True)
class Step:
    """How far a worker is with its video.

    Attributes:
        done: Frames done in the current stage.
        total: Of how many.
    """

    done: int
    total: int


class Reports:
    """Reports the progress of a video, but not more often than every few seconds.

    Args:
        send: Called with each report.
        clock: The time in seconds, from any beginning.
    """

    def __init__(self, send: Callable[[Step], None], clock: Clock = monotonic) -> None:
        self._send = send
        self._clock = clock
        self._sent_s = -math.inf

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Take the progress of the run; see `core.progress.Progress`."""
        if total and self._clock() - self._sent_s >= _STEP_S:
            self._sent_s = self._clock()
            self._send(Step(done, total))


class BatchPace:
    """Keeps count of the videos of a batch.

    Args:
        total: How many videos are to be done.
        clock: The time in seconds, from any beginning.
    """

    def __init__(self, total: int, clock: Clock = monotonic) -> None:
        self._total = total
        self._minutes = Minutes(clock)
        self._ended = 0
        self._seen_s = 0.0
        """Seconds of video in what is done."""
        self._under_way: dict[str, tuple[int, int]] = {}
        """By name, of videos that are being processed: frames done, and of how many."""

    def step(self, name: str, done: int, total: int) -> None:
        """Take how many frames of a video are done, and of how many."""
        self._under_way[name] = done, total

    def end(self, record: Record) -> None:
        """Take the outcome of a video."""
        self._under_way.pop(record.name, None)
        self._ended += 1
        self._seen_s += record.video_s or 0.0

    def line(self) -> str | None:
        """What to say now, if a minute has passed since it was last said."""
        if not self._minutes.are_over():
            return None
        parts = {name: done / total for name, (done, total) in self._under_way.items()}
        share = (self._ended + sum(parts.values())) / self._total
        seen_s = self._seen_s + sum(done for done, _ in self._under_way.values()) / GRID_FPS
        spent_s = self._minutes.spent_s
        told = f"{self._ended} of {self._total} videos, {100 * share:.1f} %"
        told += f", {seen_s / spent_s:.2f} times real time"
        if share:
            told += f", {in_words(spent_s * (1 - share) / share)} left"
        if parts:
            told += "; " + ", ".join(f"{name} {100 * part:.0f} %" for name, part in parts.items())
        return told
