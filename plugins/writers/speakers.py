"""Who speaks when, by person, with names that files of any kind can hold."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from itertools import count
from typing import NamedTuple

from ...core.result import Result
from ...core.results import printable, turns
from ...core.rttm import merged
from ...core.types import OFF_SCREEN, Spans

_UNWRITABLE = re.compile("[\x00-\x1f\x7f-\x9f\ufffe\uffff]")
"""Characters that XML 1.0 cannot hold, or that are invisible controls."""


class Speaker(NamedTuple):
    """Somebody who speaks, or might.

    Attributes:
        shown: The name to show, on one line; no two are equal.
        turns: When they speak, in seconds from the first picture, in order and disjoint.
    """

    shown: str
    turns: Spans


def shown_names(result: Result) -> Callable[[str], str]:
    """The function from a name of `core.results.turns` to one for people, on one line.

    Tracks without identity are "Track 0" and so on, by the number that is in the name; who is not
    seen is "Off screen". Characters that are no text become U+FFFD.
    """
    nameless = {track.name for track in result.tracks if track.identity is None}
    special = {name: name.replace("track_", "Track ") for name in nameless}
    special[OFF_SCREEN] = "Off screen"
    return lambda name: (
        special.get(name) or _UNWRITABLE.sub("\ufffd", " ".join(printable(name).split()))
    )


def speakers_of(result: Result) -> list[Speaker]:
    """Everybody with an identity, and whoever else speaks, with their turns.

    They come by first appearance, then voices of nobody who was seen, and last who is off screen.
    One's turns that overlap or touch are merged.
    """
    spans: dict[str, list[tuple[float, float]]] = {}
    for start_s, end_s, name in turns(result):
        spans.setdefault(name, []).append((start_s, end_s))
    tracks = sorted(result.tracks, key=lambda track: track.first_frame)
    seen = [track.name for track in tracks if track.identity is not None or track.name in spans]
    names = [*seen, *(name for name in spans if name != OFF_SCREEN)]
    names += [OFF_SCREEN] if OFF_SCREEN in spans else []
    show = shown_names(result)
    shown = _apart({name: show(name) for name in dict.fromkeys(names)})
    return [Speaker(shown[name], merged(spans.get(name, ()))) for name in shown]


def _apart(shown: Mapping[str, str]) -> dict[str, str]:
    """Number those that would be shown alike: "Ann", "Ann 2"."""
    found: dict[str, str] = {}
    taken = set(shown.values())
    used: set[str] = set()
    for name, text in shown.items():
        found[name] = text
        if text in used:
            numbered = (f"{text} {number}" for number in count(2))
            found[name] = next(other for other in numbered if other not in taken)
        taken.add(found[name])
        used.add(found[name])
    return found


def in_steps(spans: Iterable[tuple[float, float]], steps_per_s: float, end: int) -> list[range]:
    """Spans in whole steps of time, in order and disjoint.

    Each is a step long or longer; those that fall into one step are joined.

    Args:
        spans: (start, end) in seconds, in order and disjoint.
        steps_per_s: How many steps there are in a second, such as 1000.
        end: The step that none goes beyond, 1 or more.
    """
    found: list[range] = []
    for start_s, end_s in spans:
        first = min(max(int(start_s * steps_per_s + 0.5), 0), end - 1)
        until = min(max(int(end_s * steps_per_s + 0.5), first + 1), end)
        if found and first < found[-1].stop:
            first = found.pop().start
        found.append(range(first, until))
    return found
