"""Ends the command promptly and cleanly on SIGINT, SIGTERM and SIGHUP.

A signal raises `Stopped` in the main thread, so that everything is cleaned up as after any other
exception. But Python cannot raise while a library call runs, which may take a minute; in that case
another thread does the most important clean-up and ends the process. What goes on until it is told
to end, such as a camera's pictures, is asked to by the first signal, and stopped by the second.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

_PATIENCE_S = 1.0
"""How long the main thread may take to end by itself."""
_RESORTS: list[Callable[[], str | None]] = []
_ASKED: list[tuple[Callable[[], None], list[int]]] = []
"""What the first signal calls instead of stopping, and where it leaves its number; the latest
last."""


class Stopped(KeyboardInterrupt):
    """The command was stopped by a signal.

    Attributes:
        number: The signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


@contextmanager
def last_resort(act: Callable[[], str | None]) -> Iterator[None]:
    """Register a clean-up for the case that the process is ended inside the block.

    Args:
        act: The clean-up, called from another thread while this one may be anywhere in the block.
            It may return a sentence on how to resume.
    """
    _RESORTS.append(act)
    try:
        yield
    finally:
        _RESORTS.remove(act)


@contextmanager
def asked_first(act: Callable[[], None]) -> Iterator[list[int]]:
    """Have the first signal within the block ask for an end; the second one stops as ever.

    Args:
        act: Asks what runs in the block to end soon; called from another thread.

    Yields:
        A list that gets the first signal's number when it arrives.
    """
    got: list[int] = []
    _ASKED.append((act, got))
    try:
        yield got
    finally:
        _ASKED.remove((act, got))


@contextmanager
def stoppable(tell: Callable[[str], None]) -> Iterator[list[int]]:
    """Let the signals raise `Stopped`, once; end the process if that does not suffice.

    Signals that have another handler or are ignored, as under nohup, are left alone. Outside the
    main thread nothing is changed.

    Args:
        tell: Called with a line that the process was stopped, if it must be ended.

    Yields:
        A list that gets the signal's number when it arrives, in case a library replaces `Stopped`
        by another exception.
    """
    got: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield got
        return
    usual: dict[int, Any] = {
        signal.SIGINT: signal.default_int_handler,
        signal.SIGTERM: signal.SIG_DFL,
    }
    if hasattr(signal, "SIGHUP"):  # the terminal is closed, or the connection to it lost
        usual[signal.SIGHUP] = signal.SIG_DFL
    ours = {number: how for number, how in usual.items() if signal.getsignal(number) == how}

    def stop(number: int, _: Any) -> None:
        if _ASKED and not _ASKED[-1][1]:
            _ASKED[-1][1].append(number)  # the thread that watches asks
        elif not got:
            got.append(number)
            raise Stopped(number)

    near, far = socket.socketpair()
    far.setblocking(False)
    over = threading.Event()
    threading.Thread(target=_watch, args=(near, set(ours), over, tell), daemon=True).start()
    before = signal.set_wakeup_fd(far.fileno(), warn_on_full_buffer=False)
    for number in ours:
        signal.signal(number, stop)
    try:
        yield got
    finally:
        for number, how in ours.items():
            signal.signal(number, how if not got else signal.SIG_IGN)
        signal.set_wakeup_fd(before)
        if not got:  # after a signal, keep watching until the interpreter has ended
            over.set()
            far.close()


def _watch(near: socket.socket, numbers: set[int], over: threading.Event, tell: Any) -> None:
    """Wait for a signal; end the process if the main thread does not."""
    if hasattr(signal, "pthread_sigmask"):  # the main thread handles signals
        signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    asked: list[Any] = []
    with near:  # stays open to the end, as further signals are written to it, too
        while got := near.recv(1):
            if got[0] not in numbers:
                continue
            asking = _ASKED[-1:]
            if not asking or asking == asked:
                break
            asked = asking
            asked[0][0]()
        else:
            return
        if over.wait(_PATIENCE_S):
            return
        words = None
        for act in reversed(_RESORTS):
            with suppress(Exception):
                words = act() or words
        with suppress(Exception):
            tell(stopped_line(words))
        for stream in (sys.stdout, sys.stderr):
            with suppress(Exception):
                stream.flush()
        os._exit(128 + got[0])


def stopped_line(words: object) -> str:
    """The line to print for a stopped command; `words`, if any, say how to resume."""
    return f"asd: stopped. {words}" if words and str(words) else "asd: stopped"
