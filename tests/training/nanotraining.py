"""Trainings of the stranger's scorer in tests/training/nano.py, in this process and in others."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from asdkit.core.config.compose import compose_app
from asdkit.core.progress import silent
from asdkit.training.run import train
from asdkit.training.settings import TRAIN, make_train_plan

NANO = (Path(__file__).parent / "nano.py").read_text()
WORDS = ("scorer=nano", "dataset=made", "workers=0", "threads=1", "device=cpu")


def plan_of(*words):
    return make_train_plan(compose_app(TRAIN, [*WORDS, *words]))


def trained(folder, *words, said=None, progress=silent):
    """Train in this process; the record."""
    lines = [] if said is None else said
    return train(plan_of(*words), Path(folder), lines.append, progress)


def weights_of(folder, name="last.model"):
    import torch

    return torch.load(Path(folder) / name, weights_only=True)


def apart(one, other):
    """How far the weights of two folders are apart at most."""
    first, second = weights_of(one), weights_of(other)
    assert first.keys() == second.keys()
    return max(
        float((first[name] - second[name]).abs().max())
        for name in first
        if first[name].is_floating_point()
    )


def record_of(folder):
    return json.loads((Path(folder) / "training.json").read_text())


def numbers(record):
    """What an epoch has come to, without the time it took."""
    return [
        tuple(one[key] for key in ("epoch", "loss", "average_precision"))
        for one in record["history"]
    ]


def started(site, folder, *words):
    """`asd train` in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "asdkit", "train", *WORDS, *words],
        env={**os.environ, "PYTHONPATH": str(site)},
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
