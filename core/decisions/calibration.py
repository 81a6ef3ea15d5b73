"""Probabilities that mean what they say: a temperature and a bias, fitted on labels."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ConfigError
from ..files import whole
from ..forms import misfit
from ..named_files import read_json
from ..types import Float32, log_odds

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
