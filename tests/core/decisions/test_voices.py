"""Whose speech is listened to, and whose voice is whose."""

from __future__ import annotations

import numpy as np
import pytest
from by_hand import square, track

from asdkit.core.decisions.segments import mask, stretches
from asdkit.core.decisions.voices import (
    alone,
    identified_by_voice,
    sample,
    voices_by_name,
    whose,
)


def face(number, first, frames, *speaking, **more):
    return track(number, first, [square(10, 10)] * frames, 0.0, speaking, **more)


def unit(degrees):
    """A voice: cosine distances are those of angles."""
    angle = np.deg2rad(degrees)
    return np.array([np.cos(angle), np.sin(angle)], np.float32)


def test_spans_are_what_a_mask_is_made_of():
    spans = ((1.0, 1.4), (2.0, 3.0))
    assert stretches(mask(spans, 20, 80), 20, 0.0) == spans
    assert stretches(mask(spans, 20, 80), 20, 0.44) == ((2.0, 3.0),)


def test_nobody_is_listened_to_while_two_speak():
    tracks = [
        face(0, 0, 100, (0.0, 2.0), (3.0, 4.0)),
        face(1, 25, 75, (1.0, 2.4), (3.12, 3.88)),
        face(2, 100, 25, (4.0, 5.0)),
    ]
    # What is left of the second span of the first face is too short on both sides.
    assert alone(tracks) == [((0.0, 1.0),), ((2.0, 2.4),), ((4.0, 5.0),)]
    assert alone([]) == []


def test_the_longest_speech_is_listened_to_up_to_twenty_seconds():
    spans = ((0.0, 2.0), (3.0, 15.0), (16.0, 26.0), (30.0, 31.0))
    assert sample(spans) == ((3.0, 15.0), (16.0, 24.0))
    assert sample(spans[:2]) == spans[:2]
    assert sample(()) == ()


def test_tracks_of_one_voice_are_one_person():
    tracks = [
        face(0, 0, 10),
        face(1, 0, 10),
        face(2, 20, 10),
        face(3, 20, 10),
        face(4, 40, 10),
    ]
    voices = [unit(0), unit(90), unit(95), None, unit(3)]
    found = identified_by_voice(tracks, voices, 0.1)
    assert [one.identity for one in found] == ["person_0", "person_1", "person_1", None, "person_0"]
    # The voice is no embedding of the face.
    assert all(one.embeddings.size == 0 for one in found)


def test_two_faces_of_one_frame_are_two_people_however_alike():
    found = identified_by_voice([face(0, 0, 10), face(1, 5, 10)], [unit(0), unit(0)], 0.5)
    assert [one.identity for one in found] == ["person_0", "person_1"]


def test_without_a_voice_nobody_is_named():
    assert identified_by_voice([face(0, 0, 10)], [None], 0.5)[0].identity is None


def test_a_persons_voice_is_that_of_all_tracks():
    tracks = [
        face(0, 0, 10, identity="Ann"),
        face(1, 20, 10, identity="Ann"),
        face(2, 20, 10),
        face(3, 40, 10),
    ]
    found = voices_by_name(tracks, [unit(0), unit(60), unit(180), None])
    assert list(found) == ["Ann", "track_2"]
    np.testing.assert_allclose(found["Ann"], unit(30), atol=1e-6)
    assert found["Ann"].dtype == np.float32


@pytest.mark.parametrize(
    ("degrees", "max_distance", "name"),
    [(20, 0.1, "Ann"), (50, 0.5, "Bob"), (40, 0.1, None), (40, 0.3, "Ann"), (-90, 0.5, None)],
)
def test_the_closest_voice_names_if_it_is_close_enough(degrees, max_distance, name):
    people = {"Ann": unit(0), "Bob": unit(90)}
    assert whose(unit(degrees), people, max_distance) == name


def test_no_voice_and_nobody_known_name_nobody():
    assert whose(None, {"Ann": unit(0)}, 2) is None
    assert whose(unit(0), {}, 2) is None
