"""Plans of synthetic dialogues: who speaks when, and who is in the picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ..labels import Bool
from .takes import Take

BLOCK = 4
"""Of so many successive turns it is drawn which begin before the last one ends, and which are of
somebody not shown."""
_PAUSE_FRAMES = (5, 30)
_OVERLAP_FRAMES = (10, 25)
"""Frames of silence between two turns, and of both at once: the shortest and the longest."""
SHORTEST_SHOT = 50
"""No shot is shorter."""

Cast = Sequence[Sequence[Take]]
"""The takes of each person."""


@dataclass(frozen=True)
class Turn:
    """A take that somebody speaks.

    Attributes:
        person: Index of the person.
        take: Index of the take among this person's.
        begin: Frame of the dialogue at which the take, not yet its speech, begins.
    """

    person: int
    take: int
    begin: int


@dataclass(frozen=True)
class Shot:
    """A part of the dialogue.

    Attributes:
        first: Its first frame.
        end: The frame after its last one.
        shown: Who is in the picture, from left to right, as indices of people.
    """

    first: int
    end: int
    shown: tuple[int, ...]


@dataclass(frozen=True)
class Plan:
    """A dialogue.

    Attributes:
        frames: Its length.
        shots: Its shots, without gaps.
        turns: The turns, by the frame at which their speech begins.
    """

    frames: int
    shots: tuple[Shot, ...]
    turns: tuple[Turn, ...]

    def speaking(self, cast: Cast) -> Bool:
        """Who speaks in which frame, seen or not: (people, frames) bool."""
        found = np.zeros((len(cast), self.frames), np.bool_)
        for turn in self.turns:
            take = cast[turn.person][turn.take]
            found[turn.person, turn.begin + np.flatnonzero(take.speaking)] = True
        return found

    def shown(self, people: int) -> Bool:
        """Who is in the picture of which frame: (people, frames) bool."""
        found = np.zeros((people, self.frames), np.bool_)
        for shot in self.shots:
            found[list(shot.shown), shot.first : shot.end] = True
        return found

    def faces(self, cast: Cast, rng: np.random.Generator) -> list[list[tuple[int, int]]]:
        """By person: the take and the frame of it that is seen in each frame of the dialogue.

        Between two takes a person is at rest: first the silent end of the earlier one, back and
        forth, and from some moment on the silent beginning of the later one, such that it leads
        up to it. So no face jumps when its speech begins or ends.
        """
        return [list(self._faces(person, takes, rng)) for person, takes in enumerate(cast)]

    def _faces(
        self, person: int, takes: Sequence[Take], rng: np.random.Generator
    ) -> Iterator[tuple[int, int]]:
        turns = sorted((t for t in self.turns if t.person == person), key=lambda turn: turn.begin)
        if not turns:
            # At rest all the time: before a take that never comes.
            turns = [Turn(person, 0, self.frames + int(rng.integers(100)))]
        yield from self._rest(takes, None, turns[0], rng)
        for turn, following in zip(turns, [*turns[1:], None], strict=True):
            length = min(len(takes[turn.take]), self.frames - turn.begin)
            yield from ((turn.take, k) for k in range(length))
            yield from self._rest(takes, turn, following, rng)

    def _rest(
        self,
        takes: Sequence[Take],
        last: Turn | None,
        following: Turn | None,
        rng: np.random.Generator,
    ) -> Iterator[tuple[int, int]]:
        begin = 0 if last is None else last.begin + len(takes[last.take])
        end = self.frames if following is None else min(following.begin, self.frames)
        change = begin if last is None else end
        if last and following:
            change = int(rng.integers(begin, max(begin, end) + 1))
        for k in range(begin, end):
            if last and k < change:
                yield last.take, takes[last.take].after(k - begin + 1)
            elif following:
                yield following.take, takes[following.take].before(following.begin - k)


def make_plan(
    cast: Cast,
    frames: int,
    shown: int,
    shots: int,
    rng: np.random.Generator,
    *,
    overlap: int = 1,
    off_screen: int = 1,
) -> Plan:
    """Draw a dialogue.

    Everybody has a place in the picture for good: with more people than places, two share one, and
    each shot shows one of the two. Nobody speaks twice in a row if somebody else can.

    Args:
        cast: The takes of each person, from `shown` to twice as many people.
        frames: Length of the dialogue.
        shown: How many people are in the picture at once.
        shots: Number of shots, which differ in who is shown; 1 if no more than `shown` people.
        rng: What is drawn from.
        overlap: Of every four turns so many, 0 to 3, begin while the one before still goes on, the
            others after a pause.
        off_screen: Of every four turns so many, 0 to 4, are of somebody who is not shown when they
            are due, if there are such people.
    """
    parts = tuple(_shots(len(cast), frames, shown, shots, rng))
    return Plan(frames, parts, tuple(_turns(cast, parts, _kinds(overlap, off_screen, rng), rng)))


def _shots(
    people: int, frames: int, shown: int, shots: int, rng: np.random.Generator
) -> Iterator[Shot]:
    spare = frames - shots * SHORTEST_SHOT
    cuts = sorted(rng.integers(0, spare + 1, shots - 1).tolist())
    edges = [0, *(cut + (k + 1) * SHORTEST_SHOT for k, cut in enumerate(cuts)), frames]
    places = [[place, *range(place + shown, people, shown)] for place in range(shown)]
    last: tuple[int, ...] = ()
    for first, end in pairwise(edges):
        now = last
        while now == last:
            now = tuple(int(rng.choice(place)) for place in places)
        yield Shot(first, end, now)
        last = now


def _turns(
    cast: Cast,
    shots: Sequence[Shot],
    kinds: Iterator[tuple[bool, bool]],
    rng: np.random.Generator,
) -> Iterator[Turn]:
    free = np.zeros(len(cast), np.int64)
    """From which frame on each person can begin another take."""
    frames = shots[-1].end
    last, spoken, length = -1, 0, 0
    for overlaps, unseen in kinds:
        wait = int(rng.integers(*_PAUSE_FRAMES, endpoint=True))
        if overlaps and length:
            wait = -min(int(rng.integers(*_OVERLAP_FRAMES, endpoint=True)), length // 2)
        speaks = spoken + wait
        shown = next((shot.shown for shot in shots if shot.first <= speaks < shot.end), ())
        if not shown:
            return
        others = [one for one in range(len(cast)) if one != last] or [last]
        wanted = [one for one in others if (one not in shown) == unseen] or others
        drawn = {one: int(rng.integers(len(cast[one]))) for one in wanted}
        begins = {k: max(speaks - cast[k][n].first, int(free[k])) for k, n in drawn.items()}
        late = {k: begins[k] + cast[k][n].first - speaks for k, n in drawn.items()}
        person = int(rng.choice([one for one in wanted if late[one] == min(late.values())]))
        number, begin = drawn[person], begins[person]
        take = cast[person][number]
        if begin + take.end > frames:
            return
        yield Turn(person, number, begin)
        free[person] = begin + len(take)
        last, length = person, take.end - take.first
        spoken = max(spoken, begin + take.end)


def _kinds(overlap: int, off_screen: int, rng: np.random.Generator) -> Iterator[tuple[bool, bool]]:
    """Of each turn: whether it overlaps the one before, and whether its speaker is not shown."""
    while True:
        first, unseen = int(rng.integers(1, BLOCK)), int(rng.integers(BLOCK))
        for k in range(BLOCK):
            # The first turn of a block never overlaps.
            overlaps = k > 0 and (k - first) % (BLOCK - 1) < overlap
            yield overlaps, (k - unseen) % BLOCK < off_screen
