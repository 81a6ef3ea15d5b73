"""Decides which components run in a thread beside the others."""

from __future__ import annotations

from ..cores import cores


def runs_beside(component: object, threads: int | None) -> bool:
    """Whether a component runs in a thread of its own, as its attribute `concurrent` allows.

    Args:
        component: A cutter or a scorer.
        threads: The option `threads`; with 1, or with a single core, nothing runs beside.
    """
    return bool(getattr(component, "concurrent", False)) and (threads or cores()) > 1
