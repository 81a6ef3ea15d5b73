"""Voices that get the names of people, and of each other."""

from __future__ import annotations

import json
from pathlib import Path

import by_hand
import numpy as np
import pytest

from asdkit.core.errors import ConfigError
from asdkit.core.result import Result
from asdkit.core.results import turns
from asdkit.core.voice import Voice

BOXES = np.tile([0.0, 0, 60, 60], (50, 1))


def talk(*voices: Voice) -> Result:
    """Two silent faces in the first 2 of 4 s, and voices of nobody who was seen speaking."""
    tracks = [by_hand.track(number, 0, BOXES + 70 * number, -3.0) for number in range(2)]
    return by_hand.result(*tracks, duration_s=4.0, shots=[(0, 100)], voices=voices)


A = Voice("A", ((0.2, 0.6), (2.0, 2.6)))
B = Voice("B", ((2.4, 3.0),), cannot_be=("track_0", "track_1"))
ONE = [(0.2, 0.6, "Ann"), (2.0, 3.0, "Ann")]


def again(result: Result, folder: Path) -> Result:
    return Result.load(result.save(folder / "result.json"))


@pytest.mark.parametrize("names", [{}, {"track_0": "Ann"}])
def test_voices_of_one_name_keep_all_their_turns(names, tmp_path):
    named = talk(A, B).renamed({"A": "Ann", "B": "Ann", **names})
    assert turns(named) == ONE
    decided = again(named, tmp_path).decide(segments={"on": 0.6})
    assert turns(decided) == ONE
    assert [voice.name for voice in decided.voices or ()] == ["Ann"]
    assert turns(again(decided, tmp_path).decide()) == ONE


def test_a_voice_named_after_somebody_seen_is_theirs():
    named = talk(A, B).renamed({"track_0": "Ann", "B": "Ann"})
    assert turns(named) == [(0.2, 0.6, "A"), (2.0, 2.6, "A"), (2.4, 3.0, "Ann")]
    assert named.voices == (A, Voice("Ann", B.turns, "Ann", 1.0, (0,), (), ("track_1",)))
    named = talk(A, B).renamed({"B": "track_1"})
    assert turns(named)[-1] == (2.4, 3.0, "track_1")
    assert named.voices[1].tracks == (1,)


def test_and_somebody_seen_named_after_a_voice_has_it():
    named = talk(A, B).renamed({"track_1": "A"})
    assert turns(named) == [(0.2, 0.6, "A"), (2.0, 2.6, "A"), (2.4, 3.0, "B")]
    assert (named.voices[0].person, named.voices[0].tracks) == ("A", (1,))
    # The face is seen during the first turn alone, which so is not off screen any more.
    assert named.off_screen == ((2.0, 3.0),)


def test_a_voice_goes_over_to_another_person_with_all_tracks_that_are_theirs():
    joining = Voice("J", ((1.0, 1.4),), "track_0", 0.9, (0, 1))
    wrong = Voice("W", ((2.0, 3.0),), "Eve", 0.7, (), ((2.2, 2.4, "track_0"),))
    named = talk(joining, wrong).renamed({"W": "track_1"})
    assert named.voices == (joining, Voice("track_1", wrong.turns, "track_0", 1.0, (0, 1)))


def test_what_had_one_name_by_chance_stays_two_and_each_can_be_named():
    chance = talk(A, Voice("track_1", ((3.0, 3.4),)))
    assert turns(chance)[-1] == (3.0, 3.4, "track_1_2")
    assert turns(chance.renamed({"track_0": "Ann"}))[-1] == (3.0, 3.4, "track_1_2")
    named = chance.renamed({"track_1_2": "Cy"})
    assert turns(named)[-1] == (3.0, 3.4, "Cy")
    assert [track.name for track in named.tracks] == ["track_0", "track_1"]
    named = chance.renamed({"track_1": "Bob"})
    assert [track.name for track in named.tracks] == ["track_0", "Bob"]
    assert turns(named)[-1] == (3.0, 3.4, "track_1")
    assert turns(chance.renamed({"track_1_2": "track_1"}))[-1] == (3.0, 3.4, "track_1")
    with pytest.raises(ConfigError, match=r"There are track_0, track_1, A, track_1_2"):
        chance.renamed({"Zoe": "Ann"})


def test_the_name_of_a_person_goes_with_the_voice_that_is_theirs(tmp_path):
    named = talk(A, B).renamed({"track_0": "Ann", "B": "Ann"})
    other = named.renamed({"Ann": "Eve"})
    assert turns(other)[-1] == (2.4, 3.0, "Eve")
    assert other.voices[1].name == "Eve"
    values = json.loads((other.save(tmp_path)).read_text())
    assert values["voices"][1]["person"] == "Eve"
