"""What comes out when turns of a diarizer went in: results, RTTM, WebVTT, timeline, schema."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import by_hand
import jsonschema
import numpy as np
import pytest
import webvtt

from asdkit.core.component import Context
from asdkit.core.result import Result
from asdkit.core.results import SCHEMA, schema, to_json, turns, voice_names
from asdkit.core.voice import Voice
from asdkit.core.voices.assigning import with_voices
from asdkit.plugins.writers import annotated, asdkit_components
from asdkit.plugins.writers.timeline import TimelineConfig, TimelineWriter

WRITERS = {component.name: component for component in asdkit_components()}
VOICES = (
    Voice("S0", ((1.0, 3.0), (6.0, 9.0)), "Ann B", 0.9, (0,), ((7.0, 8.0, "Bob"),), ("Bob",)),
    Voice("S1", ((2.5, 4.0),), "Bob", 0.8, (1,)),
    Voice("S2", ((3.5, 5.0),), "Ann B", 0.7, (0,)),
    Voice("S3", ((2.0, 3.5),), None, 0.6),
    Voice("Bob", ((9.5, 9.75),), None, 0.6),
)
NAMED = [
    (1.0, 3.0, "Ann B"),
    (2.0, 3.5, "S3"),
    (2.5, 4.0, "Bob"),
    (3.5, 5.0, "Ann B"),
    (6.0, 7.0, "Ann B"),
    (7.0, 8.0, "Bob"),
    (8.0, 9.0, "Ann B"),
    (9.5, 9.75, "Bob_2"),
]


def result(voices: tuple[Voice, ...] | None = VOICES, start_s: float = 0.0) -> Result:
    boxes = np.tile([0.0, 0.0, 9.0, 9.0], (50, 1))
    tracks = [
        by_hand.track(0, 0, boxes, speaking=((0.5, 1.0),), identity="Ann B"),
        by_hand.track(1, 0, boxes, identity="Bob"),
    ]
    made = by_hand.result(*tracks, off_screen=((4.0, 5.0),), voices=voices)
    object.__setattr__(made.video, "start_s", start_s)
    return made


def write(name: str, what: Result, folder: Path) -> Path:
    component = WRITERS[name]
    return component.build(component.config(), Context()).write(what, folder)[0]


def test_turns_are_the_diarizers_with_one_name_for_a_person():
    """Overlap of people stays; what no voice covers, 0.5 to 1 s and off-screen speech, does not."""
    assert turns(result()) == NAMED
    assert turns(result(None)) == [(0.5, 1.0, "Ann B"), (4.0, 5.0, "off_screen")]
    assert turns(result(())) == []


def test_turns_of_a_person_with_two_voices_do_not_overlap():
    voices = (Voice("A", ((1, 3),), "Bob"), Voice("B", ((2.8, 4), (5, 6)), "Bob"))
    assert turns(result(voices)) == [(1, 4, "Bob"), (5, 6, "Bob")]


def test_a_voice_that_is_called_like_somebody_else_gets_a_number():
    voices = [Voice(name, ((0, 1),)) for name in ("Ann", "Ann_2", "Cy")]
    assert voice_names(voices, {"Ann"}) == {"Ann": "Ann_3", "Ann_2": "Ann_2", "Cy": "Cy"}


def test_a_voice_called_like_off_screen_speech_is_told_from_it():
    assert voice_names([Voice("off_screen", ((0, 1),))], ()) == {"off_screen": "off_screen_2"}


def test_rttm_and_webvtt_hold_these_turns_on_the_clock_of_the_file(tmp_path):
    lines = write("rttm", result(start_s=0.5), tmp_path).read_text("utf-8").splitlines()
    fields = [line.split() for line in lines]
    assert [(float(f[3]), float(f[4]), f[7]) for f in fields] == [
        (start + 0.5, end - start, name.replace(" ", "_")) for start, end, name in NAMED
    ]
    cues = webvtt.read(str(write("webvtt", result(start_s=0.5), tmp_path)))
    assert [(cue.start, cue.voice, cue.text) for cue in cues] == [
        (f"00:00:{start + 0.5:06.3f}", name, name) for start, _, name in NAMED
    ]


def test_webvtt_names_tracks_as_ever_and_voices_by_the_file(tmp_path):
    boxes = np.tile([0.0, 0.0, 9.0, 9.0], (50, 1))
    voices = (Voice("S0", ((0, 1),), "track_0", 0.9, (0,)), Voice("S1", ((1, 2),)))
    what = by_hand.result(by_hand.track(0, 0, boxes), voices=voices)
    cues = webvtt.read(str(write("webvtt", what, tmp_path)))
    assert [cue.text for cue in cues] == ["Track 0", "S1"]


def test_result_json_tells_of_voices(tmp_path):
    found = json.loads(write("json", result(), tmp_path).read_text("utf-8"))
    jsonschema.validate(found, schema())
    assert found == to_json(result())
    assert found["voices"][0] == {
        "name": "S0",
        "person": "Ann B",
        "confidence": 0.9,
        "tracks": [0],
        "turns": [[1.0, 3.0], [6.0, 9.0]],
        "exceptions": [[7.0, 8.0, "Bob"]],
        "cannot_be": ["Bob"],
    }
    assert found["voices"][3]["person"] is None
    assert to_json(result(None))["voices"] is None


def test_results_of_before_are_still_of_the_schema():
    older = {key: value for key, value in to_json(result(None)).items() if key != "voices"}
    assert older["schema"] == SCHEMA
    jsonschema.validate(older, schema())


def test_without_turns_a_result_is_as_it_was():
    before = result(None)
    assert with_voices(before, None, 0.4) is before
    after = with_voices(before, {"A": ((5, 6),)}, 0.4)
    assert [voice.person for voice in after.voices] == [None]
    assert after.off_screen == ((5, 6),)


@pytest.mark.parametrize("joined", [False, True])
def test_the_timeline_has_a_lane_for_each_person_and_unseen_voice(tmp_path, joined):
    pytest.importorskip("matplotlib")
    boxes = np.tile([0.0, 0.0, 9.0, 9.0], (50, 1))
    tracks = [by_hand.track(0, 0, boxes), by_hand.track(1, 60, boxes)]
    mine = Voice("S0", ((0, 1), (3, 4)), "track_0", 0.9, (0, 1) if joined else (0,))
    what = by_hand.result(*tracks, voices=(mine, Voice("S1", ((1, 2),))))
    svg = TimelineWriter(TimelineConfig()).write(what, tmp_path)[0].read_text("utf-8")
    assert ("track_1" in svg) is not joined
    assert "S1" in svg
    assert "S0" not in svg
    assert "off-screen" in svg


def test_annotated_labels_tracks_that_a_voice_joins_alike(monkeypatch):
    labels = []
    monkeypatch.setattr(annotated, "draw_face", lambda *given: labels.append(given[2].split()[0]))
    boxes = np.tile([0.0, 0.0, 9.0, 9.0], (50, 1))
    tracks = [by_hand.track(number, 0, boxes) for number in range(3)]
    joining = Voice("S0", ((0, 1),), "track_0", 0.9, (0, 2))
    for voices in (None, (joining,)):
        overlay = annotated._Overlay(by_hand.result(*tracks, voices=voices))
        overlay.draw(None, Fraction(1))
    assert labels == ["#0", "#1", "#2", "#0", "#1", "#0"]
