"""The correction that a calibration makes to logits: a temperature and a bias."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from .arrays import log_odds
from .types import Float32, Track

LOWEST_TEMPERATURE, HIGHEST_TEMPERATURE = 1e-3, 1e3


@dataclass(frozen=True)
class Scaling:
    """A correction of a scorer's probabilities.

    The probability becomes sigmoid(log odds / temperature + bias): temperature scaling (Guo et
    al. 2017, "On Calibration of Modern Neural Networks") with the bias of Platt 1999
    ("Probabilistic Outputs for Support Vector Machines").

    Attributes:
        temperature: Divides the log odds, from 0.001 to 1000.
        bias: Added to the log odds after the division.
    """

    temperature: float
    bias: float

    def __post_init__(self) -> None:
        if not LOWEST_TEMPERATURE <= self.temperature <= HIGHEST_TEMPERATURE:
            raise ValueError(
                f"temperature must lie from {LOWEST_TEMPERATURE:g} to {HIGHEST_TEMPERATURE:g}, "
                f"got {self.temperature}"
            )
        if not math.isfinite(self.bias):
            raise ValueError(f"bias must be finite, got {self.bias}")

    def apply(self, logits: Float32) -> Float32:
        """Change logits such that their softmax is the corrected probability.

        Args:
            logits: (n, 2) float32, not speaking and speaking, finite.

        Returns:
            (n, 2) float32. The class-1 logit, which is the score, is unchanged; the other is not.
        """
        speaking = logits[:, 1].astype(np.float64)
        odds = log_odds(logits) / self.temperature + self.bias
        return np.stack([speaking - odds, speaking], 1).astype(np.float32)


def calibrated(track: Track, logits: Float32, scaling: Scaling | None) -> Track:
    """A track with logits that are corrected, and with those before.

    Args:
        track: The track.
        logits: (n, 2) float32, the logits to correct.
        scaling: The correction; None for none.
    """
    corrected = logits if scaling is None else scaling.apply(logits)
    return replace(track, logits=corrected, uncalibrated=logits)
