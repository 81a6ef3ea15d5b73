"""Calibration: what it does to logits, its fit, its file, and what it says of unseen videos."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from asdkit.core.arrays import log_odds, probability
from asdkit.core.decisions.calibration import Calibration
from asdkit.core.errors import ConfigError, InputError
from asdkit.core.evaluation.fitting import calibrate, fit, held_out
from asdkit.core.evaluation.metrics import negative_log_likelihood
from asdkit.core.labels import Judged
from asdkit.plugins.scorers.windowed.config import WindowedConfig


def logits(odds: np.ndarray) -> np.ndarray:
    """Logits of these log odds, with any score."""
    score = np.random.default_rng(len(odds)).normal(0, 3, len(odds))
    return np.stack([score - odds, score], 1).astype(np.float32)


def drawn(seed: int, temperature: float, bias: float, n: int = 4000) -> tuple[Any, Any]:
    """Logits for which this temperature and bias are right, and labels drawn by them."""
    rng = np.random.default_rng(seed)
    right = rng.normal(0, 2, n)
    return logits((right - bias) * temperature), rng.random(n) < expit(right)


def video(odds: Any, truth: Any) -> Judged:
    """Labelled rows, and one more whose face was not found."""
    n = len(truth) + 1
    return Judged(
        np.full(n, "Ann"), np.arange(n) / 25, np.append(truth, True),
        np.concatenate([odds, [[0, -np.inf]]]), np.zeros(n, bool), np.arange(n) < n - 1,
        np.full(n, 90.0), np.ones(n),
    )  # fmt: skip


@given(
    st.lists(st.tuples(st.floats(-30, 30, width=32), st.floats(-30, 30, width=32)), min_size=1),
    st.floats(0.2, 20),
    st.floats(-5, 5),
)
def test_the_score_stays_and_the_probability_moves(
    pairs: list[tuple[float, float]], temperature: float, bias: float
):
    given = np.array(pairs, np.float32)
    found = Calibration("lip_motion", temperature, bias).apply(given)
    assert found.dtype == np.float32
    assert (found[:, 1] == given[:, 1]).all()
    odds = given[:, 1].astype(float) - given[:, 0]
    assert probability(found) == pytest.approx(expit(odds / temperature + bias), abs=1e-5)


def test_nothing_to_correct_changes_nothing():
    given = np.array([[0.5, -1.25], [3.0, 4.0]], np.float32)
    assert (Calibration("lip_motion", 1.0, 0.0).apply(given) == given).all()


@pytest.mark.parametrize(
    ("temperature", "bias"), [(1.0, 0.0), (4.0, -1.0), (0.25, 0.5), (300.0, 0.1), (0.01, 0.0)]
)
def test_the_fit_finds_what_labels_were_drawn_by(temperature: float, bias: float):
    found = fit(*drawn(0, temperature, bias, 40_000))
    assert found == pytest.approx((temperature, bias), rel=0.05, abs=0.05)


@settings(max_examples=50)
@given(
    st.lists(st.tuples(st.floats(-8, 8), st.booleans()), min_size=4, max_size=40),
    st.sampled_from([0.1, 1.0, 30.0]),
    st.floats(-1, 1),
    st.floats(-1, 1),
)
def test_no_other_fit_is_likelier(
    rows: list[tuple[float, bool]], scale: float, change: float, shift: float
):
    odds, truth = (np.array(column) for column in zip(*rows, strict=True))
    if truth.all() or not truth.any():
        return
    given = logits(odds * scale)
    temperature, bias = fit(given, truth)
    # The likelihood with the labels as Platt smooths them, as a sum over both labels of a row.
    positives, negatives = truth.sum(), (~truth).sum()
    target = np.where(truth, (positives + 1) / (positives + 2), 1 / (negatives + 2))

    def loss(temperature: float, bias: float) -> float:
        p = expit(log_odds(given) / temperature + bias).clip(1e-300, 1 - 1e-16)
        return float(np.mean(-target * np.log(p) - (1 - target) * np.log(1 - p)))

    other = float(np.clip(temperature * np.exp(change), 1e-3, 1e3))
    assert loss(temperature, bias) <= loss(other, bias + shift) + 1e-6


def test_scores_that_part_all_labels_get_a_finite_fit():
    temperature, bias = fit(logits(np.array([-2.0, -1.0, 1.0, 2.0])), np.arange(4) > 1)
    assert 0.05 < temperature < 5
    assert bias == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("sign", [-1, 0])
def test_scores_that_say_nothing_leave_the_part_that_speaks(sign: int):
    odds = np.repeat([1.0, -1.0], 50) * sign
    truth = np.repeat([True, False], 50)
    truth[:25] = False  # 25 of 100 speak
    temperature, bias = fit(logits(odds), truth)
    found = expit(log_odds(logits(odds)) / temperature + bias)
    assert found == pytest.approx(np.full(100, 0.25), abs=0.02)


@pytest.mark.parametrize("speaks", [True, False])
def test_labels_that_are_all_alike_are_refused(speaks: bool):
    with pytest.raises(InputError, match=f"{4 * speaks} speak and {4 * (not speaks)} do not"):
        fit(np.zeros((4, 2), np.float32), np.full(4, speaks))


def test_a_prior_yields_to_many_people_and_holds_few():
    odds, truth = drawn(3, 3.0, -1.0, 20_000)
    free = fit(odds, truth)
    many = fit(odds, truth, np.arange(20_000) // 4, 0.5)
    one = fit(odds, truth, np.zeros(20_000, int), 0.5)
    assert many == pytest.approx(free, rel=0.03)
    assert 1 < one[0] < many[0] * 0.8
    assert many[1] < one[1] < 0
    assert one == fit(odds, truth, prior=0.5)


def test_with_a_prior_each_person_counts_the_same():
    """Ann's rows say one thing, Bob's another: of more rows of Ann the fit knows nothing more."""
    few, many = drawn(4, 1.0, 0.0, 400), drawn(4, 1.0, 0.0, 400)
    bob = drawn(5, 4.0, -1.0, 400)
    rows = [np.concatenate(pair) for pair in zip(few, bob, strict=True)]
    person = np.repeat([0, 1], 400)
    once = fit(*rows, person, 0.5)
    again = [np.concatenate(three) for three in zip(few, many, bob, strict=True)]
    assert fit(*again, np.repeat([0, 0, 1], 400), 0.5) == pytest.approx(once, rel=1e-3, abs=1e-3)
    assert fit(*again) != pytest.approx(fit(*rows), rel=1e-2)


def test_windows_that_were_not_fitted_are_known(tmp_path: Path):
    made = Calibration("lr_asd", 2.0, 0.0, "talkset", (1, 2))
    made.write(tmp_path / "c.json")
    read = Calibration.read(tmp_path / "c.json")
    assert read == made
    for windows, same in (([2, 1], True), ([1], False), ([1, 2, 2], False)):
        assert read.has_windows_of(WindowedConfig(window_seconds=windows)) == same
    assert not read.has_windows_of(object())
    assert Calibration("lr_asd", 2.0, 0.0).has_windows_of(object())


def test_unseen_videos_gain_where_scores_are_too_sure():
    parts = {f"clip{k}": video(*drawn(k, 5.0, 1.0)) for k in range(3)}
    found = held_out(parts)
    assert found is not None
    before, after = found["before"], found["after"]
    assert after["expected_calibration_error"] < 0.02 < before["expected_calibration_error"]
    assert after["nll"] < before["nll"]
    assert after["brier"] < before["brier"]


def test_a_video_takes_no_part_in_its_own_fit():
    """Two videos, whose fits are each other's, and the rows without a face left out."""
    one, other = drawn(1, 5.0, 1.0, 200), drawn(2, 0.5, -1.0, 300)
    found = held_out({"one": video(*one), "other": video(*other)})
    assert found is not None
    pairs = [(one, fit(*other)), (other, fit(*one))]
    odds = [log_odds(rows[0]) / temperature + bias for rows, (temperature, bias) in pairs]
    expected = negative_log_likelihood(np.concatenate(odds), np.concatenate([one[1], other[1]]))
    assert found["after"]["nll"] == pytest.approx(expected)


