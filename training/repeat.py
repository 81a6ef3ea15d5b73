"""Repeats a training from its record, and lists the differences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..core.errors import ConfigError, InputError
from ..core.plugin_files import OPTION
from . import records
from .settings import TRAIN, TrainPlan, train_plan_of

_NUMBERS = ("loss", "learning_rate", "average_precision")
"""What is compared of each epoch; how long it took is not."""


def read_training(path: Path) -> Mapping[str, Any]:
    """Read the record of a training that is to be repeated.

    Args:
        path: The folder, or its training.json.

    Raises:
        InputError: It cannot be read, or is not of this version.
        ConfigError: It was made with a plugin of a single file.
    """
    found = records.read(path)
    if files := found["settings"].get(OPTION):
        raise ConfigError(
            f"{path} was made with {OPTION}={files}, which are not run because a file says so",
            "Train again with asd train, and name them there",
        )
    if missing := sorted(set(TRAIN.keys).difference(found["settings"])):
        raise InputError(
            f"{path} is damaged, or another version of asdkit made it: it has no "
            f"{', '.join(missing)}",
            "Train again with asd train",
        )
    return found


def plan_again(found: Mapping[str, Any], output: Path) -> TrainPlan:
    """The plan that repeats a training, in another folder.

    It ends where the first one has ended, or was stopped.

    Raises:
        ConfigError: A value is out of range.
        PluginError: A component is not there.
    """
    epochs = max((one["epoch"] for one in found["history"]), default=0)
    own = {"output": str(output), "overwrite": False, "epochs": max(1, epochs)}
    return train_plan_of({**found["settings"], **own})


def training_differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """One line for each difference of two records: data, versions, epochs, weights."""
    found = []
    for side, videos in before["data"].items():
        others = now["data"][side]
        changed = sorted(n for n in {**videos, **others} if videos.get(n) != others.get(n))
        found += [f"data, {side}: {name} is not the same" for name in changed]
    for part in ("versions", "device", "git"):
        old, new = (
            one["provenance"][part]
            if isinstance(one["provenance"][part], dict)
            else {part: one["provenance"][part]}
            for one in (before, now)
        )
        found += [
            f"{part}, {name}: {old.get(name)} before, {new.get(name)} now"
            for name in sorted({*old, *new})
            if old.get(name) != new.get(name)
        ]
    found += _of_epochs(before, now)
    for name in (records.BEST, records.LAST):
        if before["files"].get(name) != now["files"].get(name):
            found.append(f"{name}: other weights")
    return found


def _of_epochs(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    old, new = ({one["epoch"]: one for one in record["history"]} for record in (before, now))
    for epoch in sorted({*old, *new}):
        for key in _NUMBERS:
            was, is_now = (one.get(epoch, {}).get(key) for one in (old, new))
            if was != is_now:
                yield f"epoch {epoch}, {key}: {was} before, {is_now} now"
