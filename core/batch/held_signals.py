"""Blocks signals while a process is started, which ends with the one that started it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from multiprocessing.connection import wait

SIGNALS = [
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR2")
    if hasattr(signal, name)
]
"""Signals that the parent gets, too, and handles; Slurm announces a job's time limit by USR2."""


@contextmanager
def signals_held() -> Iterator[None]:
    """Block signals while the block runs.

    A process started within inherits the blocked signals until it installs its own handlers. A
    terminal sends Ctrl-C to the new process, too, which would print a traceback otherwise.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    # The first process start also starts the resource tracker, which unblocks signals: do it now.
    resource_tracker.ensure_running()
    with _handlers_held():
        before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _handlers_held() -> Iterator[None]:
    """Defer Python's signal handlers to the end of the block.

    Blocking signals does not suffice: if any thread receives a signal, Python runs its handler in
    the main thread, even if the main thread blocks it.
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


def end_with_parent() -> None:
    """End this process when its parent ends for any reason; to be run in a thread of its own."""
    parent = multiprocessing.parent_process()
    assert parent
    wait([parent.sentinel])
    os._exit(1)
