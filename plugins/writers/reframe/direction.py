"""Decides who is to be shown when, within one shot."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations, pairwise

import numpy as np

from ....core.types import GRID_FPS
from .people import Mask, Person

_ROUNDING = 1e-9
"""0.2 s is five frames despite rounding errors."""


@dataclass(frozen=True)
class Scene:
    """A stretch of a shot, in frames from the shot's first one.

    Attributes:
        first: Its first frame.
        end: The frame after its last one.
        who: The places in the list of people of those to show: none, one, or two.
    """

    first: int
    end: int
    who: tuple[int, ...]


@dataclass(frozen=True)
class Rules:
    """When to go from one person to another, in seconds; see `ReframeConfig`."""

    hold_s: float
    pause_s: float
    lead_s: float
    split_s: float | None
    absent_s: float


def directed(
    people: Sequence[Person], frames: int, rules: Rules, recent: str | None = None
) -> list[Scene]:
    """Decide who is shown when in a shot.

    A person's turn is their speech with its pauses filled; turns shorter than `hold_s` do not
    count, the others begin `lead_s` early. Whoever is shown stays until their turn is over and
    somebody else has one, or until they are gone for `hold_s`. Two whose turns overlap for
    `split_s` are shown together. Before the first turn of the shot the one who will have it is
    shown; in a shot without turns whoever spoke most recently, else the largest face. Nobody is
    shown while no face is visible for `absent_s`.

    Args:
        people: The people of the shot.
        frames: Its length.
        rules: The rules.
        recent: The name of whoever spoke last before this shot.

    Returns:
        Scenes without gaps, each of `hold_s` or longer unless it is the only one; neighbours
        differ.
    """
    hold = _frames(rules.hold_s)
    if not people:
        return [Scene(0, frames, ())]
    chooser = _Chooser(people, rules, recent)
    scenes: list[Scene] = []
    shown: tuple[int, ...] | None = None
    for first, end in pairwise(chooser.changes(frames)):
        shown = chooser.next(first, shown)
        scenes.append(Scene(first, end, shown))
    return _long_enough(_joined(scenes), hold)


class _Chooser:
    """Chooses whom to show next, from what was shown before."""

    def __init__(self, people: Sequence[Person], rules: Rules, recent: str | None) -> None:
        hold = _frames(rules.hold_s)
        self._people = people
        self._here = [_filled(person.visible, hold - 1, ends=True) for person in people]
        pause = math.floor(rules.pause_s * GRID_FPS + _ROUNDING)
        spoken = (_filled(person.speaking, pause) for person in people)
        lead = math.floor(rules.lead_s * GRID_FPS + _ROUNDING)
        self._turns = [
            _begun_early(_runs_of(turn & here, hold), lead) & here
            for turn, here in zip(spoken, self._here, strict=True)
        ]
        nobody = ~np.logical_or.reduce([person.visible for person in people])
        self._nobody = _runs_of(nobody, _frames(rules.absent_s))
        self._both: dict[tuple[int, ...], Mask] = {}
        if rules.split_s is not None:
            for one, other in combinations(range(len(people)), 2):
                both = _runs_of(self._turns[one] & self._turns[other], _frames(rules.split_s))
                if both.any():
                    self._both[one, other] = both
        names = [person.name for person in people]
        self._recent = names.index(recent) if recent in names else None

    def changes(self, frames: int) -> list[int]:
        """The frames where anything changes that a choice depends on, and both ends."""
        masks = [*self._turns, *self._here, *self._both.values(), self._nobody]
        found = {0, frames}
        for mask in masks:
            found.update((np.flatnonzero(mask[1:] != mask[:-1]) + 1).tolist())
        return sorted(found)

    def next(self, frame: int, shown: tuple[int, ...] | None) -> tuple[int, ...]:
        """Whom to show from a frame on.

        Args:
            frame: The frame.
            shown: Who was shown before it; None at the beginning of the shot.
        """
        if self._nobody[frame]:
            return ()
        talking = [n for n, turn in enumerate(self._turns) if turn[frame]]
        chosen = self._talking(frame, talking, shown or ())
        if talking:
            self._recent = chosen[0] if len(chosen) == 1 else self._recent
            return chosen
        here = [n for n in range(len(self._people)) if self._here[n][frame]]
        staying = tuple(n for n in shown or () if n in here)
        if staying or not here:
            return staying or shown or self._waited_for()
        return (self._resting(frame, here, first=shown is None),)

    def _talking(
        self, frame: int, talking: Sequence[int], shown: tuple[int, ...]
    ) -> tuple[int, ...]:
        """Whom to show of those who have a turn; none if nobody has."""
        pairs = [pair for pair, both in self._both.items() if both[frame]]
        if pairs:
            return (
                shown
                if shown in pairs
                else max(pairs, key=lambda pair: _left(self._both[pair], frame))
            )
        staying = [n for n in talking if n in shown] or talking
        return tuple(sorted(staying, key=lambda n: -_left(self._turns[n], frame))[:1])

    def _resting(self, frame: int, here: Sequence[int], *, first: bool) -> int:
        """Whom to show while nobody speaks."""
        coming = {n: int(self._turns[n][frame:].argmax()) for n in here if self._turns[n].any()}
        if first and coming:
            return min(coming, key=lambda n: coming[n])
        if self._recent is not None and self._recent in here:
            return self._recent
        return max(here, key=lambda n: self._people[n].area)

    def _waited_for(self) -> tuple[int, ...]:
        """Whoever is seen first in the shot: the crop waits for them."""
        return (min(range(len(self._people)), key=lambda n: int(self._here[n].argmax())),)


def _joined(scenes: Sequence[Scene]) -> list[Scene]:
    """Scenes with neighbours joined that show the same."""
    found: list[Scene] = []
    for scene in scenes:
        if found and found[-1].who == scene.who:
            found[-1] = replace(found[-1], end=scene.end)
        else:
            found.append(scene)
    return found


def _long_enough(scenes: Sequence[Scene], hold: int) -> list[Scene]:
    """Scenes without those shorter than `hold` frames, whose time goes to the one before.

    A short one at the beginning goes to the one after it.
    """
    found: list[Scene] = []
    for scene in scenes:
        if found and (found[-1].end - found[-1].first < hold or scene.end - scene.first < hold):
            # Only the first one can be too short among those found.
            short_first = found[-1].end - found[-1].first < hold
            who = scene.who if short_first else found[-1].who
            found[-1] = Scene(found[-1].first, scene.end, who)
        else:
            found.append(scene)
    return _joined(found)


def _frames(seconds: float) -> int:
    """The fewest frames that last so long, at least one."""
    return max(1, math.ceil(seconds * GRID_FPS - _ROUNDING))


def _edges(mask: Mask) -> list[tuple[int, int]]:
    """First frame and end of each run of true."""
    edges = np.flatnonzero(np.diff(mask, prepend=False, append=False)).tolist()
    return list(zip(edges[::2], edges[1::2], strict=True))


def _filled(mask: Mask, most: int, *, ends: bool = False) -> Mask:
    """A mask with gaps of up to `most` frames filled, also those at its ends if asked for."""
    filled: Mask = mask.copy()
    for first, end in _edges(~mask):
        within = first > 0 and end < len(mask)
        if end - first <= most and (within or ends):
            filled[first:end] = True
    return filled


def _runs_of(mask: Mask, least: int) -> Mask:
    """A mask without its runs shorter than `least` frames."""
    kept = np.zeros_like(mask)
    for first, end in _edges(mask):
        if end - first >= least:
            kept[first:end] = True
    return kept


def _begun_early(mask: Mask, frames: int) -> Mask:
    """A mask whose runs begin so many frames earlier."""
    early: Mask = mask.copy()
    for first, _ in _edges(mask):
        early[max(first - frames, 0) : first] = True
    return early


def _left(mask: Mask, frame: int) -> int:
    """How many frames from this one on are true without a gap."""
    rest = mask[frame:]
    return len(rest) if rest.all() else int(rest.argmin())
