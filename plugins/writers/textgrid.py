"""Writes who speaks when as a TextGrid, for Praat and what reads its files."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...core.component import Context
from ...core.files import whole
from ...core.result import Result
from .speakers import Speaker, in_steps, speakers_of

FILE = "speakers.TextGrid"
_MS = 1000


@dataclass(frozen=True)
class TextgridConfig:
    """The `textgrid` writer has no parameters."""


class TextgridWriter:
    """Writes `speakers.TextGrid`: a tier of intervals for each person, in Praat's long text format.

    The intervals of a tier cover the whole file, from 0 to its end, on the clock of the file, to a
    millisecond; where the person speaks they have the name as text, elsewhere none. There is a tier
    for everybody with an identity and for whoever else speaks, also off screen; with a diarization
    intervals are its turns; see `core.results.turns`. Without anybody there is an empty tier, as
    Praat shows no grid without one. The form is that of Praat's manual, "TextGrid file formats".
    """

    def write(self, result: Result, folder: Path) -> list[Path]:
        """Write the file; see `core.contracts.Writer`."""
        path = folder / FILE
        with whole(path) as aside, aside.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(f"{line}\n" for line in _lines(result))
        return [path]


def _lines(result: Result) -> Iterator[str]:
    zero_s = result.video.start_s
    speakers = speakers_of(result) or [Speaker("Nobody", ())]
    last_s = max((span[1] for one in speakers for span in one.turns), default=0.0)
    end = max(1, math.ceil(round((zero_s + max(result.video.duration_s, last_s)) * _MS, 3)))
    yield 'File type = "ooTextFile"'
    yield 'Object class = "TextGrid"'
    yield ""
    yield from _span("", range(end))
    yield "tiers? <exists>"
    yield f"size = {len(speakers)}"
    yield "item []:"
    for number, speaker in enumerate(speakers, 1):
        turns = in_steps(((zero_s + a, zero_s + b) for a, b in speaker.turns), _MS, end)
        intervals = list(_covering(turns, end))
        yield f"    item [{number}]:"
        yield '        class = "IntervalTier"'
        yield f"        name = {_quoted(speaker.shown)}"
        yield from _span("        ", range(end))
        yield f"        intervals: size = {len(intervals)}"
        for place, (interval, speaks) in enumerate(intervals, 1):
            yield f"        intervals [{place}]:"
            yield from _span("            ", interval)
            yield f"            text = {_quoted(speaker.shown if speaks else '')}"


def _covering(turns: Sequence[range], end: int) -> Iterator[tuple[range, bool]]:
    """Turns and the pauses between and around them, each with whether it is a turn."""
    done = 0
    for turn in turns:
        if done < turn.start:
            yield range(done, turn.start), False
        yield turn, True
        done = turn.stop
    if done < end:
        yield range(done, end), False


def _span(indent: str, interval: range) -> Iterator[str]:
    yield f"{indent}xmin = {_seconds(interval.start)}"
    yield f"{indent}xmax = {_seconds(interval.stop)}"


def _seconds(ms: int) -> str:
    """Milliseconds as seconds, without needless digits."""
    return f"{ms // _MS}.{ms % _MS:03}".rstrip("0").rstrip(".")


def _quoted(text: str) -> str:
    """A text in quotes, in which those inside are doubled."""
    return '"' + text.replace('"', '""') + '"'


def build(config: TextgridConfig, context: Context) -> TextgridWriter:
    """Make the writer."""
    return TextgridWriter()
