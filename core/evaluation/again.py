"""Evaluating again what an evaluation.json tells of, and what differs then."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import InputError
from .dataset import DatasetPlan, dataset_plan_of
from .evaluate import FILE, SCHEMA
from .rows import leaves
from .settings import EVALUATE


def read_evaluation(folder: Path) -> Mapping[str, Any]:
    """What evaluation.json of a folder holds.

    Raises:
        InputError: It cannot be read, or is not one.
    """
    path = folder / FILE
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        known = found["schema"] == SCHEMA
        missing = set(EVALUATE.keys).difference(found["settings"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path} is not an evaluation: {type(error).__name__}: {error}",
            "Make it again with: asd evaluate",
        ) from error
    if not known or missing:
        raise InputError(
            f"{path} is damaged, or another version of asdkit made it",
            "Make it again with: asd evaluate",
        )
    return found


def plan_again(found: Mapping[str, Any]) -> DatasetPlan:
    """The plan that makes an evaluation again, computing everything.

    Raises:
        ConfigError: A value is out of range.
        PluginError: A component is not there.
    """
    return dataset_plan_of(EVALUATE, {**found["settings"], "overwrite": False, "cache": False})


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """The metrics that differ between two evaluations, in lines; none if none does."""
    old, new = (dict(leaves(found["metrics"])) for found in (before, now))
    return [
        f"{key}: {old.get(key)} before, {new.get(key)} now"
        for key in {**old, **new}
        if old.get(key) != new.get(key)
    ]
