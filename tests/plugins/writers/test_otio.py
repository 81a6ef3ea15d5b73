"""Timelines, read back with OpenTimelineIO."""

from __future__ import annotations

import warnings
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from by_hand import result, track
from writing import HOSTILE, TALK, hostile, talk, written

from asdkit.core.result import Result
from asdkit.core.voice import Voice
from asdkit.plugins.writers.otio import editors_rate

with warnings.catch_warnings():  # its own, at import
    warnings.simplefilter("ignore")
    import opentimelineio as otio

SPEAKERS = slice(1, -1)
"""The tracks between that of the picture and that of the sound."""


def read(what: Result, folder: Path) -> otio.schema.Timeline:
    timeline = otio.adapters.read_from_file(str(written("otio", what, folder)))
    for clip in timeline.find_clips():
        available = clip.available_range()
        assert available.start_time <= clip.source_range.start_time
        assert clip.source_range.end_time_exclusive() <= available.end_time_exclusive()
    return timeline


def seconds(span: otio.opentime.TimeRange) -> tuple[float, float]:
    return span.start_time.to_seconds(), span.end_time_exclusive().to_seconds()


def file_of(clip: otio.schema.Clip) -> str:
    return unquote(urlsplit(clip.media_reference.target_url).path)


@pytest.mark.parametrize("fps", [24000 / 1001, 24, 25, 30000 / 1001, 30, 50, 59.94, 10, 17.3])
@pytest.mark.parametrize("start_s", [0.0, 0.737])
def test_clips_and_gaps_are_the_turns_to_half_a_frame(tmp_path, fps, start_s):
    timeline = read(talk(fps=fps, start_s=start_s), tmp_path)
    spoken = {name: turns for name, turns in TALK.items() if turns}
    tracks = timeline.tracks[SPEAKERS]
    assert [one.name for one in tracks] == list(spoken)
    rate = editors_rate(fps)
    assert rate >= fps * 0.99
    half_s = 0.5 / rate + 1e-9
    for one, turns in zip(tracks, spoken.values(), strict=True):
        clips = list(one.find_clips())
        assert len(clips) == len(turns)
        end_s = 0.0
        for clip, (first_s, last_s) in zip(clips, turns, strict=True):
            expected = pytest.approx((start_s + first_s, start_s + last_s), abs=half_s)
            assert seconds(clip.source_range) == expected  # what of the video is shown
            assert seconds(clip.range_in_parent()) == expected  # and when
            assert clip.source_range == clip.range_in_parent()
            assert clip.name == one.name
            gap = one[one.index(clip) - 1]
            assert isinstance(gap, otio.schema.Gap)
            assert seconds(gap.range_in_parent()) == (
                pytest.approx(end_s),
                pytest.approx(start_s + first_s, abs=half_s),
            )
            end_s = seconds(clip.range_in_parent())[1]
    for item in timeline.find_children(descended_from_type=otio.core.Item):
        if item.source_range is not None:
            times = item.source_range.start_time, item.source_range.duration
            assert all(time.rate == rate and time.value == int(time.value) for time in times)


def test_the_whole_video_has_a_marker_for_each_turn(tmp_path):
    timeline = read(talk(fps=30000 / 1001, start_s=0.5), tmp_path)
    picture = timeline.tracks[0]
    (clip,) = picture
    assert (picture.kind, clip.name) == ("Video", "clip.mp4")
    assert clip.source_range == clip.available_range() == clip.range_in_parent()
    assert seconds(clip.source_range) == pytest.approx((0, 10.5), abs=0.5 * 1001 / 30000)
    found = [(marker.name, *seconds(marker.marked_range)) for marker in clip.markers]
    expected = [
        (name, 0.5 + start_s, 0.5 + end_s) for name, own in TALK.items() for start_s, end_s in own
    ]
    assert [name for name, *_ in found] == [name for name, *_ in expected]
    for one, other in zip(found, expected, strict=True):
        assert one[1:] == pytest.approx(other[1:], abs=0.5 * 1001 / 30000 + 1e-9)
    colours = {}
    for marker in clip.markers:
        assert colours.setdefault(marker.name, marker.color) == marker.color
        assert hasattr(otio.schema.MarkerColor, marker.color)
    assert len(set(colours.values())) == len(colours) == 3