def test_too_few_videos_say_nothing_of_unseen_ones():
    silent = video(logits(np.zeros(5)), np.zeros(5, bool))
    assert held_out({"clip": video(*drawn(0, 1.0, 0.0)), "silent": silent}) is None


def test_calibrating_says_what_it_did_and_is_read_back(tmp_path: Path):
    parts = {f"clip{k}": video(*drawn(k, 5.0, 1.0)) for k in range(2)}
    made = calibrate(parts, "lr_asd", "talkset")
    assert (made.scorer, made.weights, made.videos, made.rows) == (
        "lr_asd", "talkset", ("clip0", "clip1"), 8000,
    )  # fmt: skip
    assert (made.temperature, made.bias) == pytest.approx((5.0, 1.0), rel=0.1)
    assert made.fitted is not None
    assert made.fitted["after"]["nll"] < made.fitted["before"]["nll"]
    assert made.held_out == held_out(parts)
    made.write(tmp_path / "new" / "calibration.json")
    assert Calibration.read(tmp_path / "new" / "calibration.json") == made


def test_missed_faces_of_all_videos_are_refused():
    nobody = Judged(
        np.full(2, "Ann"), np.zeros(2), np.array([True, False]), np.array([[0, -np.inf]] * 2),
        np.zeros(2, bool), np.zeros(2, bool), np.full(2, 90.0), np.ones(2),
    )  # fmt: skip
    with pytest.raises(InputError, match="0 speak and 0 do not"):
        calibrate({"clip": nobody}, "lr_asd")


