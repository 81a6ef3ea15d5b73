"""Whose the voices of a diarization are, by faces whose scores are made up."""

from __future__ import annotations

from dataclasses import replace

import by_hand
import numpy as np
import pytest

from asdkit.core.decisions.segments import mask
from asdkit.core.types import Spans, Track
from asdkit.core.voice import Voice
from asdkit.core.voices.assigning import assigned, names_of, off_screen

SURE, UNSURE = 4.0, 1.0


def face(
    number: int,
    seen_s: tuple[float, float],
    *speaks: tuple[float, float],
    odds: float = SURE,
    **more,
) -> Track:
    """A face seen from one second to another, whose scores say when it speaks."""
    first, end = (round(time_s * 25) for time_s in seen_s)
    scores = np.where(mask(speaks, first, end - first), odds, -odds)
    boxes = np.tile([0.0, 0.0, 9.0, 9.0], (end - first, 1))
    return by_hand.track(number, first, boxes, scores, speaks, **more)


def people(found: tuple[Voice, ...]) -> dict[str, str | None]:
    return {voice.name: voice.person for voice in found}


def assign(turns: dict[str, Spans], *tracks: Track, shots=((0, 500),)) -> tuple[Voice, ...]:
    return assigned(turns, tracks, shots)


# One voice each


def test_each_voice_is_whose_face_speaks_with_it():
    turns = {"A": ((1, 3), (6, 7)), "B": ((3.5, 5.5),)}
    ann = face(0, (0, 10), (1, 3), (6, 7))
    bob = face(1, (0, 10), (3.5, 5.5))
    one, two = assign(turns, ann, bob)
    assert (one.name, one.person, one.tracks, one.turns) == ("A", "track_0", (0,), turns["A"])
    assert (two.name, two.person, two.tracks, two.turns) == ("B", "track_1", (1,), turns["B"])
    assert one.confidence > 0.99
    assert two.confidence > 0.99
    assert (one.cannot_be, two.cannot_be) == (("track_1",), ("track_0",))
    assert one.exceptions == two.exceptions == ()


def test_all_together_decides_where_one_face_seems_to_speak_throughout():
    """Ann nods all the time: B's turns fit her as well as Bob, but A's fit her alone."""
    ann = face(0, (0, 10), (0, 10))
    bob = face(1, (0, 10), (5, 8), odds=3.0)
    assert people(assign({"A": ((1, 4),), "B": ((5, 8),)}, ann, bob)) == {
        "A": "track_0",
        "B": "track_1",
    }


def test_a_voice_is_its_persons_off_screen_too():
    turns = {"A": ((1, 3), (6, 8))}
    seen = face(0, (0, 4), (1, 3))
    (voice,) = found = assign(turns, seen, shots=((0, 100), (100, 250)))
    assert voice.person == "track_0"
    assert list(voice.parts()) == [(1, 3, "track_0"), (6, 8, "track_0")]
    assert off_screen(found, [seen], ((0, 100), (100, 250)), 0.4) == ((6, 8),)


def test_faces_that_are_silent_are_not_heard():
    listeners = [face(number, (0, 5)) for number in range(3)]
    (voice,) = found = assign({"A": ((1, 4),)}, *listeners)
    assert (voice.person, voice.tracks) == (None, ())
    assert voice.confidence > 0.9
    assert voice.cannot_be == ("track_0", "track_1", "track_2")
    assert list(voice.parts()) == [(1, 4, None)]
    assert off_screen(found, listeners, ((0, 125),), 0.4) == ((1, 4),)


def test_of_many_faces_one_must_stand_out():
    """What suffices for one of two faces may be chance among a dozen."""
    turns = {"A": ((1, 1.4),)}
    speaker = face(0, (0, 5), (1, 1.4), odds=UNSURE)
    crowd = [face(number, (0, 5), (1, 1.3), odds=UNSURE) for number in range(1, 12)]
    assert people(assign(turns, speaker, *crowd[:1])) == {"A": "track_0"}
    assert people(assign(turns, speaker, *crowd)) == {"A": None}


def test_without_faces_nobody_is_seen():
    (voice,) = found = assign({"A": ((1, 4),)})
    assert (voice.person, voice.confidence, voice.cannot_be) == (None, 1.0, ())
    assert off_screen(found, [], ((0, 500),), 0.4) == ((1, 4),)
    assert assigned({"A": ((1, 4),)}, [], ()) == ()
    assert off_screen((), [], (), 0.4) == ()


def test_turns_are_cut_to_the_part_that_was_looked_at():
    turns = {"A": ((1, 4), (6, 9)), "B": ((0, 2),)}
    (voice,) = assign(turns, face(0, (3, 8), (3, 4)), shots=((75, 200),))
    assert (voice.name, voice.turns) == ("A", ((3, 4), (6, 8)))


# Overlap


