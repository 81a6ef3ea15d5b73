"""Compares evaluations in one table, best first."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..component import RUN_KINDS
from ..errors import InputError
from ..results import as_cell
from .against import Tested, tested_against
from .bootstrap import interval_of
from .evaluated_videos import LOWER_IS_BETTER
from .evaluation_file import FILE, read_evaluation_file
from .foreign import FOREIGN_FITS, OWN_FITS, SPEAKING
from .rows import leaves
from .tables import Estimate

_METRICS = {
    "average_precision": "AP",
    "f1": "F1",
    "diarization_error_rate": "DER",
    "off_screen_recall": "off-screen recall",
    "off_screen_precision": "off-screen precision",
    "expected_calibration_error": "ECE",
    SPEAKING: "foreign",
    OWN_FITS: "own sound fits",
    FOREIGN_FITS: "foreign sound fits",
}
"""Metrics in every table, with their column heads."""
_COSTS: dict[str, Callable[[Mapping[str, Any]], float | None]] = {
    "x real time": lambda cost: cost["times_real_time"],
    "ms/frame": lambda cost: cost["ms_per_frame"]["all"],
    "MiB": lambda cost: cost["peak_memory_mib"],
    "model MB": lambda cost: cost["model_mb"],
}
_ASIDE = {"writers", "output", "overwrite", "measure", "plots", "cache", "cache_gb"}
_ASIDE |= {"videos", "foreign_sound", "bootstrap", "gallery"}
"""Settings that get no column: they do not affect the metrics, or are checked separately."""
_OTHER_RULES = (
    "The protocol differs: faces, crops and windows follow other rules there, so a difference need "
    "not be one of the scorers"
)


@dataclass(frozen=True)
class Comparison:
    """A table of evaluations, best first.

    Attributes:
        measure: The metric the table is sorted by.
        title: The metric in words, with a remark if lower is better.
        heads: The names of the columns.
        rows: The cells; None for an empty cell, an `Estimate` for a figure with its interval.
        points: For the plot: (times real time, metric, name) of each evaluation that has both.
        settings: How many columns, from the left, are settings.
        better: By head of a column of metrics: whether higher is better.
        named: The evaluation.json of each row, and what to call it in a picture.
        notes: What tables cannot tell of themselves, a sentence each.
    """

    measure: str
    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    points: tuple[tuple[float, float, str], ...]
    settings: int
    better: Mapping[str, bool]
    named: tuple[tuple[Path, str], ...]
    notes: tuple[str, ...]


def compare(
    folders: Sequence[Path], resamples: int = 0, baseline: Path | None = None
) -> Comparison:
    """Compare evaluations in a table.

    Args:
        folders: Folders that hold evaluations, at any depth.
        resamples: How often to draw and to swap to test them against the baseline; 0 for no tests.
        baseline: The folder of the evaluation to test against; the best if not given.

    Returns:
        One row per evaluation: the settings that differ between evaluations, the measure and other
        metrics, the cost, the difference to the baseline with its p-value, and the folder.

    Raises:
        InputError: A folder does not exist, there are no evaluations, one is damaged, they are not
            of the same videos, or one cannot be tested against a baseline that is given.
    """
    found = {path: read_evaluation_file(path) for path in _paths(folders)}
    if not found:
        raise InputError(
            f"There is no {FILE} in {', '.join(map(str, folders))}",
            "Make evaluations with: asd evaluate",
        )
    _check_alike(found)
    measure = next(iter(found.values()))["measure"]
    sign = -1 if measure["higher_is_better"] else 1

    def rank(path: Path) -> tuple[bool, float]:
        value = found[path]["metrics"].get(measure["name"])
        return value is None, sign * (value or 0.0)

    ordered = [(path, found[path]) for path in sorted(found, key=rank)]
    settings = [_used(one) for _, one in ordered]
    columns = _differing(settings)
    names = {measure["name"]: measure["name"], **_METRICS}
    metrics = [m for m in names if any(one["metrics"].get(m) is not None for _, one in ordered)]
    if len({one["metrics"].get("rows") for _, one in ordered}) > 1:
        metrics.append("rows")  # the evaluations did not use the same labels
        names["rows"] = "rows"
    tested = Tested([], ())
    if baseline is not None or (resamples and len(ordered) > 1):
        tested = tested_against(ordered, measure["name"], resamples, baseline)
    rows, points, named = [], [], []
    for place, (path, one) in enumerate(ordered):
        said = [_value(settings[place], column) for column in columns]
        costs = [of(one["cost"]) if one["cost"] else None for of in _COSTS.values()]
        value = one["metrics"].get(measure["name"])
        figures = (_figure(one, m) for m in metrics)
        cells = (column.cells[place] for column in tested.columns)
        rows.append((*said, *figures, *cells, *costs, as_cell(str(path.parent))))
        name = ", ".join(
            str(cell) if column in RUN_KINDS else f"{column.rpartition('.')[2]} {cell}"
            for column, cell in zip(columns, said, strict=True)
            if cell is not None
        )
        folder = path.parent.name
        # The folder of a job of a sweep says what differs, as it was typed.
        name = folder if "=" in folder else name or folder
        named.append((path, name))
        if value is not None and costs[0]:
            points.append((costs[0], value, name))
    added = (column.head for column in tested.columns)
    heads = (*columns, *(names[m] for m in metrics), *added, *_COSTS, "folder")
    title = measure["name"].replace("_", " ")
    title += "" if measure["higher_is_better"] else " (lower is better)"
    better = {names[m]: m not in LOWER_IS_BETTER for m in metrics if m != "rows"}
    better[names[measure["name"]]] = measure["higher_is_better"]
    return Comparison(
        measure["name"],
        title,
        heads,
        tuple(rows),
        tuple(points),
        len(columns),
        better,
        tuple(named),
        (*tested.notes, *([_OTHER_RULES] if "protocol" in columns else [])),
    )


def _used(evaluation: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that were used: of predictions, for which nothing is run, the dataset's."""
    settings: dict[str, Any] = evaluation["settings"]
    return {"dataset": settings["dataset"]} if evaluation.get("predicted") else settings


