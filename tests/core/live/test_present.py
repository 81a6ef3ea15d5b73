"""What whoever listens later is told first."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from told import BEGUN, appeared, faces, speech

from asdkit.core.live.events import LiveEvent
from asdkit.core.live.present import Present


def after(*events: LiveEvent) -> Present:
    present = Present()
    for event in events:
        present.follow(event)
    return present


def test_all_that_is_still_true_is_told_once():
    status = LiveEvent("status", 2.0, about={"left_out": 1})
    events = [BEGUN, appeared(0), appeared(1, 1.0), speech(1.2, 1, True), faces(2.0, False, True)]
    over = [appeared(2), LiveEvent("left", 1.8, track=2), LiveEvent("cut", 1.9)]
    assert after(*events[:3], *over, *events[3:], status).events() == [*events, status]


def test_a_face_that_was_named_has_its_name():
    named = LiveEvent("named", 1.0, track=0, name="ann")
    told = after(appeared(0), speech(0.5, 0, True), named).events()
    assert [(event.event, event.name) for event in told] == [
        ("appeared", "ann"),
        ("speaking", "ann"),
    ]


def test_an_interruption_is_told_until_it_goes_on():
    stalled = LiveEvent("interrupted", 3.0, reason="stalled")
    assert stalled in after(BEGUN, faces(2.0), stalled).events()
    assert stalled not in after(BEGUN, stalled, faces(4.0)).events()


def test_what_is_provisional_is_told_beside_what_is_certain():
    certain, maybe = speech(1.0, 0, True), speech(2.0, 0, False, certain=False)
    assert after(certain, maybe).events() == [certain, maybe]
    assert after(certain, maybe, speech(2.2, 0, True, certain=False)).events() == [certain]
    assert after(certain, speech(2.0, 0, False)).events() == []
    first = speech(1.0, None, True, certain=False)
    assert after(first).events() == [first]
    assert after(first, speech(1.2, None, False, certain=False)).events() == []
    assert after(certain, LiveEvent("left", 3.0, track=0)).events() == []


kinds = st.tuples(st.sampled_from([0, 1, None]), st.booleans(), st.booleans())


@given(st.lists(kinds, max_size=12))
@settings(max_examples=200)
def test_who_was_told_the_present_knows_who_speaks(turns):
    """Those who heard all, and those who were told the present alone, are told the same next."""
    events = [speech(float(n), who, on, certain=sure) for n, (who, on, sure) in enumerate(turns)]
    assert told_last(after(*events).events()) == told_last(events)


def told_last(events) -> set[int | None]:
    speaks = {event.track: event.event == "speaking" for event in events}
    return {track for track, on in speaks.items() if on}


def test_memory_is_that_of_the_faces_in_sight():
    present = Present()
    for track in range(1000):
        present.follow(appeared(track))
        present.follow(LiveEvent("speaking", 1.0, track=track, certain=True))
        present.follow(LiveEvent("left", 2.0, track=track))
        present.follow(LiveEvent("silent", 2.0, track=track, certain=True))
    assert not any(vars(present)[name] for name in ("_in_sight", "_certain", "_told"))
