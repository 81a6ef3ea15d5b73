"""Metrics as functions of how often each unit counts, fast enough for thousands of resamples.

A unit, such as a video, counts w times as if its rows stood w times among the rows. Rows are sorted
and counted once; a resample then costs sums over counts, not over rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..types import Float64, Int64
from .metrics import Confusion, balanced_accuracy, f1
from .scored import Scored, Units

Weights = NDArray[np.int32]
"""(b, u): in each of b resamples, how often each of u units counts, 0 or more."""
Statistic = Callable[[Weights], Float64]
"""Gives the (b,) values of a metric; nan where a resample leaves it undefined."""
_AT_ONCE = 2_000_000
"""Numbers held at a time for each of a few arrays, which bounds memory."""
_BINS = 15
"""As of `metrics.expected_calibration_error`."""


def statistic(name: str, rows: Scored, units: Units) -> Statistic | None:
    """A metric of `rows.evaluate_rows` as a function of the units' weights.

    With all weights 1 it gives the metric itself.

    Args:
        name: The metric, such as "average_precision".
        rows: The rows.
        units: The units that the rows belong to.

    Returns:
        The function; None for a metric that is none of `NAMES`.
    """
    make = _MADE.get(name)
    return make(rows, units) if make else None


def of_sums(sums: Any, value: Callable[[Float64], Float64]) -> Statistic:
    """A metric of sums over units.

    Args:
        sums: (u, k), what each unit adds.
        value: Gives (b,) values from (b, k) sums.
    """
    table = np.asarray(sums, np.float64)

    def values(weights: Weights) -> Float64:
        return value(weights @ table)

    return values


def ratio(sums: Float64) -> Float64:
    """The first of the summed columns over the second; nan where that is 0."""
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Float64 = np.where(sums[:, 1] > 0, sums[:, 0] / sums[:, 1], np.nan)
    return found


def _average_precision(rows: Scored, units: Units) -> Statistic:
    """As `metrics.average_precision`.

    Steps of the ranking are joined where that changes nothing: a step that only speaks into the one
    before, as precision rises there and the best precision from here on is the same for both; one
    that does not speak at all into the next, as it adds no recall and its precision is no maximum.
    So what remains is a step for each change from speaking to not speaking, which a good scorer
    has few of. Whatever the weights, a step that has no row of a class gets none.
    """
    step, speaking, silent = _steps(rows)
    begins = (silent[1:] > 0) & (speaking[:-1] > 0)
    group = np.concatenate([[0], np.cumsum(begins)])[step]

    def value(taken: Float64, false: Float64) -> Float64:
        both = taken + false
        precise = np.divide(taken, both, out=np.zeros_like(taken), where=both > 0)
        best_from_here = np.maximum.accumulate(precise[::-1])[::-1]
        gained = np.einsum("gb,gb->b", np.diff(taken, axis=0, prepend=0.0), best_from_here)
        return ratio(np.stack([gained, taken[-1]], axis=1))

    return _of_ranking(group, rows, units, value)


def _auc(rows: Scored, units: Units) -> Statistic:
    """As `metrics.roc_auc`."""

    def value(taken: Float64, false: Float64) -> Float64:
        before = np.concatenate([np.zeros_like(taken[:1]), taken[:-1]])
        outranked = np.einsum("gb,gb->b", np.diff(false, axis=0, prepend=0.0), before + taken)
        return ratio(np.stack([outranked, 2 * taken[-1] * false[-1]], axis=1))

    return _of_ranking(_steps(rows)[0], rows, units, value)


def _steps(rows: Scored) -> tuple[Int64, Int64, Int64]:
    """The step of the ranking of each row, best first, and how many of it do and do not speak."""
    values, step = np.unique(-rows.score, return_inverse=True)
    step = step.reshape(-1)
    speaking = np.bincount(step[rows.truth], minlength=len(values))
    return step, speaking, np.bincount(step, minlength=len(values)) - speaking


def _of_ranking(
    group: Int64,
    rows: Scored,
    units: Units,
    value: Callable[[Float64, Float64], Float64],
) -> Statistic:
    """A metric of the counts, down to each group of the ranking, of rows that do and do not speak.

    Args:
        group: (n,) the place of each row's group, the best first.
        rows: The rows.
        units: Their units.
        value: Gives (b,) values from both counts, (groups, b).
    """
    from scipy.sparse import csr_array

    groups = int(group.max(initial=0)) + 1
    shape = (groups, units.count)
    speaking, silent = (
        csr_array((np.ones(of.sum()), (group[of], units.of_row[of])), shape=shape)
        for of in (rows.truth, ~rows.truth)
    )
    part = max(_AT_ONCE // groups, 1)

    def values(weights: Weights) -> Float64:
        found = []
        for first in range(0, len(weights), part):
            often = np.ascontiguousarray(weights[first : first + part].T, np.float64)
            counts = (np.cumsum(of @ often, axis=0) for of in (speaking, silent))
            found.append(value(*counts))
        return np.concatenate(found) if found else np.empty(0)

    return values


def _decisions(
    criterion: Callable[[Confusion], Float64], rows: Scored, units: Units, *, at_half: bool
) -> Statistic:
    """As `metrics.f1` and the like, of the result's decisions or of those at 0.5."""
    decided = rows.found & (rows.probability >= 0.5) if at_half else rows.decided
    cells = [
        _per_unit(units, said & true)
        for true, said in (
            *((rows.truth, decided), (~rows.truth, decided)),
            *((~rows.truth, ~decided), (rows.truth, ~decided)),
        )
    ]

    def value(sums: Float64) -> Float64:
        return criterion(Confusion(*sums.T))

    return of_sums(np.stack(cells, axis=1), value)


def _calibration_error(rows: Scored, units: Units) -> Statistic:
    """As `metrics.expected_calibration_error`, over the faces found."""
    place = np.minimum((rows.probability * _BINS).astype(np.int64), _BINS - 1)
    cell = (units.of_row * _BINS + place)[rows.found]
    size = units.count * _BINS
    held, speaking, said = (
        np.bincount(cell, weights, size).reshape(units.count, _BINS)
        for weights in (None, rows.truth[rows.found], rows.probability[rows.found])
    )

    def value(sums: Float64) -> Float64:
        gaps = np.abs(sums[:, :_BINS]).sum(axis=1)  # rows times |probability - fraction| by bin
        return ratio(np.stack([gaps, sums[:, _BINS]], axis=1))

    return of_sums(np.column_stack([said - speaking, held.sum(axis=1)]), value)


def _brier(rows: Scored, units: Units) -> Statistic:
    """As `metrics.brier`, over the faces found."""
    wrong = np.square(rows.probability - rows.truth, dtype=np.float64) * rows.found
    return of_sums(np.stack([_per_unit(units, wrong), _per_unit(units, rows.found)], axis=1), ratio)


def _per_unit(units: Units, values: Any) -> Float64:
    return np.bincount(units.of_row, values, units.count).astype(np.float64)


_MADE: Mapping[str, Callable[[Scored, Units], Statistic]] = {
    "average_precision": _average_precision,
    "auc": _auc,
    "f1": partial(_decisions, f1, at_half=False),
    "balanced_accuracy": partial(_decisions, balanced_accuracy, at_half=False),
    "f1_at_half": partial(_decisions, f1, at_half=True),
    "balanced_accuracy_at_half": partial(_decisions, balanced_accuracy, at_half=True),
    "expected_calibration_error": _calibration_error,
    "brier": _brier,
}
NAMES = tuple(_MADE)
"""The metrics that can be resampled."""
