"""Words of transcripts, and when they are said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from asdkit.core.errors import InputError
from asdkit.core.voices.words import Word, read_words


def words(text: str, folder: Path) -> list[Word]:
    path = folder / "talk.txt"
    path.write_text(text, encoding="utf-8")
    return read_words(path)


def whisperx(*segments: dict) -> str:
    return json.dumps({"segments": segments, "language": "en"})


def word(text: str, *times: float) -> dict:
    return {"word": text, **dict(zip(("start", "end"), times, strict=False)), "score": 0.5}


def test_words_of_whisperx_have_their_times(tmp_path):
    said = whisperx(
        {
            "start": 5.0,
            "end": 6.5,
            "text": " Good bye.",
            "words": [word("Good", 5.0, 5.4), word("bye.", 5.5, 6.5)],
        },
        {"start": 1.0, "end": 2.0, "text": " Hi", "words": [word(" Hi", 1.25, 2.0)]},
    )
    assert words(said, tmp_path) == [
        Word(1.25, 2.0, "Hi"),
        Word(5.0, 5.4, "Good"),
        Word(5.5, 6.5, "bye."),
    ]


def test_words_without_times_share_those_between_their_neighbours(tmp_path):
    said = whisperx(
        {
            "start": 0.0,
            "end": 10.0,
            "text": "In 1999 12 of us left 10",
            "words": [
                word("In", 1.0, 2.0),
                word("1999"),
                word("12"),
                word("of", 4.0, 4.5),
                word("us", 4.5, 5.0),
                word("left", 5.0, 8.0),
                word("10"),
            ],
        }
    )
    found = {one.text: one[:2] for one in words(said, tmp_path)}
    assert found["1999"] == pytest.approx((2.0, 3.25))
    assert found["12"] == pytest.approx((3.25, 4.0))
    assert found["10"] == pytest.approx((8.0, 10.0))
    assert found["of"] == (4.0, 4.5)


def test_segments_without_words_share_their_time_by_letters(tmp_path):
    said = whisperx({"start": 1.0, "end": 2.0, "text": " one three. "})
    assert words(said, tmp_path) == [
        Word(1.0, pytest.approx(1.0 + 4 / 11), "one"),
        Word(pytest.approx(1.0 + 4 / 11), pytest.approx(2.0), "three."),
    ]


def test_words_alone_are_read(tmp_path):
    said = json.dumps({"word_segments": [word("2"), word("Hi", 1.0, 2.0), word("4")]})
    found = words(said, tmp_path)
    assert found == [Word(1.0, 1.0, "2"), Word(1.0, 2.0, "Hi"), Word(2.0, 2.0, "4")]


def test_words_follow_each_other_as_in_the_text(tmp_path):
    letters = "你好世界"
    said = whisperx(
        {
            "start": 0.0,
            "end": 4.0,
            "text": "你好 世界",
            "words": [word(one, n, n + 1) for n, one in enumerate(letters)],
        }
    )
    assert [one.follows for one in words(said, tmp_path)] == [False, True, False, True]


SRT = """\ufeff1
00:00:01,000 --> 00:00:02,000
<i>Hello</i>, {\\an8}you

2
1:00:03,5 --> 1:00:04,000  X1:10 X2:20
<3
"""
VTT = """WEBVTT - a title

STYLE
::cue { color: red }

NOTE
00:01.000 -- 00:02.000

intro
00:01.000 --> 00:02.000 align:start
<v Ann>Hello&amp;</v> <c.loud>you</c>

1:00:03.500 --> 1:00:04.000
<00:00:03.600>&lt;3
"""


def test_srt_and_webvtt_are_read_alike(tmp_path):
    for text, hello in ((SRT, "Hello,"), (VTT, "Hello&"), (SRT.replace("\n", "\r\n"), "Hello,")):
        share = (len(hello) + 1) / (len(hello) + 5)
        assert words(text, tmp_path) == [
            Word(1.0, pytest.approx(1 + share), hello),
            Word(pytest.approx(1 + share), pytest.approx(2.0), "you"),
            Word(3603.5, 3604.0, "<3"),
        ]


@pytest.mark.parametrize(
    "text",
    ["", "WEBVTT\n", '{"segments": []}', '{"word_segments": []}', "1\n00:01,0 --> 00:02,0\n"],
)
def test_a_transcript_of_silence_has_no_words(tmp_path, text):
    assert words(text, tmp_path) == []


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("hello", r"talk\.txt:1 begins a cue without times: 'hello'"),
        (f"{SRT}\nmore text\n", r"talk\.txt:9 begins a cue without times: 'more text'"),
        ("1\n00:00:01,000 --> end\nHi\n", r"talk\.txt:2 has no two times: '00:00:01,000 --> end'"),
        ("00:00:01,000 -->\nHi\n", r"talk\.txt:1 has no two times"),
        ("00:00:61,000 --> 00:00:62,000\nHi\n", r"talk\.txt:1 has no two times"),
        ("\n\n2\n00:00:02,000 --> 00:00:01,000\nHi\n", r"talk\.txt:4 ends before it begins"),
        ('{"segments": [\n{"start": 1,,}]}', r"talk\.txt is no transcript: line 2, column 13"),
        ('{"a": 1}', r"talk\.txt is JSON, but no transcript that is known here"),
        ("[" * 100_000, r"talk\.txt is no transcript: it is nested deeper than 100"),
        ('{"segments": [{"start": NaN}]}', r"talk\.txt is no transcript: it holds NaN"),
        (f'{{"segments": [{{"start": {"9" * 400}}}]}}', r"it holds a number of 400 digits"),
        ("\0", r"talk\.txt:1 begins a cue without times: '\\x00'"),
        ("[1]", r"talk\.txt is JSON, but no transcript that is known here"),
        ('{"segments": [1]}', r"talk\.txt: segments\[0\] is 1, where a segment belongs"),
        (whisperx({"text": "Hi"}), r"segments\[0\] is .*, where a segment with start, end and"),
        (whisperx({"start": 2, "end": 1, "text": "Hi"}), r"segments\[0\] is .*, where a segment"),
        (whisperx({"words": [word("Hi")]}), r"segments\[0\] is .*, where a segment with times"),
        (whisperx({"start": 0, "end": 1, "words": [7]}), r"segments\[0\]\.words\[0\] is 7, where"),
        (
            whisperx({"start": 0, "end": 9, "words": [word("Hi", 2, 1)]}),
            r"segments\[0\]\.words\[0\] is .*, where a word with a start and an end after it",
        ),
        ('{"word_segments": [{"word": "Hi"}]}', r"word_segments\[0\] is .*, where a word with"),
    ],
)
def test_a_transcript_that_is_refused_says_where_and_why(tmp_path, text, why):
    with pytest.raises(InputError, match=why) as caught:
        words(text, tmp_path)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600


def test_a_file_that_is_no_text_is_refused(tmp_path):
    path = tmp_path / "talk.srt"
    path.write_bytes(b"\xff\xfe1\0")
    with pytest.raises(InputError, match=r"Cannot read the transcript .*talk\.srt: .*utf-8"):
        read_words(path)