@pytest.mark.parametrize(
    ("fps", "rate"),
    [
        *[(29.97, Fraction(30000, 1001)), (29.97003, Fraction(30000, 1001)), (30.001, 30)],
        *[(23.976, Fraction(24000, 1001)), (23.9763, Fraction(24000, 1001)), (24, 24)],
        *[(59.9401, Fraction(60000, 1001)), (25.0001, 25), (50, 50), (120, 120)],
        # A multiple.
        *[(15, 30), (10, 30), (12.5, 25), (20, 60), (14.985, Fraction(30000, 1001)), (1, 24)],
        # Times that vary: the next higher one, or one lower by 1 % at most.
        *[
            (29.87, Fraction(30000, 1001)),
            (30.1, Fraction(30000, 1001)),
            (17.31, Fraction(24000, 1001)),
            (240, 120),
        ],
        (24.3, 25),
    ],
)
def test_the_rate_is_one_that_editors_know(fps, rate):
    assert editors_rate(fps) == float(rate)
    if rate <= 60:  # which all else builds on
        second = otio.opentime.RationalTime(round(rate), float(rate))
        assert otio.opentime.to_timecode(second, second.rate, drop_frame=False) == "00:00:01:00"


def test_the_video_is_named_from_where_the_run_was_started(tmp_path):
    what = replace(talk(), provenance={"folder": str(tmp_path / "a b")})
    clips = read(what, tmp_path).find_clips()
    assert {file_of(clip) for clip in clips} == {str(tmp_path / "a b" / "clip.mp4")}


def test_the_video_is_named_where_it_is_now(tmp_path, monkeypatch):
    (tmp_path / "clip.mp4").touch()
    monkeypatch.chdir(tmp_path)
    clips = read(replace(talk(), provenance={"folder": "/gone"}), tmp_path / "out").find_clips()
    assert {file_of(clip) for clip in clips} == {str(tmp_path / "clip.mp4")}


def test_the_sound_is_the_videos_or_begins_with_the_picture(tmp_path):
    sound = read(talk(start_s=0.4), tmp_path).tracks[-1]
    (clip,) = sound
    assert (sound.kind, seconds(clip.range_in_parent())) == ("Audio", (0.0, 10.4))
    other = replace(talk(start_s=0.4), sound_path=tmp_path / "other.wav")
    timeline = read(other, tmp_path)
    gap, clip = timeline.tracks[-1]
    assert isinstance(gap, otio.schema.Gap)
    assert seconds(clip.range_in_parent()) == (0.4, 10.4)
    assert seconds(clip.source_range) == (0.0, 10.0)
    assert file_of(clip) == str(tmp_path / "other.wav")
    silent = replace(talk(), video=replace(talk().video, has_sound=False))
    timeline = read(silent, tmp_path)
    assert [one.kind for one in timeline.tracks] == ["Video"] * 4


def test_names_of_any_kind_stay(tmp_path):
    timeline = read(hostile(), tmp_path)
    assert [one.name for one in timeline.tracks[SPEAKERS]] == list(HOSTILE.values())
    assert timeline.name == 'a "b" & <c>\ufffd #50%'
    path = Path.cwd() / 'a "b" & <c>\udce9 #50%.mp4'
    assert timeline.tracks[0][0].media_reference.target_url == path.as_uri()


def test_names_that_look_alike_are_numbered(tmp_path):
    boxes = [[0, 0, 9, 9]]
    names = ["Ann", "Ann ", "Ann 2", "A\nB", "A B"]
    tracks = [
        track(n, n, boxes, identity=name, speaking=((n, n + 0.5),)) for n, name in enumerate(names)
    ]
    shown = [one.name for one in read(result(*tracks), tmp_path).tracks[SPEAKERS]]
    assert shown == ["Ann", "Ann 3", "Ann 2", "A B", "A B 2"]


def test_turns_of_a_diarization_are_its_own(tmp_path):
    voices = (
        Voice("S1", ((0.0, 1.5), (3.0, 4.0)), person="Ann"),
        Voice("S2", ((1.5, 2.0),)),
        Voice("S3", ((3.5, 5.0),), person="Ann"),
    )
    found = {}
    for one in read(replace(talk(), voices=voices), tmp_path).tracks[SPEAKERS]:
        found[one.name] = [seconds(clip.range_in_parent()) for clip in one.find_clips()]
    assert found == {
        "Ann": [(0.0, pytest.approx(1.52)), (3.0, 5.0)],
        "S2": [(pytest.approx(1.52), 2.0)],
    }


def test_turns_within_one_frame_are_joined_and_none_goes_beyond_the_end(tmp_path):
    boxes = [[0, 0, 9, 9]]
    turns = (0.001, 0.01), (0.015, 0.03), (3.0, 3.001), (9.92, 10.4)
    what = result(track(0, 0, boxes, speaking=turns))
    (one,) = read(what, tmp_path).tracks[SPEAKERS]
    assert [seconds(clip.range_in_parent()) for clip in one.find_clips()] == [
        *((0.0, 0.04), (3.0, 3.04), (9.92, 10.0))
    ]


def test_a_result_without_anybody_is_a_timeline(tmp_path):
    timeline = read(result(), tmp_path)
    assert [one.name for one in timeline.tracks] == ["Picture", "Sound"]
    assert list(timeline.tracks[0][0].markers) == []
