"""Subtitles, read back with srt and webvtt-py: names, and with a transcript what they say."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import srt
import webvtt
from by_hand import result, track
from writing import HOSTILE, TALK, WRITERS, hostile, talk, written

from asdkit.core.errors import InputError
from asdkit.core.result import Result
from asdkit.core.sync import Fit, Sync
from asdkit.core.voices.words import Word
from asdkit.plugins.writers.subtitles import Layout, cues, whose

Read = list[tuple[float, float, str]]
WHOLE = Layout(42, 2, 7.0)


def read(path: Path) -> Read:
    """The cues as both readers have them."""
    found = list(srt.parse(path.read_text("utf-8")))
    assert [cue.index for cue in found] == list(range(1, len(found) + 1))
    cues = [(cue.start.total_seconds(), cue.end.total_seconds(), cue.content) for cue in found]
    if cues:
        others = webvtt.from_srt(str(path))
        assert [(other.start_in_seconds, other.end_in_seconds) for other in others] == [
            (int(start), int(end)) for start, end, _ in cues
        ]
        assert [other.text for other in others] == [text for *_, text in cues]
    return cues


def transcript(folder: Path, *words: tuple[str, float, float], name: str = "talk.json") -> str:
    entries = [{"word": text, "start": start, "end": end} for text, start, end in words]
    times = {"start": words[0][1], "end": words[-1][2]} if words else {"start": 0.0, "end": 1.0}
    segment = {**times, "text": " ".join(text for text, *_ in words), "words": entries}
    path = folder / name
    path.write_text(json.dumps({"segments": [segment]}), encoding="utf-8")
    return str(path)


def said(what: Result, folder: Path, *words: tuple[str, float, float], **parameters) -> Read:
    path = transcript(folder, *words)
    return read(written("srt", what, folder / "out", transcript=path, **parameters))


@pytest.mark.parametrize("start_s", [0.0, 0.737])
def test_without_a_transcript_a_cue_is_a_turn(tmp_path, start_s):
    found = read(written("srt", talk(start_s=start_s), tmp_path))
    expected = sorted((*span, name) for name, own in TALK.items() for span in own)
    assert [text for *_, text in found] == [name for *_, name in expected]
    for one, other in zip(found, expected, strict=True):
        assert one[:2] == pytest.approx((start_s + other[0], start_s + other[1]), abs=0.0005)


def test_names_of_any_kind_are_one_line_without_markup(tmp_path):
    found = [text for *_, text in read(written("srt", hostile(), tmp_path))]
    marks = str.maketrans("<>", "\u2039\u203a")
    assert found == [name.translate(marks) for name in HOSTILE.values()]


@pytest.mark.parametrize("name", ["{\\an8}", "<i>", "00:00:01,000 --> 00:00:02,000", "7"])
def test_a_name_is_no_markup_and_no_time(tmp_path, name):
    boxes = [[0, 0, 9, 9]]
    one = track(0, 0, boxes, identity=name, speaking=((1.0, 2.0),))
    ((start_s, end_s, text),) = read(written("srt", result(one), tmp_path))
    assert (start_s, end_s) == (1.0, 2.0)
    assert not set(text) & set("<>{}")


def test_words_have_the_name_of_whose_turn_overlaps_most(tmp_path):
    found = said(
        talk(start_s=0.5),
        tmp_path,
        ("Well,", 0.72, 0.95),  # Ann's from 0.7
        ("hello.", 0.95, 1.31),  # also Track 1's from 0.98 to 1.34, but Ann's throughout
        ("Yes?", 4.54, 5.0),  # Ann's again, after a pause
        ("Who?", 7.1, 7.5),  # off screen from 7.0
    )
    assert found == [
        (0.72, 1.72, "Ann: Well, hello."),
        (4.54, 5.54, "Ann: Yes?"),
        (7.1, 8.1, "Off screen: Who?"),
    ]


TURNS = [(1.0, 2.0, "Ann"), (1.5, 3.0, "Bob"), (5.0, 6.0, "Cy")]


@pytest.mark.parametrize(
    ("start_s", "end_s", "name"),
    [
        (1.0, 1.4, "Ann"),
        (1.6, 1.9, "Ann"),  # both: the one who began first
        (1.7, 2.1, "Bob"),
        (1.4, 1.6, "Ann"),
        (0.2, 0.5, "Ann"),  # 0.5 s before
        (0.2, 0.499, None),
        (3.0, 3.4, "Bob"),
        (3.5, 3.6, "Bob"),
        (3.501, 4.499, None),
        (4.0, 4.8, "Cy"),
        (3.4, 4.7, "Cy"),  # 0.4 s after Bob, 0.3 s before Cy
        (2.5, 5.1, "Bob"),
        (2.5, 2.5, "Bob"),  # without length
        (9.0, 9.0, None),
    ],
)
def test_whose_a_word_is(start_s, end_s, name):
    assert whose([Word(start_s, end_s, "Hi")], TURNS, 0.5) == [name]


def test_whoever_speaks_goes_on_if_another_does_hardly_better():
    turns = [(0.96, 2.2, "Ann"), (1.0, 2.16, "Bob"), (5.0, 6.0, "Cy")]
    words = [Word(0.5, 1.0, "a"), Word(1.5, 1.8, "b"), Word(1.8, 2.2, "c"), Word(2.7, 2.7, "d")]
    assert whose(words, turns, 0.55) == ["Ann"] * 4
    turns = [(0.0, 1.0, "Bob"), (1.4, 2.2, "Ann"), (1.4, 2.16, "Bob")]
    assert whose(words, turns, 0.55) == ["Bob"] * 4
    turns = [(0.0, 1.0, "Bob"), (1.4, 2.2, "Ann"), (1.4, 2.15, "Bob")]
    assert whose(words, turns, 0.55) == ["Bob", "Bob", "Ann", "Ann"]


def test_the_tolerance_is_a_parameter(tmp_path):
    words = ("Hm.", 3.0, 3.2), ("So.", 6.1, 6.2)
    assert [text for *_, text in said(talk(), tmp_path, *words)] == ["Hm.", "Ann: So."]
    strict = said(talk(), tmp_path, *words, tolerance_s=0.1)
    assert [text for *_, text in strict] == ["Hm.", "So."]
    loose = said(talk(), tmp_path, *words, tolerance_s=2.0)
    assert [text for *_, text in loose] == ["Ann: Hm.", "Ann: So."]


def test_a_cue_ends_where_the_speaker_changes(tmp_path):
    boxes = [[0, 0, 9, 9]]
    what = result(
        track(0, 0, boxes, identity="Ann", speaking=((0.0, 2.0),)),
        track(1, 0, boxes, identity="Bob", speaking=((2.0, 4.0),)),
    )
    words = [(f"w{n}", 0.4 * n, 0.4 * n + 0.4) for n in range(10)]
    assert said(what, tmp_path, *words) == [
        (0.0, 2.0, "Ann: w0 w1 w2 w3 w4"),
        (2.0, 4.0, "Bob: w5 w6 w7 w8 w9"),
    ]


def even(text: str, step_s: float = 0.3) -> list[Word]:
    return [Word(n * step_s, (n + 1) * step_s, one) for n, one in enumerate(text.split())]


def lay(words: list[Word], layout: Layout = WHOLE, name: str | None = "Ann") -> list[list[str]]:
    found = cues(words, [name] * len(words), str, layout)
    return [cue.lines for cue in found]


def test_a_cue_has_no_more_lines_letters_and_time_than_given():
    text = "the quick brown fox jumps over the lazy dog and runs away from all of them again " * 5
    for layout in (WHOLE, Layout(20, 1, 7.0), Layout(30, 3, 2.0)):
        found = cues(even(text), ["Ann"] * len(text.split()), str, layout)
        assert all(len(cue.lines) <= layout.lines for cue in found)
        assert all(len(line) <= layout.line_characters for cue in found for line in cue.lines)
        assert all(cue.end_s - cue.start_s <= layout.max_s + 1e-9 for cue in found)
        shown = " ".join(" ".join(cue.lines).removeprefix("Ann: ") for cue in found)
        assert shown.split() == text.split()
        # No cue has room for the first word of the next one.
        for cue, after in pairwise(found):
            word = " ".join(after.lines).split()[1]
            is_full = len(cue.lines[-1]) + 1 + len(word) > layout.line_characters
            assert (is_full and len(cue.lines) == layout.lines) or (
                cue.end_s - cue.start_s + 0.3 > layout.max_s
            )


def test_a_cue_ends_with_a_sentence_if_that_fills_half_of_it():
    first = "This is a sentence of forty-four letters, yes."
    assert lay(even(f"{first} And this is another one of the kind, longer.")) == [
        ["Ann: This is a sentence of forty-four", "letters, yes."],
        ["Ann: And this is another one of the kind,", "longer."],
    ]
    assert lay(even(f"No. {'and more words ' * 6}"))[0] == [
        "Ann: No. and more words and more words and",
        "more words and more words and more words",
    ]


def test_words_and_names_longer_than_a_line_stay_whole():
    assert lay(even("a verylongwordindeed b"), Layout(10, 2, 7.0)) == [
        ["Ann: a", "verylongwordindeed"],
        ["Ann: b"],
    ]
    assert lay(even("a b c"), Layout(5, 2, 7.0), name="A very long name") == [
        ["A very long name:", "a b c"]
    ]


def test_words_that_follow_have_no_space_before():
    letters = [Word(n, n + 1, one, n not in (0, 2)) for n, one in enumerate("你好世界")]
    assert lay(letters) == [["Ann: 你好 世界"]]


def test_pauses_and_times_that_go_back_end_a_cue():
    words = [Word(0, 1, "a"), Word(2, 3, "b"), Word(4.001, 5, "c"), Word(3.5, 4, "d")]
    assert lay(words) == [["Ann: a b"], ["Ann: c"], ["Ann: d"]]


def test_a_cue_is_shown_for_a_second_unless_the_next_one_comes():
    words = [Word(0.0, 0.2, "a"), Word(0.5, 0.7, "b"), Word(9.0, 9.2, "c")]
    found = cues(words, ["Ann", "Bob", "Bob"], str, WHOLE)
    assert [cue[:2] for cue in found] == [(0.0, 0.5), (0.5, 1.5), (9.0, 10.0)]


def test_words_of_a_sound_that_was_moved_are_looked_for_where_they_are_seen(tmp_path):
    hi = ("Hi.", 6.4, 6.45)
    assert said(talk(), tmp_path, hi) == [(6.4, 7.4, "Off screen: Hi.")]
    moved = replace(talk(), sync=Sync(Fit(), moved_s=0.6))
    assert said(moved, tmp_path, hi) == [(6.4, 7.4, "Ann: Hi.")]


def test_the_words_of_subtitles_are_spread_over_their_time(tmp_path):
    given = tmp_path / "given.srt"
    given.write_text("1\n00:00:00,500 --> 00:00:05,000\nfive words or six more\n")
    found = read(written("srt", talk(), tmp_path, transcript=str(given)))
    assert " ".join(text for *_, text in found).replace("Ann: ", "") == "five words or six more"
    assert found[0][0] == 0.5
    assert found[0][2].startswith("Ann: five")


def test_a_folder_has_a_transcript_for_each_video(tmp_path):
    folder = tmp_path / "said"
    folder.mkdir()
    transcript(folder, ("One.", 0.2, 0.6), name="clip.json")
    (folder / "other.vtt").write_text("WEBVTT\n\n00:00.200 --> 00:00.600\nTwo.\n")
    component = WRITERS["srt"]
    for name, text in (("clip", "Ann: One."), ("other", "Ann: Two.")):
        what = replace(talk(), video=replace(talk().video, name=name))
        path = written("srt", what, tmp_path / name, transcript=str(folder))
        assert [text for *_, text in read(path)] == [text]
    missing = replace(talk(), video=replace(talk().video, path=Path("third.mp4"), name="third"))
    with pytest.raises(InputError, match=r"holds no transcript of third\.mp4") as caught:
        written("srt", missing, tmp_path, transcript=str(folder))
    assert "third.json or third.srt or third.vtt" in caught.value.hint
    assert component.config().transcript is None


def test_a_result_that_is_there_gets_its_words(tmp_path):
    path = transcript(tmp_path, ("Hi.", 0.2, 0.6))
    what = talk().write([{"name": "srt", "transcript": path}], tmp_path / "out")
    assert read(what.files[0]) == [(0.2, 1.2, "Ann: Hi.")]


def test_a_transcript_that_is_wrong_is_refused_before_the_run(tmp_path):
    component = WRITERS["srt"]
    with pytest.raises(InputError, match=r"writers\.srt\.transcript=gone\.srt: there is no such"):
        component.build(component.config(transcript="gone.srt"), None)
    (tmp_path / "a.srt").write_text("1\nnow --> then\nHi\n")
    with pytest.raises(InputError, match=r"a\.srt:2 has no two times"):
        component.build(component.config(transcript=str(tmp_path / "a.srt")), None)


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        *[("tolerance_s", value) for value in (-0.1, float("inf"), float("nan"))],
        *[("line_characters", 0), ("lines", 0), ("max_s", 0.0), ("max_s", float("nan"))],
    ],
)
def test_parameters_out_of_range_are_named(parameter, value):
    with pytest.raises(ValueError, match=parameter):
        WRITERS["srt"].config(**{parameter: value})


def test_nobody_and_nothing_said_are_empty_files(tmp_path):
    assert written("srt", result(), tmp_path).read_text() == ""
    assert said(talk(), tmp_path) == []
    assert [text for *_, text in said(result(), tmp_path, ("Hi.", 1.0, 2.0))] == ["Hi."]
