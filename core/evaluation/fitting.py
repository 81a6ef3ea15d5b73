"""`asd calibrate`: fits a scorer's calibration to a labelled dataset."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..arrays import log_odds
from ..component import CALIBRATION
from ..config.schemas import SHIPPED
from ..decisions.calibration import Calibration, Change
from ..errors import ConfigError, InputError, OutputError
from ..labels import Bool, Judged
from ..progress import Progress, silent
from ..scaling import HIGHEST_TEMPERATURE, LOWEST_TEMPERATURE
from ..types import Float32, Float64, Int64
from .dataset import DatasetPlan, Tell, build, outcomes_of
from .metrics import brier, expected_calibration_error, negative_log_likelihood


def fit_calibration(
    plan: DatasetPlan, path: Path, tell: Tell, progress: Progress = silent
) -> Calibration:
    """Fit a calibration and write it to a file.

    Args:
        plan: A plan of `asd calibrate`.
        path: The file.
        tell: Called with a line of text on each step done.
        progress: Called with the progress of each video.

    Raises:
        AsdError: The dataset, a video or an option is not usable, or the file exists.
    """
    scorer = plan.run.chosen["scorer"]
    plain = replace(scorer, calibration=None, calibration_path=None)
    if path.exists() and not plan.options.overwrite:
        raise OutputError(
            f"{path} is already there", "Choose another with output=FILE, or overwrite=true"
        )
    if plan.settings["scorer"][CALIBRATION] not in (SHIPPED, None):
        raise ConfigError(
            "scorer.calibration is given, but a calibration is fitted without one", "Leave it out"
        )
    plan = replace(plan, run=replace(plan.run, chosen={**plan.run.chosen, "scorer": plain}))
    rows = {}
    for video, outcome in outcomes_of(plan, build(plan), tell, progress):
        if video.judge is None:
            raise ConfigError(
                f"dataset={plan.dataset.component.name} does not say which face speaks",
                "Calibrate on a dataset with labelled faces",
            )
        rows[video.name] = video.judge(outcome.result)
    windows = getattr(scorer.config, "window_seconds", None)
    fitted = calibrate(
        rows,
        scorer.component.name,
        getattr(scorer.config, "weights", None),
        None if windows is None else tuple(windows),
        prior=plan.options.prior,
        context=plan.settings["context"],
    )
    fitted.write(path)
    return fitted


def calibrate(
    parts: Mapping[str, Judged],
    scorer: str,
    weights: str | None = None,
    window_seconds: tuple[int, ...] | None = None,
    *,
    prior: float | None = None,
    context: Mapping[str, Any] | None = None,
) -> Calibration:
    """Fit a calibration on labelled videos, without the faces that were not found.

    Args:
        parts: By video: its rows, scored without a calibration.
        scorer: The scorer's name.
        weights: The scorer's weights.
        window_seconds: The lengths of the scorer's windows.
        prior: See `fit`.
        context: Name and parameters of the context that the rows were scored with, if any.

    Raises:
        InputError: All faces found speak, or none does.
    """
    logits, truth, person = _found(list(parts.values()))
    temperature, bias = fit(logits, truth, person, prior)
    odds = log_odds(logits)
    return Calibration(
        scorer,
        temperature,
        bias,
        weights,
        window_seconds,
        prior,
        None if not context or context["name"] == "none" else context,
        tuple(parts),
        len(truth),
        _change(odds, odds / temperature + bias, truth),
        held_out(parts, prior),
    )


def fit(
    logits: Float32, truth: Bool, person: Int64 | None = None, prior: float | None = None
) -> tuple[float, float]:
    """The maximum likelihood temperature and bias; with a prior, the most probable ones.

    The frames of one face are correlated, so a few minutes of a few people say little about other
    people. Therefore, with a prior, each person's mean log likelihood has the weight of a single
    observation, and the prior of both log temperature and bias is normal with mean 0, which means
    no correction.

    Labels are smoothed as by Platt 1999, to (n + 1) / (n + 2) for n rows that speak and 1 / (n + 2)
    for n that do not, so that the fit stays finite even if scores separate both perfectly.

    Args:
        logits: (n, 2) float32, not speaking and speaking, finite.
        truth: (n,) bool, who speaks.
        person: (n,) number of the person each row is about; by default all are about one.
        prior: Standard deviation of the prior of both; None for plain maximum likelihood.

    Returns:
        Temperature, within the limits of `Calibration`, and bias.

    Raises:
        InputError: All labels are equal.
    """
    positives = int(np.count_nonzero(truth))
    negatives = len(truth) - positives
    if not positives or not negatives:
        raise InputError(
            f"A calibration needs faces that speak and faces that do not, but of the faces found "
            f"{positives} speak and {negatives} do not",
            "Calibrate on more videos",
        )
    odds = log_odds(logits)
    from scipy.optimize import minimize  # imported here, as most runs only read a calibration
    from scipy.special import expit

    target = np.where(truth, (positives + 1) / (positives + 2), 1 / (negatives + 2))

    weight, doubt = np.full(len(truth), 1 / len(truth)), 0.0
    if prior is not None:
        numbers = np.zeros(len(truth), np.int64) if person is None else person
        weight, doubt = 1 / np.bincount(numbers)[numbers], 1 / prior**2

    def loss(at: Float64) -> tuple[float, Float64]:
        slope = np.exp(at[0])
        scaled = slope * odds + at[1]
        error = weight * (expit(scaled) - target)
        value = weight @ (np.logaddexp(0, scaled) - target * scaled) + doubt * at @ at / 2
        return float(value), np.array([slope * (error @ odds), error.sum()]) + doubt * at

    slopes = (-math.log(HIGHEST_TEMPERATURE), -math.log(LOWEST_TEMPERATURE))
    found = minimize(
        loss,
        np.zeros(2),
        method="L-BFGS-B",
        jac=True,
        bounds=[slopes, (None, None)],
        options={"ftol": 1e-14, "gtol": 1e-9},
    )
    temperature = np.clip(np.exp(-found.x[0]), LOWEST_TEMPERATURE, HIGHEST_TEMPERATURE)
    return float(temperature), float(found.x[1])


def held_out(parts: Mapping[str, Judged], prior: float | None = None) -> Change | None:
    """The effect of calibration on videos it was not fitted on, by leave-one-out.

    Each video is calibrated by a fit on all the others; errors are computed over all rows together.

    Args:
        parts: By video: its rows.
        prior: See `fit`.

    Returns:
        The change; None if fewer than two videos have both speaking and non-speaking rows, so that
        a fit without one of them is impossible.
    """
    videos = list(parts.values())
    labels = [_found([video])[1] for video in videos]
    if sum(bool(truth.any() and not truth.all()) for truth in labels) < 2:
        return None
    after = []
    for k, left_out in enumerate(videos):
        temperature, bias = fit(*_found(videos[:k] + videos[k + 1 :]), prior)
        after.append(log_odds(_found([left_out])[0]) / temperature + bias)
    logits, truth, _ = _found(videos)
    return _change(log_odds(logits), np.concatenate(after), truth)


def _found(videos: Sequence[Judged]) -> tuple[Float32, Bool, Int64]:
    """Logits, labels and person numbers of the faces found, concatenated over videos."""
    rows = Judged.pooled(videos)
    whose = [f"{k} {name}" for k, video in enumerate(videos) for name in video.person]
    person = np.unique(np.array(whose)[rows.found], return_inverse=True)[1]
    return rows.logits[rows.found], rows.truth[rows.found], person


def _change(before: Float64, after: Float64, truth: Bool) -> Change:
    """The calibration errors of the log odds before and after calibration."""
    from scipy.special import expit

    return {
        name: {
            "expected_calibration_error": expected_calibration_error(expit(odds), truth),
            "brier": brier(expit(odds), truth),
            "nll": negative_log_likelihood(odds, truth),
        }
        for name, odds in (("before", before), ("after", after))
    }
