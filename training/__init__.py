"""Trains scorers on labelled faces, from published weights or from nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..core.config.words import Overrides, words_of

__all__ = ["train"]


def train(
    overrides: Overrides = (), tell: Callable[[str], None] = print, **options: Any
) -> dict[str, Any]:
    """Train a scorer, as `asd train` does.

    Args:
        overrides: The options of `asd train`: a list of words, a string, or a dict.
        tell: Called with a line after each epoch.
        **options: More options, by name.

    Returns:
        The record, as in training.json; `record["best"]` is the epoch whose weights are in
        `best.model` of the folder `output`, with its average precision.

    Raises:
        AsdError: An option, the scorer, the data or the folder is not usable, or the training
            failed.
    """
    from ..core.config.compose import compose_app
    from .run import train as carried_out
    from .settings import TRAIN, make_train_plan

    plan = make_train_plan(compose_app(TRAIN, words_of(overrides, options)))
    return carried_out(plan, Path(plan.options.output), tell)
