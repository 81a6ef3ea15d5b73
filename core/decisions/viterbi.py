"""The most likely sequence of who speaks in a shot, by the model of `conversation`.

`Search` can be stopped within a shot and taken up there again, and says how much of the sequence
no later frame can change.

The time it takes grows with frames times faces visible at once: who speaks next does not depend on
who spoke before, so that only the best of those whose turn may end is compared with all others.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..types import Float64, Int64
from .conversation import PAIRED, Chain

_NEVER = -math.inf
_HALF = math.log(0.5)
_SILENCE, _UNSEEN, _FACES = 0, 1, 2
"""How states are numbered: silence, off-screen, then the seats, then their pairs."""


@dataclass(frozen=True, eq=False)
class Seats:
    """The faces of a shot, in as few columns as are visible at once.

    Attributes:
        face: (frames, seats) int64, the number of the face in this seat; -1 for nobody.
        evidence: (frames, seats) float64, what is seen says for its speaking; -inf for nobody.
        ranked: (frames, seats) float64, by which the likeliest faces are chosen; -inf for nobody.
        heard: (frames,) float64, what is heard says for speech.
    """

    face: Int64
    evidence: Float64
    ranked: Float64
    heard: Float64


class _Pairs:
    """The pairs of one frame: of the likeliest faces, by seat."""

    def __init__(self, seats: NDArray[np.intp]) -> None:
        self.seats = seats
        first, second = np.triu_indices(len(seats), 1)
        self.first, self.second = seats[first], seats[second]

    def __len__(self) -> int:
        return len(self.first)


def viterbi(shot: Seats, chain: Chain) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Find the most likely sequence, exactly; of equally likely ones the same each time.

    Args:
        shot: What is seen and heard; one frame or more.
        chain: The model.

    Returns:
        (frames, seats) bool, whether the face in this seat speaks; and (frames,) bool, whether
        somebody unseen does.
    """
    search = Search(shot, chain)
    for frame in range(len(shot.face)):
        search.step(frame)
    return search.path()


@dataclass(frozen=True, eq=False)
class Speakers:
    """Who speaks in a frame.

    Attributes:
        speaks: (seats,) bool, whether the face in this seat speaks: none, one, or two of a pair.
        unseen: Whether somebody unseen does; then no face.
    """

    speaks: NDArray[np.bool_]
    unseen: bool


