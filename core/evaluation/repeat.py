"""Repeats an evaluation from its evaluation.json, and lists the differences."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..plugin_files import OPTION
from .dataset import DatasetPlan, dataset_plan_of
from .evaluation_file import FILE, MEND, read_evaluation_file
from .rows import leaves
from .settings import EVALUATE


def read_evaluation(folder: Path) -> Mapping[str, Any]:
    """Read evaluation.json of a folder.

    Options that did not exist when it was made get the values with which the same is done as then;
    see `read_evaluation_file`. Others that are missing are an error.

    Raises:
        InputError: The file cannot be read, or is not an evaluation of this version.
    """
    path = folder / FILE
    found = read_evaluation_file(path)
    if files := found["settings"][OPTION]:
        raise InputError(
            f"{path} was made with {OPTION}={files}, which are not run because a file says so",
            "Evaluate again with asd evaluate, and name them there",
        )
    if missing := sorted(set(EVALUATE.keys).difference(found["settings"])):
        raise InputError(
            f"{path} is damaged, or another version of asdkit made it: it has no "
            f"{', '.join(missing)}",
            MEND,
        )
    return found


def plan_again(found: Mapping[str, Any]) -> DatasetPlan:
    """The plan that repeats an evaluation without the cache.

    Raises:
        ConfigError: A value is out of range.
        PluginError: A component is not there.
    """
    return dataset_plan_of(EVALUATE, {**found["settings"], "overwrite": False, "cache": False})


def evaluation_differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """One line for each metric that differs between two evaluations, over all videos or of one."""
    old, new = (dict(leaves(found["metrics"])) for found in (before, now))
    if "per_video" in before:  # not in a file of an older version
        old |= leaves(before["per_video"], "per_video.")
        new |= leaves(now["per_video"], "per_video.")
    return [
        f"{key}: {old.get(key)} before, {new.get(key)} now"
        for key in {**old, **new}
        if old.get(key) != new.get(key)
    ]
