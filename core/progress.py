"""How a run tells of its progress, and how it measures where its time goes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Protocol


class Progress(Protocol):
    """Is told how far a run has come."""

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Take note.

        Args:
            stage: What is being done.
            done: Frames done in this stage.
            total: Frames there are; 0 where the stage does not count frames.
        """
        ...


def silent(stage: str, done: int, total: int) -> None:
    """Tell nobody."""


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
