"""Who speaks in a shot: the best path of all, found without trying all."""

from __future__ import annotations

import math
from itertools import combinations, product

import numpy as np
import pytest

from asdkit.core.decisions import viterbi as module
from asdkit.core.decisions.conversation import Chain, ConversationConfig
from asdkit.core.decisions.viterbi import Seats, viterbi

NEVER = -math.inf
CONFIGS = (
    ConversationConfig(),
    ConversationConfig(
        turn_s=0.25, pause_s=0.2, off_screen_s=0.3, overlap_s=0.22, join_s=0.2, unseen=0.4
    ),
    ConversationConfig(
        turn_s=0.2, pause_s=0.5, off_screen_s=0.2, overlap_s=5, join_s=0.3, unseen=0.05
    ),
)


def said(state: str | tuple[int, ...]) -> tuple[int, ...]:
    """The faces that speak in a state."""
    return state if isinstance(state, tuple) else ()


class Text:
    """Probabilities of what is next, written down anew from the text that describes the model."""

    def __init__(self, config: ConversationConfig, unseen: bool, pairs: bool) -> None:
        self.config, self.unseen, self.pairs = config, unseen, pairs

    def after_silence(self, state, faces, unseen):
        """Who speaks next, of these faces and perhaps somebody unseen."""
        u = (self.config.unseen if faces else 1.0) if unseen else 0.0
        if state == "unseen":
            return u
        return (1 - u) / len(faces) if len(state) == 1 and set(state) <= faces else 0.0

    def after_speech(self, state, faces, unseen):
        if state == "silence":
            return 0.5 if faces or unseen else 1.0
        return 0.5 * self.after_silence(state, faces, unseen)

    def after_pair(self, before, state, left):
        if len(left) == 1:
            return float(state == tuple(left))
        ends = 0.04 / self.config.overlap_s
        if state == before:
            return 1 - ends
        return ends / 2 if len(said(state)) == 1 and set(said(state)) <= left else 0.0

    def after_face(self, before, state, others):
        ends = 0.04 / self.config.turn_s
        joins = 0.04 / self.config.join_s if self.pairs and others else 0.0
        if state == before:
            return 1 - ends - joins
        if len(said(state)) == 2:
            return joins / len(others) if set(before) < set(state) else 0.0
        return ends * self.after_speech(state, others, self.unseen)

    def after(self, before, state, faces: set[int]) -> float:
        if before == "silence":
            ends = 0.04 / self.config.pause_s if faces or self.unseen else 0.0
            goes_on = state == "silence"
            return 1 - ends if goes_on else ends * self.after_silence(state, faces, self.unseen)
        if before == "unseen":
            ends = 0.04 / self.config.off_screen_s
            goes_on = state == "unseen"
            return 1 - ends if goes_on else ends * self.after_speech(state, faces, False)
        left = set(said(before)) & faces
        if not left:  # at the beginning, too
            return self.after_speech(state, faces, self.unseen)
        if len(before) == 2:
            return self.after_pair(before, state, left)
        return self.after_face(before, state, faces - left)


def states_of(faces: set[int], unseen: bool, pairs: bool):
    found = ["silence", *(["unseen"] if unseen else []), *((face,) for face in sorted(faces))]
    return found + (list(combinations(sorted(faces), 2)) if pairs else [])


def score_of(path, seats: Seats, text: Text) -> float:
    """The log probability of a sequence of states, with its evidence."""
    total, before = 0.0, ()
    for frame, state in enumerate(path):
        faces = set(seats.face[frame][seats.face[frame] >= 0].tolist())
        p = text.after(before, state, faces)
        if not p:
            return NEVER
        total += math.log(p)
        for face in said(state):
            total += seats.evidence[frame, seats.face[frame] == face][0]
        total += seats.heard[frame] * (state != "silence")
        before = state
    return total


def drawn(rng, frames: int, faces: int) -> Seats:
    """Faces that come and go, two of them in turn in the same seat."""
    face = np.tile(np.arange(faces), (frames, 1))
    for seat in range(faces):
        kind = rng.integers(4)
        cut = int(rng.integers(0, frames + 1))
        if kind == 1:
            face[cut:, seat] = -1
        elif kind == 2:
            face[:cut, seat] = -1
        elif kind == 3:
            face[cut:, seat] = faces + seat
    evidence = np.where(face >= 0, rng.normal(0, 3, face.shape), NEVER)
    return Seats(face, evidence, evidence, rng.normal(0, 2, frames))


