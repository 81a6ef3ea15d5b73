"""The schema of evaluation.json, and a reader that validates against it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..component import RUN_KINDS
from ..config.options import AT_FIRST
from ..errors import InputError
from ..forms import misfit
from ..named_files import read_json

SCHEMA = "asdkit.evaluation/1"
FILE = "evaluation.json"
MEND = "Make it again with: asd evaluate"

_NUMBER = {"type": ["number", "null"]}
_COMPONENT = {"type": "object", "properties": {"name": {"type": "string"}}}
_INTERVAL = {
    "type": "object",
    "required": ["low", "high", "over", "units"],
    "properties": {
        "low": {"type": "number"},
        "high": {"type": "number"},
        "over": {"type": "string"},
        "units": {"type": "integer"},
    },
}
_PARTS = {
    "dataset": {"type": "string"},
    "videos": {"type": "array", "items": {"type": "string"}},
    "measure": {
        "type": "object",
        "required": ["name", "higher_is_better"],
        "properties": {"name": {"type": "string"}, "higher_is_better": {"type": "boolean"}},
    },
    "metrics": {"type": "object"},
    "cost": {
        "type": ["object", "null"],
        "required": ["times_real_time", "ms_per_frame", "peak_memory_mib", "model_mb"],
        "properties": {
            **dict.fromkeys(("times_real_time", "peak_memory_mib", "model_mb"), _NUMBER),
            "ms_per_frame": {"type": "object", "required": ["all"], "properties": {"all": _NUMBER}},
        },
    },
    "settings": {"type": "object", "properties": dict.fromkeys(RUN_KINDS, _COMPONENT)},
    "provenance": {"type": "object", "properties": {"folder": {"type": "string"}}},
}
_AT_FIRST = {
    **AT_FIRST,
    **{"protocol": "none", "foreign_sound": False, "bootstrap": 0, "gallery": 0},
}
"""What was done before there were these options."""
_FORM = {
    "type": "object",
    "required": ["schema", *_PARTS],
    # Older files lack these.
    "properties": {
        "schema": {"const": SCHEMA},
        **_PARTS,
        "predicted": {"type": "boolean"},
        "per_video": {"type": "object"},
        "per_category": {"type": "object"},
        "intervals": {
            "type": ["object", "null"],
            "required": ["metrics"],
            "properties": {"metrics": {"type": "object", "additionalProperties": _INTERVAL}},
        },
    },
}


def read_evaluation_file(path: Path) -> dict[str, Any]:
    """Read an evaluation.json; the parts that asdkit uses are validated.

    An older file lacks options that did not exist yet: its settings get those values with which the
    same is done as then.

    Raises:
        InputError: The file cannot be read, or is not an evaluation of this version.
    """
    found = read_json(path, "an evaluation", MEND)
    if wrong := misfit(found, _FORM):
        raise InputError(f"{path} is not an evaluation of this version: {wrong}", MEND)
    evaluation: dict[str, Any] = found
    evaluation["settings"] = {**_AT_FIRST, **evaluation["settings"]}
    measure = evaluation["measure"]["name"]
    value = evaluation["metrics"].get(measure)
    if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float))):
        raise InputError(f"{path} is damaged: its {measure} is no number", MEND)
    return evaluation
