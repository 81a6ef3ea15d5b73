"""Reads RTTM, the format of NIST's Rich Transcription evaluations: who speaks when."""

from __future__ import annotations

import logging
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from .errors import InputError
from .files import same_form
from .named_files import lines_of, shown
from .types import Spans

_log = logging.getLogger(__name__)
_RTTM = "Lines should be: SPEAKER FILE 1 ONSET DURATION <NA> <NA> NAME <NA> <NA>, in seconds"
_FIELDS = (8, 9, 10)
"""Allowed numbers of fields in a line: confidence and look-ahead may be missing."""
_OTHER_TYPES = {
    *("SEGMENT", "NOSCORE", "NO_RT_METADATA", "LEXEME", "NON-LEX", "NON-SPEECH", "FILLER", "EDIT"),
    *("IP", "SU", "CB", "A/P", "SPKR-INFO"),
}
"""The types of lines in NIST's RTTM besides SPEAKER; they do not say who speaks when."""


def file_field(name: str) -> str:
    """The file field of a video in RTTM, by its name without suffix: white space separates fields.

    Names are compared in Unicode's composed form, as `read_rttm` gives them.
    """
    return same_form("_".join(name.split()))


def is_rttm(text: str) -> bool:
    """Whether the first line of a text that is neither empty nor a comment is one of RTTM."""
    words = (line.split() for line in text.splitlines())
    first = next((line[0] for line in words if line and not line[0].startswith(";;")), "")
    return first == "SPEAKER" or first in _OTHER_TYPES


def read_rttm(paths: Iterable[Path], what: str = "truth") -> dict[str, dict[str, Spans]]:
    """Read RTTM files: by video and speaker name, when this speaker speaks.

    Times are on the clock of the video file, as in asdkit's own RTTM. Comments and lines of other
    types than SPEAKER are ignored; turns of no length are dropped with a warning. Turns of one
    speaker that overlap or touch are merged. Names are normalised (`core.files.same_form`).

    Args:
        paths: The files.
        what: What the files contain, for errors.

    Raises:
        InputError: A file cannot be read, or has an invalid line.
    """
    turns: dict[str, dict[str, list[tuple[float, float]]]] = defaultdict(lambda: defaultdict(list))
    empty = []
    for path in paths:
        for where, words in lines_of(path, what):
            if words[0].startswith(";;") or words[0] in _OTHER_TYPES:
                continue
            if words[0] != "SPEAKER":
                raise wrong(where, words, f"is of no type of RTTM, {shown(words[0])}", _RTTM)
            if len(words) not in _FIELDS:
                raise wrong(where, words, f"has {len(words)} fields, not 8 to 10", _RTTM)
            onset, length = seconds(where, words, words[3:5], _RTTM)
            if length == 0:
                empty.append(where)
                continue
            turns[same_form(words[1])][same_form(words[7])].append((onset, onset + length))
    if empty:
        _log.warning("%s left out, the first in %s", turns_of_no_length(len(empty)), empty[0])
    return {
        video: {name: merged(spans) for name, spans in sorted(speakers.items())}
        for video, speakers in turns.items()
    }


def turns_of_no_length(number: int) -> str:
    """So many turns of no length, with the verb for it: "2 turns of no length are"."""
    return "1 turn of no length is" if number == 1 else f"{number} turns of no length are"


def seconds(where: str, words: Sequence[str], texts: Sequence[str], form: str) -> list[float]:
    """Read fields that hold seconds: finite, 0 or more.

    Args:
        where: "FILE:LINE", for the error.
        words: All fields of the line, for the error.
        texts: The fields to read.
        form: The form of a line, for the error.

    Raises:
        InputError: A field is something else.
    """
    found = []
    for text in texts:
        try:
            found.append(float(text))
        except ValueError:
            found.append(math.nan)
        if not 0 <= found[-1] < math.inf:
            raise wrong(where, words, f"has {shown(text)} where seconds from 0 on belong", form)
    return found


def wrong(where: str, words: Sequence[str], why: str, form: str) -> InputError:
    """The error for a line that does not have its form."""
    return InputError(f"{where} {why}: {shown(' '.join(words))}", form)


def from_picture(spans: Spans, start_s: float) -> Spans:
    """Convert spans on the clock of a file to seconds from its first picture; drop earlier parts.

    Args:
        spans: The spans, on the clock of the file.
        start_s: When the first picture is shown, on the clock of the file.
    """
    shifted = ((max(start - start_s, 0.0), end - start_s) for start, end in spans)
    return tuple((start, end) for start, end in shifted if end > 0)


def merged(spans: Iterable[tuple[float, float]]) -> Spans:
    """Sort spans, and merge those that overlap or touch."""
    found: list[tuple[float, float]] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return tuple(found)
