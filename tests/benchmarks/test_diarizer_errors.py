"""Turns with a diarizer's errors, and what becomes of them on real clips with published weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import asdkit
from asdkit.benchmarks.turns import (
    JITTER_S,
    PARTS,
    SEEDS,
    given,
    jittered,
    joined,
    simulated,
    split,
    truth_of,
)
from asdkit.core.result import Result
from asdkit.core.voice import Voice
from asdkit.core.voices.assigning import assigned

CLIPS = ("dialogue", "dialogue_30fps", "dialogue_small")
TURNS = {"ann": ((1.0, 2.0), (3.0, 5.0)), "bob": ((5.0, 9.0),)}


def total_s(turns: dict[str, tuple[tuple[float, float], ...]]) -> float:
    return sum(end - start for spans in turns.values() for start, end in spans)


# Errors


def test_one_voice_is_split_and_nothing_lost():
    names = set()
    for seed in range(9):
        found = split(TURNS, np.random.default_rng(seed))
        assert total_s(found) == pytest.approx(total_s(TURNS))
        (whole,) = {name.partition("_")[0] for name in found if "_" in name}
        assert [*found] == [*({*TURNS} - {whole}), f"{whole}_a", f"{whole}_b"]
        assert found[f"{whole}_a"][-1][1] <= found[f"{whole}_b"][0][0]
        names.add(whole)
    assert names == {"ann", "bob"}


def test_boundaries_are_moved_by_so_much_at_most():
    found = jittered(TURNS, np.random.default_rng(0))
    off = [np.abs(np.subtract(found[name], TURNS[name])) for name in TURNS]
    assert 0.1 < max(part.max() for part in off) <= JITTER_S
    assert found == jittered(TURNS, np.random.default_rng(0))


def test_two_voices_are_made_one():
    assert joined(TURNS, "ann", "bob") == {"both": ((1.0, 2.0), (3.0, 9.0))}


def test_what_is_given_to_whom_by_hand():
    voices = [
        Voice("a", ((1.0, 5.5),), "track_0", exceptions=((3.0, 4.0, "track_1"),)),
        Voice("b", ((8.0, 10.0),)),
    ]
    # Of Ann's 3 s one is Bob's; of Bob's, half a second Ann's and one nobody's.
    found = given(voices, TURNS, {"ann": "track_0", "bob": "track_1"})
    assert found == pytest.approx((2.0, 1.0, 4.5))


# Clips


@pytest.fixture(scope="module")
def results(shared) -> dict[str, Result]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASDKIT_WEIGHTS", str(shared("weights")))
        words = [*PARTS, "device=cpu"]
        names = (*CLIPS, "audience")
        return {name: asdkit.run(shared(f"clips/{name}.mp4"), words) for name in names}


def known(results, shared, name):
    """A clip's result, its truth, and the names of the faces."""
    return results[name], *truth_of(shared(f"clips/{name}.json"), results[name])


@pytest.mark.slow
@pytest.mark.weights
@pytest.mark.parametrize("name", CLIPS)
def test_perfect_turns_all_go_to_whom_they_belong(results, shared, name):
    result, truth, names = known(results, shared, name)
    voices = assigned(truth, result.tracks, result.shots)
    assert {voice.name: voice.person for voice in voices} == names
    right_s, _, all_s = given(voices, truth, names)
    assert right_s == pytest.approx(all_s)
    assert all_s == pytest.approx(total_s(truth))


@pytest.mark.slow
@pytest.mark.weights
def test_with_one_voice_split_and_boundaries_off_nearly_all_do(results, shared):
    """Over all clips; of single ones at least 92 %, and next to nothing to somebody else."""
    sums = np.zeros(3)
    for name in CLIPS:
        found = np.array(simulated(*known(results, shared, name), range(SEEDS)))
        assert found[0] / found[2] > 0.92
        assert (found[0] + found[1]) / found[2] > 0.99
        sums += found
    assert sums[0] / sums[2] > 0.95


@pytest.mark.slow
@pytest.mark.weights
def test_turns_of_two_merged_voices_go_to_who_is_seen_speaking(results, shared):
    """The other two clips cannot show it: with one of the turns LR-ASD scores both faces alike."""
    result, truth, names = known(results, shared, "dialogue")
    voices = assigned(joined(truth, "left", "right"), result.tracks, result.shots)
    assert {voice.name: voice.person for voice in voices} == {
        "both": names["right"],
        "solo": names["solo"],
    }
    right_s, _, all_s = given(voices, truth, names)
    assert right_s / all_s > 0.95


@pytest.mark.slow
@pytest.mark.weights
def test_a_voice_off_screen_is_nobodys(results):
    result = results["audience"]
    assert Path(result.video.path).name == "audience.mp4"
    (voice,) = assigned({"S0": ((7.04, 9.16),)}, result.tracks, result.shots)
    assert voice.person is None
    assert voice.confidence > 0.5
    assert voice.exceptions == ()
    assert voice.cannot_be
