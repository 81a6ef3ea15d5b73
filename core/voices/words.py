"""Reads words and when they are said from transcripts: whisperX's JSON, SRT and WebVTT."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import InputError
from ..named_files import shown, text_of
from .transcripts import listed, time_of

WHAT = "transcript"
SUFFIXES = (".json", ".srt", ".vtt")
"""The suffixes of transcripts in a folder."""
_JSON_FORMS = (
    'whisperX writes {"segments": [{"start", "end", "text", '
    '"words": [{"word", "start", "end"}]}]}, with times in seconds'
)
_CUE_FORMS = (
    "A cue of SRT or WebVTT is lines without an empty one between: perhaps a number, then "
    "00:00:01,000 --> 00:00:02,500, then the text"
)
_ARROW = "-->"
_TIME = re.compile(r"(?:(\d{1,4}):)?([0-5]?\d):([0-5]?\d)[,.](\d{1,3})")
_TAG = re.compile(r"</?[A-Za-z][^<>]*>|<[\d:.]+>|\{\\[^{}]*\}")
"""Markup of WebVTT and SRT, and that of SSA, which players read in SRT, too."""
_NOT_CUES = ("WEBVTT", "NOTE", "STYLE", "REGION")
"""How the blocks of WebVTT begin that are no cues."""
_LINE_BREAK = re.compile(r"\r\n|\r|\n")


class Word(NamedTuple):
    """A word of a transcript.

    Attributes:
        start_s: When it begins, in seconds on the clock of the file.
        end_s: When it ends; not before it begins.
        text: The word with its punctuation, without white space around it.
        follows: Whether it follows the word before without a space, as in Chinese.
    """

    start_s: float
    end_s: float
    text: str
    follows: bool = False


class _Draft(NamedTuple):
    """A word whose times are not known yet, if they are None."""

    text: str
    times_s: tuple[float, float] | None = None
    follows: bool = False


def read_words(path: Path) -> list[Word]:
    """Read the words of a transcript.

    Three forms are known, told apart by their content:

    - The JSON of whisperX, or of Whisper, with or without times of words. Words without times get
      a share of the time between their neighbours, in proportion to their lengths.
    - SRT and WebVTT. The words of a cue share its time alike. Markup is left out.

    Args:
        path: The file, in UTF-8.

    Returns:
        The words, those of a segment or cue together, by the beginning of these.

    Raises:
        InputError: The file cannot be read, or is none of these. The error has the number of the
            line; in JSON that is well-formed, the place of the entry.
    """
    text = text_of(path, WHAT)
    if text.lstrip()[:1] in ("{", "["):
        groups = list(_of_json(text, path))
    else:
        groups = list(_of_cues(text, path))
    groups = [group for group in groups if group]
    return [word for group in sorted(groups, key=lambda group: group[0][0]) for word in group]


# --- JSON


def _of_json(text: str, path: Path) -> Iterator[list[Word]]:
    """The words of each segment."""
    key, entries = listed(text, path, ("segments", "word_segments"), WHAT, _JSON_FORMS)
    if key == "word_segments":
        drafts = _drafts(entries, "", f"{path}: {key}")
        if drafts and all(draft.times_s is None for draft in drafts):
            raise _wrong(f"{path}: {key}[0]", entries[0], "a word with start and end")
        yield _timed(drafts, None)
        return
    for number, segment in enumerate(entries):
        place = f"{path}: {key}[{number}]"
        if not isinstance(segment, Mapping):
            raise _wrong(place, segment, "a segment")
        given, words = segment.get("text"), segment.get("words")
        span_s = _span(segment)
        if not isinstance(words, list) or not words:
            if span_s is None or not isinstance(given, str):
                raise _wrong(place, segment, "a segment with start, end and text")
            yield _timed([_Draft(word) for word in given.split()], span_s)
            continue
        drafts = _drafts(words, given if isinstance(given, str) else "", f"{place}.words")
        if span_s is None and all(draft.times_s is None for draft in drafts):
            raise _wrong(place, segment, "a segment with times")
        yield _timed(drafts, span_s)


def _drafts(words: Sequence[Any], text: str, place: str) -> list[_Draft]:
    """The words of a list, which the text of the segment has in their order."""
    drafts = []
    position = 0
    for number, word in enumerate(words):
        if not isinstance(word, Mapping) or not isinstance(word.get("word"), str):
            raise _wrong(f"{place}[{number}]", word, "a word")
        times_s = _span(word)
        if times_s is None and {word.get("start"), word.get("end")} != {None}:
            raise _wrong(f"{place}[{number}]", word, "a word with a start and an end after it")
        said = word["word"].strip()
        found = text.find(said, position)
        follows = found > 0 and not text[found - 1].isspace()
        if found >= 0:
            position = found + len(said)
        if said:
            drafts.append(_Draft(said, times_s, follows))
    return drafts


def _span(entry: Mapping[str, Any]) -> tuple[float, float] | None:
    """The times of an entry; None if there are none that are possible."""
    start_s, end_s = (time_of(entry.get(key)) for key in ("start", "end"))
    return (start_s, end_s) if 0 <= start_s <= end_s else None


def _timed(drafts: Sequence[_Draft], span_s: tuple[float, float] | None) -> list[Word]:
    """Give the words without times those between their neighbours.

    Args:
        drafts: The words, of which one has times if `span_s` is None.
        span_s: When the first begins and the last ends, if they have no times.
    """
    runs = [list(run) for _, run in groupby(drafts, key=lambda draft: draft.times_s is None)]
    words: list[Word] = []
    for number, run in enumerate(runs):
        if known := [Word(*d.times_s, d.text, d.follows) for d in run if d.times_s is not None]:
            words += known
            continue
        after = runs[number + 1][0].times_s if number + 1 < len(runs) else None
        begin_s = words[-1].end_s if words else (span_s or after or (0.0,))[0]
        end_s = after[0] if after else span_s[1] if span_s else begin_s
        words += _shared(run, begin_s, max(begin_s, end_s))
    return words


def _shared(drafts: Sequence[_Draft], begin_s: float, end_s: float) -> Iterator[Word]:
    """Share a time among words by the numbers of their letters."""
    shares = [len(draft.text) + 1 for draft in drafts]
    per_share_s = (end_s - begin_s) / sum(shares)
    done = 0
    for draft, share in zip(drafts, shares, strict=True):
        start_s = begin_s + done * per_share_s
        done += share
        yield Word(start_s, begin_s + done * per_share_s, draft.text, draft.follows)


def _wrong(place: str, entry: Any, wanted: str) -> InputError:
    return InputError(f"{place} is {shown(entry)}, where {wanted} belongs", _JSON_FORMS)


# --- SRT and WebVTT


def _of_cues(text: str, path: Path) -> Iterator[list[Word]]:
    """The words of each cue."""
    is_webvtt = text.lstrip().startswith("WEBVTT")
    for first, block in _blocks(text):
        place = next((n for n, line in enumerate(block[:2]) if _ARROW in line), None)
        if place is None:
            if is_webvtt and block[0].startswith(_NOT_CUES):
                continue
            raise InputError(
                f"{path}:{first} begins a cue without times: {shown(block[0])}", _CUE_FORMS
            )
        span_s = _cue_times(block[place], f"{path}:{first + place}")
        payload = _TAG.sub("", " ".join(block[place + 1 :]))
        if is_webvtt:
            payload = html.unescape(payload)
        if drafts := [_Draft(word) for word in payload.split()]:
            yield list(_shared(drafts, *span_s))


def _blocks(text: str) -> Iterator[tuple[int, list[str]]]:
    """The lines between empty ones, each time with the number of the first."""
    lines = enumerate(_LINE_BREAK.split(text), 1)
    for empty, run in groupby(lines, key=lambda line: not line[1].strip()):
        if not empty:
            block = list(run)
            yield block[0][0], [line for _, line in block]


def _cue_times(line: str, place: str) -> tuple[float, float]:
    """Read the line of a cue that has its times."""
    before, after = line.split(_ARROW, 1)
    words = after.split()  # WebVTT's settings and SRT's coordinates may follow
    matches = _TIME.fullmatch(before.strip()), _TIME.fullmatch(words[0] if words else "")
    if matches[0] is None or matches[1] is None:
        raise InputError(f"{place} has no two times: {shown(line.strip())}", _CUE_FORMS)
    start_s, end_s = (_seconds(match) for match in matches if match is not None)
    if end_s < start_s:
        raise InputError(
            f"{place} ends before it begins: {shown(line.strip())}", "Swap its two times"
        )
    return start_s, end_s


def _seconds(match: re.Match[str]) -> float:
    hours, minutes, seconds, part = match.groups("0")
    return int(hours) * 3600 + int(minutes) * 60 + int(seconds) + float(f"0.{part}")
