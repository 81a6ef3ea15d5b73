"""Forms subtitles from the words of a transcript and the turns of who is seen speaking."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

from ...core.types import GRID_FPS
from ...core.voices.words import Word

Turn = tuple[float, float, str]
"""(start_s, end_s, name)."""
_LONGEST_PAUSE_S = 1.0
"""Words further apart are not in one cue."""
_LEAST_S = 1.0
"""A cue is shown so long, if the next one begins no earlier."""
_SENTENCE_ENDS = (*".?!…", *"\u3002\uff1f\uff01", '."', '?"', '!"', ".”", "?”", "!”")
_ALIKE_S = 1 / GRID_FPS + 1e-9
_ROUNDING_S, _DIGITS = 1e-9, 9
"""Times are sums of rounded numbers: what differs by no more is equal."""


@dataclass(frozen=True)
class Layout:
    """How large a cue may be.

    Attributes:
        line_characters: The longest line.
        lines: The most lines.
        max_s: The longest time.
    """

    line_characters: int
    lines: int
    max_s: float


class Cue(NamedTuple):
    """A subtitle.

    Attributes:
        start_s: When it appears, in seconds on the clock of the words.
        end_s: When it disappears.
        lines: Its text.
    """

    start_s: float
    end_s: float
    lines: list[str]


def whose(words: Sequence[Word], turns: Sequence[Turn], tolerance_s: float) -> list[str | None]:
    """Who says each word.

    It is the one whose turn overlaps most with the word; if none does, the one whose turn is
    nearest, if it is near enough; else None. Whoever says the word before goes on if their turn
    does as well but for a frame of the grid, which is as fine as turns are; of equals, it is the
    one whose turn begins first.

    Args:
        words: The words, in their order.
        turns: The turns by onset, on the same clock.
        tolerance_s: How far from a word a turn may be, in seconds.
    """
    names: list[str | None] = []
    ended_s = list(accumulate((end_s for _, end_s, _ in turns), max))
    for word in words:
        first = bisect_left(ended_s, word.start_s - tolerance_s - _ROUNDING_S)
        overlaps = _overlaps(word, turns[first:], tolerance_s)
        best = max(overlaps, key=lambda name: round(overlaps[name], _DIGITS), default=None)
        last = names[-1] if names else None
        if best is not None and last in overlaps and overlaps[last] > overlaps[best] - _ALIKE_S:
            best = last
        names.append(best)
    return names


def _overlaps(word: Word, turns: Iterable[Turn], tolerance_s: float) -> dict[str | None, float]:
    """By name, for those near enough: the overlap in seconds, or, negative, the distance."""
    found: dict[str | None, float] = {}
    for start_s, end_s, name in turns:
        if start_s > word.end_s + tolerance_s + _ROUNDING_S:
            break
        overlap_s = min(word.end_s, end_s) - max(word.start_s, start_s)
        if overlap_s >= -tolerance_s - _ROUNDING_S:
            found[name] = max(overlap_s, found.get(name, overlap_s))
    return found


def cues(
    words: Sequence[Word], names: Sequence[str | None], show: Callable[[str], str], layout: Layout
) -> list[Cue]:
    """Divide words into cues: where the speaker changes, at pauses, and before one is too large.

    Args:
        words: The words, in their order.
        names: Who says each word; None for nobody known.
        show: From such a name to the one that is shown before the words.
        layout: The limits. A cue has one word at least, and a word is not divided.
    """
    found = []
    for name, run in _runs(words, names):
        prefix = [] if name is None else [Word(0.0, 0.0, f"{show(name)}:")]
        begin = 0
        while begin < len(run):
            end = _end(run, begin, prefix, layout)
            lines = _lines([*prefix, *run[begin:end]], layout.line_characters)
            found.append(Cue(run[begin].start_s, max(w.end_s for w in run[begin:end]), lines))
            begin = end
    return _shown_long_enough(found)


def _runs(
    words: Sequence[Word], names: Sequence[str | None]
) -> Iterator[tuple[str | None, list[Word]]]:
    """Words of one speaker that follow each other in time without a pause."""
    run: list[Word] = []
    last: str | None = None
    for word, name in zip(words, names, strict=True):
        if run and not (
            name == last and run[-1].start_s <= word.start_s <= run[-1].end_s + _LONGEST_PAUSE_S
        ):
            yield last, run
            run = []
        run.append(word)
        last = name
    if run:
        yield last, run


def _end(run: Sequence[Word], begin: int, prefix: Sequence[Word], layout: Layout) -> int:
    """One past the last word of the cue that begins with a word.

    It is the end of the last sentence that fits, if that fills half of the cue; else the last word
    that fits.
    """
    sentence = end = begin + 1
    for number in range(begin, len(run)):
        lines = _lines([*prefix, *run[begin : number + 1]], layout.line_characters)
        is_late = run[number].end_s - run[begin].start_s > layout.max_s
        if number > begin and (is_late or len(lines) > layout.lines):
            letters = sum(len(word.text) + 1 for word in run[begin:sentence])
            half = layout.line_characters * layout.lines / 2
            return sentence if letters >= half else end
        end = number + 1
        if run[number].text.endswith(_SENTENCE_ENDS):
            sentence = end
    return end


def _lines(words: Sequence[Word], most: int) -> list[str]:
    """Fill lines with words, as many as fit into each."""
    lines: list[str] = []
    for word in words:
        added = word.text if not lines or word.follows else f" {word.text}"
        if lines and len(lines[-1]) + len(added) <= most:
            lines[-1] += added
        else:
            lines.append(word.text)
    return lines


def _shown_long_enough(found: Sequence[Cue]) -> list[Cue]:
    """Show short cues longer, and none beyond the beginning of the next one that comes later."""
    longer = []
    for cue, after in zip(found, [*found[1:], None], strict=False):
        until_s = max(cue.end_s, cue.start_s + _LEAST_S)
        if after is not None and after.start_s > cue.start_s:
            until_s = min(until_s, after.start_s)
        longer.append(cue._replace(end_s=until_s))
    return longer


def timestamp(seconds: float, point: str = ".") -> str:
    """Seconds as HH:MM:SS.mmm."""
    whole_s, ms = divmod(round(seconds * 1000), 1000)
    minutes, s = divmod(whole_s, 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{s:02}{point}{ms:03}"
