"""Writes who speaks when as lines of RTTM (Rich Transcription Time Marked)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from itertools import count

from .result import Result
from .results import as_cell, turns
from .types import OFF_SCREEN


def field(text: str) -> str:
    """Make a text a single field of a line: white space, which separates fields, becomes `_`."""
    return as_cell(re.sub(r"\s", "_", text))


def fields(names: Iterable[str], taken: Collection[str] = ()) -> dict[str, str]:
    """Unique fields for names.

    Args:
        names: The names; a name that is a valid field is used as it is, and of others that become
            equal, one gets a number appended.
        taken: Fields that no name gets, unless it is that very field.

    Returns:
        By name: its field.
    """
    found: dict[str, str] = {}
    used = set(taken)
    for name in sorted(set(names), key=lambda name: (field(name) != name, name)):
        own = field(name)
        numbered = (f"{field(name)}_{number}" for number in count(2))
        while own in used and not (own == name and own in taken):
            own = next(numbered)
        used.add(own)
        found[name] = own
    return found


def rttm_lines(result: Result, file: str) -> Iterator[str]:
    """The lines of a result, one for each turn of `core.results.turns`, by onset.

    Args:
        result: The result.
        file: The file field, which says what video the lines are about; see `field`.

    Yields:
        Lines with their ends. Times are seconds on the clock of the video file, to 0.001.
    """
    zero_s = result.video.start_s
    found = turns(result)
    speakers = fields((name for _, _, name in found), [OFF_SCREEN])
    for start_s, end_s, name in found:
        yield rttm_line(file, zero_s + start_s, end_s - start_s, speakers[name])


def rttm_line(file: str, start_s: float, length_s: float, speaker: str) -> str:
    """The line of one turn, with its end.

    Args:
        file: The file field; see `field`.
        start_s: When it begins.
        length_s: How long it is.
        speaker: The field of the speaker.
    """
    return f"SPEAKER {file} 1 {start_s:.3f} {length_s:.3f} <NA> <NA> {speaker} <NA> <NA>\n"