def test_in_an_overlap_each_keeps_their_turn():
    ann = face(0, (0, 10), (1, 4))
    bob = face(1, (0, 10), (3, 6))
    found = assign({"A": ((1, 4),), "B": ((3, 6),)}, ann, bob)
    assert [list(voice.parts()) for voice in found] == [
        [(1, 4, "track_0")],
        [(3, 6, "track_1")],
    ]


def test_an_overlap_counts_less():
    alone = assign({"A": ((1, 2),)}, face(0, (0, 5), (1, 2)))
    both = assign({"A": ((1, 2),), "B": ((1, 2),)}, face(0, (0, 5), (1, 2)))
    assert both[0].confidence < alone[0].confidence


# A voice split in two


def test_two_voices_of_one_person():
    turns = {"A1": ((1, 3),), "A2": ((3, 5),), "B": ((6, 8),)}
    ann = face(0, (0, 10), (1, 5))
    bob = face(1, (0, 10), (6, 8))
    found = assign(turns, ann, bob)
    assert people(found) == {"A1": "track_0", "A2": "track_0", "B": "track_1"}


def test_two_voices_heard_at_once_are_two_people():
    turns = {"A": ((1, 5),), "B": ((1, 4),)}
    found = assign(turns, face(0, (0, 10), (1, 5)))
    assert people(found) == {"A": "track_0", "B": None}
    jitter = {"A": ((1, 3.3),), "B": ((2.8, 5),)}
    assert people(assign(jitter, face(0, (0, 10), (1, 5)))) == {"A": "track_0", "B": "track_0"}


def test_a_voice_that_cannot_be_the_first_ones_takes_the_next_best():
    """B fits Ann best, as A does; as both are heard at once, it is Bob's, whom it fits as well."""
    ann = face(0, (0, 10), (1, 6))
    bob = face(1, (0, 10), (1, 2), (5, 8), odds=3.0)
    found = assign({"A": ((1, 6),), "B": ((2, 3), (5, 8))}, ann, bob)
    assert people(found) == {"A": "track_0", "B": "track_1"}


def test_a_moment_of_a_turn_after_a_cut_joins_no_tracks():
    """The next shot begins before the speaker has ended, with a listener who moves."""
    shots = ((0, 100), (100, 200))
    tracks = [face(0, (0, 4), (1, 4)), face(1, (4, 8), (4.1, 4.2))]
    (voice,) = assign({"A": ((1, 4.3),)}, *tracks, shots=shots)
    assert (voice.person, voice.tracks) == ("track_0", (0,))


def test_a_face_that_speaks_with_every_voice_counts_less():
    """Bob's voice is split in two. Ann nods with each part as plainly as he speaks."""
    ann = face(0, (0, 12), (1, 3), (5, 9))
    bob = face(1, (0, 12), (5, 9), odds=3.5)
    found = assign({"A": ((1, 3),), "B1": ((5, 7),), "B2": ((7, 9),)}, ann, bob)
    assert people(found) == {"A": "track_0", "B1": "track_1", "B2": "track_1"}


# Two voices merged in one


def test_a_turn_in_which_somebody_else_is_plainly_seen_goes_to_them():
    ann = face(0, (0, 20), (1, 5), (9, 12))
    bob = face(1, (0, 20), (5.2, 8))
    (voice,) = assign({"A": ((1, 8), (9, 12))}, ann, bob)
    assert voice.person == "track_0"
    assert voice.turns == ((1, 8), (9, 12))
    ((start, end, person),) = voice.exceptions
    assert (start, end, person) == (pytest.approx(5.2), 8, "track_1")
    assert [person for *_, person in voice.parts()] == ["track_0", "track_1", "track_0"]
    assert sum(end - start for start, end, _ in voice.parts()) == pytest.approx(10)


def test_a_listener_who_nods_for_a_moment_takes_no_turn():
    ann = face(0, (0, 20), (1, 5))
    bob = face(1, (0, 20), (3, 3.4))
    (voice,) = assign({"A": ((1, 5),)}, ann, bob)
    assert voice.exceptions == ()


def test_while_the_person_is_not_seen_more_is_needed():
    def reaction(length_s: float) -> Voice:
        ann = face(0, (0, 8), (1, 7))
        bob = face(1, (8, 12), (9, 9 + length_s))
        known = [replace(ann, identity="Ann"), replace(bob, identity="Bob")]
        (voice,) = assign({"A": ((1, 7), (9, 11.9))}, *known, shots=((0, 200), (200, 300)))
        assert voice.person == "Ann"
        return voice

    assert reaction(0.6).exceptions == ()
    assert [part[2] for part in reaction(2.9).exceptions] == ["Bob"]


def test_a_face_whose_own_voice_is_heard_takes_no_others_turn():
    """Ann looks down while she interrupts Bob, who goes on."""
    ann = face(0, (0, 20), (1, 5))
    bob = face(1, (0, 20), (8, 14))
    found = assign({"A": ((1, 5), (10, 12)), "B": ((8, 14),)}, ann, bob)
    assert people(found) == {"A": "track_0", "B": "track_1"}
    assert found[0].exceptions == ()


