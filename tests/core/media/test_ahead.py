"""Items that are made in a thread beside."""

from __future__ import annotations

import threading
from contextlib import closing

import pytest

from asdkit.core.media.ahead import ahead


def threads() -> set[str]:
    return {thread.name for thread in threading.enumerate()}


def test_all_items_come_in_order():
    assert list(ahead((k for k in range(100)), 3)) == list(range(100))
    assert "asdkit-ahead" not in threads()


def test_nothing_is_nothing():
    assert list(ahead((k for k in ()), 3)) == []


def test_an_error_comes_after_the_items_before_it():
    def items():
        yield 1
        raise ValueError("broken")

    found = []
    with pytest.raises(ValueError, match="broken"):
        found.extend(iter(ahead(items(), 3)))
    got = ahead(items(), 3)
    assert next(got) == 1
    with pytest.raises(ValueError, match="broken"):
        next(got)
    assert "asdkit-ahead" not in threads()


def test_it_is_never_far_ahead_and_ends_with_who_uses_it():
    made, closed = [], threading.Event()

    def items():
        try:
            for k in range(1000):
                made.append(k)
                yield k
        finally:
            closed.set()

    with pytest.raises(KeyboardInterrupt), closing(ahead(items(), 3)) as got:
        for k in got:
            assert len(made) <= k + 1 + 3 + 1
            if k == 5:
                raise KeyboardInterrupt
    assert closed.is_set()
    assert "asdkit-ahead" not in threads()
    assert len(made) <= 10
