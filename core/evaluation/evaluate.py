"""Evaluates a configuration on a labelled dataset: its metrics, and its cost."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..ava_csv import AvaRows
from ..component import Context
from ..config.variants import SIGN
from ..errors import AsdError, OutputError
from ..figures import files_of, require_matplotlib
from ..files import is_litter, whole_folder
from ..labels import Judged
from ..progress import Progress, silent
from ..results import plain
from ..writing import written
from .bootstrap import intervals
from .dataset import DatasetPlan, Tell, build, outcomes_of
from .evaluated_videos import EvaluatedVideos
from .evaluation_file import FILE, SCHEMA, read_evaluation_file
from .frames_file import FRAMES_FILE, write_frames
from .gallery import GALLERY_FILE, Gallery
from .plots import draw_precision_recall, draw_reliability
from .protocols import NONE, PREDICTIONS_FILE, write_predictions
from .seen import Computes
from .tables import STEM, write_tables

PICTURES = ("precision_recall", "reliability")
_TABLES = (f"{STEM}.md", f"{STEM}.tex")


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
        folder: Created with evaluation.json, frames.csv, tables, the plots, the gallery if it is
            wanted, predictions.csv with a protocol of AVA's form, and, if there are writers, a
            folder for each video.
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
    gallery = Gallery(plan.options.gallery)
    with whole_folder(folder) as new:
        if not evaluated.predicted:
            context = Context(plan.options.device, plan.options.threads)
            writers = [chosen.build(context) for chosen in plan.run.writers]
            foreign = plan.options.foreign_sound
            for video, outcome in outcomes_of(
                plan, dataset, tell, progress, compute, foreign=foreign
            ):
                evaluated.add(video, outcome)
                if video.published and video.published.rows is not None:
                    truth[video.name] = video.published.rows
                gallery.add(video, evaluated.rows.get(video.name), outcome.result)
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
        measure = evaluated.measured(metrics)
        found = {
            "schema": SCHEMA,
            "dataset": plan.dataset.component.name,
            "videos": evaluated.names,
            "predicted": evaluated.predicted,
            "measure": measure,
            "metrics": metrics,
            "intervals": intervals(
                evaluated.rows,
                evaluated.per_video,
                measure["name"],
                plan.options.bootstrap,
                plan.options.seed,
            ),
            "per_video": evaluated.per_video,
            "per_category": evaluated.per_category(),
            "cost": evaluated.cost(),
            "settings": plain(plan.settings),
            "provenance": plain(evaluated.provenance()),
        }
        text = json.dumps(found, indent=1, ensure_ascii=False, allow_nan=False)
        (new / FILE).write_text(text + "\n", encoding="utf-8")
        tables = {"video": found["per_video"], "category": found["per_category"]}
        write_tables(tables, new)
        if plan.options.gallery and not evaluated.predicted:
            gallery.write(new / GALLERY_FILE, _title(plan))
        if evaluated.rows:
            write_frames(new / FRAMES_FILE, evaluated.rows)
            if truth and plan.options.protocol != NONE:
                parts = [(truth[video], rows) for video, rows in evaluated.rows.items()]
                write_predictions(new / PREDICTIONS_FILE, parts)
            if plan.options.plots:
                _draw(evaluated.rows, metrics, new)
    return found


def _title(plan: DatasetPlan) -> str:
    """What is evaluated, in words, with the scorer's main parameter such as its weights."""
    scorer, protocol = plan.run.chosen["scorer"], plan.options.protocol
    value = getattr(scorer.config, scorer.component.variant, None)
    variant = f"{SIGN}{Path(value).name if isinstance(value, str) else value}" if value else ""
    rules = f", protocol={protocol}" if protocol != NONE else ""
    return f"{plan.dataset.component.name}{rules}, scored by {scorer.component.name}{variant}"


def _draw(rows: Mapping[str, Judged], metrics: Mapping[str, Any], folder: Path) -> None:
    """Draw the curves of all rows."""
    pooled = Judged.pooled(list(rows.values()))
    if pooled.truth.any():
        draw_precision_recall(pooled.score, pooled.truth, folder / PICTURES[0])
    draw_reliability(metrics, folder / PICTURES[1])


def _check_free(folder: Path, *, overwrite: bool) -> None:
    """Refuse to write to a folder with other files, as the folder is replaced as a whole."""
    there = (
        {path.name for path in folder.iterdir() if not is_litter(path)}
        if folder.is_dir()
        else set()
    )
    if not there:
        return
    own = {
        *(FILE, FRAMES_FILE, PREDICTIONS_FILE, GALLERY_FILE, *_TABLES),
        *(path.name for stem in PICTURES for path in files_of(Path(stem))),
    }
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
