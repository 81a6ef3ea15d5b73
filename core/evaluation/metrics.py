"""How well scores, probabilities and decisions agree with labels.

Everything here takes arrays with one row for each face and labelled moment. A number that the rows
do not define, such as AUC where everybody speaks, is nan.
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
    """How often decisions were right and wrong.

    Attributes:
        true_positive: Rows that speak and were said to.
        false_positive: Rows that do not speak and were said to.
        true_negative: Rows that do not speak and were not said to.
        false_negative: Rows that speak and were not said to.

    Each is int64, of one shape: () for a single count, (n,) for n groups or thresholds.
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
        decided: (n,) bool, who was said to speak.
        truth: (n,) bool, who speaks.
        group: (n,) int, the group of each row, from 0 to `groups` - 1.
        groups: How many groups there are.
    """
    cell = 4 * np.asarray(group, np.int64) + 2 * truth + decided
    tn, fp, fn, tp = np.bincount(cell, minlength=4 * groups).reshape(groups, 4).T
    return Confusion(tp, fp, tn, fn)


def f1(counts: Confusion) -> Float64:
    """2 TP / (2 TP + FP + FN), from 0 to 1; nan where nobody speaks or was said to."""
    tp, fp, _, fn = counts
    return _ratio(2 * tp, 2 * tp + fp + fn)


def balanced_accuracy(counts: Confusion) -> Float64:
    """The mean of both classes' parts right, from 0 to 1; nan where all rows are of one class."""
    tp, fp, tn, fn = counts
    return (_ratio(tp, tp + fn) + _ratio(tn, tn + fp)) / 2


def _ratio(part: ArrayLike, total: ArrayLike) -> Float64:
    with np.errstate(invalid="ignore"):
        ratio: Float64 = np.true_divide(part, total)
    return ratio


def steps(scores: Floats, truth: Bool) -> tuple[Float64, Confusion]:
    """What each distinct score makes of the rows as a threshold, which all rows from it on reach.

    Args:
        scores: (n,) the higher, the likelier that a row speaks; infinite ones are legal.
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

    Recall is nan where nobody speaks. Arguments and errors are those of `steps`.
    """
    _, (tp, fp, _, fn) = steps(scores, truth)
    return _ratio(tp, tp + fp), _ratio(tp, tp + fn)


def average_precision(scores: Floats, truth: Bool) -> float:
    """Average precision as AVA-ActiveSpeaker's official script computes it, from 0 to 1.

    That is PASCAL VOC's of 2010 on (Everingham & Winn, "VOC2012 Development Kit"):
    precision made monotone from the right, and summed over the steps of recall.

    Equal scores count as one step. The official script leaves their order to pandas' sort, which
    may put those who speak first or last. One step is what the worst order gives, in which those
    who do not speak come first; so a constant score earns no more than the part who speak.

    Args:
        scores: (n,) as for `steps`; -inf, for a face not found, ranks last.
        truth: (n,) bool, who speaks.

    Raises:
        InputError: Nobody speaks.
        ValueError: The lengths differ, or a score is nan.
    """
    precision, recall = precision_recall(scores, truth)
    if not np.any(truth):
        raise InputError(
            "Average precision needs rows that speak, but no label says that anybody does",
            "Check that the labels belong to these videos",
        )
    best_from_here = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(recall, prepend=0.0) * best_from_here))


def roc_auc(scores: Floats, truth: Bool) -> float:
    """Area under the ROC curve: how likely who speaks outranks who does not, from 0 to 1.

    Ties count one half (Hanley & McNeil 1982). nan where all rows are of one class. Arguments and
    errors are those of `steps`.
    """
    _, (tp, fp, tn, fn) = steps(scores, truth)
    both_sides = np.diff(fp, prepend=0) * (tp + np.concatenate([[0], tp[:-1]]))
    positives, negatives = (tp + fn)[-1:].sum(), (fp + tn)[-1:].sum()
    return float(_ratio(both_sides.sum(), 2 * positives * negatives))


def best_threshold(
    scores: Floats, truth: Bool, criterion: Callable[[Confusion], Float64]
) -> tuple[float, float]:
    """The threshold at which decisions agree best with labels, of all that differ.

    Args:
        scores: (n,) as for `steps`; a row at -inf never speaks.
        truth: (n,) bool, who speaks.
        criterion: What must be high: `f1` or `balanced_accuracy`.

    Returns:
        The score from which rows speak, the highest of equally good ones, and the criterion there;
        nan and nan where the criterion is not defined or no score is finite.

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
    """What becomes of each probability; all are (bins,), and nan means that a bin is empty.

    Attributes:
        probability: The mean probability of the rows in each bin of equal width.
        speaking: The part of them that speak, from 0 to 1.
        rows: How many there are.
    """

    probability: Float64
    speaking: Float64
    rows: Int64


def reliability(probability: Floats, truth: Bool, bins: int = 15) -> Reliability:
    """Said and true parts that speak, by probability, in `bins` bins of equal width.

    Args:
        probability: (n,) from 0 to 1.
        truth: (n,) bool, who speaks.
        bins: How many; the last one holds 1, too.

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
    """Mean distance of probability and truth over bins, weighted by rows, from 0 to 1.

    Naeini et al. 2015, "Obtaining Well Calibrated Probabilities Using Bayesian Binning", for the
    probability of one class; Guo et al. 2017 take 15 bins. nan without rows. Arguments and errors
    are those of `reliability`.
    """
    said, speaking, rows = reliability(probability, truth, bins)
    gaps = rows * np.abs(said - speaking)
    return float(_ratio(np.nansum(gaps), rows.sum()))


def brier(probability: Floats, truth: Bool) -> float:
    """Mean squared distance of probability and truth, from 0 to 1 (Brier 1950); nan without rows.

    Args:
        probability: (n,) from 0 to 1.
        truth: (n,) bool, who speaks.
    """
    return float(_ratio(np.sum(np.square(probability - truth, dtype=np.float64)), np.size(truth)))


def negative_log_likelihood(odds: Float64, truth: Bool) -> float:
    """Mean surprise at the labels, in nats, from 0 on; nan without rows.

    Args:
        odds: (n,) log odds, of which sureness loses nothing as it would of probabilities.
        truth: (n,) bool, who speaks.
    """
    surprise = np.logaddexp(0, np.where(truth, -odds, odds))
    return float(_ratio(surprise.sum(), len(surprise)))
