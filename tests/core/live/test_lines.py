"""Lines of live events: of the form of their schema, and read again the same."""

from __future__ import annotations

import json
import math

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asdkit.core.errors import InputError
from asdkit.core.forms import misfit
from asdkit.core.live.events import EVENTS_SCHEMA, KINDS, LiveEvent, LiveFace
from asdkit.core.live.lines import as_values, event_of, line_of, schema

seconds = st.floats(0, 1e7)
boxes = st.tuples(*[st.floats(-1e4, 1e4)] * 4)
parts = st.floats(0, 1)
words = st.text(min_size=1)
tracks = st.integers(0, 10**9)
plain = st.dictionaries(st.text(), st.none() | st.booleans() | st.integers() | st.text())
faces = st.builds(LiveFace, tracks, st.text(), boxes, parts, st.booleans(), st.booleans())

OF_A_FACE = {"certain": st.booleans(), "track": tracks, "name": words}
SPEECH = {
    **OF_A_FACE,
    "track": st.none() | tracks,
    "probability": st.none() | parts,
    "box": st.none() | boxes,
}
SAID = {
    "begun": {"about": st.none() | plain},
    "appeared": {**OF_A_FACE, "probability": st.none() | parts, "box": st.none() | boxes},
    "left": OF_A_FACE,
    "named": OF_A_FACE,
    "speaking": SPEECH,
    "silent": {**SPEECH, "since_s": st.none() | seconds},
    "cut": {},
    "interrupted": {"reason": words},
    "note": {"reason": words, "about": st.none() | plain},
    "faces": {"certain": st.booleans(), "faces": st.lists(faces, max_size=3).map(tuple)},
    "status": {"about": plain},
    "written": {"about": plain},
    "ended": {"about": st.none() | plain},
}
events = st.sampled_from(KINDS).flatmap(
    lambda kind: st.builds(
        LiveEvent, st.just(kind), seconds, delay_s=st.none() | seconds, **SAID[kind]
    )
)
SPEAKS = LiveEvent(
    "speaking", 5.04, True, 3, "ann", 0.91237, (10.04, 20.0, 30.06, 40.0), delay_s=0.61239
)


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(schema())
    assert [one["$ref"].rpartition("/")[2] for one in schema()["anyOf"]] == list(KINDS)


@given(events)
def test_any_event_is_of_the_form_and_is_read_again(event):
    line = line_of(event)
    values = json.loads(line)
    assert "\n" not in line
    jsonschema.validate(values, schema())
    assert misfit(values, schema()) is None
    again = event_of(values)
    assert again.event == event.event
    assert again.time_s == pytest.approx(event.time_s, abs=1e-4)
    assert as_values(again) == values
    assert event_of(as_values(again)) == again


def test_what_a_line_says():
    assert as_values(SPEAKS) == {
        "event": "speaking",
        "time_s": 5.04,
        "certain": True,
        "track": 3,
        "name": "ann",
        "probability": 0.9124,
        "box": [10.0, 20.0, 30.1, 40.0],
        "delay_s": 0.6124,
    }
    assert as_values(LiveEvent("cut", 1.0)) == {"event": "cut", "time_s": 1.0}
    begun = as_values(LiveEvent("begun", 0.0, about={"name": "hall"}))
    assert begun == {
        "schema": EVENTS_SCHEMA,
        "event": "begun",
        "time_s": 0.0,
        "about": {"name": "hall"},
    }


def test_what_means_nothing_for_a_kind_is_left_out():
    assert as_values(LiveEvent("cut", 1.0, certain=False, track=1, reason="x")) == {
        "event": "cut",
        "time_s": 1.0,
    }


def test_numbers_that_are_none_are_never_written():
    line = line_of(LiveEvent("status", 1.0, about={"delay_s": math.nan, "most": math.inf}))
    assert json.loads(line)["about"] == {"delay_s": "nan", "most": "inf"}
    with pytest.raises(ValueError, match="JSON"):
        line_of(LiveEvent("cut", math.nan))


def test_names_that_are_not_unicode_can_be_written():
    line = line_of(LiveEvent("named", 1.0, track=1, name="caf\udce9"))
    assert json.loads(line.encode())["name"] == "caf\ufffd"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([], "it is an array, which is no object"),
        ({}, "event is missing"),
        ({"event": 3, "time_s": 1}, "event is 3"),
        ({"event": "spoke", "time_s": 1}, "'spoke', which this version does not know"),
        ({"event": "face", "time_s": 1}, "'face', which this version does not know"),
        ({"event": "cut"}, "time_s is missing"),
        ({"event": "cut", "time_s": "1"}, "time_s is '1'"),
        ({"event": "cut", "time_s": 1, "box": [1, 2, 3, 4]}, "there is no box"),
        ({"event": "appeared", "time_s": 1, "certain": True, "track": -1}, "out of range"),
        ({"event": "silent", "time_s": 1, "certain": True, "box": [1, 2, 3]}, "box has 3 items"),
        (
            {"event": "faces", "time_s": 1, "certain": True, "faces": [{}]},
            r"faces\[0\].track is missing",
        ),
        ({"event": "begun", "time_s": 0, "schema": "asdkit.live/9"}, "'asdkit.live/1'"),
    ],
)
def test_damaged_lines_are_refused_with_the_reason(values, said):
    with pytest.raises(InputError, match=said):
        event_of(values)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(values, schema())


def test_whole_numbers_are_taken_for_seconds():
    event = event_of({"event": "cut", "time_s": 3})
    assert isinstance(event.time_s, float)
