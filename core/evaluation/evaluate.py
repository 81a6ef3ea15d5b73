"""Evaluates a configuration on a labelled dataset: its metrics, and its cost."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..ava_csv import AvaRows
from ..component import Context
from ..errors import AsdError, OutputError
from ..figures import files_of, require_matplotlib
from ..files import is_litter, whole_folder
from ..labels import Judged
from ..progress import Progress, silent
from ..results import as_cell, plain
from ..writing import written
from .dataset import DatasetPlan, Tell, build, outcomes_of
from .evaluated_videos import EvaluatedVideos
from .evaluation_file import FILE, SCHEMA, read_evaluation_file
from .plots import draw_precision_recall, draw_reliability
from .protocols import NONE, PREDICTIONS_FILE, write_predictions
from .seen import Computes

FRAMES_FILE = "frames.csv"
PICTURES = ("precision_recall", "reliability")
_COLUMNS = [
    *("person", "time_s", "truth", "score", "probability", "decided", "found"),
    *("face_px", "on_screen"),
]


def evaluate(
    plan: DatasetPlan,
    folder: Path,
    tell: Tell,
    progress: Progress = silent,
    compute: Computes | None = None,
) -> dict[str, Any]:
    """Evaluate a plan and write the evaluation to a folder, completely or not at all.

    Args:
        plan: A plan of `asd evaluate`.
        folder: Created with evaluation.json, frames.csv, the plots, and, if there are writers, a
            folder for each video; predictions.csv with a protocol of AVA's form.
        tell: Called with a line of text on each step done.
        progress: Called with the progress of each video.
        compute: Computes what is not cached; by default in this process.

    Returns:
        The content of evaluation.json.

    Raises:
        AsdError: The dataset, a video or an option is not usable, or the folder is taken.
    """
    _check_free(folder, overwrite=plan.options.overwrite)
    if plan.options.plots:
        require_matplotlib("plots=true", instead="plots=false")
    dataset = build(plan)
    evaluated = EvaluatedVideos(plan, dataset)
    truth: dict[str, AvaRows] = {}
    with whole_folder(folder) as new:
        if not evaluated.rows:
            context = Context(plan.options.device, plan.options.threads)
            writers = [chosen.build(context) for chosen in plan.run.writers]
            foreign = plan.options.foreign_sound
            for video, outcome in outcomes_of(
                plan, dataset, tell, progress, compute, foreign=foreign
            ):
                evaluated.add(video, outcome)
                if video.published and video.published.rows is not None:
                    truth[video.name] = video.published.rows
                for chosen, writer in zip(plan.run.writers, writers, strict=True):
                    (new / video.name).mkdir(exist_ok=True)
                    written(
                        chosen.in_words,
                        writer,
                        outcome.result,
                        new / video.name,
                        chosen.component.files,
                    )
        metrics = evaluated.metrics()
        found = {
            "schema": SCHEMA,
            "dataset": plan.dataset.component.name,
            "videos": evaluated.names,
            "measure": evaluated.measured(metrics),
            "metrics": metrics,
            "per_video": evaluated.per_video,
            "cost": evaluated.cost(),
            "settings": plain(plan.settings),
            "provenance": plain(evaluated.provenance()),
        }
        text = json.dumps(found, indent=1, ensure_ascii=False, allow_nan=False)
        (new / FILE).write_text(text + "\n", encoding="utf-8")
        if evaluated.rows:
            _write_frames(new / FRAMES_FILE, evaluated.rows)
            if truth and plan.options.protocol != NONE:
                parts = [(truth[video], rows) for video, rows in evaluated.rows.items()]
                write_predictions(new / PREDICTIONS_FILE, parts)
            if plan.options.plots:
                rows = Judged.pooled(list(evaluated.rows.values()))
                if rows.truth.any():
                    draw_precision_recall(rows.score, rows.truth, new / PICTURES[0])
                draw_reliability(metrics, new / PICTURES[1])
    return found


def _check_free(folder: Path, *, overwrite: bool) -> None:
    """Refuse to write to a folder with other files, as the folder is replaced as a whole."""
    there = (
        {path.name for path in folder.iterdir() if not is_litter(path)}
        if folder.is_dir()
        else set()
    )
    if not there:
        return
    pictures = (path.name for stem in PICTURES for path in files_of(Path(stem)))
    own = {FILE, FRAMES_FILE, PREDICTIONS_FILE, *pictures}
    if FILE in there:
        # If the file is damaged, the videos' folders count as other files.
        with suppress(AsdError):
            own.update(read_evaluation_file(folder / FILE)["videos"])
    if others := sorted(there - own):
        raise OutputError(
            f"{folder} holds something else than an evaluation: {', '.join(others[:3])}",
            "Choose another folder with output=FOLDER: one is replaced as a whole",
        )
    if not overwrite:
        raise OutputError(
            f"{folder} already holds an evaluation",
            "Choose another folder with output=FOLDER, or replace it with overwrite=true",
        )


def _write_frames(path: Path, rows: Mapping[str, Judged]) -> None:
    """Write a line for each labelled face and moment."""
    with path.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(("video", *_COLUMNS))
        for video, judged in rows.items():
            columns = []
            for name in _COLUMNS:
                values = getattr(judged, name)
                columns.append((values.astype(int) if values.dtype == bool else values).tolist())
            lines.writerows(
                (as_cell(video), as_cell(person), *row)
                for person, *row in zip(*columns, strict=True)
            )
