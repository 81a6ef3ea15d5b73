"""Draws who speaks when: a lane for each person, with speech in the last lane."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING
from unicodedata import east_asian_width

import numpy as np

from ...core.component import Context
from ...core.decisions.segments import uncovered
from ...core.durations import clock, round_times
from ...core.figures import drawn, files_of, require_matplotlib
from ...core.palette import OFF_SCREEN, SPEAKING, SPEECH, VISIBLE
from ...core.result import Result
from ...core.shown_names import legible
from ...core.types import GRID_FPS, Float64, Spans, Track
from ...core.voices.assigning import people_of
from .people import frames_of, unseen_voices

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

STEM = "timeline"
FILES = (f"{STEM}.svg", f"{STEM}.png")
_CURVE = "#202020"
_SHOT = "#A0A0A0"
_FEW_SHOTS = 100
"""With more shots than this, their lines are paler, so that the lanes stand out."""
_LANE_PX = 32
_MARGIN = 0.12
"""Fraction of a lane left free above its bar, and below it."""
_NAME_COLUMNS = 26
_TICK_PX = 70
_LEGEND_PX = 190
_Person = tuple[str, list[Track]]
"""A name and the tracks."""


@dataclass(frozen=True)
class TimelineConfig:
    """Parameters of the `timeline` writer.

    Attributes:
        width_px: Width of the picture in pixels, from 600 to 20000.
        max_lanes: At most so many people are drawn, from 1 to 1000: those visible longest.
    """

    width_px: int = 1600
    max_lanes: int = 40

    def __post_init__(self) -> None:
        if not 600 <= self.width_px <= 20_000:
            raise ValueError(f"width_px must be from 600 to 20000, got {self.width_px}")
        if not 1 <= self.max_lanes <= 1000:
            raise ValueError(f"max_lanes must be from 1 to 1000, got {self.max_lanes}")


class TimelineWriter:
    """Writes `timeline.svg` and `timeline.png`.

    Each person has a lane, in order of first appearance: a light bar while the face is visible, a
    strong one while it speaks, and a curve of the probability, which shows the maximum if several
    frames share a column of pixels. Voices of a diarization that are nobody's who was seen have
    lanes of their own, and so has what people who are known by their voice say off screen. Vertical
    lines are shot boundaries. With voice activity
    detection the last lane shows speech, and which part of it is off-screen.
    """

    def __init__(self, config: TimelineConfig) -> None:
        self._width_px = config.width_px
        self._max_lanes = config.max_lanes

    def write(self, result: Result, folder: Path) -> list[Path]:
        """Write the files; see `core.contracts.Writer`."""
        people = list(people_of(result).items())
        shown = _longest(people, self._max_lanes)
        names = [_short(name, _NAME_COLUMNS) for name, _ in shown] or ["no faces"]
        unseen = unseen_voices(result)
        first_unseen = len(names)
        names += [_short(name, _NAME_COLUMNS) for name in unseen]
        heard = result.speech is not None
        if heard:
            names.append("speech")
        legend = _legend(heard, bool(unseen))
        columns = self._width_px // _LEGEND_PX
        height_px = (len(names) + 3 + math.ceil(len(legend) / columns)) * _LANE_PX

        title = _short(result.video.name, self._width_px // 12)
        stem = folder / STEM
        with drawn(stem, self._width_px, height_px, [*names, title]) as figure:
            axes = figure.add_subplot()
            first, end = frames_of(result)
            for place, (_, tracks) in enumerate(shown):
                _draw_person(axes, place, tracks, range(first, end), self._width_px)
            for place, spans in enumerate(unseen.values(), first_unseen):
                _bar(axes, place, spans, OFF_SCREEN)
            if heard:
                _bar(axes, len(names) - 1, result.speech or (), SPEECH)
                _bar(axes, len(names) - 1, result.off_screen or (), OFF_SCREEN)
            _draw_shots(axes, result, len(names))
            _set_axes(axes, names, first / GRID_FPS, end / GRID_FPS, self._width_px // _TICK_PX)
            axes.set_title(title, loc="left")
            if len(shown) < len(people):
                axes.set_xlabel(f"{len(people) - len(shown)} of {len(people)} faces are left out")
            figure.legend(handles=legend, loc="outside lower left", ncols=columns, frameon=False)
        return files_of(stem)


def _longest(people: Sequence[_Person], most: int) -> list[_Person]:
    """At most `most` people, those visible longest, in the same order."""
    ranked = sorted(range(len(people)), key=lambda n: -sum(map(len, people[n][1])))
    return [people[n] for n in sorted(ranked[:most])]


def _draw_person(
    axes: Axes, place: int, tracks: Sequence[Track], frames: range, columns: int
) -> None:
    """Draw one lane; `frames` is the range of the whole figure."""
    visible = [(track.first_frame / GRID_FPS, track.frames.stop / GRID_FPS) for track in tracks]
    speaking = [span for track in tracks for span in track.speaking]
    for spans, colour in ((visible, VISIBLE), (speaking, SPEAKING)):
        _bar(axes, place, uncovered(tuple(spans), (), frames.start, len(frames), 0.0), colour)
    times_s, highest = _curve(tracks, frames.start, len(frames), columns)
    height = 1 - 2 * _MARGIN
    axes.plot(times_s, place + 1 - _MARGIN - height * highest, color=_CURVE, linewidth=0.7)


def _bar(axes: Axes, place: int, spans: Spans, colour: str) -> None:
    # Without snapping, spans narrower than a pixel are drawn paler instead of vanishing.
    axes.broken_barh(
        [(start_s, end_s - start_s) for start_s, end_s in spans],
        (place + _MARGIN, 1 - 2 * _MARGIN),
        color=colour,
        linewidth=0,
        snap=False,
    )


def _curve(
    tracks: Sequence[Track], first: int, frames: int, columns: int
) -> tuple[Float64, Float64]:
    """The highest probability in each column of pixels, NaN where no face is visible.

    Returns:
        Times in seconds and probabilities, both (n,) float64, with n at most `columns`; one value
        per frame if there are enough columns.
    """
    found = np.full(frames, np.nan)
    for track in tracks:
        part = found[track.first_frame - first :][: len(track)]
        np.fmax(part, track.probabilities, out=part)
    step = math.ceil(frames / columns)
    padded = np.pad(found, (0, -frames % step), constant_values=np.nan)
    highest = np.fmax.reduce(padded.reshape(-1, step), axis=1)
    times_s = (first + (np.arange(len(highest)) + 0.5) * step) / GRID_FPS
    return times_s, highest


def _draw_shots(axes: Axes, result: Result, lanes: int) -> None:
    cuts = [first / GRID_FPS for first, _ in result.shots[1:]]
    faint = min(1.0, _FEW_SHOTS / max(len(cuts), 1))
    axes.vlines(cuts, 0, lanes, color=_SHOT, linewidth=0.7, alpha=faint, zorder=0)


def _set_axes(
    axes: Axes, names: Sequence[str], start_s: float, end_s: float, most_ticks: int
) -> None:
    """Set the labels of lanes, from the top down, and of times."""
    axes.set(xlim=(start_s, end_s), ylim=(len(names), 0))
    axes.set_yticks(np.arange(len(names)) + 0.5, names)
    ticks = round_times(start_s, end_s, most_ticks)
    axes.set_xticks(ticks, [clock(tick) for tick in ticks])
    axes.tick_params(axis="y", length=0)
    axes.spines[["left", "top", "right"]].set_visible(False)


def _short(text: str, columns: int) -> str:
    """Shorten a text to one line of at most `columns`; wide East Asian characters take two."""
    text = legible(text)
    ends = accumulate(2 if east_asian_width(sign) in "WF" else 1 for sign in text)
    fitting = sum(end <= columns for end in ends)
    return text if fitting == len(text) else f"{text[: fitting - 1]}…"


def _legend(heard: bool, unseen: bool) -> list[Artist]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Artist] = [
        Patch(color=VISIBLE, label="face visible"),
        Patch(color=SPEAKING, label="face speaks"),
        Line2D([], [], color=_CURVE, linewidth=0.7, label="probability of speaking"),
        Line2D([], [], color=_SHOT, linewidth=0.7, label="shot boundary"),
    ]
    if heard:
        handles.append(Patch(color=SPEECH, label="speech"))
    if heard or unseen:
        handles.append(Patch(color=OFF_SCREEN, label="off-screen"))
    return handles


def build(config: TimelineConfig, context: Context) -> TimelineWriter:
    """Make the writer.

    Raises:
        MissingExtraError: Matplotlib is not installed.
    """
    require_matplotlib("writers=[timeline]")
    return TimelineWriter(config)
