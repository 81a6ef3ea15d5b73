"""What is told of a session, hop by hop."""

from __future__ import annotations

import hops_made
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from asdkit.core.live.hops import Hop, HopFace

seeds = st.integers(0, 10**6)
KINDS = ["cut", "appeared", "named", "silent", "speaking", "left", "faces"]


def told(session, hop=5, lookahead=5, **options):
    found = hops_made.decided(session, hops_made.decider(**options), hop, lookahead)
    return found, [list(one.events) for one in found]


def of(events, *kinds, **wanted):
    return [
        e
        for hop in events
        for e in hop
        if e.event in kinds and all(getattr(e, k) == value for k, value in wanted.items())
    ]


sessions = [
    seeds,
    st.integers(1, 12),
    st.integers(0, 12),
    st.booleans(),
    st.sampled_from(["independent", "exclusive"]),
]


@settings(max_examples=30)
@given(*sessions)
def test_certain_events_alternate_and_are_the_decisions(seed, hop, lookahead, voice, decisions):
    session = hops_made.drawn(seed, voice=voice)
    found, events = told(session, hop, lookahead, decisions=decisions)
    masks = {face.track: np.zeros(600, np.bool_) for face in session.faces}
    masks[None] = np.zeros(600, np.bool_)
    for one in found:
        for rows in one.rows:
            first = rows.first_frame
            masks[rows.track][first : first + len(rows.speaking)] = rows.speaking
        if voice:
            masks[None][one.first : one.stop] = one.off_screen
    for track, mask in masks.items():
        own = of(events, "speaking", "silent", certain=True, track=track)
        frames = [round(e.time_s * 25) for e in own]
        assert frames == np.flatnonzero(np.diff(mask, prepend=False)).tolist()
        assert [e.event for e in own] == ["speaking", "silent"] * (len(own) // 2)
        assert [e.since_s for e in own[::2]] == [None] * (len(own) // 2)
        assert [e.since_s for e in own[1::2]] == [e.time_s for e in own[::2]]


@settings(max_examples=30)
@given(*sessions)
def test_provisional_events_change_what_was_told(seed, hop, lookahead, voice, decisions):
    session = hops_made.drawn(seed, voice=voice)
    _, events = told(session, hop, lookahead, decisions=decisions)
    state = {}
    for here in events:
        changes = [e for e in here if e.event in {"speaking", "silent"}]
        provisional = [e.track for e in changes if not e.certain]
        assert len(provisional) == len(set(provisional)), "once a hop"
        for e in changes:
            speaks = e.event == "speaking"
            assert e.certain or speaks != state.get(e.track, False)
            state[e.track] = speaks
    assert not any(state.values()), "whoever has left is silent"


@settings(max_examples=30)
@given(*sessions)
def test_nothing_is_told_of_a_face_before_it_appears_and_after_it_left(
    seed, hop, lookahead, voice, decisions
):
    session = hops_made.drawn(seed, voice=voice)
    _, events = told(session, hop, lookahead, decisions=decisions)
    there = set()
    for here in events:
        order = [(e.time_s, KINDS.index(e.event), -1 if e.track is None else e.track) for e in here]
        assert order == sorted(order)
        for e in here:
            if e.event == "appeared":
                there.add(e.track)
            assert e.track is None or e.track in there
            assert {face.track for face in e.faces or ()} <= there
            if e.event == "left":
                there.remove(e.track)
    tracks = sorted(face.track for face in session.faces)
    for kind in ("appeared", "left"):
        assert sorted(e.track for e in of(events, kind)) == tracks
    assert not there


def test_a_turn_is_told_as_it_looks_and_as_it_is():
    face = hops_made.Face(
        0, 0, 10, np.concatenate([np.full(20, -9.0), np.full(30, 9.0), np.full(40, -9.0)])
    )
    session = hops_made.Session([(0, 120)], [(0, 120)], [face])
    _, events = told(session)
    (appeared,) = of(events, "appeared")
    assert (appeared.time_s, appeared.certain, appeared.track, appeared.name) == (
        0.4,
        True,
        0,
        "track_0",
    )
    assert appeared.box == (1.0, 0.0, 51.0, 50.0)
    (speaking,) = of(events, "speaking", certain=True)
    (silent,) = of(events, "silent", certain=True)
    assert (speaking.time_s, silent.time_s, silent.since_s) == (1.2, 2.4, 1.2)
    assert speaking.probability > 0.99 > 0.01 > silent.probability
    early = of(events, "speaking", certain=False)
    assert [e.time_s for e in early] == [1.2]
    place = {e: n for n, hop in enumerate(events) for e in hop if e.event != "faces"}
    assert (place[early[0]], place[speaking]) == (6, 7), "told two hops before"
    (left,) = of(events, "left")
    assert left.time_s == 4.0


def test_a_shot_begins_with_a_cut_and_faces_are_told_every_hop():
    faces = [
        hops_made.Face(0, 0, 10, np.full(50, 3.0)),
        hops_made.Face(1, 1, 60, np.full(40, 3.0), source_id=7),
    ]
    session = hops_made.Session([(0, 120)], [(0, 60), (60, 120)], faces)
    found, events = told(session)
    assert [e.time_s for e in of(events, "cut")] == [0.0, 2.4]
    shown = of(events, "faces")
    assert len(shown) == len(found)
    (face,) = shown[5].faces
    assert (shown[5].time_s, face.track, face.name, face.certain) == (29 / 25, 0, "track_0", False)
    assert face.box == (2.9, 0.0, 52.9, 50.0)
    assert {e.name for e in of(events, "speaking", track=1)} == {"track_7"}
    assert shown[-1].faces == ()
    (silent,) = of(events, "silent", track=0, certain=True)
    assert silent.time_s == 2.4, "it speaks until it is gone"


def test_off_screen_speech_is_told_when_it_is_certain():
    likely = np.concatenate([np.zeros(20), np.full(30, 0.9), np.zeros(50), np.full(50, 0.9)])
    session = hops_made.Session([(0, 150)], [(0, 150)], [], likely.astype(np.float32))
    _, events = told(session)
    found = of(events, "speaking", "silent")
    assert [(e.event, e.time_s, e.since_s) for e in found] == [
        ("speaking", 0.8, None),
        ("silent", 2.0, 0.8),
        ("speaking", 4.0, None),
        ("silent", 6.0, 4.0),
    ]
    assert all(e.certain and e.track is None and e.name == "off_screen" for e in found)
    assert all(e.box is None and e.probability is None for e in found)


def hop(end, faces=(), dropped=(), odds=3.0):
    rows = [
        HopFace(
            track,
            0,
            0,
            0,
            np.tile([0.0, 0, 9, 9], (end, 1)),
            np.zeros((end, 3)),
            np.tile(np.array([0, odds], np.float32), (end, 1)),
            0,
            np.empty(0, np.int64),
            hops_made.NOBODY,
        )
        for track in faces
    ]
    return Hop(end, 0, end, ((0, 0, None),), tuple(rows), tuple(dropped))


def test_who_is_dropped_early_is_never_told_of():
    deciding = hops_made.decider()
    events = [deciding.take(one).events for one in (hop(5, [0]), hop(10, [0]), hop(15, [], [0]))]
    assert [e.event for here in events for e in here] == ["cut", "faces", "faces", "faces"]
    assert all(e.faces == () for e in of(events, "faces"))


def test_who_is_dropped_after_half_a_second_leaves():
    deciding = hops_made.decider()
    events = [deciding.take(one).events for one in (hop(10, [0]), hop(15, [0]), hop(20, [], [0]))]
    kinds = [[(e.event, e.certain) for e in here if e.event != "faces"] for here in events]
    assert kinds == [
        [("cut", True)],
        [("appeared", False), ("speaking", False)],
        [("silent", False), ("left", True)],
    ]
    assert [e.time_s for e in events[2][:2]] == [0.6, 0.6]
    assert events[2][0].since_s == 0.0


def test_what_looked_otherwise_is_told_again():
    deciding = hops_made.decider()
    hops = [hop(15, [0]), hop(20, [0], odds=-3.0), hop(25, [0], odds=-3.0), hop(30, [0])]
    events = [deciding.take(one).events for one in hops]
    kinds = [[e.event for e in here if e.event in {"speaking", "silent"}] for here in events]
    assert kinds == [["speaking"], ["silent"], [], ["speaking"]]


def test_what_only_looked_like_speech_is_taken_back_from_what_is_not_decided_on():
    whole = hops_made.Session([(0, 50)], [(0, 50)], [hops_made.Face(0, 0, 0, np.full(50, -3.0))])
    wrong = hops_made.Session(
        [(0, 50)], [(0, 50)], [hops_made.Face(0, 0, 0, np.repeat([-3.0, 9.0], [15, 35]))]
    )
    hops = [
        wrong_one if k == 3 else one
        for k, ((one, _), (wrong_one, _)) in enumerate(
            zip(whole.hops(5, 5, noise=0), wrong.hops(5, 5, noise=0), strict=True)
        )
    ]
    deciding = hops_made.decider()
    events = of([deciding.take(one).events for one in hops[:6]], "speaking", "silent")
    assert [(e.event, e.certain, e.time_s) for e in events if e.since_s is None] == [
        ("speaking", False, 0.6)
    ]
    (silent,) = of([events], "silent", certain=False)
    assert silent.time_s == 0.8, "what is before was decided: it was silent"
    assert silent.since_s == 0.6


def test_the_same_hops_give_the_same_events():
    session = hops_made.drawn(5, voice=True)
    assert told(session)[1] == told(session)[1]
