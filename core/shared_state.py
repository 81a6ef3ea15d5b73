"""State of the whole process that several threads want changed for a while, perhaps at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import Lock
from typing import Any


class Together:
    """Changes state when the first thread comes, and changes it back when the last has gone.

    If each thread did both, one that ends amid another would give that one the wrong state, and
    the last to end would leave behind what it found: the other's.

    Args:
        change: Enters and leaves the changed state.
    """

    def __init__(self, change: Callable[..., AbstractContextManager[None]]) -> None:
        self._change = change
        self._lock = Lock()
        self._users = 0
        self._state: AbstractContextManager[None] | None = None

    @contextmanager
    def __call__(self, *arguments: Any) -> Iterator[None]:
        """Hold the changed state while the block runs; the arguments of who comes first count."""
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
