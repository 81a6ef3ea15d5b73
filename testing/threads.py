"""Calls components in another thread, if they say that this is allowed."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import Any, TypeVar

import numpy as np

from ..core.analysis.attributes import checked_concurrent
from .holding import hold

_Answer = TypeVar("_Answer")


def called(part: object, name: str, call: Callable[[], _Answer]) -> _Answer:
    """Call a component as a run does: in another thread, if it says that it is `concurrent`.

    Args:
        part: The component.
        name: The component in words.
        call: Calls it.

    Raises:
        PluginError: It says neither yes nor no, or uses random numbers that others use, too.
    """
    if not checked_concurrent(name, part):
        return call()
    torch = sys.modules.get("torch")
    before = _generators(torch)
    with ThreadPoolExecutor(1) as thread:
        answer = thread.submit(call).result()
    hold(
        _generators(torch) == before,
        f"{name} says by concurrent = True that it may run beside other components, but it draws "
        "from a random generator that they use, too, or sets it",
        "Give it a generator of its own, as by numpy.random.default_rng(0), or leave concurrent "
        "out",
    )
    return answer


def _generators(torch: ModuleType | None) -> list[Any]:
    """The states of the random generators of the whole process, of PyTorch if it is there."""
    _, keys, *rest = np.random.get_state()
    states: list[Any] = [random.getstate(), np.asarray(keys).tobytes(), rest]
    if torch:
        states.append(torch.random.get_rng_state().numpy().tobytes())
    return states
