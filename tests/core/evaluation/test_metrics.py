"""Metrics against textbook forms, written anew here, and figures worked out by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asdkit.core.errors import InputError
from asdkit.core.evaluation.metrics import (
    Confusion,
    average_precision,
    balanced_accuracy,
    best_threshold,
    brier,
    confusion,
    expected_calibration_error,
    f1,
    negative_log_likelihood,
    precision_recall,
    reliability,
    roc_auc,
)
from asdkit.core.evaluation.rows import evaluate_rows
from asdkit.core.labels import Judged

EIGHTHS = st.integers(-8, 8).map(lambda k: k / 8)
"""Scores that are often equal."""
TIED = st.lists(st.tuples(EIGHTHS | st.just(-np.inf), st.booleans()), min_size=1, max_size=40)
DISTINCT = st.lists(
    st.tuples(st.floats(allow_nan=False), st.booleans()),
    min_size=1, max_size=40, unique_by=lambda row: row[0],
)  # fmt: skip
ANY_LABELS = st.lists(st.booleans(), min_size=1, max_size=40)


def textbook(in_order: list[bool]) -> float:
    """PASCAL VOC's average precision of labels from the highest score to the lowest."""
    precisions, recalls, right = [0.0], [0.0], 0
    for taken, speaks in enumerate(in_order, 1):
        right += speaks
        precisions.append(right / taken)
        recalls.append(right / sum(in_order))
    total = 0.0
    for k in range(1, len(recalls)):
        total += (recalls[k] - recalls[k - 1]) * max(precisions[k:])
    return total


def columns(rows: list[tuple[float, bool]]) -> tuple[np.ndarray, np.ndarray]:
    scores, truth = zip(*rows, strict=True)
    return np.array(scores), np.array(truth)


@given(DISTINCT.filter(lambda rows: any(truth for _, truth in rows)))
def test_average_precision_is_the_textbooks(rows: list[tuple[float, bool]]):
    ordered = [truth for _, truth in sorted(rows, reverse=True)]
    assert average_precision(*columns(rows)) == pytest.approx(textbook(ordered), abs=1e-12)


@given(TIED.filter(lambda rows: any(truth for _, truth in rows)))
def test_equal_scores_count_as_in_the_worst_order(rows: list[tuple[float, bool]]):
    worst = [truth for _, truth in sorted(rows, key=lambda row: (-row[0], row[1]))]
    best = [truth for _, truth in sorted(rows, key=lambda row: (-row[0], not row[1]))]
    found = average_precision(*columns(rows))
    assert found == pytest.approx(textbook(worst), abs=1e-12)
    assert found <= textbook(best) + 1e-12


def test_a_constant_score_earns_the_part_that_speaks():
    assert average_precision(np.zeros(8), np.arange(8) < 2) == 0.25


def test_nobody_speaking_is_an_error():
    with pytest.raises(InputError, match="no label says that anybody does"):
        average_precision(np.arange(3.0), np.zeros(3, bool))
    with pytest.raises(InputError):
        average_precision(np.empty(0), np.empty(0, bool))


def test_unusable_scores_are_refused():
    with pytest.raises(ValueError, match="truth must have shape"):
        average_precision(np.zeros(3), np.ones(2, bool))
    with pytest.raises(ValueError, match="nan"):
        roc_auc(np.array([0.0, np.nan]), np.array([True, False]))


@given(TIED)
def test_auc_counts_pairs(rows: list[tuple[float, bool]]):
    scores, truth = columns(rows)
    pairs = [(a > b) + 0.5 * (a == b) for a in scores[truth] for b in scores[~truth]]
    expected = np.mean(pairs) if pairs else np.nan
    assert roc_auc(scores, truth) == pytest.approx(expected, abs=1e-12, nan_ok=True)


@pytest.mark.parametrize("criterion", [f1, balanced_accuracy])
@given(rows=TIED)
def test_no_threshold_is_better_than_the_best(
    criterion: Callable[[Confusion], Any], rows: list[tuple[float, bool]]
):
    scores, truth = columns(rows)
    tried = {
        threshold: float(criterion(confusion(scores >= threshold, truth)))
        for threshold in sorted(set(scores[np.isfinite(scores)]), reverse=True)
    }
    defined = {threshold: value for threshold, value in tried.items() if not np.isnan(value)}
    best = max(defined, key=lambda threshold: defined[threshold], default=np.nan)
    expected = (best, defined.get(best, np.nan))
    assert best_threshold(scores, truth, criterion) == pytest.approx(expected, nan_ok=True)


def test_precision_and_recall_by_hand():
    # From 0.9 on: 1 of 1 right, 1 of 2 found. From 0.5 on: 2 of 4 right, both found.
    scores, truth = np.array([0.5, 0.9, 0.5, 0.5]), np.array([True, True, False, False])
    precision, recall = precision_recall(scores, truth)
    assert precision.tolist() == [1.0, 0.5]
    assert recall.tolist() == [0.5, 1.0]


