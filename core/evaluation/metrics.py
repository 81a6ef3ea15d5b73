"""Metrics of scores, probabilities and decisions against labels.

All functions take arrays with one row for each face and labelled moment. A metric that the rows
leave undefined, such as AUC if all rows speak, is nan.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arrays import as_array
from ..errors import InputError
from ..labels import Bool
from ..types import Float32, Float64, Int64

Floats = Float32 | Float64


class Confusion(NamedTuple):
    """Counts of right and wrong decisions.

    Attributes:
        true_positive: Rows that speak and are decided as speaking.
        false_positive: Rows that do not speak but are decided as speaking.
        true_negative: Rows that do not speak and are not decided as speaking.
        false_negative: Rows that speak but are not decided as speaking.

    All are int64 arrays of one shape: () for a single count, (n,) for n groups or thresholds.
    """

    true_positive: Int64
    false_positive: Int64
    true_negative: Int64
    false_negative: Int64


def confusion(decided: Bool, truth: Bool) -> Confusion:
    """The counts over all rows, each of shape ()."""
    return Confusion(*(counts[0] for counts in confusions(decided, truth, np.zeros_like(truth), 1)))


def confusions(decided: Bool, truth: Bool, group: NDArray[np.integer], groups: int) -> Confusion:
    """The counts within each group, each of shape (groups,).

    Args:
        decided: (n,) bool, who is decided as speaking.
        truth: (n,) bool, who speaks.
        group: (n,) int, the group of each row, from 0 to `groups` - 1.
        groups: How many groups there are.
    """
    cell = 4 * np.asarray(group, np.int64) + 2 * truth + decided
    tn, fp, fn, tp = np.bincount(cell, minlength=4 * groups).reshape(groups, 4).T
    return Confusion(tp, fp, tn, fn)


def f1(counts: Confusion) -> Float64:
    """2 TP / (2 TP + FP + FN), from 0 to 1; nan if no row speaks or is decided as speaking."""
    tp, fp, _, fn = counts
    return _ratio(2 * tp, 2 * tp + fp + fn)


def balanced_accuracy(counts: Confusion) -> Float64:
    """The mean recall of both classes, from 0 to 1; nan if all rows are of one class."""
    tp, fp, tn, fn = counts
    return (_ratio(tp, tp + fn) + _ratio(tn, tn + fp)) / 2


def recall(counts: Confusion) -> Float64:
    """TP / (TP + FN), from 0 to 1; nan if no row speaks."""
    return _ratio(counts.true_positive, counts.true_positive + counts.false_negative)


def precision(counts: Confusion) -> Float64:
    """TP / (TP + FP), from 0 to 1; nan if no row is decided as speaking."""
    return _ratio(counts.true_positive, counts.true_positive + counts.false_positive)


def _ratio(part: ArrayLike, total: ArrayLike) -> Float64:
    with np.errstate(invalid="ignore"):
        ratio: Float64 = np.true_divide(part, total)
    return ratio


def steps(scores: Floats, truth: Bool) -> tuple[Float64, Confusion]:
    """The confusion counts for each distinct score as a threshold (inclusive).

    Args:
        scores: (n,) the higher, the likelier that a row speaks; infinite values are allowed.
        truth: (n,) bool, who speaks.

    Returns:
        The distinct scores, (m,) from high to low, and the counts at each, (m,).

    Raises:
        ValueError: The lengths differ, or a score is nan.
    """
    scores = np.asarray(scores, np.float64)
    truth = as_array("truth", truth, np.bool_, scores.shape)
    if np.isnan(scores).any():
        raise ValueError("scores must not be nan")
    values, rank = np.unique(scores, return_inverse=True)
    taken, tp = (
        np.bincount(rows, minlength=len(values))[::-1].cumsum() for rows in (rank, rank[truth])
    )
    positives = np.count_nonzero(truth)
    fp, fn = taken - tp, positives - tp
    return values[::-1], Confusion(tp, fp, len(truth) - positives - fp, fn)


def precision_recall(scores: Floats, truth: Bool) -> tuple[Float64, Float64]:
    """Precision and recall at each distinct score, from high to low: (m,) and (m,), 0 to 1.

    Recall is nan if nobody speaks. Arguments and errors are those of `steps`.
    """
    _, counts = steps(scores, truth)
    return precision(counts), recall(counts)


def average_precision(scores: Floats, truth: Bool) -> float:
    """Average precision as AVA-ActiveSpeaker's official script computes it, from 0 to 1.

    This is the average precision of PASCAL VOC since 2010 (Everingham & Winn, "VOC2012 Development
    Kit"): precision made monotone from the right, and summed over the steps of recall.

    Equal scores form one step. The official script leaves their order to pandas' sort, which may
    put speaking rows first or last. One step gives the value of the worst order, with non-speaking
    rows first; so a constant score gets no more than the fraction of speaking rows.

    Args:
        scores: (n,) as for `steps`; -inf, for a face not found, ranks last.
        truth: (n,) bool, who speaks.

    Raises:
        InputError: Nobody speaks.
        ValueError: The lengths differ, or a score is nan.
    """
    precise, recalled = precision_recall(scores, truth)
    if not np.any(truth):
        raise InputError(
            "Average precision needs rows that speak, but no label says that anybody does",
            "Check that the labels belong to these videos",
        )
    best_from_here = np.maximum.accumulate(precise[::-1])[::-1]
    return float(np.sum(np.diff(recalled, prepend=0.0) * best_from_here))


def roc_auc(scores: Floats, truth: Bool) -> float:
    """Area under the ROC curve, 0 to 1: the chance that a speaking row outranks a non-speaking one.

    Ties count one half (Hanley & McNeil 1982). nan if all rows are of one class. Arguments and
    errors are those of `steps`.
    """
    _, (tp, fp, tn, fn) = steps(scores, truth)
    both_sides = np.diff(fp, prepend=0) * (tp + np.concatenate([[0], tp[:-1]]))
    positives, negatives = (tp + fn)[-1:].sum(), (fp + tn)[-1:].sum()
    return float(_ratio(both_sides.sum(), 2 * positives * negatives))


def best_threshold(
    scores: Floats, truth: Bool, criterion: Callable[[Confusion], Float64]
) -> tuple[float, float]:
    """The threshold, among the distinct scores, that maximises a criterion.

    Args:
        scores: (n,) as for `steps`; a row with -inf is never decided as speaking.
        truth: (n,) bool, who speaks.
        criterion: The function to maximise: `f1` or `balanced_accuracy`.

    Returns:
        The threshold (inclusive), the highest of equally good ones, and the criterion there; nan
        and nan if the criterion is undefined or no score is finite.

    Raises:
        ValueError: The lengths differ, or a score is nan.
    """
    thresholds, counts = steps(scores, truth)
    values = np.where(np.isfinite(thresholds), criterion(counts), np.nan)
    if np.isnan(values).all():
        return np.nan, np.nan
    best = np.nanargmax(values)
    return float(thresholds[best]), float(values[best])


class Reliability(NamedTuple):
    """Stated probabilities against true fractions, by bin; all arrays are (bins,).

    Attributes:
        probability: The mean probability of the rows in each bin of equal width; nan if empty.
        speaking: The fraction of a bin's rows that speak, from 0 to 1; nan if empty.
        rows: The number of rows in each bin.
    """

    probability: Float64
    speaking: Float64
    rows: Int64


def reliability(probability: Floats, truth: Bool, bins: int = 15) -> Reliability:
    """Mean probability and fraction of speaking rows, in bins of equal width by probability.

    Args:
        probability: (n,) from 0 to 1.
        truth: (n,) bool, who speaks.
        bins: Number of bins; the last one includes 1.

    Raises:
        ValueError: The lengths differ, or a probability lies outside 0 to 1.
    """
    truth = as_array("truth", truth, np.bool_, np.shape(probability))
    if not ((probability >= 0) & (probability <= 1)).all():
        raise ValueError("probabilities must lie from 0 to 1")
    place = np.minimum((probability * bins).astype(np.int64), bins - 1)
    rows = np.bincount(place, minlength=bins)
    sums = (np.bincount(place, weights, bins) for weights in (probability, truth))
    said, speaking = (_ratio(total, rows) for total in sums)
    return Reliability(said, speaking, rows)


def expected_calibration_error(probability: Floats, truth: Bool, bins: int = 15) -> float:
    """Mean over bins of |probability - fraction speaking|, weighted by rows, from 0 to 1.

    Naeini et al. 2015, "Obtaining Well Calibrated Probabilities Using Bayesian Binning", for the
    probability of one class; Guo et al. 2017 use 15 bins. nan without rows. Arguments and errors
    are those of `reliability`.
    """
    said, speaking, rows = reliability(probability, truth, bins)
    gaps = rows * np.abs(said - speaking)
    return float(_ratio(np.nansum(gaps), rows.sum()))


def brier(probability: Floats, truth: Bool) -> float:
    """Mean squared error of the probabilities, from 0 to 1 (Brier 1950); nan without rows.

    Args:
        probability: (n,) from 0 to 1.
        truth: (n,) bool, who speaks.
    """
    return float(_ratio(np.sum(np.square(probability - truth, dtype=np.float64)), np.size(truth)))


def negative_log_likelihood(odds: Float64, truth: Bool) -> float:
    """Mean negative log likelihood of the labels, in nats, 0 or more; nan without rows.

    Args:
        odds: (n,) log odds, which keep the precision that probabilities near 0 and 1 lose.
        truth: (n,) bool, who speaks.
    """
    surprise = np.logaddexp(0, np.where(truth, -odds, odds))
    return float(_ratio(surprise.sum(), len(surprise)))
