"""Intervals: what is drawn, that a weight counts like a copy, and how often they cover."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from drawn_rows import TYPICAL, of_videos
from evaluating import evaluated

from asdkit.core.cli.main import main
from asdkit.core.errors import InputError
from asdkit.core.evaluation.bootstrap import bca, draws, intervals, remark
from asdkit.core.evaluation.evaluation_file import read_evaluation_file
from asdkit.core.evaluation.rows import evaluate_rows
from asdkit.core.evaluation.scored import Scored, Units, faces_of, units_of
from asdkit.core.evaluation.statistics import NAMES, of_sums, ratio, statistic
from asdkit.core.labels import Judged


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("steps", [None, 3])
def test_a_weight_counts_as_so_many_copies(name, steps):
    rows = of_videos(6, 1, steps=steps)
    units = units_of(*faces_of(rows))
    assert (units.count, units.kind) == (12, "faces")
    scored = Scored.of(list(rows.values()))
    compute = statistic(name, scored, units)
    rng = np.random.default_rng(2)
    weights = rng.integers(0, 3, (40, units.count), dtype=np.int32)
    weights[0] = 1
    pooled = Judged.pooled(list(rows.values()))
    for often, value in zip(weights, compute(weights), strict=True):
        copies = np.repeat(np.arange(len(pooled)), often[units.of_row])
        fields = {
            key: getattr(pooled, key)[copies]
            for key in Judged.__dataclass_fields__
            if key not in ("unlabelled", "ranked_by")
        }
        assert value == pytest.approx(evaluate_rows(Judged(**fields))[name], abs=1e-6)


def test_a_resample_in_which_nobody_speaks_is_undefined():
    truth = np.array([True, False, False])
    score = np.array([2.0, 1.0, 0.0], np.float32)
    scored = Scored(truth, score, score / 2, truth, np.ones(3, bool))
    units = Units(np.array([0, 1, 1]), 2, "videos")
    values = statistic("average_precision", scored, units)(np.array([[0, 2], [1, 1]], np.int32))
    assert np.isnan(values[0])
    assert values[1] == 1


def test_other_metrics_have_none():
    rows = of_videos(2, 0)
    scored = Scored.of(list(rows.values()))
    assert statistic("best_f1", scored, units_of(*faces_of(rows))) is None


def test_videos_are_drawn_unless_they_are_few():
    nine, ten = of_videos(9, 0), of_videos(10, 0)
    assert units_of(*faces_of(ten)).kind == "videos"
    assert units_of(*faces_of(ten)).of_row.tolist() == np.repeat(range(10), 40).tolist()
    few = units_of(*faces_of(nine))
    assert (few.kind, few.count) == ("faces", 18)
    assert few.of_row.tolist() == np.repeat(range(18), 20).tolist()
    alone = of_videos(3, 0, people=("ann",))
    assert units_of(*faces_of(alone)).kind == "videos"  # a face each: a video is a face


def test_draws_are_the_same_each_time():
    first = draws(7, 200, 3)
    assert np.array_equal(first, draws(7, 200, 3))
    assert not np.array_equal(first, draws(7, 200, 4))
    assert (first.sum(axis=1) == 7).all()
    assert first.mean() == 1


def mean_of(sample):
    """The mean of a sample as a function of how often each value counts."""
    return of_sums(np.stack([sample, np.ones(len(sample))], axis=1), ratio)


def test_bca_against_scipy():
    sample = np.random.default_rng(5).exponential(size=25)
    found = bca(mean_of(sample), 25, 20_000, 0)
    from scipy.stats import bootstrap

    drawn = bootstrap((sample,), np.mean, n_resamples=20_000, method="BCa", rng=1)
    assert found == pytest.approx(tuple(drawn.confidence_interval), abs=0.01)
    low, high = np.quantile(mean_of(sample)(draws(25, 20_000, 0)), [0.025, 0.975])
    assert found.low > low + 0.01  # the percentile interval is another, as the sample is skewed
    assert found.high > high + 0.02


@pytest.mark.parametrize("skewed", [1.0, -1.0])
def test_an_interval_is_not_turned_round_by_an_extreme_bias(skewed):
    """All resamples lie above the metric, and one unit has all the influence."""

    def values(weights):
        left_out = np.flatnonzero(weights.sum(axis=1) < weights.shape[1])
        found = np.linspace(1, 2, len(weights)) if len(weights) > 1 else np.array([-1.0])
        found[left_out] = np.where(weights[left_out, 0] == 0, skewed, 0.0)
        return found

    found = bca(values, 200, 100_000, 0)
    assert 1 <= found.low <= found.high < 1.1


def test_resamples_that_are_undefined_do_not_count():
    def undefined(share):
        sample = np.arange(20.0)
        values = mean_of(sample)
        high = np.quantile(values(draws(20, 500, 0)), share)
        return lambda w: np.where(values(w) < high if len(w) == 500 else False, np.nan, values(w))

    assert bca(undefined(0.4), 20, 500, 0).low > 8
    assert bca(undefined(0.6), 20, 500, 0) is None
    assert bca(lambda weights: np.full(len(weights), np.nan), 20, 500, 0) is None


def test_units_that_do_not_differ_give_a_point():
    assert bca(mean_of(np.full(12, 0.5)), 12, 100, 0) == (0.5, 0.5)


def true_values() -> dict:
    return evaluate_rows(Judged.pooled(list(of_videos(4000, 9, **TYPICAL).values())))


def test_intervals_cover_the_truth_about_as_often_as_they_say():
    """200 experiments of 30 videos each; the true value is that of 4000 other videos.

    Ends: three standard errors of 200 experiments about 95 %, and 4 % less for so few videos.
    """
    true = true_values()
    names = ("average_precision", "f1", "balanced_accuracy", "expected_calibration_error")
    covered = dict.fromkeys(names, 0)
    for seed in range(200):
        found = intervals(of_videos(30, 100 + seed, **TYPICAL), {}, "f1", 200, seed)["metrics"]
        for name in names:
            covered[name] += found[name]["low"] <= true[name] <= found[name]["high"]
    print(*(f"{name} {times / 200:.1%}" for name, times in covered.items()), sep=", ")
    assert all(0.864 <= times / 200 <= 0.996 for times in covered.values()), covered


def test_rows_taken_as_independent_would_cover_far_less():
    """Why whole videos are drawn: people differ, and frames of one person are alike."""
    differing = {**TYPICAL, "level": 1.0}
    true = evaluate_rows(Judged.pooled(list(of_videos(4000, 9, **differing).values())))["f1"]
    covered = 0
    for seed in range(100):
        scored = Scored.of(list(of_videos(30, 100 + seed, **differing).values()))
        rows = Units(np.arange(1800), 1800, "rows")
        drawn = statistic("f1", scored, rows)(draws(rows.count, 100, seed))
        low, high = np.quantile(drawn, [0.025, 0.975])
        covered += low <= true <= high
    assert covered < 80, covered


def test_what_intervals_are_of_is_said():
    many, few = (intervals(of_videos(count, 0), {}, "f1", 100, 0) for count in (10, 2))
    assert remark(many) == "[low, high]: 95% intervals, drawing 10 videos 100 times"
    assert remark(few) == (
        "[low, high]: 95% intervals, drawing 4 faces 100 times; so few say little of others"
    )
    assert remark(None) == remark(intervals({}, {}, "f1", 100, 0)) == ""


def test_the_diarization_error_rate_is_drawn_by_videos():
    parts = {"missed_s": 0.0, "confusion_s": 0.0, "total_s": 2.0}
    per_video = {
        f"v{k}": {"diarization_error_rate": k / 2, "false_alarm_s": float(k), **parts}
        for k in range(4)
    }
    found = intervals({}, {**per_video, "w": {}}, "diarization_error_rate", 500, 0)["metrics"]
    one = found["diarization_error_rate"]
    assert (one["over"], one["units"]) == ("videos", 4)
    assert 0 < one["low"] < 0.75 < one["high"] < 1.5
    assert list(found) == ["diarization_error_rate"]


# --- in an evaluation


def test_an_evaluation_has_intervals(options, capsys):
    main(["evaluate", *options, "output=out"])
    found = json.loads(Path("out/evaluation.json").read_text())
    drawn = found["intervals"]
    assert (drawn["level"], drawn["resamples"], drawn["seed"]) == (0.95, 1000, 0)
    for name in ("average_precision", "f1", "balanced_accuracy", "expected_calibration_error"):
        one = drawn["metrics"][name]
        assert one["low"] <= found["metrics"][name] <= one["high"]
        assert (one["over"], one["units"]) == ("faces", 4)
    out = capsys.readouterr().out
    one = drawn["metrics"]["f1"]
    value = f"{found['metrics']['f1']:.4f} [{one['low']:.3f}, {one['high']:.3f}]"
    assert f"F1 of the decisions         {value}\n" in out
    assert "drawing 4 faces 1000 times; so few say little of others" in out


def test_without_a_bootstrap(options, capsys):
    main(["evaluate", *options, "bootstrap=0", "output=out"])
    assert json.loads(Path("out/evaluation.json").read_text())["intervals"] is None
    assert "intervals" not in capsys.readouterr().out


def test_the_measure_has_an_interval(options):
    assert "brier" in evaluated([*options, "measure=brier"])["intervals"]["metrics"]
    without = evaluated([*options, "measure=best_f1"], "without")
    assert "best_f1" not in without["intervals"]["metrics"]


@pytest.mark.usefixtures("own_alone")
@pytest.mark.parametrize("wrong", ["-1", "50", "1000000"])
def test_how_many_resamples_are_refused(options, wrong, capsys):
    with pytest.raises(SystemExit):
        main(["evaluate", *options, f"bootstrap={wrong}"])
    assert f"bootstrap must be 0 or from 100 to 100000, got {wrong}" in capsys.readouterr().err


def test_damaged_intervals(options):
    evaluated(options)
    path = Path("out/evaluation.json")
    found = json.loads(path.read_text())
    found["intervals"]["metrics"]["f1"]["low"] = "x"
    path.write_text(json.dumps(found))
    with pytest.raises(InputError, match="is not an evaluation of this version"):
        read_evaluation_file(path)
