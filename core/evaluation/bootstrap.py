"""Bootstrap confidence intervals of metrics, by drawing videos or faces anew.

Efron & Tibshirani, "An Introduction to the Bootstrap", 1993: the BCa interval of chapter 14, with
units drawn as wholes, as the frames within one are not independent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri

from ..labels import Judged
from .scored import Scored, Units, faces_of, units_of
from .statistics import Statistic, Weights, of_sums, ratio, statistic

LEVEL = 0.95
"""The share of experiments whose interval should cover the true value."""
MAIN = ("average_precision", "f1", "balanced_accuracy", "expected_calibration_error")
"""Metrics that get an interval besides the measure."""
WHO_SPEAKS = "diarization_error_rate"
_MOST_LEFT_OUT = 2000
"""With more units none is left out at a time, as the acceleration falls with the root of units."""
_WRONG_S = ("false_alarm_s", "missed_s", "confusion_s")


class Interval(NamedTuple):
    """An interval of a metric at `LEVEL`.

    Attributes:
        low: Its lower end.
        high: Its upper end.
    """

    low: float
    high: float

    def __str__(self) -> str:
        return f"[{self.low:.3f}, {self.high:.3f}]"


def draws(units: int, resamples: int, seed: int) -> Weights:
    """How often each unit is drawn: (resamples, units), each row summing to `units`.

    Units are drawn with replacement, all with the same chance.
    """
    drawn = np.random.default_rng(seed).multinomial(units, np.full(units, 1 / units), resamples)
    return drawn.astype(np.int32)


def bca(values: Statistic, units: int, resamples: int, seed: int) -> Interval | None:
    """The BCa interval of a metric: bias-corrected and accelerated.

    Its ends are quantiles of the resamples' values. Which ones depends on how many of these lie
    below the metric itself (the correction of bias, as average precision grows when rows are drawn
    twice), and on how skewed the influence of the single units is (the acceleration, from the
    values without one unit each). Efron & Tibshirani 1993, equations 14.9, 14.10, 14.14 and 14.15;
    values equal to the metric count half. Resamples that leave the metric undefined, such as those
    in which nobody speaks, do not count.

    Args:
        values: The metric.
        units: How many units there are.
        resamples: How many resamples to draw.
        seed: What the drawing begins with.

    Returns:
        The interval; None if the metric is undefined in more than half of the resamples, or as it
        is.
    """
    (value,) = values(np.ones((1, units), np.int32))
    drawn = values(draws(units, resamples, seed))
    known = drawn[np.isfinite(drawn)]
    if 2 * len(known) < resamples or not np.isfinite(value):
        return None
    below = (np.mean(known < value) + np.mean(known <= value)) / 2
    rarest = 1 / (2 * len(known))
    bias = ndtri(np.clip(below, rarest, 1 - rarest))
    speed = _acceleration(values, units) if units <= _MOST_LEFT_OUT else 0.0
    ends = bias + ndtri([(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    # Below 0 what is divided by would turn the interval round; at 0 it reaches the outermost value.
    stretched = ends / np.maximum(1 - speed * ends, 1e-9)
    found = np.quantile(known, ndtr(bias + stretched))
    return Interval(*map(float, found))


def _acceleration(values: Statistic, units: int) -> float:
    """The skewness of the units' influence; 0 if no unit has any."""
    without = values(1 - np.eye(units, dtype=np.int32))
    without = without[np.isfinite(without)]
    away = without.mean() - without if len(without) else without
    spread = np.sum(away**2) ** 1.5
    return float(np.sum(away**3) / (6 * spread)) if spread > 0 else 0.0


def intervals(
    rows: Mapping[str, Judged],
    per_video: Mapping[str, Mapping[str, Any]],
    measure: str,
    resamples: int,
    seed: int,
) -> dict[str, Any] | None:
    """The intervals of an evaluation's main metrics and of its measure, ready for JSON.

    Args:
        rows: By video, its rows.
        per_video: By video, its metrics: of them the parts of the diarization error rate are used.
        measure: The name of the measure.
        resamples: How many resamples to draw; 0 for no intervals.
        seed: What the drawing begins with.

    Returns:
        - level, resamples, seed.
        - metrics: by metric, `low` and `high`, and `over` how many `units` they are, "videos" or
          "faces". Metrics that are undefined, or have one unit alone, are left out.

        None without resamples.
    """
    if not resamples:
        return None
    found: dict[str, Any] = {}

    def add(name: str, values: Statistic | None, units: int, kind: str) -> None:
        if values is None or units < 2:
            return
        interval = bca(values, units, resamples, seed)
        if interval:
            found[name] = {**interval._asdict(), "over": kind, "units": units}

    held = {video: judged for video, judged in rows.items() if len(judged)}
    if held:
        scored = Scored.of(list(held.values()))
        units = units_of(*faces_of(held))
        for name in dict.fromkeys((*MAIN, measure)):
            add(name, statistic(name, scored, units), units.count, units.kind)
    told = [one for one in per_video.values() if WHO_SPEAKS in one]
    add(WHO_SPEAKS, who_speaks_statistic(told), len(told), "videos")
    return {"level": LEVEL, "resamples": resamples, "seed": seed, "metrics": found}


def interval_of(evaluation: Mapping[str, Any], name: str) -> Interval | None:
    """The interval of a metric in an evaluation.json; None if there is none, as in older files."""
    one = ((evaluation.get("intervals") or {}).get("metrics") or {}).get(name)
    return Interval(one["low"], one["high"]) if one else None


def who_speaks_statistic(videos: Any) -> Statistic:
    """The diarization error rate as a function of how often each video counts.

    Args:
        videos: For each video, its false_alarm_s, missed_s, confusion_s and total_s.
    """
    parts = [(sum(one[name] for name in _WRONG_S), one["total_s"]) for one in videos]
    return of_sums(np.array(parts, np.float64).reshape(-1, 2), ratio)


def remark(found: Mapping[str, Any] | None) -> str:
    """What intervals are of, in a sentence, with a warning if units are few; "" without any."""
    metrics = (found or {}).get("metrics")
    if not found or not metrics:
        return ""
    counts = {(one["over"], one["units"]) for one in metrics.values()}
    drawn = " and ".join(f"{units} {kind}" for kind, units in sorted(counts))
    said = (
        f"[low, high]: {found['level']:.0%} intervals, drawing {drawn} {found['resamples']} times"
    )
    few = any(Units(np.empty(0, np.int64), units, kind).are_few for kind, units in counts)
    return f"{said}; so few say little of others" if few else said
