"""Console output of evaluations and of their comparison."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..sync import Fit
from .console import print_wide

if TYPE_CHECKING:
    from ..evaluation.compare import Comparison

_SHOWN = (
    ("average_precision", "average precision"),
    ("auc", "area under the ROC curve"),
    ("f1", "F1 of the decisions"),
    ("balanced_accuracy", "balanced accuracy"),
    ("best_f1", "F1 at the best threshold"),
    ("f1_per_person_mean", "mean F1 per person"),
    ("expected_calibration_error", "expected calibration error"),
    ("diarization_error_rate", "diarization error rate"),
    ("off_screen_recall", "off-screen recall"),
    ("off_screen_precision", "off-screen precision"),
    ("foreign_sound_speaking", "speaking, foreign sound"),
    ("own_sound_fits", "own sound fits"),
    ("own_sound_refused", "own sound refused"),
    ("foreign_sound_fits", "foreign sound fits"),
    ("foreign_sound_refused", "foreign sound refused"),
)
"""Metrics shown on the console, with their labels."""
_MOST_VIDEOS = 20


def print_evaluation(found: Mapping[str, Any], folder: Path) -> None:
    """Print the most important metrics of an evaluation on stdout."""
    from rich.console import Console

    from ..evaluation.bootstrap import interval_of, remark

    console = Console(highlight=False)
    metrics, cost = found["metrics"], found["cost"]
    measure = found["measure"]["name"]
    named = dict(_SHOWN)
    for key, name in {**named, measure: named.get(measure, measure.replace("_", " "))}.items():
        if key in metrics:
            value = "not defined" if metrics[key] is None else f"{metrics[key]:.4f}"
            interval = interval_of(found, key)
            value += f" {interval}" if interval else ""
            mark = "  <- the measure" if key == measure else ""
            console.print(f"{name:<28}{value}{mark}", soft_wrap=True, markup=False)
    if said := remark(found.get("intervals")):
        console.print(said, soft_wrap=True, markup=False)
    if "rows" in metrics:
        console.print(
            f"{metrics['rows']} labelled faces and moments, {metrics['positives']} speaking; "
            f"{metrics['missed']} not found, {metrics['missed_positives']} of them speaking; "
            f"{metrics['unlabelled']} frames of faces without a label",
            soft_wrap=True,
        )
    if len(found["per_video"]) > 1 or any(
        {"speakers", "own_sound"}.intersection(one) for one in found["per_video"].values()
    ):
        _print_videos(found["per_video"])
    if categories := found.get("per_category"):
        _print_metrics("category", categories)
    if cost:
        stages = ", ".join(f"{name} {ms:.1f}" for name, ms in cost["ms_per_frame"].items())
        memory = cost["peak_memory_mib"]
        console.print(
            f"{cost['times_real_time']:.2f} times real time; ms per frame: {stages}; "
            f"{f'{memory:.0f} MiB at most' if memory else 'memory not known'}, "
            f"{cost['model_mb']:.1f} MB of weights",
            soft_wrap=True,
        )
    console.print(str(folder / "evaluation.json"), markup=False, soft_wrap=True)


def _print_videos(per_video: Mapping[str, Mapping[str, Any]]) -> None:
    """Print a table of the metrics of each video, and below it for whom names were taken."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    shown = list(per_video.items())[:_MOST_VIDEOS]
    _print_metrics("video", dict(shown))
    for name, one in shown:
        pairs = (f"{said} is {true or 'nobody'}" for said, true in one.get("speakers", {}).items())
        if told := ", ".join(pairs):
            console.print(Text(f"{name}: {told}"), soft_wrap=True)
    for name, one in shown:
        sounds = [
            f"{whose}: {Fit(**one[key])} (certainty {one[key]['certainty']:.2f})"
            for key, whose in (("own_sound", "own sound"), ("foreign_sound", "foreign sound"))
            if key in one
        ]
        if sounds:
            console.print(Text(f"{name}, {'; '.join(sounds)}"), soft_wrap=True)
    if len(per_video) > _MOST_VIDEOS:
        console.print(f"and {len(per_video) - _MOST_VIDEOS} videos more, in evaluation.json")


def _print_metrics(what: str, table: Mapping[str, Mapping[str, Any]]) -> None:
    """Print a table of metrics by name, with columns for what is known of any."""
    from rich.table import Column, Table
    from rich.text import Text

    from ..evaluation.tables import columns_of, figure

    columns = columns_of(table)
    drawn = Table(*(Column(head, overflow="fold") for head in (what, *columns.values())))
    for name, one in table.items():
        drawn.add_row(Text(name), *(figure(one.get(key)) for key in columns))
    print_wide(drawn)


def print_comparison(table: Comparison, folder: Path) -> None:
    """Print a table of evaluations, on stdout."""
    from rich.console import Console
    from rich.table import Column, Table
    from rich.text import Text

    from ..evaluation.tables import cell_text

    drawn = Table(*(Column(head, overflow="fold") for head in table.heads))
    for row in table.rows:
        drawn.add_row(*(Text(cell_text(cell)) for cell in row))
    print_wide(drawn)
    for note in table.notes:
        Console().print(note, markup=False, highlight=False, soft_wrap=True)
    Console().print(str(folder / "compare.md"), markup=False, highlight=False, soft_wrap=True)
