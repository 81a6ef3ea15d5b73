"""The turns of a diarizer, in each form they come in, and what is wrong with others."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path

import pytest

from asdkit.core.errors import InputError
from asdkit.core.result import VideoInfo
from asdkit.core.voices.files import check_for_each, turns_of


def video(name: str = "talk.mp4", start_s: float = 0.0, duration_s: float = 10.0) -> VideoInfo:
    return VideoInfo(
        Path("videos", name), duration_s, 96, 64, 25.0, has_sound=True, start_s=start_s
    )


def line(onset: float, length: float, name: str, file: str = "talk") -> str:
    return f"SPEAKER {file} 1 {onset} {length} <NA> <NA> {name} <NA> <NA>\n"


def said(start: float, end: float, speaker: str | None = None, **more: object) -> dict[str, object]:
    own = {} if speaker is None else {"speaker": speaker}
    return {"start": start, "end": end, **own, **more}


@pytest.fixture
def given(tmp_path):
    """Writes a file, as text or as JSON, and reads the turns of a video from it."""

    def read(content, about=None, **more):
        path = tmp_path / "turns"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return turns_of(str(path), about or video(), **more)

    return read


def test_nothing_given_is_no_diarization():
    assert turns_of(None, video()) is None


# Forms


def test_rttm_in_which_one_voice_may_overlap_another(given):
    found = given(";; pyannote\n" + line(1, 2, "B") + line(0.5, 1, "A") + line(2.5, 1, "B"))
    assert found == {"A": ((0.5, 1.5),), "B": ((1, 3.5),)}


WORDS = [
    {"word": "One", **said(0.5, 0.9, "SPEAKER_00")},
    {"word": "1984"},  # it could not be aligned
    {"word": "two", **said(1.0, 1.5, "SPEAKER_00")},
    {"word": "yes", **said(1.6, 1.8, "SPEAKER_01")},
    {"word": "er", **said(1.8, 1.9)},  # no turn was near
    {"word": "three", **said(2.0, 2.4, "SPEAKER_00")},
    {"word": "four", **said(3.5, 3.9, "SPEAKER_00")},  # more than a second later
]
BY_WORDS = {"SPEAKER_00": ((0.5, 1.5), (2.0, 2.4), (3.5, 3.9)), "SPEAKER_01": ((1.6, 1.8),)}


def test_whisperx_by_words_where_they_have_speakers(given):
    segments = [
        {**said(0.5, 3.9, "SPEAKER_00"), "text": "...", "words": WORDS},
        {**said(5, 6, "SPEAKER_01"), "words": [{"word": "12"}]},
        said(7, 8, "SPEAKER_02"),
        said(8, 9),
    ]
    found = given({"segments": segments, "word_segments": WORDS, "language": "en"})
    more = {"SPEAKER_01": ((1.6, 1.8), (5, 6)), "SPEAKER_02": ((7, 8),)}
    assert found == {**BY_WORDS, **more}
    assert given({"word_segments": WORDS}) == BY_WORDS


@pytest.mark.parametrize("wrapped", [False, True])
def test_pyannote_from_the_library_and_from_the_service(given, wrapped):
    turns = [said(6.665, 7.165, "SPEAKER_00"), said(7, 8, "SPEAKER_01"), said(9, 9, "SPEAKER_01")]
    content = {"diarization": turns, "exclusive_diarization": turns[:1]}
    found = given({"jobId": "1", "status": "succeeded", "output": content} if wrapped else content)
    assert found == {"SPEAKER_00": ((6.665, 7.165),), "SPEAKER_01": ((7, 8),)}


# Clock and part


def test_times_are_on_the_clock_of_the_file(given):
    about = video(start_s=0.5)
    text = line(0.25, 0.5, "A") + line(0.1, 0.2, "B") + line(2, 1, "A")
    assert given(text, about) == {"A": ((0, 0.25), (1.5, 2.5)), "B": ()}


# Which video


@pytest.mark.parametrize("name", ["talk.mp4", "two words.mkv", "Zoe\u0301.mp4"])
def test_lines_of_the_video_are_picked(given, name):
    stem = Path(name).stem.replace(" ", "_").replace("e\u0301", "\u00e9")
    text = line(0, 1, "A", "elsewhere") + line(1, 1, "B", stem) + line(1, 1, "C", "third")
    assert given(text, video(name)) == {"B": ((1, 2),)}


def test_lines_of_one_video_are_taken_whatever_it_is_called(given):
    assert given(line(0, 1, "A", "waveform")) == {"A": ((0, 1),)}


def test_a_folder_holds_a_file_for_each_video(tmp_path):
    (tmp_path / "talk.rttm").write_text(line(0, 1, "A", "anything"))
    (tmp_path / "two words.json").write_text(json.dumps({"diarization": [said(0, 2, "B")]}))
    (tmp_path / "talk.txt").write_text("notes")
    (tmp_path / "._talk.json").write_text("litter")
    assert turns_of(str(tmp_path), video()) == {"A": ((0, 1),)}
    assert turns_of(str(tmp_path), video("two words.mp4")) == {"B": ((0, 2),)}
    with pytest.raises(InputError, match=r"holds no diarization of other.mp4. Put other.rttm or"):
        turns_of(str(tmp_path), video("other.mp4"))
    (tmp_path / "talk.json").write_text("{}")
    with pytest.raises(InputError, match=r"holds talk.json and talk.rttm of one video. Leave one"):
        turns_of(str(tmp_path), video())


@pytest.mark.parametrize(
    ("content", "is_of_one"),
    [
        (line(0, 1, "A"), True),
        (json.dumps({"diarization": [said(0, 1, "A")]}), True),
        (line(0, 1, "A", "a") + line(0, 1, "A", "b"), False),
        ("", False),  # what is wrong with it is told for each video
    ],
)
def test_a_file_of_one_video_is_not_for_several(tmp_path, content, is_of_one):
    given = tmp_path / "turns"
    given.write_text(content)
    check_for_each(str(given), ["a"])
    check_for_each(str(tmp_path), ["x", "y"])
    check_for_each(None, ["x", "y"])
    told = pytest.raises(InputError, match=r"turns is about one video, but there are 2. Give a fol")
    with told if is_of_one else nullcontext():
        check_for_each(str(given), ["a", "x"])


def test_in_a_file_of_several_videos_nobody_speaks_in_one_that_it_does_not_name(given, caplog):
    """Diarizers have nothing to write of a silent video; by itself it may be another's file."""
    several = line(0, 1, "A", "a") + line(0, 1, "A", "b")
    assert given(several, video("talk.mp4"), of_several=True) == {}
    assert "turns says nothing of talk.mp4: nobody speaks" in caplog.text
    with pytest.raises(InputError, match=r"says nothing of talk, but of a, b\. The second field"):
        given(several, video("talk.mp4"))


