"""Lets several threads use one component, one of them at a time."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from threading import Lock
from typing import Any

from .contracts import methods

_MORE = ("smallest_face_px", "input_side_px", "detect_scaled", "score_shifted", "score_scene")
"""Methods that a component may have besides those of its kind: see `ScalingDetector`,
`ShiftingScorer`, `core.scenes.SceneScorer` and `Detector`."""


def one_at_a_time(kind: str, part: Any) -> Any:
    """A stand-in for a component, of which one thread calls one method at a time.

    Args:
        kind: The kind of component.
        part: The component. Contracts promise that its answers depend on its input alone, not that
            it can be called by two threads at once.
    """
    return _OneAtATime(part, (*methods(kind), *_MORE))


class _OneAtATime:
    def __init__(self, part: Any, names: tuple[str, ...]) -> None:
        self._part = part
        lock = Lock()
        # Attributes of the instance are found by isinstance() with ScalingDetector, too.
        for name in names:
            if hasattr(part, name):
                setattr(self, name, _locked(getattr(part, name), lock))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._part, name)


def _locked(method: Callable[..., Any], lock: Lock) -> Callable[..., Any]:
    @wraps(method)
    def call(*arguments: Any, **named: Any) -> Any:
        with lock:
            return method(*arguments, **named)

    return call
