"""Draws what changes in place on a terminal, and gives the cursor back however the process ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .stopping import last_resort

if TYPE_CHECKING:
    from rich.live import Live
    from rich.progress import Progress

_drawn: list[Progress | Live] = []
"""What is being drawn, the latest last."""
_hiding: list[None] = []
"""As many entries as blocks are running in which nothing is drawn."""


@contextmanager
def hidden() -> Iterator[None]:
    """Draw no bars while the block runs, in any thread."""
    _hiding.append(None)
    try:
        yield
    finally:
        _hiding.pop()


@contextmanager
def drawn(bars: Progress | Live) -> Iterator[None]:
    """Draw bars, or anything else, on their terminal while the block runs.

    Only one thing can be drawn at a time: bars that are drawn already, such as those of a run that
    turns out to need a download, are taken away meanwhile. Nothing is drawn within `hidden`.
    """
    if _hiding:
        yield
        return
    if _drawn:
        _drawn[-1].stop()
    _drawn.append(bars)

    def show_cursor() -> None:
        # Not to sys.stderr, in whose place rich puts a stream that swallows such codes meanwhile.
        print("\x1b[?25h", file=bars.console.file, flush=True)

    try:
        with last_resort(show_cursor):
            bars.start()
            try:
                yield
            finally:
                bars.stop()
    finally:
        _drawn.pop()
        if _drawn:
            _drawn[-1].start()
