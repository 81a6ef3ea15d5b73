"""Who speaks when, by person, with names that files of any kind can hold."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ...core.result import Result
from ...core.results import turns
from ...core.rttm import merged
from ...core.shown_names import shown_names
from ...core.types import OFF_SCREEN, Spans


class Speaker(NamedTuple):
    """Somebody who speaks, or might.

    Attributes:
        shown: The name to show, on one line; no two are equal.
        turns: When they speak, in seconds from the first picture, in order and disjoint.
    """

    shown: str
    turns: Spans


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
    return [Speaker(show(name), merged(spans.get(name, ()))) for name in dict.fromkeys(names)]


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
