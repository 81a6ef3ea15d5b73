"""Reporting the progress of a run, and timing its stages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Protocol


class Progress(Protocol):
    """A callback for the progress of a run."""

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Report progress.

        Args:
            stage: Name of the current stage.
            done: Frames done in this stage.
            total: Total number of frames; 0 if the stage does not count frames.
        """
        ...


def silent(stage: str, done: int, total: int) -> None:
    """Ignore progress."""


class Stopwatch:
    """Adds up the seconds spent in each stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._start = perf_counter()

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """Measure a block as part of `stage`; blocks must not be nested."""
        start = perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + perf_counter() - start

    def total(self) -> dict[str, float]:
        """Seconds of each stage, and of everything since the start as "total"."""
        return {**self.seconds, "total": perf_counter() - self._start}
