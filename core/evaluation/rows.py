"""All metrics of labelled rows, as plain values."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ..arrays import log_odds
from ..errors import InputError
from ..labels import Judged
from ..types import Int64
from .metrics import (
    Confusion,
    average_precision,
    balanced_accuracy,
    best_threshold,
    brier,
    confusion,
    confusions,
    expected_calibration_error,
    f1,
    negative_log_likelihood,
    reliability,
    roc_auc,
)

FACE_SIZES = ("<64", "64-128", ">128", "unknown")
"""Keys of `by_face_size`: the larger side of the face in pixels."""
FACES_ON_SCREEN = ("1", "2", "3+")
"""Keys of `by_faces_on_screen`."""


def evaluate_rows(judged: Judged) -> dict[str, Any]:
    """All metrics of the rows of one or more videos, ready for JSON.

    Rows are ranked by their score, the class-1 logit unless they say otherwise (`Judged.score`);
    rows whose face was not found rank last and are never decided as speaking. Undefined metrics
    are None.

    Args:
        judged: The rows; see `Judged.pooled`.

    Returns:
        A dict with these keys:

        - rows, positives: number of rows, and of rows that speak.
        - missed, missed_positives: number of these for which no face was found.
        - unlabelled: frames of found faces without a label.
        - average_precision, auc: of the ranking.
        - f1, balanced_accuracy, confusion: of the result's own decisions.
        - f1_at_half, balanced_accuracy_at_half: of decisions at a probability of 0.5.
        - best_f1, best_f1_threshold, best_balanced_accuracy, best_balanced_accuracy_threshold:
          of decisions at the threshold that is best for these rows.
        - expected_calibration_error, brier, nll: of the probabilities of the faces found.
        - reliability: of the same probabilities, the lists probability, speaking and rows, by bin.
        - by_face_size, by_faces_on_screen: rows, positives, f1, confusion and average_precision of
          the groups that papers on AVA-ActiveSpeaker report; groups without rows are left out.
        - per_person: rows, positives, f1 and confusion of each person.
        - f1_per_person_mean: the unweighted mean over persons, as on Columbia (Chakravarty &
          Tuytelaars 2016). Persons who never speak are left out: their F1 is 0 or undefined
          whatever is decided.

    Raises:
        InputError: There are no rows.
    """
    if not len(judged):
        raise InputError(
            "No label is about any moment that was judged",
            "Check that the labels belong to these videos",
        )
    truth, found = judged.truth, judged.found
    decided = confusion(judged.decided, truth)
    at_half = confusion(found & (judged.probability >= 0.5), truth)
    chance = np.where(found, judged.probability, -np.inf)
    best_f1 = best_threshold(chance, truth, f1)
    best_accuracy = best_threshold(chance, truth, balanced_accuracy)
    names, person = np.unique(judged.person, return_inverse=True)
    persons = _by_group(judged, person, names.tolist())
    f1_of_speakers = [one["f1"] for one in persons.values() if one["positives"]]
    px = judged.face_px
    size = np.select([px < 64, px <= 128, px > 128], [0, 1, 2], 3)
    faces = np.clip(judged.on_screen, 1, 3) - 1
    metrics = {
        "rows": len(judged),
        "positives": np.count_nonzero(truth),
        "missed": np.count_nonzero(~found),
        "missed_positives": np.count_nonzero(truth & ~found),
        "unlabelled": judged.unlabelled,
        "average_precision": average_precision(judged.score, truth) if truth.any() else None,
        "auc": roc_auc(judged.score, truth),
        "f1": f1(decided),
        "balanced_accuracy": balanced_accuracy(decided),
        "f1_at_half": f1(at_half),
        "balanced_accuracy_at_half": balanced_accuracy(at_half),
        "best_f1": best_f1[1],
        "best_f1_threshold": best_f1[0],
        "best_balanced_accuracy": best_accuracy[1],
        "best_balanced_accuracy_threshold": best_accuracy[0],
        "f1_per_person_mean": np.mean(f1_of_speakers) if f1_of_speakers else None,
        **_calibration(judged),
        "confusion": decided._asdict(),
        "by_face_size": _ranked(judged, size, FACE_SIZES),
        "by_faces_on_screen": _ranked(judged, faces, FACES_ON_SCREEN),
        "per_person": persons,
    }
    values: dict[str, Any] = plain_values(metrics)
    return values


def _calibration(judged: Judged) -> dict[str, Any]:
    """The metrics of the probabilities, over the faces found."""
    truth = judged.truth[judged.found]
    probability = judged.probability[judged.found]
    return {
        "expected_calibration_error": expected_calibration_error(probability, truth),
        "brier": brier(probability, truth),
        "nll": negative_log_likelihood(log_odds(judged.logits[judged.found]), truth),
        "reliability": reliability(probability, truth)._asdict(),
    }


def _by_group(judged: Judged, group: Int64, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """By group: metrics of the decisions; groups without rows are left out."""
    table = confusions(judged.decided, judged.truth, group, len(names))
    groups = {}
    for name, cells in zip(names, zip(*table, strict=True), strict=True):
        counts = Confusion(*cells)
        if any(counts):
            groups[name] = {
                "rows": sum(counts),
                "positives": counts.true_positive + counts.false_negative,
                "f1": f1(counts),
                "confusion": counts._asdict(),
            }
    return groups


def _ranked(judged: Judged, group: Int64, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """By group: metrics of the decisions, and average precision."""
    groups = _by_group(judged, group, names)
    for k, name in enumerate(names):
        rows = group == k
        if name in groups:
            speaks = judged.truth[rows]
            ranked = average_precision(judged.score[rows], speaks) if speaks.any() else None
            groups[name]["average_precision"] = ranked
    return groups


def plain_values(value: Any) -> Any:
    """Convert a value for JSON: NumPy's numbers to Python's, nan to None."""
    if isinstance(value, dict):
        return {name: plain_values(each) for name, each in value.items()}
    value = np.asarray(value).tolist()
    if isinstance(value, list):
        return [plain_values(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def leaves(node: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Each value of nested dicts with its dotted key."""
    for key, value in node.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
