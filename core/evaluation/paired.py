"""Tests whether two evaluations of the same rows differ by more than chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from scipy.stats import rankdata

from ..types import Float64
from .bootstrap import Interval, bca
from .metrics import Floats
from .scored import Scored, Units
from .statistics import Statistic, Weights, statistic


class Difference(NamedTuple):
    """By how much a metric of one system exceeds that of another.

    Attributes:
        value: The difference.
        interval: Its interval; None if it is undefined in most resamples.
        p: The chance of a difference at least as large, either way, if the systems were alike.
    """

    value: float
    interval: Interval | None
    p: float


@dataclass(frozen=True)
class Pair:
    """A metric of two systems on the same units, as functions of the units' weights.

    Attributes:
        one: Of the one system, from (b, u) weights.
        other: Of the other, from (b, u) weights.
        both: Of units of both systems together, from (b, 2 u) weights: those of the one, then
            those of the other.
    """

    one: Statistic
    other: Statistic
    both: Statistic


def pair_of(name: str, one: Scored, other: Scored, units: Units) -> Pair | None:
    """A metric of two systems' scores for the same rows; None if it cannot be resampled.

    Where the ranking counts, scores are replaced by their places in it, as the two systems may
    score on different scales; that changes neither's own metric.

    Args:
        name: The metric.
        one: The rows as the one system scored them.
        other: The same rows as the other did.
        units: The units of the rows.
    """
    alone = [statistic(name, rows, units) for rows in (one, other)]
    ranked = [replace(rows, score=_places(rows.score)) for rows in (one, other)]
    joined = Scored(
        *(
            np.concatenate([getattr(rows, field) for rows in ranked])
            for field in Scored.__dataclass_fields__
        )
    )
    of_row = np.concatenate([units.of_row, units.of_row + units.count])
    both = statistic(name, joined, replace(units, of_row=of_row, count=2 * units.count))
    if alone[0] is None or alone[1] is None or both is None:
        return None
    return Pair(alone[0], alone[1], both)


def _places(scores: Floats) -> Float64:
    """The place of each score among those of faces found, from 0 to 1; ties share one."""
    found = np.isfinite(scores)
    places = np.full(len(scores), -np.inf)
    places[found] = rankdata(scores[found]) / max(found.sum(), 1)
    return places


def difference(pair: Pair, units: int, resamples: int, seed: int) -> Difference | None:
    """The difference of a metric of two systems, its interval, and a test.

    The interval draws the same units for both systems, so that what makes a video hard for both
    does not count. The test is approximate randomisation (Noreen 1989, "Computer-Intensive Methods
    for Testing Hypotheses"): if the systems were alike, nothing would change if they swapped their
    scores and decisions in any units. With the systems swapped as `swaps` says, the difference is
    at least as large, either way, in r of R times; p = (r + 1) / (R + 1). Swaps that leave the
    metric undefined count as at least as large.

    Args:
        pair: The metric of both.
        units: How many units there are.
        resamples: How many resamples to draw, and how many swaps.
        seed: What the drawing begins with.

    Returns:
        The one less the other; None if either is undefined.
    """

    def less(weights: Weights) -> Float64:
        return pair.one(weights) - pair.other(weights)

    (value,) = less(np.ones((1, units), np.int32)).tolist()
    if not np.isfinite(value):
        return None
    interval = bca(less, units, resamples, seed)
    swapped = swaps(units, resamples, seed)
    either = (np.hstack([1 - swapped, swapped]), np.hstack([swapped, 1 - swapped]))
    by_chance = np.abs(pair.both(either[0]) - pair.both(either[1]))
    # A difference counts as so large despite the last digits of sums in another order.
    smaller = int(np.count_nonzero(by_chance < abs(value) - 1e-9))
    return Difference(value, interval, (len(swapped) - smaller + 1) / (len(swapped) + 1))


def swaps(units: int, resamples: int, seed: int) -> Weights:
    """In which units two systems swap what they said: (n, units), each 0 or 1.

    All that there are, but that of no unit, if these are no more than wanted; so p is exact, and no
    less than 2 in 2^units. Else as many as wanted, by a coin for each unit.

    Args:
        units: How many units there are.
        resamples: How many swaps are wanted.
        seed: What the drawing begins with.
    """
    if 2**units - 1 <= resamples:
        numbers = np.arange(1, 2**units)[:, None]
        return (numbers >> np.arange(units) & 1).astype(np.int32)
    return np.random.default_rng(seed).integers(0, 2, (resamples, units), dtype=np.int32)


def holm(chances: Sequence[float]) -> list[float]:
    """Correct p-values for how many there are.

    Holm 1979, "A Simple Sequentially Rejective Multiple Test Procedure": the smallest of m is
    multiplied by m, the next by m - 1, and so on; none falls below one before it, nor exceeds 1.
    Below a level, all that are below it taken together are wrong at most so often.

    Args:
        chances: The p-values, from 0 to 1.

    Returns:
        The corrected ones, in the same order.
    """
    order = np.argsort(chances)
    grown = np.asarray(chances, np.float64)[order] * np.arange(len(chances), 0, -1)
    corrected = np.empty(len(chances))
    corrected[order] = np.minimum(np.maximum.accumulate(grown), 1)
    found: list[float] = corrected.tolist()
    return found
