"""Checks what components say of themselves by their attributes; errors name the one at fault."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..contracts import Cutter
from ..errors import PluginError
from .answers import asked


def checked_lookahead(name: str, cutter: Cutter) -> int:
    """A cutter's `lookahead_frames`; 0 if it has none.

    Raises:
        PluginError: It is not a number of frames.
    """
    with asked(name):
        frames = getattr(cutter, "lookahead_frames", 0)
    if not isinstance(frames, int | np.integer) or isinstance(frames, bool) or frames < 0:
        raise PluginError(
            f"{name} has lookahead_frames={frames!r}, which is no number of frames",
            "Leave it out for a cutter that needs no later frames",
        )
    return int(frames)


def checked_concurrent(name: str, part: object) -> bool:
    """Whether a component says by its attribute `concurrent` that it may run beside others.

    Raises:
        PluginError: It says neither yes nor no.
    """
    without = "a component that must be called in the thread of all others"
    return _yes_or_no(name, part, "concurrent", default=False, without=without)


def checked_looks(name: str, part: object) -> bool:
    """Whether a component looks at pictures; its attribute `looks` is False if it does not.

    Raises:
        PluginError: It says neither yes nor no.
    """
    without = "a component that looks at pictures"
    return _yes_or_no(name, part, "looks", default=True, without=without)


def checked_knows_ids(name: str, part: object) -> bool:
    """Whether a detector says by its attribute `knows_ids` whose face each is.

    Raises:
        PluginError: It says neither yes nor no.
    """
    return _yes_or_no(name, part, "knows_ids", default=False, without="a detector without ids")


def _yes_or_no(name: str, part: object, attribute: str, *, default: bool, without: str) -> bool:
    with asked(name):
        said = getattr(part, attribute, default)
    if not isinstance(said, bool):
        raise PluginError(
            f"{name} has {attribute}={said!r}, which must be True or False",
            f"Leave it out for {without}",
        )
    return said


def checked_side(name: str, side: Any) -> int | None:
    """The longer side of the pictures that a component looks at; None for whole pictures.

    Raises:
        PluginError: It is neither None nor a number of pixels.
    """
    if side is None:
        return None
    if not isinstance(side, int | np.integer) or isinstance(side, bool) or side < 1:
        raise PluginError(
            f"{name} has input_side_px={side!r}, which is no number of pixels",
            "None, or leaving it out, asks for whole pictures",
        )
    return int(side)
