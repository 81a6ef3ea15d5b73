"""Ends the command on SIGINT and SIGTERM: soon, and with nothing left behind by mistake.

A signal raises `Stopped` in the main thread, so that everything is put in order as for any other
exception. But Python cannot raise while a library computes, which may take a minute; then a thread
does what is most needful, and ends the process.
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
"""How long the main thread is given to end by itself."""
_RESORTS: list[Callable[[], str | None]] = []


class Stopped(KeyboardInterrupt):
    """A signal has asked the command to end.

    Attributes:
        number: The signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


@contextmanager
def last_resort(act: Callable[[], str | None]) -> Iterator[None]:
    """Have something done if the process must end within the block without leaving it.

    Args:
        act: What is to be done, from another thread, while this one may be anywhere in the block.
            It may return words on how to go on.
    """
    _RESORTS.append(act)
    try:
        yield
    finally:
        _RESORTS.remove(act)


@contextmanager
def stoppable(tell: Callable[[str], None]) -> Iterator[list[int]]:
    """Let SIGINT and SIGTERM raise `Stopped`, once; and end the process if that is not enough.

    Of a signal that somebody else handles, or that is ignored as under nohup, nothing changes;
    and nothing at all outside the main thread.

    Args:
        tell: Is told in a line that the process was stopped, where it must be ended.

    Yields:
        The signal that came, once one has; libraries may have made another exception of it.
    """
    got: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield got
        return
    usual: dict[int, Any] = {
        signal.SIGINT: signal.default_int_handler,
        signal.SIGTERM: signal.SIG_DFL,
    }
    ours = {number: how for number, how in usual.items() if signal.getsignal(number) == how}

    def stop(number: int, _: Any) -> None:
        if not got:
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
        if not got:  # else the interpreter's own end is watched, too
            over.set()
            far.close()


def _watch(near: socket.socket, numbers: set[int], over: threading.Event, tell: Any) -> None:
    """Wait for a signal; end the process if the main thread does not."""
    if hasattr(signal, "pthread_sigmask"):  # signals are for the main thread
        signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    with near:  # to the very end: another signal may come, and is written here, too
        while got := near.recv(1):
            if got[0] in numbers:
                break
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
    """What is said of a command that was stopped; `words` tell how to go on, if they do."""
    return f"asd: stopped. {words}" if words and str(words) else "asd: stopped"
