"""Who is shown when, within one shot: by hand, and what holds whatever is said."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from by_hand import track
from hypothesis import given
from hypothesis import strategies as st

from asdkit.plugins.writers.reframe.direction import Rules, Scene, directed
from asdkit.plugins.writers.reframe.people import Person, people_of

RULES = Rules(hold_s=1.0, pause_s=0.4, lead_s=0.0, split_s=2.0, absent_s=3.0)


def person(name: str, frames: int, speaks=(), seen=None, x: float = 0, side: float = 10) -> Person:
    """A person with a face of this size, seen and speaking in these spans of seconds."""
    boxes = np.full((frames, 4), np.nan)
    for start_s, end_s in [(0, frames / 25)] if seen is None else seen:
        boxes[round(25 * start_s) : round(25 * end_s)] = (x, 0, x + side, side)
    speaking = np.zeros(frames, np.bool_)
    for start_s, end_s in speaks:
        speaking[round(25 * start_s) : round(25 * end_s)] = True
    return Person(name, boxes, speaking)


def shown(*people: Person, rules: Rules = RULES, recent: str | None = None) -> list:
    """(first second, last second, names) of each scene."""
    frames = len(people[0].boxes)
    found = directed(people, frames, rules, recent)
    return [
        (scene.first / 25, scene.end / 25, "".join(people[n].name for n in scene.who))
        for scene in found
    ]


def test_the_crop_goes_where_a_turn_begins():
    a, b = person("a", 200, [(0.4, 3)]), person("b", 200, [(3.6, 7)])
    assert shown(a, b) == [(0, 3.6, "a"), (3.6, 8, "b")]


def test_it_goes_early_by_the_lead_but_never_into_another_turn():
    rules = Rules(1.0, 0.4, 0.2, 2.0, 3.0)
    a, b = person("a", 200, [(0.4, 3)]), person("b", 200, [(3.6, 7)])
    assert shown(a, b, rules=rules) == [(0, 3.4, "a"), (3.4, 8, "b")]
    a, b = person("a", 200, [(0.4, 3)]), person("b", 200, [(3.08, 7)])
    assert shown(a, b, rules=rules) == [(0, 3, "a"), (3, 8, "b")]


def test_short_interjections_do_not_move_it():
    a, b = person("a", 200, [(0, 8)]), person("b", 200, [(2, 2.8), (5, 5.9)])
    assert shown(a, b) == [(0, 8, "a")]
    assert shown(person("a", 200, [(0, 3), (3.8, 8)]), person("b", 200, [(3, 3.8)])) == [
        (0, 8, "a")
    ]


def test_pauses_do_not_end_a_turn():
    a = person("a", 200, [(0, 2), (2.4, 4), (4.4, 8)])
    assert shown(a, person("b", 200, [(1.8, 3.4)])) == [(0, 8, "a")]


def test_whoever_is_shown_stays_until_the_turn_is_over():
    a, b = person("a", 200, [(0, 4)]), person("b", 200, [(3, 8)])
    assert shown(a, b) == [(0, 4, "a"), (4, 8, "b")]


def test_it_stays_while_nobody_speaks():
    a, b = person("a", 250, [(0, 3)]), person("b", 250, [(8, 10)], side=90)
    assert shown(a, b) == [(0, 8, "a"), (8, 10, "b")]


def test_before_the_first_turn_its_speaker_is_shown():
    assert shown(person("a", 200, side=90), person("b", 200, [(5, 7)])) == [(0, 8, "b")]


def test_in_a_silent_shot_the_most_recent_speaker_else_the_largest_face():
    a, b = person("a", 50, side=90), person("b", 50)
    assert shown(a, b) == [(0, 2, "a")]
    assert shown(a, b, recent="b") == [(0, 2, "b")]
    assert shown(a, b, recent="c") == [(0, 2, "a")]


def test_two_who_speak_at_once_for_long_are_shown_together():
    a, b = person("a", 250, [(0, 6)]), person("b", 250, [(3, 10)])
    assert shown(a, b) == [(0, 3, "a"), (3, 6, "ab"), (6, 10, "b")]
    never = Rules(1.0, 0.4, 0.0, None, 3.0)
    assert shown(a, b, rules=never) == [(0, 6, "a"), (6, 10, "b")]


def test_a_quick_exchange_shows_both():
    """Neither holds the floor: with pauses filled both do."""
    a = person("a", 200, [(k, k + 0.6) for k in range(8)])
    b = person("b", 200, [(k + 0.6, k + 1) for k in range(8)])
    assert shown(a, b, rules=Rules(1.0, 0.6, 0.0, 2.0, 3.0))[1:] == []
    assert shown(a, b, rules=Rules(1.0, 0.6, 0.0, 2.0, 3.0))[0][2] == "ab"


def test_of_three_who_speak_the_two_whose_turns_last():
    a, b, c = (person(n, 250, [(0, end)]) for n, end in (("a", 10), ("b", 5), ("c", 10)))
    assert shown(a, b, c)[0][2] == "ac"


def test_who_is_gone_is_not_waited_for():
    a = person("a", 250, [(0, 3)], seen=[(0, 4)])
    assert shown(a, person("b", 250)) == [(0, 4, "a"), (4, 10, "b")]
    back = person("a", 250, [(0, 3)], seen=[(0, 4), (4.8, 10)])
    assert shown(back, person("b", 250)) == [(0, 10, "a")]


def test_nobody_is_shown_where_nobody_is():
    a = person("a", 250, [(0, 3)], seen=[(0, 4), (8, 10)])
    assert shown(a) == [(0, 4, "a"), (4, 8, ""), (8, 10, "a")]
    a = person("a", 250, [(0, 3)], seen=[(0, 4), (6.6, 10)])
    assert shown(a) == [(0, 10, "a")]
    late = person("a", 250, seen=[(2, 10)])
    assert shown(late) == [(0, 10, "a")]


def test_a_shot_without_people_is_one_scene():
    assert directed([], 40, RULES) == [Scene(0, 40, ())]


def test_a_short_scene_at_the_beginning_goes_to_the_next():
    a, b = person("a", 200, seen=[(0, 0.8)]), person("b", 200, seen=[(0.8, 8)])
    assert shown(a, b, rules=Rules(0.6, 0.4, 0, 2.0, 3.0)) == [(0, 0.8, "a"), (0.8, 8, "b")]
    assert shown(a, b) == [(0, 8, "b")]


spans = st.lists(st.tuples(st.integers(0, 400), st.integers(1, 120)), max_size=6)


@given(
    talk=st.lists(st.tuples(spans, spans), min_size=1, max_size=4),
    frames=st.integers(1, 400),
    hold_s=st.sampled_from([0.0, 0.4, 1.0, 2.5]),
    lead_s=st.sampled_from([0.0, 0.2]),
    split_s=st.sampled_from([None, 0.5, 2.0]),
)
def test_scenes_fill_the_shot_and_hold(talk, frames, hold_s, lead_s, split_s):
    people = []
    for name, (seen, speaks) in zip("abcd", talk, strict=False):
        boxes = np.full((frames, 4), np.nan)
        boxes[0] = (0, 0, 9, 9)
        speaking = np.zeros(frames, np.bool_)
        for first, length in seen:
            boxes[first : first + length] = (0, 0, 9, 9)
        for first, length in speaks:
            speaking[first : first + length] = True
        people.append(Person(name, boxes, speaking))
    scenes = directed(people, frames, Rules(hold_s, 0.4, lead_s, split_s, 3.0))
    edges = [scene.first for scene in scenes] + [frames]
    assert edges[0] == 0
    assert [scene.end for scene in scenes] == edges[1:]
    assert all(a.who != b.who for a, b in pairwise(scenes))
    if len(scenes) > 1:
        assert min(scene.end - scene.first for scene in scenes) >= hold_s * 25
    assert all(len(scene.who) <= (1 if split_s is None else 2) for scene in scenes)


# --- people


def test_tracks_of_one_name_are_one_person():
    one = track(0, 0, [(0, 0, 10, 10)] * 10, speaking=[(0.0, 0.2)])
    other = track(1, 8, [(50, 0, 90, 40)] * 10, speaking=[(0.4, 0.6)])
    third = track(2, 0, [(20, 0, 30, 10)] * 40)
    left, right = people_of([one, other, third], {0: "a", 1: "a", 2: "b"}, 2, 20)
    assert [left.name, right.name] == ["b", "a"]
    assert right.tracks == (0, 1)
    assert right.visible.tolist() == [True] * 16 + [False] * 2
    assert right.boxes[5, 0] == 0
    assert right.boxes[6, 0] == 50  # where both are, the larger one
    assert np.flatnonzero(right.speaking).tolist() == [0, 1, 2, 8, 9, 10, 11, 12]
    assert left.visible.all()
    assert right.area == pytest.approx((6 * 100 + 10 * 1600) / 16)
