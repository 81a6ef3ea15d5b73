"""Changes process-wide state temporarily, for several threads at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import Lock
from typing import Any


class Together:
    """Changes state when the first thread enters, and restores it when the last one leaves.

    If each thread changed and restored it, a thread that ends first would restore the state under
    the other one, and the last to end would "restore" the state that the other one had set.

    Args:
        change: The context manager that changes and restores the state.
    """

    def __init__(self, change: Callable[..., AbstractContextManager[None]]) -> None:
        self._change = change
        self._lock = Lock()
        self._users = 0
        self._state: AbstractContextManager[None] | None = None

    @contextmanager
    def __call__(self, *arguments: Any) -> Iterator[None]:
        """Hold the changed state while the block runs; the first thread's arguments are used."""
        with self._lock:
            if self._state is None:
                state = self._change(*arguments)
                state.__enter__()
                self._state = state
            self._users += 1
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1
                if self._users == 0 and self._state is not None:
                    self._state.__exit__(None, None, None)
                    self._state = None