class Search:
    """The search through a shot: the best score of each state, and where it came from."""

    def __init__(self, shot: Seats, chain: Chain, begin: Speakers | None = None) -> None:
        """Begin a search.

        Args:
            shot: What is seen and heard.
            chain: The model.
            begin: Who speaks in the first frame, if that is known, as the shot began earlier.
        """
        self._shot = shot
        self._chain = chain
        self._begin = begin
        frames, self._seats = shot.face.shape
        self._silence = self._unseen = _NEVER
        self._faces = np.full(self._seats, _NEVER)
        self._together = np.full((self._seats, self._seats), _NEVER)
        """Scores of pairs, at [lower seat, higher seat]."""
        self._pairs = _Pairs(np.empty(0, np.intp))
        self._from = np.zeros((frames, _FACES + self._seats), np.int32)
        self._from_pairs: list[tuple[_Pairs, NDArray[np.int32]]] = []
        self._taken = 0

    def step(self, frame: int) -> None:
        """Score the states of the next frame; frames are taken in order, from 0 on."""
        shot, heard = self._shot, self._shot.heard[frame]
        visible = shot.face[frame] >= 0
        pairs = self._paired(frame, visible)
        if frame:
            silence, unseen, faces, together = self._moved(frame, visible, pairs)
        elif self._begin is None:
            silence, unseen, faces = self._begun(visible)
            together = np.full(len(pairs), _NEVER)
        else:
            pairs = _Pairs(np.flatnonzero(self._begin.speaks))
            silence, unseen, faces = self._resumed(self._begin)
            together = np.zeros(len(pairs))
        if not frame:
            self._from_pairs.append((pairs, np.zeros(len(pairs), np.int32)))
        seen = shot.evidence[frame]
        self._silence, self._unseen = silence, unseen + heard
        self._faces = np.where(visible, faces + seen + heard, _NEVER)
        self._together[self._pairs.first, self._pairs.second] = _NEVER
        self._together[pairs.first, pairs.second] = (
            together + seen[pairs.first] + seen[pairs.second] + heard
        )
        self._pairs = pairs
        self._taken = frame + 1

    def settled(self) -> int:
        """How many of the frames taken, from the first on, are the same whatever comes after."""
        states = self._possible()
        for frame in range(self._taken - 1, -1, -1):
            if len(states) == 1:
                return frame + 1
            states = {self._came(frame, state) for state in states}
        return 0

    def _possible(self) -> set[int]:
        """The states that the last frame taken may have."""
        first, second = self._pairs.first, self._pairs.second
        pairs = self._number(first, second)[self._together[first, second] > _NEVER]
        others = np.array([self._silence, self._unseen, *self._faces]) > _NEVER
        return {*np.flatnonzero(others).tolist(), *pairs.tolist()}

    def _paired(self, frame: int, visible: NDArray[np.bool_]) -> _Pairs:
        if not self._chain.pairs:
            return self._pairs
        seats = np.flatnonzero(visible)
        if len(seats) > PAIRED:
            ranks = np.lexsort((self._shot.face[frame, seats], -self._shot.ranked[frame, seats]))
            seats = np.sort(seats[ranks[:PAIRED]])
        return self._pairs if np.array_equal(seats, self._pairs.seats) else _Pairs(seats)

    def _begun(self, visible: NDArray[np.bool_]) -> tuple[float, float, Float64]:
        """The scores in the first frame, before its evidence."""
        n = int(visible.sum())
        speaks = _HALF if self._chain.speaks(n) else _NEVER
        first = speaks + self._chain.face(n)
        return (
            self._chain.silence(n),
            speaks + self._chain.unseen(n),
            np.where(visible, first, _NEVER),
        )

    def _resumed(self, begin: Speakers) -> tuple[float, float, Float64]:
        """The same where it is known who speaks: nothing else is possible."""
        said = int(begin.speaks.sum())
        return (
            _NEVER if said or begin.unseen else 0.0,
            0.0 if begin.unseen else _NEVER,
            np.where(begin.speaks & (said == 1), 0.0, _NEVER),
        )

    def _moved(
        self, frame: int, visible: NDArray[np.bool_], pairs: _Pairs
    ) -> tuple[float, float, Float64, Float64]:
        """The best scores of a frame's states, before its evidence, from those of the one before.

        Where they came from is noted.
        """
        chain, config = self._chain, self._chain.config
        n = int(visible.sum())
        others = max(n - 1, 0)
        same = visible & (self._shot.face[frame - 1] == self._shot.face[frame])
        faces = np.where(same, self._faces, _NEVER)
        best = int(faces.argmax()) if self._seats else 0
        turn = (faces[best] if self._seats else _NEVER) + chain.ends(config.turn_s)
        gone, left = self._gone(same)
        pause = self._silence + chain.ends(config.pause_s)
        voice = self._unseen + chain.ends(config.off_screen_s)
        came = self._from[frame]
        stays = chain.goes_on(config.pause_s) if chain.speaks(n) else 0.0
        silence, came[_SILENCE] = _best(
            (self._silence + stays, _SILENCE),
            (turn + chain.silence(others), _FACES + best),
            (gone + chain.silence(n), left),
            (voice + chain.silence(n, unseen=False), _UNSEEN),
        )
        unseen, came[_UNSEEN] = _best(
            (self._unseen + chain.goes_on(config.off_screen_s), _UNSEEN),
            (pause + chain.unseen(n), _SILENCE),
            (turn + _HALF + chain.unseen(others), _FACES + best),
            (gone + _HALF + chain.unseen(n), left),
        )
        # A face whose own turn is the best to end would rather go on: that is always likelier.
        anew, source = _best(
            (pause + chain.face(n), _SILENCE),
            (turn + _HALF + chain.face(others), _FACES + best),
            (gone + _HALF + chain.face(n), left),
            (voice + _HALF + chain.face(n, unseen=False), _UNSEEN),
        )
        scores = faces + chain.face_goes_on(others)
        came[_FACES:] = np.where(scores >= anew, _FACES + np.arange(self._seats), source)
        scores = np.maximum(scores, anew)
        if not chain.pairs:
            return silence, unseen, scores, np.empty(0)
        self._part(same, scores, came)
        return silence, unseen, scores, self._join(others, same, pairs, faces)

    def _gone(self, same: NDArray[np.bool_]) -> tuple[float, int]:
        """The best of all whose speakers are seen no longer, and its number."""
        gone = np.where(same, _NEVER, self._faces)
        best = int(gone.argmax()) if self._seats else 0
        found = (gone[best] if self._seats else _NEVER, _FACES + best)
        first, second = self._pairs.first, self._pairs.second
        if not len(first):
            return found
        scores = np.where(same[first] | same[second], _NEVER, self._together[first, second])
        pair = int(scores.argmax())
        return _best(found, (scores[pair], int(self._number(first, second)[pair])))

    def _part(self, same: NDArray[np.bool_], scores: Float64, came: NDArray[np.int32]) -> None:
        """Have one of two go on alone, where this is better than `scores`."""
        first, second = self._pairs.first, self._pairs.second
        ends = self._chain.ends(self._chain.config.overlap_s) + _HALF
        before = self._together[first, second]
        number = self._number(first, second)
        for one, other in ((first, second), (second, first)):
            alone = np.where(same[one], before + np.where(same[other], ends, 0.0), _NEVER)
            best = np.full(self._seats, _NEVER)
            np.maximum.at(best, one, alone)
            for place in np.flatnonzero((alone == best[one]) & (alone > scores[one])):
                scores[one[place]] = alone[place]
                came[_FACES + one[place]] = number[place]

    def _join(self, others: int, same: NDArray[np.bool_], pairs: _Pairs, faces: Float64) -> Float64:
        """The best scores of pairs, which go on or begin as another face joins in."""
        config = self._chain.config
        first, second = pairs.first, pairs.second
        both = same[first] & same[second]
        on = np.where(both, self._together[first, second], _NEVER)
        on = on + self._chain.goes_on(config.overlap_s)
        joins = self._chain.ends(config.join_s) - math.log(max(others, 1))
        began = np.maximum(faces[first], faces[second]) + joins
        alone = np.where(faces[first] >= faces[second], first, second) + _FACES
        number = self._number(first, second)
        self._from_pairs.append((pairs, np.where(on >= began, number, alone).astype(np.int32)))
        return np.maximum(on, began)

    def _number(self, first: NDArray[np.intp], second: NDArray[np.intp]) -> NDArray[np.intp]:
        return np.asarray(_FACES + self._seats * (1 + first) + second, np.intp)

    def path(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """The best sequence of the frames taken; see `viterbi`."""
        frames = self._taken
        speaks = np.zeros((frames, self._seats), np.bool_)
        unseen = np.zeros(frames, np.bool_)
        state = self._last()
        for frame in range(frames - 1, -1, -1):
            if state >= _FACES + self._seats:
                one, other = divmod(state - _FACES - self._seats, self._seats)
                speaks[frame, [one, other]] = True
            elif state >= _FACES:
                speaks[frame, state - _FACES] = True
            unseen[frame] = state == _UNSEEN
            state = self._came(frame, state)
        return speaks, unseen

    def _came(self, frame: int, state: int) -> int:
        """The state before that a state of a frame comes from."""
        if state < _FACES + self._seats:
            return int(self._from[frame, state])
        one, other = divmod(state - _FACES - self._seats, self._seats)
        pairs, came = self._from_pairs[frame]
        return int(came[(pairs.first == one) & (pairs.second == other)][0])

    def _last(self) -> int:
        """The best state of the last frame."""
        found = [(self._silence, _SILENCE), (self._unseen, _UNSEEN)]
        if self._seats:
            best = int(self._faces.argmax())
            found.append((self._faces[best], _FACES + best))
        first, second = self._pairs.first, self._pairs.second
        if len(first):
            scores = self._together[first, second]
            pair = int(scores.argmax())
            found.append((scores[pair], int(self._number(first, second)[pair])))
        return _best(*found)[1]


def _best(*found: tuple[float, int]) -> tuple[float, int]:
    """The highest score, with where it comes from; of equal ones the first."""
    return max(found, key=lambda one: one[0])