def path_of(seats: Seats, speaks, unseen) -> list:
    found = []
    for face, speaking, out in zip(seats.face, speaks, unseen, strict=True):
        who = tuple(sorted(face[speaking].tolist()))
        assert not (who and out)
        found.append(who or ("unseen" if out else "silence"))
    return found


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize(("unseen", "pairs"), list(product((True, False), repeat=2)))
def test_it_is_the_best_of_all_sequences(config, unseen, pairs):
    """All sequences are tried, by probabilities written down anew from the text."""
    rng = np.random.default_rng(7)
    text = Text(config, unseen, pairs)
    for faces, frames in [(0, 6), (1, 6), (2, 5), (3, 4)] * 8:
        seats = drawn(rng, frames, faces)
        sets = [set(row[row >= 0].tolist()) for row in seats.face]
        every = product(*(states_of(one, unseen, pairs) for one in sets))
        best = max(score_of(path, seats, text) for path in every)
        found = path_of(seats, *viterbi(seats, Chain(config, unseen, pairs)))
        assert score_of(found, seats, text) == pytest.approx(best, abs=1e-9)


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize(("unseen", "pairs"), list(product((True, False), repeat=2)))
def test_probabilities_of_what_is_next_add_up_to_1(config, unseen, pairs):
    text = Text(config, unseen, pairs)
    for faces in (set(), {0}, {0, 1}, {1, 2, 3}):
        for before in [(), *states_of({0, 1, 4}, unseen, pairs)]:
            states = states_of(faces, unseen, pairs)
            total = sum(text.after(before, s, faces) for s in states)
            assert total == pytest.approx(1)


@pytest.mark.parametrize("pairs", [True, False])
def test_long_shots_of_many_faces(pairs):
    """At most one speaks at a time, or two; nobody who is not there; in any order the same."""
    rng = np.random.default_rng(3)
    seats = drawn(rng, 400, 12)
    chain = Chain(ConversationConfig(), True, pairs)
    speaks, unseen = viterbi(seats, chain)
    assert speaks.sum(1).max() == 1 + pairs
    assert not (speaks & (seats.face < 0)).any()
    assert not (speaks.any(1) & unseen).any()
    assert len(np.unique(seats.face[speaks])) > 5
    order = rng.permutation(12)
    mixed = Seats(*(x[:, order] for x in (seats.face, seats.evidence, seats.ranked)), seats.heard)
    again = viterbi(mixed, chain)
    assert np.array_equal(again[0], speaks[:, order])
    assert np.array_equal(again[1], unseen)


def test_pairs_are_of_the_eight_likeliest():
    """Two speak plainly; they are a pair as long as no more than six are ranked above them."""
    frames = 50
    face = np.tile(np.arange(9), (frames, 1))
    evidence = np.full(face.shape, -5.0)
    evidence[:, [2, 7]] = 5.0
    chain = Chain(ConversationConfig(), False, True)
    ranked = np.tile(np.arange(9.0)[::-1], (frames, 1))  # number 8 comes last
    speaks, _ = viterbi(Seats(face, evidence, ranked, np.zeros(frames)), chain)
    assert speaks[:, [2, 7]].all(1).sum() >= frames - 1
    ranked[:, 2] = -1
    speaks, _ = viterbi(Seats(face, evidence, ranked, np.zeros(frames)), chain)
    assert speaks.sum(1).max() == 1
    # Of equals those come first that are named first.
    speaks, _ = viterbi(Seats(face, evidence, np.zeros(face.shape), np.zeros(frames)), chain)
    assert speaks[:, [2, 7]].all(1).sum() >= frames - 1


def test_cost_grows_with_frames_and_no_faster(monkeypatch):
    """Each frame is looked at once, whatever came before it."""
    steps = []
    step = module.Search.step
    monkeypatch.setattr(module.Search, "step", lambda s, k: (steps.append(k), step(s, k))[1])
    for frames in (10, 1000):
        steps.clear()
        viterbi(drawn(np.random.default_rng(1), frames, 3), Chain(CONFIGS[0], True, True))
        assert steps == list(range(frames))
