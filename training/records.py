"""The record of a training, training.json, and the files of its folder."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..core.errors import InputError
from ..core.files import sha256, whole
from ..core.provenance import WeightsFile, versions_of
from ..core.trainable import Recipe, Trainable
from . import logs, state
from .settings import TrainPlan

RECORD = "training.json"
SCHEMA = "asdkit.training/1"
BEST, LAST = "best.model", "last.model"
LOCK = ".training.lock"
OWN = (RECORD, BEST, LAST, LOCK, state.FILE, logs.TABLE, logs.EVENTS)
"""Everything that a training writes into its folder."""
_LIBRARIES = ("lightning-fabric", "tensorboard")


def origin(plan: TrainPlan, trainable: Trainable, recipe: Recipe, device: str) -> dict[str, Any]:
    """What a training came from besides its settings and data, as plain values.

    Args:
        plan: The plan.
        trainable: The network, whose own recipe has the source.
        recipe: The recipe with what the user said otherwise.
        device: Where it was trained, in words.
    """
    parts = (plan.scorer, plan.dataset, plan.validation, *plan.finding.values())
    used = [one for one in parts if one]
    given = [name for name in vars(recipe) if getattr(recipe, name) != vars(trainable.recipe)[name]]
    files = plan.scorer.named_files().values()
    return {
        "recipe": {**asdict(recipe), "changed": given},
        "start": {
            "scorer": trainable.model,
            "weights": "" if plan.options.from_nothing else trainable.weights,
            "files": [asdict(WeightsFile.at(path)) for path in files],
        },
        "scores_with": dict(trainable.settings),
        "provenance": {
            "versions": versions_of(used, _LIBRARIES),
            "git": _commit(),
            "device": device,
            "folder": str(Path.cwd()),
        },
    }


def _commit() -> str | None:
    """The commit of asdkit's checkout, with + if files differ from it; None outside of one."""
    root = Path(__file__).parents[1]
    if not (root / ".git").exists():
        return None
    try:
        said = [
            subprocess.run(
                ["git", "-C", str(root), *words], capture_output=True, text=True, check=True
            ).stdout.strip()
            for words in (["rev-parse", "HEAD"], ["status", "--porcelain", "-uno"])
        ]
    except (OSError, subprocess.CalledProcessError):
        return None
    return f"{said[0]}+" if said[1] else said[0]


def write(
    folder: Path, position: state.Position, known: Mapping[str, Any], ended: str | None
) -> dict[str, Any]:
    """Write the record, whole or not at all.

    Args:
        folder: The folder of the training.
        position: Where it stands, with its history.
        known: What `origin` returned.
        ended: Why there is no further epoch; None while there is one.

    Returns:
        Its content.

    Raises:
        OutputError: It cannot be written.
    """
    best = position.best
    record = {
        "schema": SCHEMA,
        "settings": position.settings,
        **known,
        "data": position.data,
        "history": list(position.history),
        "best": best and {key: best[key] for key in ("epoch", "average_precision")},
        "ended": ended,
        "files": {name: sha256(folder / name) for name in (BEST, LAST) if (folder / name).exists()},
    }
    with whole(folder / RECORD) as aside:
        aside.write_text(json.dumps(record, indent=1) + "\n")
    return record


def read(path: Path) -> dict[str, Any]:
    """Read a record.

    Args:
        path: The file, or the folder that has it.

    Raises:
        InputError: It cannot be read, or is none of this version.
    """
    file = path / RECORD if path.is_dir() else path
    try:
        found: Any = json.loads(file.read_text())
        whole_one = (
            found["schema"] == SCHEMA
            and all(isinstance(found[key], dict) for key in ("settings", "files", "provenance"))
            and all({"epoch", "average_precision"} < set(one) for one in found["history"])
        )
    except OSError as error:
        raise InputError(f"Cannot read {file}: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError):
        whole_one = False
    if not whole_one:
        raise InputError(
            f"{file} is no record of a training, or not of this version of asdkit",
            "Name the folder of a training, or its training.json",
        )
    return dict(found)