def _figure(evaluation: Mapping[str, Any], metric: str) -> Any:
    """The cell of a metric, with its interval if it has one."""
    value = evaluation["metrics"].get(metric)
    interval = interval_of(evaluation, metric)
    return Estimate(value, *interval) if interval and value is not None else value


def _paths(folders: Iterable[Path]) -> list[Path]:
    """The evaluation files in folders, each once, in a sweep's order of jobs.

    Evaluations still being written are in hidden folders and are left out.
    """
    found = []
    for folder in folders:
        if folder.name == FILE and folder.is_file():
            found.append(folder)
        elif folder.is_dir():
            found += [
                path
                for path in folder.rglob(FILE)
                if not any(part.startswith(".") for part in path.relative_to(folder).parts)
            ]
        else:
            raise InputError(f"{folder} is not a folder", "Name folders that hold evaluations")
    unique = {path.resolve(): path for path in found}
    return sorted(unique.values(), key=lambda path: (len(str(path)), str(path)))


def _check_alike(found: Mapping[Path, Mapping[str, Any]]) -> None:
    """Check that all evaluations are of the same dataset and videos.

    Raises:
        InputError: They are not.
    """
    (path, first), *others = found.items()
    for other_path, other in others:
        for key in ("dataset", "videos"):
            if first[key] != other[key]:
                raise InputError(
                    f"{path} and {other_path} are not of the same {key}, so their numbers do not "
                    "compare",
                    "Compare evaluations of the same videos",
                )


def _differing(settings: Sequence[Mapping[str, Any]]) -> list[str]:
    """The settings that differ: components, then parameters of components, then the others."""
    kinds = [kind for kind in RUN_KINDS if len({_name(one, kind) for one in settings}) > 1]
    columns = dict.fromkeys(kinds)
    for kind in RUN_KINDS:
        for name in {_name(one, kind): None for one in settings}:
            alike = [one.get(kind, {}) for one in settings if _name(one, kind) == name]
            unequal = _unequal([dict(leaves(node)) for node in alike])
            columns |= dict.fromkeys(f"{kind}.{key}" for key in unequal)
    others = _ASIDE.union(RUN_KINDS)
    rest = [{k: v for k, v in one.items() if k not in others} for one in settings]
    return [*columns, *_unequal([dict(leaves(one)) for one in rest])]


def _name(settings: Mapping[str, Any], kind: str) -> str | None:
    """The name of the component of a kind; None if the settings lack this kind."""
    name: str | None = settings.get(kind, {}).get("name")
    return name


def _unequal(flat: Sequence[Mapping[str, Any]]) -> list[str]:
    """The keys whose values are not the same in all mappings that have them.

    What one lacks did not exist when it was made.
    """
    values: dict[str, list[Any]] = {}
    for one in flat:
        for key, value in one.items():
            values.setdefault(key, []).append(value)
    return [key for key, own in values.items() if any(value != own[0] for value in own)]


def _value(settings: Mapping[str, Any], column: str) -> Any:
    """The cell of a setting."""
    if column in RUN_KINDS:
        return _name(settings, column)
    value = dict(leaves(settings)).get(column)
    return json.dumps(value) if isinstance(value, list) else value
