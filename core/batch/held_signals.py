"""Signals that wait while a process is started."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker

SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGUSR2") if hasattr(signal, name)
]
"""Also sent to the parent, which decides; USR2 is how Slurm tells of a job's limit."""


@contextmanager
def signals_held() -> Iterator[None]:
    """A block within which signals wait.

    A process started in it holds them until it decides; a terminal sends Ctrl-C to it, too, and
    Python would answer with a traceback until then.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    # The first start of a process starts this one, too, and that lets signals through again.
    resource_tracker.ensure_running()
    with _handlers_held():
        before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _handlers_held() -> Iterator[None]:
    """A block at whose end signals are answered that came within it.

    Whichever thread of the process gets a signal, Python answers it in the main thread, even if
    that one lets none through.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    got: list[int] = []
    before = {number: how for number in SIGNALS if callable(how := signal.getsignal(number))}
    for number in before:
        signal.signal(number, lambda number, _: got.append(number))
    try:
        yield
    finally:
        for number, how in before.items():
            signal.signal(number, how)
        for number in got:
            before[number](number, None)
