"""What a live session told, against the truth, the same hops of the file, and itself."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from asdkit.core.evaluation.metrics import average_precision
from asdkit.core.live.events import MEASURED
from asdkit.core.result import Result
from asdkit.core.types import GRID_FPS
from asdkit.plugins.datasets.dialogue import Truth, judge_regions

NEAR_S = 0.6
"""An event tells of a change of the truth if it is of a time this near."""
_UNLIKE = ("delay_s", "about")
"""What differs between a stream and a file of it."""

Line = Mapping[str, Any]


class Told(NamedTuple):
    """A line of events.jsonl, and when it could be read, by `time.monotonic`."""

    line: Line
    at_s: float


class Change(NamedTuple):
    """Somebody begins or ceases to speak in a region, in grid frames."""

    frame: int
    region: str
    speaks: bool


def repeated(truth: Truth, times: int) -> Truth:
    """The truth of so many copies of a video."""
    length = truth.shots[-1][1]
    shots = tuple(
        (first + k * length, end + k * length) for k in range(times) for first, end in truth.shots
    )
    speaking = {name: np.tile(frames, times) for name, frames in truth.speaking.items()}
    return replace(truth, shots=shots, speaking=speaking, off_screen=None)


def changes(truth: Truth, end: int) -> list[Change]:
    """The changes of speaker within shots, before a grid frame."""
    found = []
    for first, stop in truth.shots:
        for name, speaks in truth.speaking.items():
            for frame in range(first + 1, min(stop, end)):
                if speaks[frame] != speaks[frame - 1]:
                    found.append(Change(frame, name, bool(speaks[frame])))
    return sorted(found)


def tells_of(told: Told, change: Change, truth: Truth) -> bool:
    """Whether an event tells of a change."""
    line = told.line
    kind = "speaking" if change.speaks else "silent"
    if line["event"] != kind or "box" not in line:
        return False
    if abs(line["time_s"] - change.frame / GRID_FPS) > NEAR_S:
        return False
    box, region = line["box"], truth.regions[change.region]
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return bool(region[0] <= x < region[2] and region[1] <= y < region[3])


def spread(delays_s: Iterable[float]) -> str:
    """Median and worst of some delays, in words."""
    values = list(delays_s)
    if not values:
        return "none"
    return f"median {np.median(values):.3f} s, worst {max(values):.3f} s (n={len(values)})"


def delay_lines(told: Sequence[Told], truth: Truth, sent: Sequence[float], end: int) -> list[str]:
    """The delays of changes, a line for each kind of delay.

    Args:
        told: What was told.
        truth: Who speaks.
        sent: When each grid frame was sent, by `time.monotonic`.
        end: The grid frame at which the session was to end.
    """
    asked = changes(truth, end)
    lines = []
    kinds = {"certain": [one for one in told if one.line.get("certain", True)], "first": told}
    for name, these in kinds.items():
        found = [(one, next((e for e in these if tells_of(e, one, truth)), None)) for one in asked]
        delays = [e.at_s - sent[one.frame] for one, e in found if e is not None]
        missed = sum(event is None for _, event in found)
        lines.append(f"{name} of a change of the truth: {spread(delays)}, {missed} never told")
    changing = [one for one in told if one.line["event"] in ("speaking", "silent")]
    for name, certain in (("certain", True), ("provisional", False)):
        delays = [
            one.at_s - sent[min(round(one.line["time_s"] * GRID_FPS), len(sent) - 1)]
            for one in changing
            if one.line["certain"] is certain
        ]
        lines.append(f"{name} events against their own time: {spread(delays)}")
    return lines


def comparable(lines: Iterable[Line]) -> list[dict[str, Any]]:
    """What must be the same of a stream and of a file of it."""
    kept = [line for line in lines if line["event"] not in (*MEASURED, "begun", "ended")]
    return [{k: value for k, value in line.items() if k not in _UNLIKE} for line in kept]


def difference(stream: Iterable[Line], file: Iterable[Line]) -> str:
    """Whether the events are the same, in a line."""
    one, other = comparable(stream), comparable(file)
    for number, (mine, its) in enumerate(zip(one, other, strict=False)):
        if mine != its:
            return f"differ from event {number} on: {json.dumps(mine)} and {json.dumps(its)}"
    if len(one) != len(other):
        return f"differ: {len(one)} and {len(other)}"
    return f"are the same, all {len(one)}"


def precision(results: Sequence[Result], truth: Truth, end: int) -> float:
    """Average precision of results that follow on each other, up to a grid frame."""
    first = results[0]
    whole = replace(
        first,
        video=replace(first.video, duration_s=max(truth.shots[-1][1], end) / GRID_FPS),
        tracks=tuple(track for result in results for track in result.tracks),
    )
    judged = judge_regions(truth, whole)
    within = judged.time_s < end / GRID_FPS
    return average_precision(judged.logits[within, 1], judged.truth[within])


def read_lines(path: Path) -> list[Line]:
    """The lines of a session's events."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def tenths(values: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """The means of the second and of the last tenth of (time, value)."""
    first, last = values[0][0], values[-1][0]
    edges = [first + (last - first) * k / 10 for k in range(11)]
    parts = [[v for t, v in values if a <= t <= b] for a, b in pairwise(edges)]
    return float(np.mean(parts[1] or parts[0])), float(np.mean(parts[-1]))
