"""What can be asked of a result: in a line, in a notebook, at a time, by name, for other tools."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from xml.etree import ElementTree

import by_hand
import numpy as np
import pytest

from asdkit.core.errors import ConfigError, MissingExtraError
from asdkit.core.result import Result
from asdkit.core.types import OFF_SCREEN
from asdkit.core.voice import Voice
from asdkit.plugins.writers.rttm import RttmWriter

NASTY = '<img src=x onerror="alert(1)">&\x00\u202e'
BOXES = np.array([0, 0, 60, 60]) + np.arange(200.0).reshape(50, 4)


def talk(**more) -> Result:
    """Anna, who speaks from 0.4 to 1 s, somebody silent from 1 s on, and a voice at 1.2 s."""
    tracks = (
        by_hand.track(0, 0, BOXES, 1.0, [(0.4, 1.0)], identity="Anna"),
        by_hand.track(1, 25, BOXES, -1.0),
    )
    given = {"off_screen": ((1.2, 1.6),), "shots": [(0, 75)], **more}
    return by_hand.result(*tracks, path="some/talk.mp4", duration_s=3.0, **given)


def with_voices() -> Result:
    voices = (
        Voice("S0", ((0.4, 1.0),), "Anna", 0.9, (0,), ((0.6, 0.8, "track_1"),), ("track_1",)),
        Voice("S1", ((2.0, 2.5),)),
    )
    return talk(voices=voices, off_screen=((2.0, 2.5),))


def test_a_line_says_who_speaks_and_holds_no_array():
    assert repr(talk()) == (
        "<Result of some/talk.mp4: 3.00 s, 2 tracks; Anna speaks for 0.6 s, "
        "off_screen speaks for 0.4 s>"
    )
    silent = by_hand.result(by_hand.track(0, 0, BOXES))
    assert repr(silent) == "<Result of clip.mp4: 10.00 s, 1 track; nobody speaks>"
    same = replace(talk(), tracks=tuple(replace(t, identity="Anna") for t in talk().tracks))
    assert "2 tracks of 1 people" in repr(same)
    many = [by_hand.track(n, 0, BOXES, 0, [(0.0, 0.04 * n + 0.04)]) for n in range(30)]
    assert repr(by_hand.result(*many)).endswith("track_26 speaks for 1.1 s, and 26 others>")
    assert repr(talk().tracks[0]) == "<Track 0: Anna, seen from 0.00 to 2.00 s, speaks for 0.60 s>"
    assert "array" not in repr(talk()) + repr(talk().tracks)


def test_in_a_notebook_it_is_a_table_and_a_timeline():
    shown = talk()._repr_html_()
    cells = re.findall(r"<td>(.*?)</td>", shown)
    assert cells == [
        *("Anna", "0", "2.0 s", "0.6 s", "1"),
        *("track_1", "1", "2.0 s", "0.0 s", "0"),
        *("Off screen", "", "0.0 s", "0.4 s", "1"),
    ]
    (drawn,) = re.findall(r"<svg.*?</svg>", shown)
    svg = ElementTree.fromstring(drawn)
    texts = [one.text for one in svg.iter("{http://www.w3.org/2000/svg}text")]
    assert texts == ["Anna", "track_1", "Off screen", "0:00", "0:01", "0:02", "0:03"]
    paths = [one.get("d") for one in svg.iter("{http://www.w3.org/2000/svg}path")]
    # 800 px for 3 s, from x = 180 on: Anna is seen up to 2 s, and speaks from 0.4 to 1 s.
    assert paths[0] == "M180.0 4.0H713.33v18H180.0z"
    assert paths[1] == "M286.67 4.0H446.67v18H286.67z"
    assert paths[3] == "" and paths[5].startswith("M500.0 56.0H606.67")
    assert "http" not in shown.replace("http://www.w3.org/2000/svg", "")


def test_strings_from_files_are_text_and_nothing_else():
    tracks = (replace(talk().tracks[0], identity=NASTY),)
    result = by_hand.result(*tracks, path=f"{NASTY}.mp4", voices=(Voice(NASTY, ((0, 1),)),))
    shown = result._repr_html_()
    assert "<img" not in shown and "&lt;img" in shown
    ElementTree.fromstring(f"<all>{shown.replace('&times;', 'x')}</all>")
    assert "\x00" not in repr(result)


def test_a_crowd_is_shown_in_part():
    many = [by_hand.track(n, 0, BOXES) for n in range(45)]
    shown = by_hand.result(*many)._repr_html_()
    assert shown.count("<tr>") == 41 and "5 others are left out" in shown


def test_nothing_found_is_shown_too():
    empty = by_hand.result(shots=[])
    ElementTree.fromstring(f"<all>{empty._repr_html_().replace('&times;', 'x')}</all>")
    assert empty.at(0).faces == () and empty.at(0).speakers == ()


@pytest.mark.parametrize(
    ("time_s", "frame", "faces", "speakers"),
    [
        (0.0, 0, {"Anna": False}, ()),
        (0.4, 10, {"Anna": True}, ("Anna",)),
        (0.99, 24, {"Anna": True}, ("Anna",)),
        (1.0, 25, {"Anna": False, "track_1": False}, ()),
        (1.2, 30, {"Anna": False, "track_1": False}, (OFF_SCREEN,)),
        (2.5, 62, {"track_1": False}, ()),
        (-1.0, -25, {}, ()),
        (99.0, 2475, {}, ()),
    ],
)
def test_at_a_time_there_are_faces_and_speakers(time_s, frame, faces, speakers):
    moment = talk().at(time_s)
    assert (moment.time_s, moment.frame, moment.speakers) == (time_s, frame, speakers)
    assert {face.name: face.speaking for face in moment.faces} == faces
    for face in moment.faces:
        place = frame - face.track.first_frame
        assert face.box == tuple(BOXES[place])
        assert face.probability == face.track.probabilities[place]


def test_every_frame_is_the_one_at_its_own_time():
    track = by_hand.track(0, 0, np.tile(BOXES, (20, 1)), speaking=[(3.0, 7.32)])
    result = by_hand.result(track, duration_s=40.0)
    for frame, speaks in enumerate(track.speaking_frames):
        moment = result.at(frame / 25)
        assert moment.frame == frame
        assert moment.faces[0].speaking == bool(moment.speakers) == speaks
    assert np.flatnonzero(track.speaking_frames).tolist() == list(range(75, 183))


def test_with_voices_their_turns_tell_who_speaks():
    result = with_voices()
    assert result.at(0.7).speakers == ("track_1",)
    assert result.at(0.5).speakers == ("Anna",)
    assert result.at(2.1).speakers == ("S1",)


def test_a_time_must_be_finite():
    with pytest.raises(ValueError, match="time_s must be a finite number of seconds, got nan"):
        talk().at(float("nan"))


def test_people_and_voices_get_names():
    result = replace(with_voices(), off_screen_names=("Anna",))
    named = result.renamed({"Anna": "Ben", "track_1": " Cy  D\u0065\u0301 ", "S1": "Eve"})
    assert [track.name for track in named.tracks] == ["Ben", "Cy D\u00e9"]
    assert named.voices == (
        Voice("S0", ((0.4, 1.0),), "Ben", 0.9, (0,), ((0.6, 0.8, "Cy D\u00e9"),), ("Cy D\u00e9",)),
        Voice("Eve", ((2.0, 2.5),)),
    )
    assert named.off_screen_names == ("Ben",)
    assert named.at(2.1).speakers == ("Eve",)
    assert [track.name for track in result.tracks] == ["Anna", "track_1"]  # as it was


def test_names_may_be_exchanged_and_shared():
    assert [t.name for t in talk().renamed({"Anna": "track_1", "track_1": "Anna"}).tracks] == [
        *("track_1", "Anna"),
    ]
    one = talk().renamed({"track_1": "Anna"})
    assert [track.name for track in one.tracks] == ["Anna", "Anna"]
    assert "2 tracks of 1 people" in repr(one)


@pytest.mark.parametrize(
    ("names", "says"),
    [
        ({"track_0": "Ben"}, "nobody called 'track_0' in the result. Did you mean track_1?"),
        ({"x": "Ben"}, "nobody called 'x' in the result. There are Anna, track_1"),
        ({"Anna": " "}, "The new name of Anna must be text, got ' '"),
        ({"Anna": 3}, "The new name of Anna must be text, got 3"),
        ({"Anna": "Off screen"}, "Anna cannot be called Off screen"),
    ],
)
def test_names_that_cannot_be_are_refused(names, says):
    with pytest.raises(ConfigError) as caught:
        talk().renamed(names)
    assert says in str(caught.value)


@pytest.mark.parametrize("make", [talk, with_voices])
def test_pyannote_gets_what_rttm_says(make, tmp_path):
    pytest.importorskip("pyannote.core")
    result = make()
    result = replace(result, video=replace(result.video, start_s=0.5))
    annotation = result.to_annotation()
    lines = RttmWriter().write(result, tmp_path)[0].read_text().splitlines()
    assert annotation.uri == "talk"
    found = [
        f"SPEAKER talk 1 {segment.start:.3f} {segment.duration:.3f} <NA> <NA> {name} <NA> <NA>"
        for segment, _, name in annotation.itertracks(yield_label=True)
    ]
    assert found == lines


def test_without_pyannote_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyannote.core", None)
    with pytest.raises(MissingExtraError, match=r"needs the package pyannote.core.*evaluate"):
        talk().to_annotation()
