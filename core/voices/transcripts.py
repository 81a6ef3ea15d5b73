"""Reads turns from JSON: whisperX's transcripts, and what pyannote and pyannoteAI give."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..files import same_form
from ..named_files import parse_json, shown

Turn = tuple[float, float, str]
"""(start_s, end_s, voice), on the clock of the file."""

_WHAT = "diarization"
_LONGEST_PAUSE_S = 1.0
"""Words of one speaker that are further apart begin a new turn."""
_FORMS = (
    'whisperX writes {"segments": [{"start", "end", "speaker", "words"}]}, pyannote '
    '{"diarization": [{"start", "end", "speaker"}]}, with times in seconds'
)


def read_turns(text: str, path: Path) -> list[Turn]:
    """Read turns from a JSON text.

    Two forms are known:

    - `{"diarization": [{"start", "end", "speaker"}]}`: pyannote.audio's `DiarizeOutput.serialize()`
      and the output of a job of pyannoteAI, also inside `{"output": ...}` as its API answers.
    - `{"segments": [{"start", "end", "speaker", "words": [{"start", "end", "speaker"}]}]}`:
      whisperX with `--diarize`. Words are finer than their segment: consecutive words of one
      speaker, at most a second apart, are a turn; a segment without such words is one by itself.
      Without `segments`, `word_segments` is read alike. Segments and words without a speaker are
      left out, as are words without times, which whisperX could not align.

    A list without entries is of a video in which nobody speaks.

    Args:
        text: The text.
        path: Its file, for errors.

    Raises:
        InputError: The text is neither form, holds speech but names no speaker, or has an invalid
            time.
    """
    key, entries = listed(text, path, ("diarization", "segments", "word_segments"), _WHAT, _FORMS)
    if key == "diarization":
        turns = [_turn(entry, path) for entry in entries]
    elif key == "segments":
        turns = [turn for entry in entries for turn in _of_segment(entry, path)]
    else:
        turns = list(_of_words(entries, path))
    if entries and not turns:
        raise InputError(
            f"{path} names no speaker",
            "Have whisperX diarize with --diarize, or give another diarizer's file",
        )
    return turns


def listed(
    text: str, path: Path, keys: Sequence[str], what: str, forms: str
) -> tuple[str, list[Any]]:
    """The first list that a JSON text has under one of some keys, and its key.

    Args:
        text: The text; an object inside `{"output": ...}` is looked into.
        path: Its file, for errors.
        keys: The keys, the best first.
        what: What the file should be, for errors, such as "diarization".
        forms: The forms that are known, for errors.

    Raises:
        InputError: The text is not JSON, or has no such list.
    """
    try:
        found = parse_json(text)
    except ValueError as error:
        raise InputError(f"{path} is no {what}: {error}", forms) from error
    if isinstance(found, dict) and isinstance(found.get("output"), dict):
        found = found["output"]
    if not isinstance(found, dict):
        found = {}
    key = next((key for key in keys if isinstance(found.get(key), list)), None)
    if key is None:
        raise InputError(f"{path} is JSON, but no {what} that is known here", forms)
    return key, found[key]


def _of_segment(segment: Any, path: Path) -> Iterator[Turn]:
    if not isinstance(segment, Mapping):
        raise _wrong(segment, path)
    words = segment.get("words")
    found = list(_of_words(words, path)) if isinstance(words, list) else []
    if not found and "speaker" in segment:
        found = [_turn(segment, path)]
    yield from found


def _of_words(words: Sequence[Any], path: Path) -> Iterator[Turn]:
    """Join consecutive words of one speaker to turns."""
    last: Turn | None = None
    for word in words:
        if not isinstance(word, Mapping):
            raise _wrong(word, path)
        if "speaker" not in word or "start" not in word:
            continue
        start_s, end_s, speaker = _turn(word, path)
        if last and speaker == last[2] and start_s - last[1] <= _LONGEST_PAUSE_S:
            last = last[0], max(last[1], end_s), speaker
            continue
        if last:
            yield last
        last = start_s, end_s, speaker
    if last:
        yield last


def _turn(entry: Any, path: Path) -> Turn:
    if not isinstance(entry, Mapping):
        raise _wrong(entry, path)
    start_s, end_s = (time_of(entry.get(key)) for key in ("start", "end"))
    speaker = entry.get("speaker")
    if not 0 <= start_s <= end_s or not isinstance(speaker, str) or not speaker.strip():
        raise _wrong(entry, path)
    return start_s, end_s, same_form(speaker)


def time_of(value: Any) -> float:
    """A number of a JSON text as seconds; nan for what is none."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if is_number else math.nan


def _wrong(entry: Any, path: Path) -> InputError:
    return InputError(f"{path} holds {shown(entry)} where a speaker's turn belongs", _FORMS)
