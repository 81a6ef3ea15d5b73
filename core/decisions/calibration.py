"""Probabilities that mean what they say: a temperature and a bias, fitted on labels."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ConfigError, InputError
from ..evaluation.metrics import brier, expected_calibration_error, negative_log_likelihood
from ..files import whole
from ..forms import misfit
from ..labels import Bool, Judged
from ..named_files import read_json
from ..types import Float32, Float64, Int64, log_odds

SCHEMA = "asdkit.calibration/1"
LOWEST_TEMPERATURE, HIGHEST_TEMPERATURE = 1e-3, 1e3

_CHANGE = {
    "type": ["object", "null"],
    "additionalProperties": {"type": "object", "additionalProperties": {"type": "number"}},
}
_FORM = {
    "type": "object",
    "additionalProperties": False,
    "required": ["schema", "scorer", "temperature", "bias"],
    "properties": {
        "schema": {"const": SCHEMA},
        "scorer": {"type": "string"},
        "temperature": {"type": "number"},
        "bias": {"type": "number"},
        "weights": {"type": ["string", "null"]},
        "videos": {"type": "array", "items": {"type": "string"}},
        "rows": {"type": "integer"},
        "window_seconds": {"type": ["array", "null"], "items": {"type": "integer"}},
        "prior": {"type": ["number", "null"]},
        "fitted": _CHANGE,
        "held_out": _CHANGE,
    },
}
Change = dict[str, dict[str, float]]
"""What a calibration does: `before` and `after`, each expected_calibration_error, brier and nll."""


@dataclass(frozen=True)
class Calibration:
    """A correction of one scorer's probabilities.

    The probability becomes sigmoid(log odds / temperature + bias): temperature scaling (Guo et
    al. 2017, "On Calibration of Modern Neural Networks") with the bias of Platt 1999
    ("Probabilistic Outputs for Support Vector Machines").

    Attributes:
        scorer: The scorer it was fitted on.
        temperature: Divides the log odds, from 0.001 to 1000.
        bias: Is added to them then.
        weights: The scorer's weights, as its option names them; None where it has none.
        window_seconds: Lengths of the windows it was fitted with; None where the scorer has none.
        prior: How far from no correction it was thought to be before it was fitted, see `fit`;
            None where it was fitted to the frames alone.
        videos: The videos it was fitted on.
        rows: How many labelled faces it was fitted on, counted in every frame.
        fitted: What it does on these rows; None where that is not known.
        held_out: What such a fit does on videos it has not seen; None where that is not known.
    """

    scorer: str
    temperature: float
    bias: float
    weights: str | None = None
    window_seconds: tuple[int, ...] | None = None
    prior: float | None = None
    videos: tuple[str, ...] = ()
    rows: int = 0
    fitted: Change | None = field(default=None, hash=False)
    held_out: Change | None = field(default=None, hash=False)

    def __post_init__(self) -> None:
        if not LOWEST_TEMPERATURE <= self.temperature <= HIGHEST_TEMPERATURE:
            raise ValueError(
                f"temperature must lie from {LOWEST_TEMPERATURE:g} to {HIGHEST_TEMPERATURE:g}, "
                f"got {self.temperature}"
            )
        if not math.isfinite(self.bias):
            raise ValueError(f"bias must be finite, got {self.bias}")

    def apply(self, logits: Float32) -> Float32:
        """The logits whose softmax is the corrected probability.

        Args:
            logits: (n, 2) float32, not speaking and speaking, finite.

        Returns:
            (n, 2) float32. The class-1 logit, which is the score, stays; the other one moves.
        """
        speaking = logits[:, 1].astype(np.float64)
        odds = log_odds(logits) / self.temperature + self.bias
        return np.stack([speaking - odds, speaking], 1).astype(np.float32)

    def has_windows_of(self, config: Any) -> bool:
        """Whether it was fitted with the windows of a scorer's parameters, or says nothing."""
        windows = self.window_seconds
        return windows is None or sorted(windows) == sorted(getattr(config, "window_seconds", ()))

    def write(self, path: Path) -> None:
        """Write it as JSON, whole or not at all.

        Raises:
            OutputError: The file system refuses.
        """
        text = json.dumps({"schema": SCHEMA, **asdict(self)}, indent=1, allow_nan=False)
        with whole(path) as aside:
            aside.write_text(text + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Calibration:
        """Read what `write` wrote.

        Raises:
            ConfigError: There is no such file, or it is no calibration.
        """
        mend = "Make one with: asd calibrate"
        values = read_json(path, "a calibration", mend, ConfigError)
        wrong = misfit(values, _FORM)
        try:
            if not wrong:
                own = {key: value for key, value in values.items() if key != "schema"}
                windows = own.get("window_seconds")
                own["window_seconds"] = None if windows is None else tuple(windows)
                return cls(**{**own, "videos": tuple(own.get("videos", ()))})
        except ValueError as error:
            wrong = str(error)
        raise ConfigError(f"{path} is not a calibration: {wrong}", mend)


def calibrate(
    parts: Mapping[str, Judged],
    scorer: str,
    weights: str | None = None,
    window_seconds: tuple[int, ...] | None = None,
    prior: float | None = None,
) -> Calibration:
    """Fit a calibration on labelled videos, faces that were not found left out.

    Args:
        parts: The rows of each video, by its name, of the scorer without a calibration.
        scorer: The scorer.
        weights: Its weights.
        window_seconds: The lengths of its windows.
        prior: See `fit`.

    Raises:
        InputError: The labels of the faces found are all alike.
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
        tuple(parts),
        len(truth),
        _change(odds, odds / temperature + bias, truth),
        held_out(parts, prior),
    )


def fit(
    logits: Float32, truth: Bool, person: Int64 | None = None, prior: float | None = None
) -> tuple[float, float]:
    """The temperature and bias of the greatest likelihood, or the most probable ones.

    The frames of one face resemble each other, so a few minutes of a few people tell little of
    others. With a prior each person's mean likelihood counts as that of one observation, and the
    logarithm of the temperature and the bias are normally distributed around 0, no correction.

    Labels count as Platt 1999 smooths them, (n + 1) / (n + 2) for n rows that speak and
    1 / (n + 2) for n that do not, so that scores that part both wholly get a finite answer.

    Args:
        logits: (n, 2) float32, not speaking and speaking, finite.
        truth: (n,) bool, who speaks.
        person: (n,) numbers of whom the rows are about; all about one if not given.
        prior: Standard deviation of both; None for the likelihood of all rows alone.

    Returns:
        Temperature, within the limits of `Calibration`, and bias.

    Raises:
        InputError: All labels are alike.
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
    from scipy.optimize import minimize  # most runs calibrate by a file, and need no SciPy for it
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
    """What calibration does on videos that it was not fitted on.

    Each video is corrected by a fit on all the others; then the rows of all are taken together.

    Args:
        parts: The rows of each video, by its name.
        prior: See `fit`.

    Returns:
        The change, or None with less than two videos in which some speak and some do not: then no
        fit could leave one out.
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
    """Of the faces found, one video after the other: logits, labels, and the person's number."""
    rows = Judged.pooled(videos)
    whose = [f"{k} {name}" for k, video in enumerate(videos) for name in video.person]
    person = np.unique(np.array(whose)[rows.found], return_inverse=True)[1]
    return rows.logits[rows.found], rows.truth[rows.found], person


def _change(before: Float64, after: Float64, truth: Bool) -> Change:
    """The errors of two log odds."""
    from scipy.special import expit

    return {
        name: {
            "expected_calibration_error": expected_calibration_error(expit(odds), truth),
            "brier": brier(expit(odds), truth),
            "nll": negative_log_likelihood(odds, truth),
        }
        for name, odds in (("before", before), ("after", after))
    }
