"""Reporting the progress of a run, and timing its stages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import perf_counter
from typing import Protocol

from .errors import CancelledError


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


class Event(Protocol):
    """What can be set to cancel a run, such as a `threading.Event`."""

    def is_set(self) -> bool:
        """Whether it is set."""
        ...


class Teller:
    """Reports the progress of one run, and ends it where its caller wants that.

    Args:
        progress: Called with the progress; what it raises ends the run.
        cancel: Ends the run when it is set, by `CancelledError`.
    """

    def __init__(self, progress: Progress, cancel: Event | None = None) -> None:
        self._progress = progress
        self._cancel = cancel
        self._raised: Exception | None = None

    def __call__(self, stage: str, done: int, total: int) -> None:
        """See `Progress`.

        Raises:
            CancelledError: `cancel` is set.
        """
        self._check()
        try:
            self._progress(stage, done, total)
        except Exception as error:
            self._raised = error
            raise
        self._check()  # the callback may have set it

    def _check(self) -> None:
        if self._cancel is not None and self._cancel.is_set():
            raise CancelledError

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Report a stage, in which `report` can be called by whoever works on it.

        An error of the callback is raised as it is, whatever a component has made of it.
        """
        self(name, 0, 0)
        before = _reporting.set(lambda done, total: self(name, done, total))
        try:
            yield
        except Exception:
            if self._raised is not None:
                raise self._raised from None
            raise
        finally:
            _reporting.reset(before)


_reporting: ContextVar[Callable[[int, int], None] | None] = ContextVar("reporting", default=None)


def report(done: int, total: int = 0) -> None:
    """Report how far the stage of a run is, from within a component in the thread of the run.

    A writer that takes long calls this between parts of its work. It may raise anything, to end the
    run: let it pass. Outside a run nothing happens.

    Args:
        done: Frames, or other parts, that are done.
        total: How many there are; 0 if that is not known.
    """
    tell = _reporting.get()
    if tell is not None:
        tell(done, total)


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