# Tracks of one person


def test_identities_are_people_across_shots():
    shots = ((0, 100), (100, 200))
    ann = [
        face(0, (0, 4), (1, 3), identity="Ann"),
        face(2, (4, 8), (5, 6), identity="Ann"),
    ]
    bob = face(1, (0, 4), identity="Bob")
    (voice,) = assign({"A": ((1, 3), (5, 6))}, *ann, bob, shots=shots)
    assert (voice.person, voice.tracks, voice.cannot_be) == ("Ann", (0, 2), ("Bob",))


def test_a_voice_never_makes_one_person_of_two_identities():
    """One shot shows Ann, another Bob, and the diarizer has merged them: it is the surer one's."""
    tracks = [
        face(0, (0, 4), (1, 3.5), identity="Ann"),
        face(1, (4, 8), (5, 7), identity="Bob"),
    ]
    (voice,) = assign({"A": ((1, 3.5), (5, 7))}, *tracks, shots=((0, 100), (100, 200)))
    assert (voice.person, voice.tracks) == ("Ann", (0,))
    assert voice.exceptions == ((5, 7, "Bob"),)


def test_without_identities_a_voice_joins_tracks_of_different_shots():
    shots = ((0, 100), (100, 200), (200, 300))
    tracks = [
        face(0, (0, 4), (2.5, 3.5)),
        face(1, (0, 4), (1, 2)),
        face(2, (4, 8), (5, 6)),
        face(3, (8, 12), (9, 10)),
        face(4, (8, 12), (10.5, 11.5)),
    ]
    turns = {"A": ((1, 2), (5, 6), (10.5, 11.5)), "B": ((2.5, 3.5), (9, 10))}
    one, two = found = assign(turns, *tracks, shots=shots)
    assert (one.person, one.tracks) == ("track_1", (1, 2, 4))
    assert (two.person, two.tracks) == ("track_0", (0, 3))
    assert names_of(found, tracks) == {
        **{0: "track_0", 1: "track_1", 2: "track_1"},
        **{3: "track_0", 4: "track_1"},
    }


def test_without_identities_a_voice_joins_the_parts_of_a_broken_track():
    tracks = [face(0, (0, 4), (1, 3)), face(1, (0, 10)), face(2, (5, 10), (6, 8))]
    (voice,) = assign({"A": ((1, 3), (6, 8))}, *tracks)
    assert (voice.person, voice.tracks) == ("track_0", (0, 2))


def test_two_voices_of_one_face_do_not_join_two_faces_seen_together():
    """Shot 1 says that both voices are one person's; shot 2, which is surer, that they are not."""
    shots = ((0, 200), (200, 500))
    tracks = [face(0, (0, 8), (1, 7)), face(1, (8, 20), (9, 13)), face(2, (8, 20), (14, 18))]
    turns = {"A": ((1, 4), (9, 13)), "B": ((4, 7), (14, 18))}
    one, two = assign(turns, *tracks, shots=shots)
    assert {one.person, two.person} == {"track_0", "track_2"}
    assert 1 in one.tracks
    assert 2 in two.tracks
    assert not set(one.tracks) & set(two.tracks)


# Off screen


def test_off_screen_is_speech_of_a_voice_whose_person_is_not_seen():
    ann = face(0, (0, 4), (1, 3))
    guest = face(1, (6, 10), (8, 8.3))
    found = assign({"A": ((1, 5),), "B": ((7, 9),)}, ann, guest, shots=((0, 150), (150, 250)))
    assert people(found) == {"A": "track_0", "B": None}
    shots = ((0, 250),)
    # Not what a face is decided as speaking.
    assert off_screen(found, [ann, guest], shots, 0.4) == ((4, 5), (7, 8), (8.32, 9))
    assert off_screen(found, [ann, guest], shots, 0.9) == ((4, 5), (7, 8))


def test_nothing_is_off_screen_while_a_visible_face_speaks():
    """Ann goes on out of sight while Bob is decided as speaking, or is heard with his own voice."""
    shots = ((0, 100), (100, 250))
    ann = face(0, (0, 4), (1, 4))
    bob = face(1, (4, 10), (5, 6), (8, 9))
    found = (
        Voice("A", ((1, 7),), "track_0", tracks=(0,)),
        Voice("B", ((6.2, 6.6), (8, 9)), "track_1", tracks=(1,)),
    )
    assert off_screen(found, [ann, bob], shots, 0) == ((4, 5), (6, 6.2), (6.6, 7))
    assert off_screen(found[:1], [ann, bob], shots, 0) == ((4, 5), (6, 7))
    assert off_screen(found, [ann], shots, 0) == ((4, 7), (8, 9))