GOOD = {"schema": "asdkit.calibration/1", "scorer": "lr_asd", "temperature": 2, "bias": 0.5}


def test_what_matters_of_a_file_is_little(tmp_path: Path):
    path = tmp_path / "c.json"
    path.write_text(json.dumps(GOOD), encoding="utf-8")
    assert Calibration.read(path) == Calibration("lr_asd", 2, 0.5)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not a calibration: line 1"),
        ("[]", "it is an array, which is no object"),
        (json.dumps({**GOOD, "schema": "asdkit.result/1"}), "schema is 'asdkit.result/1'"),
        (json.dumps({**GOOD, "scorer": 3}), "scorer is 3, which is no string"),
        (json.dumps({**GOOD, "temperature": None}), "temperature is None"),
        (json.dumps({**GOOD, "temperature": 0}), "temperature must lie from 0.001 to 1000, got 0"),
        (json.dumps({**GOOD, "temperature": -1}), "temperature must lie"),
        (json.dumps({**GOOD, "temperature": float("inf")}), "it holds Infinity"),
        (json.dumps({**GOOD, "temperature": float("nan")}), "it holds NaN"),
        (json.dumps({**GOOD, "bias": "0"}), "bias is '0'"),
        (json.dumps({**GOOD, "bias": float("nan")}), "it holds NaN"),
        (json.dumps({**GOOD, "videos": 3}), "is not a calibration"),
        (json.dumps({**GOOD, "window_seconds": 3}), "is not a calibration"),
        (json.dumps({**GOOD, "warmth": 3}), "there is no warmth"),
    ],
)
def test_what_is_no_calibration_is_refused(tmp_path: Path, text: str, message: str):
    path = tmp_path / "c.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=message) as refused:
        Calibration.read(path)
    assert refused.value.hint == "Make one with: asd calibrate"


def test_a_file_that_is_not_there_is_refused(tmp_path: Path):
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        Calibration.read(tmp_path / "none.json")
