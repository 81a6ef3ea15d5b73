"""Calibration of a scorer's probabilities by a temperature and a bias."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..errors import ConfigError
from ..files import whole
from ..forms import misfit
from ..named_files import read_json
from ..scaling import Scaling
from ..types import Float32

SCHEMA = "asdkit.calibration/1"

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
        "context": {"type": ["object", "null"]},
        "fitted": _CHANGE,
        "held_out": _CHANGE,
    },
}
Change = dict[str, dict[str, float]]
"""Errors `before` and `after` calibration: expected_calibration_error, brier and nll of each."""


@dataclass(frozen=True)
class Calibration:
    """A correction of one scorer's probabilities.

    See `core.scaling.Scaling` for the formula.

    Attributes:
        scorer: The scorer it was fitted on.
        temperature: Its temperature.
        bias: Its bias.
        weights: The scorer's weights, as named in its option; None if it has none.
        window_seconds: Lengths of the windows it was fitted with; None if the scorer has none.
        prior: Standard deviation of the prior it was fitted with, see `fit`; None if it was fitted
            without one.
        context: Name and parameters of the context it was fitted with; None for none.
        videos: The videos it was fitted on.
        rows: Number of labelled faces it was fitted on, counted per frame.
        fitted: The errors on these rows; None if unknown.
        held_out: The errors of such fits on videos left out of them; None if unknown.
    """

    scorer: str
    temperature: float
    bias: float
    weights: str | None = None
    window_seconds: tuple[int, ...] | None = None
    prior: float | None = None
    context: Mapping[str, Any] | None = field(default=None, hash=False)
    videos: tuple[str, ...] = ()
    rows: int = 0
    fitted: Change | None = field(default=None, hash=False)
    held_out: Change | None = field(default=None, hash=False)

    def __post_init__(self) -> None:
        _ = self.scaling  # raises if one is out of range

    @property
    def scaling(self) -> Scaling:
        """The correction itself.

        Raises:
            ValueError: The temperature or the bias is out of range.
        """
        return Scaling(self.temperature, self.bias)

    def apply(self, logits: Float32) -> Float32:
        """Change logits (n, 2) such that their softmax is the calibrated probability."""
        return self.scaling.apply(logits)

    def has_windows_of(self, config: Any) -> bool:
        """Whether it was fitted with the windows of a scorer's parameters, or with unknown ones."""
        windows = self.window_seconds
        return windows is None or sorted(windows) == sorted(getattr(config, "window_seconds", ()))

    def was_fitted_with(self, context: Mapping[str, Any]) -> bool:
        """Whether it was fitted with a context of this name and these parameters."""
        return dict(self.context or {"name": "none"}) == dict(context)

    def write(self, path: Path) -> None:
        """Write the calibration as JSON, atomically.

        Raises:
            OutputError: The file cannot be written.
        """
        text = json.dumps({"schema": SCHEMA, **asdict(self)}, indent=1, allow_nan=False)
        with whole(path) as aside:
            aside.write_text(text + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Calibration:
        """Read a calibration file.

        Raises:
            ConfigError: The file does not exist, or is not a calibration.
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
