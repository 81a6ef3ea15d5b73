"""Tells of the jobs of a batch, and of what they have done, while a launcher waits for them."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import which

from ..errors import AsdError
from .jobs import in_words, submitted_jobs
from .manifest import Records, now

_LOOK_S = 0.5
"""How often to look for new jobs until there are some."""


@contextmanager
def told_of_jobs(folder: Path, tell: Callable[[str], None], every_s: float = 60) -> Iterator[None]:
    """Tell of jobs as soon as they are submitted, and then of videos, while the block runs.

    Args:
        folder: The output folder of the batch.
        tell: Called from another thread, with the jobs once, and with what became of the videos
            whenever that has changed.
        every_s: Seconds between two lines, at least.

    Yields:
        Nothing. If the block is stopped, the exception gets words on how to go on, as the jobs do.
    """
    watch = _Watch(folder, tell, every_s)
    watch.start()
    try:
        yield
    except KeyboardInterrupt as stop:
        if watch.jobs:
            told = f"The jobs go on: asd batch status {folder} tells of them"
            if which("scancel"):  # not with submitit_local
                told += f", and scancel {in_words(watch.jobs).replace(', ', ' ')} ends them"
            stop.args = (told,)
        raise
    finally:
        watch.over.set()
        watch.join()


class _Watch(threading.Thread):
    """The thread of `told_of_jobs`.

    Attributes:
        over: Set when there is nothing to wait for any more.
        jobs: The jobs submitted since it was made.
    """

    def __init__(self, folder: Path, tell: Callable[[str], None], every_s: float) -> None:
        super().__init__(daemon=True)
        self.over = threading.Event()
        self.jobs: Sequence[str] = ()
        self._folder = folder
        self._tell = tell
        self._every_s = every_s
        self._earlier = frozenset(submitted_jobs(folder))
        self._since = now()

    def run(self) -> None:
        """Tell until it is over, or nobody listens any more."""
        with suppress(OSError):
            while not self.over.wait(_LOOK_S):
                before, self.jobs = self.jobs, self._new_jobs()
                if before and before == self.jobs:  # those of an array appear one by one
                    break
            if self.jobs:
                logs = f"their logs are in {self._folder / '.submitit'}"
                self._tell(f"jobs {in_words(self.jobs)} are submitted; {logs}")
            records, before = None, ""
            while not self.over.wait(self._every_s):
                with suppress(AsdError):  # a manifest that cannot be read now may be later
                    records = records or Records(self._folder)
                    records.refresh()
                    line = self._counts(records)
                    if line != before:
                        self._tell(line)
                    before = line

    def _new_jobs(self) -> Sequence[str]:
        found = submitted_jobs(self._folder)
        return [job for job in found if job not in self._earlier]

    def _counts(self, records: Records) -> str:
        """What became of the videos so far, in a line."""
        states = Counter(record.state for record in records.latest.values())
        found = [begin.found for begin in records.begins if begin.time >= self._since]
        total = f" of {max(found)}" if found else ""
        words = [f"{states['done']}{total} done", f"{states['failed']} failed"]
        return ", ".join([*words, f"{states['started']} begun"])
