"""A result in a line, and as HTML for notebooks: a table of the people, and a timeline."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

from ..durations import clock, round_times
from ..errors import one_line
from ..palette import OFF_SCREEN as UNSEEN
from ..palette import SPEAKING
from ..results import printable, turns
from ..shown_names import legible
from ..types import GRID_FPS, OFF_SCREEN, Spans, Track, spoken_s
from ..voices.assigning import people_of

if TYPE_CHECKING:
    from ..result import Result

_NAMED = 4
"""So many people are named in a line."""
_LANES = 40
"""So many people are shown in HTML."""
_WIDTH, _LEFT, _RIGHT, _LANE, _BAR = 1000, 180, 20, 26, 18
"""Widths of the timeline, of its names, and of its margin, and heights of a lane and of its bar."""
_TICKS = 10
_NAME = 24
"""Most characters of a name beside its lane; the table has all."""
_VISIBLE = "#8884"
"""Grey that shows on a light and on a dark page."""


def in_a_line(result: Result) -> str:
    """What the result is of and who speaks for how long, those who speak longest first."""
    spoken = {name: spoken_s(spans) for name, spans in _spoken(result).items()}
    ranked = sorted(spoken, key=lambda name: -spoken[name])
    said = [f"{name} speaks for {spoken[name]:.1f} s" for name in ranked[:_NAMED]]
    if len(ranked) > _NAMED:
        said.append(f"and {len(ranked) - _NAMED} others")
    tracks = f"{len(result.tracks)} track{'' if len(result.tracks) == 1 else 's'}"
    people = len(people_of(result))
    of = f" of {people} people" if people != len(result.tracks) else ""
    head = f"{result.video.path}: {result.video.duration_s:.2f} s, {tracks}{of}"
    return printable(one_line(f"<Result of {head}; {', '.join(said) or 'nobody speaks'}>"))


def as_html(result: Result) -> str:
    """A table of the people and a timeline, as HTML that needs no other file."""
    seen = people_of(result)
    spoken = _spoken(result)
    names = [*seen, *(name for name in spoken if name not in seen)]
    shown = names[:_LANES]
    rows = "".join(_row(name, seen.get(name, ()), spoken.get(name, ())) for name in shown)
    more = f"<p>{len(names) - _LANES} others are left out.</p>" if len(names) > _LANES else ""
    video = result.video
    return (
        f"<p><b>{_text(video.name)}</b>, {clock(video.duration_s)}, "
        f"{video.width}&times;{video.height}</p>"
        "<table><thead><tr><th>who</th><th>tracks</th><th>seen</th><th>speaks</th>"
        f"<th>turns</th></tr></thead><tbody>{rows}</tbody></table>"
        f"{_timeline(result, shown, seen, spoken)}{more}"
    )


def _spoken(result: Result) -> dict[str, Spans]:
    """By name: when somebody speaks, seen or not, as in RTTM."""
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for start_s, end_s, name in turns(result):
        found[name].append((start_s, end_s))
    return {name: tuple(spans) for name, spans in found.items()}


def _row(name: str, tracks: Sequence[Track], spans: Spans) -> str:
    seen_s = sum(len(track) for track in tracks) / GRID_FPS
    numbers = ", ".join(str(track.id) for track in tracks)
    cells = (_text(name), numbers, f"{seen_s:.1f} s", f"{spoken_s(spans):.1f} s", str(len(spans)))
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _timeline(
    result: Result,
    names: Sequence[str],
    seen: dict[str, list[Track]],
    spoken: dict[str, Spans],
) -> str:
    """A lane for each of the names, as an inline SVG."""
    frames = [*result.shots, *((track.frames.start, track.frames.stop) for track in result.tracks)]
    begin_s = min((first for first, _ in frames), default=0) / GRID_FPS
    end_s = max((end for _, end in frames), default=0) / GRID_FPS
    scale = (_WIDTH - _LEFT - _RIGHT) / max(end_s - begin_s, 1 / GRID_FPS)
    height = (len(names) + 1) * _LANE

    def at(time_s: float) -> float:
        return round(_LEFT + (time_s - begin_s) * scale, 2)

    def bars(spans: Iterable[tuple[float, float]], lane: int, colour: str) -> str:
        top = lane * _LANE + (_LANE - _BAR) / 2
        path = "".join(f"M{at(a)} {top}H{at(b)}v{_BAR}H{at(a)}z" for a, b in spans)
        return f'<path d="{path}" fill="{colour}"/>'

    parts = []
    for lane, name in enumerate(names):
        short = name if len(name) <= _NAME else f"{name[: _NAME - 1]}…"
        visible = [
            (t.frames.start / GRID_FPS, t.frames.stop / GRID_FPS) for t in seen.get(name, ())
        ]
        colour = SPEAKING if name in seen else UNSEEN
        middle = lane * _LANE + _LANE * 0.68
        parts += [
            f'<text x="{_LEFT - 8}" y="{middle:.1f}" text-anchor="end">{_text(short)}</text>',
            bars(visible, lane, _VISIBLE),
            bars(spoken.get(name, ()), lane, colour),
        ]
    y = height - _LANE * 0.3
    parts += [
        f'<text x="{at(time_s)}" y="{y:.1f}" text-anchor="middle">{clock(time_s)}</text>'
        for time_s in round_times(begin_s, end_s, _TICKS)
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" '
        f'aria-label="Who speaks when" style="width:100%;max-width:{_WIDTH}px" font-size="13" '
        f'font-family="sans-serif" fill="currentColor">{"".join(parts)}</svg>'
    )


def _text(text: str) -> str:
    """A text that comes from a file, for HTML."""
    return escape("Off screen" if text == OFF_SCREEN else legible(text))
