"""Makes datasets, and reads what they judge."""

from __future__ import annotations

from pathlib import Path

from asdkit.core.component import Component, Context
from asdkit.plugins.datasets import asdkit_components

DATASETS: dict[str, Component] = {component.name: component for component in asdkit_components()}


def make(dataset: str, **parameters):
    component = DATASETS[dataset]
    values = {name: str(v) if isinstance(v, Path) else v for name, v in parameters.items()}
    return component.build(component.config(**values), Context())


def rows(judged) -> list[tuple]:
    """(person, time, speaks, score, decided, found) of each row."""
    columns = (judged.person, judged.time_s, judged.truth, judged.score, judged.decided)
    return list(zip(*(column.tolist() for column in (*columns, judged.found)), strict=True))