@given(ANY_LABELS, st.randoms())
def test_confusion_counts_each_row_once(labels: list[bool], random: Any):
    truth = np.array(labels)
    decided = np.array([random.random() < 0.5 for _ in labels])
    counts = confusion(decided, truth)
    assert counts == (
        (decided & truth).sum(), (decided & ~truth).sum(),
        (~decided & ~truth).sum(), (~decided & truth).sum(),
    )  # fmt: skip


def test_f1_and_balanced_accuracy_by_hand():
    # 3 found, 1 said in vain, 4 left alone, 2 missed: F1 = 6 / (6 + 1 + 2), and
    # (3/5 + 4/5) / 2 of both classes right.
    counts = Confusion(*map(np.int64, (3, 1, 4, 2)))
    assert f1(counts) == pytest.approx(6 / 9)
    assert balanced_accuracy(counts) == pytest.approx(0.7)
    nobody = Confusion(*map(np.int64, (0, 0, 4, 0)))
    assert np.isnan(f1(nobody))
    assert np.isnan(balanced_accuracy(nobody))


def test_calibration_by_hand():
    # Two bins. Below 0.5: 0.1 and 0.3, mean 0.2, one of two speaks: 0.3 apart. From 0.5 on:
    # 0.5, 0.9 and 1.0, mean 0.8, two of three speak: 2/15 apart. (2 x 0.3 + 3 x 2/15) / 5 = 0.2.
    probability = np.array([0.1, 0.3, 0.5, 0.9, 1.0])
    truth = np.array([True, False, False, True, True])
    assert expected_calibration_error(probability, truth, bins=2) == pytest.approx(0.2)
    said, speaking, rows = reliability(probability, truth, bins=2)
    assert said == pytest.approx([0.2, 0.8])
    assert speaking == pytest.approx([1 / 2, 2 / 3])
    assert rows.tolist() == [2, 3]
    of_ten = reliability(probability, truth, bins=10)
    assert of_ten.rows.tolist() == [0, 1, 0, 1, 0, 1, 0, 0, 0, 2]
    assert np.isnan(of_ten.speaking).tolist() == (of_ten.rows == 0).tolist()
    # (0.81 + 0.09 + 0.25 + 0.01 + 0) / 5
    assert brier(probability, truth) == pytest.approx(0.232)
    # Odds of 3 to 1 for what is true, of 9 to 1 for what is not.
    surprise = negative_log_likelihood(np.log([3.0, 9.0]), np.array([True, False]))
    assert surprise == pytest.approx(-(np.log(3 / 4) + np.log(1 / 10)) / 2)


def test_sure_odds_are_finite():
    assert negative_log_likelihood(np.array([1e4, -1e4]), np.array([True, True])) == 5e3


@pytest.mark.parametrize("wrong", [-0.1, 1.1, np.nan])
def test_what_is_no_probability_is_refused(wrong: float):
    with pytest.raises(ValueError, match="from 0 to 1"):
        expected_calibration_error(np.array([wrong]), np.array([True]))


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1), st.integers(1, 20))
def test_one_bin_compares_means_and_more_bins_see_no_less(
    rows: list[tuple[float, bool]], bins: int
):
    probability, truth = columns(rows)
    means = abs(probability.mean() - truth.mean())
    assert expected_calibration_error(probability, truth, 1) == pytest.approx(means, abs=1e-9)
    assert expected_calibration_error(probability, truth, bins) >= means - 1e-9


def judged(**given: Any) -> Judged:
    """Six rows of two people; the last one's face was not found."""
    log_odds = np.array([2.0, -1.0, 1.0, -2.0, 3.0, -np.inf])
    arrays = {
        "person": np.array(["Ann", "Ann", "Ann", "Bo", "Bo", "Bo"]),
        "time_s": np.arange(6) / 25,
        "truth": np.array([True, True, False, False, True, True]),
        "logits": np.stack([np.zeros(6), log_odds], 1),
        "decided": np.array([True, False, True, False, True, False]),
        "found": log_odds > -np.inf,
        "face_px": np.array([63.9, 64.0, 128.0, 128.1, 200.0, np.nan]),
        "on_screen": np.array([1, 2, 2, 3, 4, 1]),
        "unlabelled": 7,
    }
    return Judged(**{**arrays, **given})


