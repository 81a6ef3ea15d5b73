"""Tests evaluations against one of them, from their files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..errors import InputError
from .bootstrap import LEVEL, WHO_SPEAKS, who_speaks_statistic
from .frames_file import FRAMES_FILE, Frames, read_frames
from .paired import Difference, Pair, difference, holm, pair_of
from .scored import FEW_UNITS, units_of
from .statistics import NAMES
from .tables import Estimate, stars

Evaluated = tuple[Path, Mapping[str, Any]]
"""The path of an evaluation.json, and what it holds."""
SEED = 0
"""What the drawing of tests begins with, so that a comparison is the same each time."""


class Column(NamedTuple):
    """A column that tests add to a table of evaluations.

    Attributes:
        head: Its head.
        cells: One for each evaluation; None for an empty cell.
    """

    head: str
    cells: list[Any]


class Tested(NamedTuple):
    """What tests add to a table of evaluations.

    Attributes:
        columns: The difference, and p-values.
        notes: What was tested against what, and what could not be, a sentence each.
    """

    columns: list[Column]
    notes: tuple[str, ...]


def tested_against(
    ordered: Sequence[Evaluated], measure: str, resamples: int, baseline: Path | None
) -> Tested:
    """Test evaluations against one of them.

    Args:
        ordered: The evaluations, the best first.
        measure: The metric to test.
        resamples: How often to draw and to swap.
        baseline: The folder of the evaluation to test against; the best if not given. With it,
            what cannot be tested is an error, else a note.

    Raises:
        InputError: The baseline is none of the evaluations, or cannot be tested against.
    """
    place = 0 if baseline is None else _place(ordered, baseline)
    found: dict[int, Difference] = {}
    notes = []
    try:
        reference = Reference(ordered[place], measure)
    except InputError as error:
        if baseline is not None:
            raise
        return Tested([], (f"No tests: {error}",))
    for k, one in enumerate(ordered):
        if k == place:
            continue
        try:
            tested = reference.test(one, resamples, SEED)
        except InputError as error:
            if baseline is not None:
                raise
            notes.append(f"Not tested: {error}")
            continue
        if tested:
            found[k] = tested
    if not found:
        return Tested([], tuple(notes))
    corrected = dict(zip(found, holm([one.p for one in found.values()]), strict=True))
    count = len(ordered)
    columns = [
        Column(
            "difference",
            [_told(found[k], corrected[k]) if k in found else None for k in range(count)],
        ),
        Column("p", [found[k].p if k in found else None for k in range(count)]),
    ]
    if len(found) > 1:
        columns.append(Column("p (Holm)", [corrected.get(k) for k in range(count)]))
    return Tested(columns, (_remark(reference, measure, ordered[place][0], resamples), *notes))


def _told(found: Difference, chance: float) -> Any:
    if found.interval is None:
        return found.value
    return Estimate(found.value, *found.interval, stars(chance))


def _remark(reference: Reference, measure: str, path: Path, resamples: int) -> str:
    units, kind = reference.drawn
    every = 2**units - 1
    said = (
        f"difference: {measure.replace('_', ' ')} less that of {path.parent}, with its {LEVEL:.0%} "
        f"interval; p: of {f'all {every}' if every <= resamples else resamples} swaps of {units} "
        f"{kind}; * p < 0.05, ** p < 0.01, "
        "*** p < 0.001"
    )
    return f"{said}; so few {kind} say little of others" if units < FEW_UNITS else said


def _place(ordered: Sequence[Evaluated], baseline: Path) -> int:
    """The place of the evaluation in a folder.

    Raises:
        InputError: There is none, or there are several.
    """
    wanted = baseline.resolve()
    inside = [k for k, (path, _) in enumerate(ordered) if wanted in path.resolve().parents]
    if len(inside) != 1:
        raise InputError(
            f"baseline={baseline} holds {len(inside)} of the evaluations compared, not one",
            f"There are {', '.join(str(path.parent) for path, _ in ordered)}",
        )
    return inside[0]


class Reference:
    """The evaluation that others are tested against.

    Args:
        evaluated: It.
        measure: The metric to test.

    Attributes:
        drawn: How many units of what kind were drawn in the last test, such as (33, "videos").

    Raises:
        InputError: There is no test of this metric, or its rows cannot be read.
    """

    def __init__(self, evaluated: Evaluated, measure: str) -> None:
        if measure not in (*NAMES, WHO_SPEAKS):
            raise InputError(
                f"There is no test of {measure}",
                f"There are tests of {', '.join((*NAMES, WHO_SPEAKS))}: set measure= of asd "
                "evaluate",
            )
        self._path, self._evaluation = evaluated
        self._measure = measure
        self._frames = None if measure == WHO_SPEAKS else _frames(self._path)
        self.drawn: tuple[int, str] = (0, "videos")

    def test(self, other: Evaluated, resamples: int, seed: int) -> Difference | None:
        """By how much another evaluation exceeds this one; None if the metric is undefined.

        Raises:
            InputError: The other is of other rows, or its rows cannot be read.
        """
        pair = self._pair(other)
        units, _ = self.drawn
        if units < 2:
            raise InputError(
                f"{other[0]} and {self._path} have one unit alone, so they cannot be tested",
                "Evaluate more videos or people",
            )
        return difference(pair, units, resamples, seed)

    def _pair(self, other: Evaluated) -> Pair:
        path, _ = other
        if self._frames is None:
            mine, others = (_parts(*one) for one in ((self._path, self._evaluation), other))
            if list(mine) != list(others):
                raise InputError(
                    f"{path} and {self._path} do not tell who speaks in the same videos",
                    "Compare evaluations of the same videos",
                )
            self.drawn = (len(mine), "videos")
            told = (list(others.values()), list(mine.values()))
            return Pair(*map(who_speaks_statistic, (*told, told[0] + told[1])))
        frames = aligned(_frames(path), self._frames, path, self._path)
        units = units_of(self._frames.faces, self._frames.face)
        self.drawn = (units.count, units.kind)
        pair = pair_of(self._measure, frames.scored, self._frames.scored, units)
        assert pair is not None  # the metric was checked before
        return pair


def aligned(frames: Frames, reference: Frames, path: Path, other: Path) -> Frames:
    """Rows in the order of other rows, which they must be the same as but for the scores.

    Args:
        frames: The rows.
        reference: The others.
        path: The evaluation that the rows are of, for messages.
        other: The evaluation that the others are of.

    Raises:
        InputError: They are not the same: one has rows that the other lacks, or other labels.
    """
    number = {face: k for k, face in enumerate(reference.faces)}
    if lacking := [one for one in frames.faces if one not in number]:
        number |= {face: len(number) + k for k, face in enumerate(lacking)}
    face = np.array([number[one] for one in frames.faces])[frames.face]
    mine = np.lexsort((frames.time_s, face))
    others = np.lexsort((reference.time_s, reference.face))
    if len(mine) != len(others):
        what = f"{len(mine)} rows, not {len(others)}"
    else:
        same = (face[mine] == reference.face[others]) & (
            frames.time_s[mine] == reference.time_s[others]
        )
        labels = frames.scored.truth[mine] == reference.scored.truth[others]
        if same.all() and labels.all():
            return _in_order(frames, reference, mine[np.argsort(others)])
        at = int(np.argmin(same & labels))
        video, person = reference.faces[reference.face[others][at]]
        where = f"{video}, {person}, at {reference.time_s[others][at]:g} s"
        what = f"another label of {where}" if same[at] else f"no row of {where}"
    raise InputError(
        f"{path} has {what}, as {other} has, so the two cannot be tested against each other",
        "Compare evaluations with the same labels",
    )


def _in_order(frames: Frames, reference: Frames, order: Any) -> Frames:
    scored = {name: values[order] for name, values in vars(frames.scored).items()}
    return replace(reference, scored=replace(frames.scored, **scored))


def _frames(path: Path) -> Frames:
    frames = path.with_name(FRAMES_FILE)
    if not frames.is_file():
        raise InputError(
            f"{path.parent} has no {FRAMES_FILE}, so it cannot be tested", "Evaluate it again"
        )
    return read_frames(frames)


def _parts(path: Path, evaluation: Mapping[str, Any]) -> dict[str, Mapping[str, float]]:
    """By video, the parts of its diarization error rate.

    Raises:
        InputError: The file lacks them, as those of older versions do.
    """
    told = {
        video: one for video, one in evaluation.get("per_video", {}).items() if WHO_SPEAKS in one
    }
    if not told:
        raise InputError(f"{path} has no {WHO_SPEAKS} of each video", "Evaluate it again")
    return told