def test_a_file_of_other_videos_than_those_given_is_refused(tmp_path):
    given = tmp_path / "turns"
    given.write_text(line(0, 1, "A", "a_1") + line(0, 1, "A", "b"))
    check_for_each(str(given), ["a 1", "x"])
    for videos, told in ((["x"], "x"), (["x", "y", "z", "q"], "x, y, z and others")):
        with pytest.raises(InputError, match=rf"says nothing of any of {told}, but of a_1, b\."):
            check_for_each(str(given), videos)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("talk.rttm", "\n", "talk.rttm is empty: nobody speaks"),
        ("talk.json", '{"diarization": []}', "talk.json holds no turn: nobody speaks"),
        ("talk.json", '{"output": {"diarization": []}}', "talk.json holds no turn: nobody"),
        ("talk.json", '{"segments": [], "word_segments": []}', "talk.json holds no turn: nobody"),
        (
            "talk.json",
            '{"diarization": [{"start": 1, "end": 1, "speaker": "A"}]}',
            "1 turn of no length is left out, in ",
        ),
    ],
)
def test_a_file_of_a_silent_video(tmp_path, caplog, name, content, told):
    """As diarizers write it where they hear nobody."""
    (tmp_path / name).write_text(content)
    assert turns_of(str(tmp_path), video()) == {}
    (said,) = caplog.messages
    assert told in said


# What is wrong


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match=r"none.rttm: there is no such file or folder. Give the"):
        turns_of(str(tmp_path / "none.rttm"), video())


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "is no diarization that is known here. Give RTTM"),
        ("1\n00:00:01,000 --> 00:00:02,000\n[SPEAKER_00]: Hello\n", "is no diarization that is"),
        ("start,end,speaker\n0,1,A\n", "is no diarization that is known here"),
        ({"text": "Hello"}, "is JSON, but no diarization that is known here. whisperX writes"),
        ([said(0, 1, "A")], "is JSON, but no diarization"),
        ("{", "is no diarization: line 1, column 2"),
        ({"segments": [said(0, 1)]}, "names no speaker. Have whisperX diarize with --diarize"),
        ({"segments": [{"words": [said(0, 1)]}]}, "names no speaker"),
        ({"diarization": None, "segments": 3}, "is JSON, but no diarization"),
        ({"diarization": [said(2, 1, "A")]}, "where a speaker's turn belongs"),
        ({"diarization": [said(-1, 1, "A")]}, "where a speaker's turn belongs"),
        ({"diarization": [said(0, 1, " ")]}, "where a speaker's turn belongs"),
        ({"diarization": [{"start": "0", "end": 1, "speaker": "A"}]}, "where a speaker's turn"),
        ({"diarization": [{"start": True, "end": 1, "speaker": "A"}]}, "where a speaker's turn"),
        ({"diarization": [3]}, "holds 3 where a speaker's turn belongs"),
        ({"segments": [3]}, "holds 3 where a speaker's turn belongs"),
        ({"word_segments": [3]}, "holds 3 where a speaker's turn belongs"),
        (line(0, 1, "A") + "SPEAKER talk 1 0\n", "turns:2 has 4 fields"),
        ("SPKR-INFO talk 1 <NA> <NA> <NA> unknown A <NA> <NA>\n", "talk, but holds no turn at all"),
        (line(0, 1, "A", "a") + line(0, 1, "A", "b"), "says nothing of talk, but of a, b. The sec"),
        ("".join(line(0, 1, "A", x) for x in "abcd"), "nothing of talk, but of a, b, c and others"),
        (line(10.5, 1, "A"), "a turn of A that begins 10.50 s after the first picture of talk.mp4"),
        (
            {"diarization": [said(99, 100, "A")]},
            r"begins 99.00 s .*which lasts 10.00 s. Check that",
        ),
    ],
)
def test_files_that_are_no_turns_of_the_video(given, content, told):
    with pytest.raises(InputError, match=told) as caught:
        given(content)
    assert "turns" in str(caught.value)


def test_sound_that_goes_on_after_the_picture_is_no_fault(given):
    assert given(line(10.4, 9, "A")) == {"A": ((10.4, 19.4),)}


def test_what_cannot_be_read(tmp_path):
    (tmp_path / "turns.rttm").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match=r"Cannot read the diarization .*turns.rttm"):
        turns_of(str(tmp_path / "turns.rttm"), video())