def test_all_metrics_by_hand():
    found = evaluate_rows(judged())
    assert {name: found[name] for name in ("rows", "positives", "missed", "unlabelled")} == {
        "rows": 6, "positives": 4, "missed": 1, "unlabelled": 7,
    }  # fmt: skip
    assert found["missed_positives"] == 1
    # From high to low: true, true, false, true, false, and the missed one, true:
    # (1 + 1 + 3/4 + 4/6) / 4.
    assert found["average_precision"] == pytest.approx((1 + 1 + 3 / 4 + 4 / 6) / 4)
    # 3.0 and 2.0 outrank both that do not speak, -1.0 one of them, the missed one none.
    assert found["auc"] == pytest.approx(5 / 8)
    assert found["confusion"] == {
        "true_positive": 2, "false_positive": 1, "true_negative": 1, "false_negative": 2,
    }  # fmt: skip
    assert found["f1"] == found["f1_at_half"] == pytest.approx(4 / 7)
    assert found["balanced_accuracy"] == found["balanced_accuracy_at_half"] == 0.5
    # Saying so of all five found: 3 right, 2 wrong, 1 missed, F1 2/3; of those from -1.0 on: 3
    # right, 1 wrong, 1 missed, 3/4; of the best two alone: 2 right, 2 missed, F1 2/3 and the
    # best accuracy, (2/4 + 2/2) / 2.
    assert found["best_f1"] == pytest.approx(3 / 4)
    assert found["best_f1_threshold"] == pytest.approx(1 / (1 + np.e))
    assert found["best_balanced_accuracy"] == pytest.approx(3 / 4)
    assert found["best_balanced_accuracy_threshold"] == pytest.approx(1 / (1 + np.exp(-2)))
    assert sum(found["reliability"]["rows"]) == 5
    groups = found["by_face_size"]
    assert {name: group["rows"] for name, group in groups.items()} == {
        "<64": 1, "64-128": 2, ">128": 2, "unknown": 1,
    }  # fmt: skip
    assert groups["64-128"]["average_precision"] == 0.5
    assert groups["unknown"]["confusion"]["false_negative"] == 1
    on_screen = found["by_faces_on_screen"]
    assert {name: group["rows"] for name, group in on_screen.items()} == {"1": 2, "2": 2, "3+": 2}


def test_a_probability_of_one_half_speaks():
    log_odds = np.array([0.0, 0.3, -0.1, -2.0, 3.0, -np.inf])
    found = evaluate_rows(judged(logits=np.stack([np.zeros(6), log_odds], 1)))
    # 3 found and 1, the one without a face, missed; nobody said in vain.
    assert found["f1_at_half"] == pytest.approx(6 / 7)
    assert found["balanced_accuracy_at_half"] == pytest.approx(7 / 8)
    assert found["f1"] == pytest.approx(4 / 7)


def test_columbia_takes_the_mean_of_the_persons():
    # Ann: 1 right, 1 in vain, 1 missed: F1 2/4. Bo: 1 right, 1 missed: 2/3. Their mean is 7/12,
    # though all rows together make 4/7.
    found = evaluate_rows(judged())
    assert found["per_person"]["Ann"]["f1"] == pytest.approx(1 / 2)
    assert found["per_person"]["Bo"]["f1"] == pytest.approx(2 / 3)
    assert found["f1_per_person_mean"] == pytest.approx(7 / 12)


def test_who_never_speaks_is_left_out_of_the_mean():
    rows = judged(person=np.array(["Ann", "Ann", "Cy", "Bo", "Bo", "Bo"]))
    found = evaluate_rows(rows)
    # Ann: 1 right, 1 missed: 2/3. Cy was said to speak in vain: F1 0.
    assert found["per_person"]["Cy"]["f1"] == 0
    assert found["f1_per_person_mean"] == pytest.approx(2 / 3)


def test_missed_faces_do_not_count_for_calibration():
    rows = judged()
    kept = {
        name: getattr(rows, name)[rows.found]
        for name in Judged.__dataclass_fields__
        if name not in ("unlabelled", "ranked_by")
    }
    with_missed, without = evaluate_rows(rows), evaluate_rows(Judged(**kept))
    for name in ("expected_calibration_error", "brier", "nll", "reliability"):
        assert with_missed[name] == without[name]


def test_what_is_not_defined_is_null():
    found = evaluate_rows(judged(truth=np.zeros(6, bool), found=np.zeros(6, bool)))
    for name in ("average_precision", "auc", "best_f1", "f1_per_person_mean", "nll", "brier"):
        assert found[name] is None
    assert found["by_face_size"]["<64"]["average_precision"] is None
    assert found["reliability"]["probability"] == [None] * 15


def test_no_row_is_an_error():
    empty = {name: getattr(judged(), name)[:0] for name in Judged.__dataclass_fields__
             if name not in ("unlabelled", "ranked_by")}  # fmt: skip
    with pytest.raises(InputError, match="No label"):
        evaluate_rows(Judged(**empty))


@given(st.lists(st.tuples(*[st.booleans()] * 3, EIGHTHS), min_size=1, max_size=30))
def test_any_rows_make_json(rows: list[tuple[bool, bool, bool, float]]):
    truth, found, decided, odds = (np.array(column) for column in zip(*rows, strict=True))
    n = len(rows)
    plain = evaluate_rows(
        Judged(
            np.array(["Ann", "Bo"] * n)[:n], np.zeros(n), truth,
            np.stack([np.zeros(n), np.where(found, odds, -np.inf)], 1),
            decided & found, found, np.full(n, 90.0), np.ones(n),
        )
    )  # fmt: skip
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert sum(plain["confusion"].values()) == n == plain["by_face_size"]["64-128"]["rows"]
