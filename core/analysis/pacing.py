"""Decides on which frames the detector looks: at steady steps, or as often as the faces move."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from ..boxes import iou, pairs
from ..types import Detections
from .looking import Looker

LONGEST_STEP = 8
"""Most frames from one look to the next with `detect_every=auto`."""
_MOST_CHANGE = 0.3
"""The faces of two looks are followed straight from one to the other if each overlaps its next
place by at least one minus this, as intersection over union; otherwise the detector looks between.
It is above the change at which any tracker of asdkit takes a face for another one."""

Found = tuple[int, Detections]
"""A grid frame and its faces, in square pixels."""


def longest_step(detect_every: int | str) -> int:
    """Most frames from one look to the next, with this value of the option `detect_every`."""
    return LONGEST_STEP if isinstance(detect_every, str) else detect_every


class Pace(Protocol):
    """Chooses frames of a shot, always including its first and its last, and looks at them."""

    @property
    def waiting(self) -> int | None:
        """The first frame that may still be looked at besides the newest; None if none may be."""
        ...

    def take(self, index: int) -> list[Found]:
        """Take the next frame of a shot; return the frames looked at, in order, each once."""
        ...

    def end(self, last: int) -> list[Found]:
        """End the shot, whose last frame is `last`; return the frames looked at, in order."""
        ...


def pace(detect_every: int | str, looker: Looker) -> Pace:
    """The pace that the option `detect_every` asks for."""
    return Adaptive(looker) if isinstance(detect_every, str) else Steady(looker, detect_every)


class Steady:
    """Looks at one frame in so many, and at the last one; in batches.

    Args:
        looker: Runs the detector.
        step: Frames from one look to the next, 1 or more.
    """

    def __init__(self, looker: Looker, step: int) -> None:
        self._looker = looker
        self._step = step
        self._next: int | None = None
        """The next frame to look at; None at the beginning of a shot."""

    @property
    def waiting(self) -> int | None:
        """See `Pace`."""
        return self._looker.waiting

    def take(self, index: int) -> list[Found]:
        """See `Pace`."""
        if self._next is not None and index < self._next:
            return []
        self._next = index + self._step
        return self._looker.look() if self._looker.add(index) else []

    def end(self, last: int) -> list[Found]:
        """See `Pace`."""
        if self._next is not None and self._next != last + self._step:
            self._looker.add(last)
        self._next = None
        return self._looker.look()


class Adaptive:
    """Looks often where faces move or come and go, and seldom where they rest.

    The step to the next look grows to at most twice the last one, while at the speed of the
    fastest face no face would change its place by more than `_MOST_CHANGE`. If a face did so, came
    or went from one look to the next, the frame in the middle is looked at as well, and so on in
    either half, until each face rests from one look to the next or no frame is left between. So
    a face that stays is found from its first frame on, and one that moves is not taken for two.

    It looks at one frame at a time, as what it sees decides where it looks next.

    Args:
        looker: Runs the detector.
    """

    def __init__(self, looker: Looker) -> None:
        self._looker = looker
        self._last: Found | None = None
        """The last look; None at the beginning of a shot."""
        self._step = 1

    @property
    def waiting(self) -> int | None:
        """See `Pace`."""
        return self._last[0] + 1 if self._last else None

    def take(self, index: int) -> list[Found]:
        """See `Pace`."""
        if self._last and index < self._last[0] + self._step:
            return []
        return self._look_up_to(index)

    def end(self, last: int) -> list[Found]:
        """See `Pace`."""
        found = [] if self._last and self._last[0] == last else self._look_up_to(last)
        self._last, self._step = None, 1
        return found

    def _look_up_to(self, index: int) -> list[Found]:
        """Look at a frame, and between it and the last look where needed; choose the next step."""
        before, now = self._last, self._look(index)
        found = [now]
        if before:
            found = [*self._between(before, now), now]
            self._step = _next_step([before, *found])
        self._last = now
        return found

    def _between(self, first: Found, last: Found) -> list[Found]:
        """Look at as many of the frames between two looks as needed."""
        if last[0] - first[0] < 2 or _change(first[1], last[1]) <= _MOST_CHANGE:
            return []
        middle = self._look((first[0] + last[0]) // 2)
        return [*self._between(first, middle), middle, *self._between(middle, last)]

    def _look(self, index: int) -> Found:
        self._looker.add(index)
        (found,) = self._looker.look()
        return found


def _next_step(looks: list[Found]) -> int:
    """The step to the next look, from the last one before and those since."""
    (before, earlier), (last, faces) = looks[-2:]
    growth = 2 if len(looks) == 2 else 1
    change_per_frame = _change(earlier, faces) / (last - before)
    fastest = _MOST_CHANGE / max(change_per_frame, _MOST_CHANGE / LONGEST_STEP)
    return max(1, min(growth * (last - before), int(fastest)))


def _change(before: Detections, after: Detections) -> float:
    """How far the face that moved most has moved: one minus the overlap of its two places.

    It is 1 if a face came or went.
    """
    if len(before) != len(after):
        return 1.0
    overlap = iou(before.boxes, after.boxes)
    matched = pairs(overlap, float(np.nextafter(0, 1)))
    if len(matched) < len(before):
        return 1.0
    return 1.0 - min((float(overlap[row, column]) for row, column in matched), default=1.0)
