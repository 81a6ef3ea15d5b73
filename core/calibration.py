"""Probabilities that mean what they say: temperature and bias, fitted on labels."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from .errors import ConfigError, InputError
from .evaluation.metrics import (
    brier,
    expected_calibration_error,
    log_odds,
    negative_log_likelihood,
)
from .files import whole
from .labels import Judged
from .types import Float32, Float64

SCHEMA = "asdkit.calibration/1"
TEMPERATURES = (1e-3, 1e3)
"""Lowest and highest temperature."""

Bool = NDArray[np.bool_]


@dataclass(frozen=True)
class Errors:
    """How far probabilities are from the truth; see `core.evaluation.metrics`.

    Attributes:
        expected_calibration_error: 0 to 1.
        brier: 0 to 1.
        nll: Negative log likelihood, in nats.
    """

    expected_calibration_error: float
    brier: float
    nll: float


@dataclass(frozen=True)
class Change:
    """What a calibration does to these errors."""

    before: Errors
    after: Errors


@dataclass(frozen=True)
class Calibration:
    """A correction of one scorer's probabilities.

    Temperature scaling (Guo et al. 2017, "On Calibration of Modern Neural Networks") with a bias,
    which is Platt scaling (Platt 1999, "Probabilistic Outputs for Support Vector Machines") of the
    log odds.

    Attributes:
        scorer: The scorer it was fitted on.
        temperature: Divides the log odds, from 0.001 to 1000.
        bias: Is added to them then.
        weights: The scorer's weights, as its option names them; None where it has none.
        videos: The videos it was fitted on.
        rows: How many labelled faces it was fitted on, counted in each frame.
        fitted: The errors on these very rows.
        held_out: The errors on videos that were left out of the fit; None with too few of them.
    """

    scorer: str
    temperature: float
    bias: float
    weights: str | None = None
    videos: tuple[str, ...] = ()
    rows: int = 0
    fitted: Change | None = None
    held_out: Change | None = None

    def __post_init__(self) -> None:
        low, high = TEMPERATURES
        if not low <= self.temperature <= high:
            raise ValueError(f"temperature must lie from {low} to {high}, got {self.temperature}")
        if not math.isfinite(self.bias):
            raise ValueError(f"bias must be finite, got {self.bias}")

    def apply(self, logits: Float32) -> Float32:
        """The logits whose softmax is the corrected probability.

        Args:
            logits: (n, 2) float32, not speaking and speaking, finite.

        Returns:
            (n, 2) float32. The class-1 logit, the score, stays; the other one is moved so that
            the probability is sigmoid((l1 - l0) / temperature + bias).
        """
        speaking = logits[:, 1].astype(np.float64)
        odds = _scaled(log_odds(logits), self.temperature, self.bias)
        return np.stack([speaking - odds, speaking], 1).astype(np.float32)

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
        again = "Make one with: asd calibrate"
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            if not isinstance(values, dict) or values.pop("schema", None) != SCHEMA:
                raise ValueError(f"its schema is not {SCHEMA!r}")
            changes = {name: _change(values.pop(name, None)) for name in ("fitted", "held_out")}
            videos = tuple(values.pop("videos", ()))
            return cls(**values, **changes, videos=videos)
        except OSError as error:
            raise ConfigError(
                f"The calibration {path} cannot be read: {error.strerror}", again
            ) from error
        except (ValueError, TypeError) as error:
            raise ConfigError(f"{path} is no calibration: {error}", again) from error
