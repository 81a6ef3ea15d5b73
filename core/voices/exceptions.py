"""Finds the parts of a voice's turns in which somebody else is plainly seen speaking."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ..types import GRID_FPS, Float64, Spans

CHANGE = 0.7
"""What a change of person costs, in nats, while the voice's person is seen: the faces compete."""
CHANGE_UNSEEN = 4.0
"""What it costs while they are not: all rests on one face, which may be a mistaken listener's."""
SHORTEST_S = 0.5
"""Shorter parts of a turn stay with the voice's person."""
_PAUSE_FRAMES = GRID_FPS
"""Turns that are further apart are looked at one by one."""

Part = tuple[float, float, int]
"""(start_s, end_s, number of the other person)."""
Faces = Callable[[int, int], tuple[Float64, Mapping[int, Float64]]]
"""Gives, for n frames from a first one to an end, the evidence (n,) in nats of the voice's person,
and by number that of each person whom a turn may go to; nan where not seen, or not considered.
"""


def exceptions(turns: Spans, faces: Faces, cuts: Sequence[int]) -> list[Part]:
    """The parts of a voice's turns that go to other people.

    A turn is its voice's unless the faces say otherwise. Turns at most a second apart in one shot
    are looked at together: of all ways to divide their frames between the voice's person and others
    who are seen, the one with the greatest sum of evidence is chosen (Viterbi). Each change
    of person costs `CHANGE`, and so does beginning with somebody else. While the voice's person
    is seen, a face that seems silent counts 0, not less: that does not say which of the two speaks.
    While they are not, a change costs `CHANGE_UNSEEN`, and another face's silence counts in full.

    Args:
        turns: The turns in seconds.
        faces: Called with a first frame and an end, within one shot.
        cuts: The first frame of each shot, sorted.
    """
    frames = [(round(a * GRID_FPS), round(b * GRID_FPS)) for a, b in turns]
    found: list[Part] = []
    for group in _breaths(frames, cuts):
        begin = group[0][1][0]
        own, others = faces(begin, group[-1][1][1])
        places = np.concatenate([np.arange(*piece) for _, piece in group]) - begin
        rivals = {
            person: all_seen[places]
            for person, all_seen in others.items()
            if np.nansum(np.maximum(all_seen[places], 0)) >= CHANGE
        }
        if not rivals:
            continue
        states = _best(own[places], np.array(list(rivals.values())))
        for _, a, b in list(_runs(states)):
            if b - a < SHORTEST_S * GRID_FPS:
                states[a:b] = 0
        persons = list(rivals)
        done = 0
        for number, (first, end) in group:
            part = states[done : done + end - first]
            done += end - first
            for state, a, b in _runs(part):
                if state:
                    start_s, end_s = turns[number]
                    if first + a > frames[number][0]:
                        start_s = (first + a) / GRID_FPS
                    if first + b < frames[number][1]:
                        end_s = (first + b) / GRID_FPS
                    found.append((start_s, end_s, persons[state - 1]))
    return found


_Piece = tuple[int, tuple[int, int]]
"""The number of a turn, and the first and end frame of a part of it."""


def _breaths(frames: Sequence[tuple[int, int]], cuts: Sequence[int]) -> Iterator[list[_Piece]]:
    """Divide turns at cuts, and gather those of one shot that are not far apart."""
    group: list[_Piece] = []
    for number, (first, end) in enumerate(frames):
        edges = [first, *(cut for cut in cuts if first < cut < end), end]
        for a, b in pairwise(edges):
            if a == b:
                continue
            if group:
                before = group[-1][1][1]
                if a - before > _PAUSE_FRAMES or any(before <= cut <= a for cut in cuts):
                    yield group
                    group = []
            group.append((number, (a, b)))
    if group:
        yield group


def _best(own: Float64, others: Float64) -> NDArray[np.int64]:
    """The states of the greatest sum: 0 for the voice's person, 1 and so on for others.

    Args:
        own: (frames,) evidence of state 0; nan where not seen.
        others: (states - 1, frames) evidence of the others; nan where they cannot be.
    """
    seen = ~np.isnan(own)
    cost = np.where(seen, CHANGE, CHANGE_UNSEEN)
    values = np.concatenate([np.nan_to_num(own)[None], np.where(np.isnan(others), -np.inf, others)])
    states, frames = values.shape
    change = 1 - np.eye(states)  # from, to
    came_from = np.zeros((frames, states), np.int64)
    best = values[:, 0] - cost[0] * change[0]
    for k in range(1, frames):
        ways = best[:, None] - cost[k] * change
        came_from[k] = ways.argmax(0)
        best = ways.max(0) + values[:, k]
    path = np.zeros(frames, np.int64)
    path[-1] = best.argmax()
    for k in range(frames - 1, 0, -1):
        path[k - 1] = came_from[k, path[k]]
    return path


def _runs(states: NDArray[np.int64]) -> Iterator[tuple[int, int, int]]:
    """(state, first, end) of each run of equal states."""
    edges = [0, *(np.flatnonzero(np.diff(states)) + 1).tolist(), len(states)]
    for a, b in pairwise(edges):
        yield int(states[a]), a, b
