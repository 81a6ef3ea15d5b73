"""How well a configuration finds who speaks in a labelled dataset, and what that costs."""

from __future__ import annotations

import csv
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..components import Context
from ..contracts import Dataset
from ..errors import ConfigError, OutputError
from ..files import whole_folder
from ..labels import Judged, LabelledVideo, Measure
from ..pipeline import provenance
from ..progress import Progress, silent
from ..results import plain, turns
from ..types import GRID_FPS, Result, Spans
from .dataset import DatasetPlan, Tell, build, sights
from .diarization import pooled, who_speaks_error
from .plots import precision_recall, reliability_plot, require_matplotlib
from .rows import evaluate_rows
from .seen import Sight

SCHEMA = "asdkit.evaluation/1"
FILE = "evaluation.json"
FRAMES_FILE = "frames.csv"
_LOWER_IS_BETTER = {"expected_calibration_error", "brier", "nll", "missed", "missed_positives"}
_LOWER_IS_BETTER |= {"unlabelled", "diarization_error_rate", "false_alarm_s", "missed_s"}
_LOWER_IS_BETTER |= {"confusion_s"}
_COLUMNS = ("person", "time_s", "truth", "score", "probability", "decided", "found", "face_px")
_COLUMNS += ("on_screen",)


@dataclass
class _Gathered:
    """What the videos so far have given."""

    rows: dict[str, Judged]
    errors: list[Mapping[str, float]] = field(default_factory=list)
    sights: list[Sight] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    def add(self, video: LabelledVideo, sight: Sight, collar_s: float) -> None:
        self.names.append(video.name)
        self.sights.append(replace(sight, result=replace(sight.result, tracks=())))
        if video.judge:
            self.rows[video.name] = video.judge(sight.result)
        if video.speakers is not None:
            said = _speakers(sight.result)
            self.errors.append(who_speaks_error(video.speakers, said, video.scored, collar_s))

    def known(self) -> list[str]:
        """The names of the metrics that are numbers."""
        rows = [of_one for of_one in self.rows.values() if len(of_one)]
        found = evaluate_rows(rows[0]) if rows else {}
        numbers = [key for key, value in found.items() if not isinstance(value, (dict, list))]
        return [*numbers, *(self.errors[0] if self.errors else ())]

    def metrics(self) -> dict[str, Any]:
        """All metrics of all videos together."""
        found: dict[str, Any] = {}
        if self.rows:
            found |= evaluate_rows(Judged.pooled(list(self.rows.values())))
        if self.errors:
            found |= pooled(self.errors)
        return found


def evaluate(
    plan: DatasetPlan, folder: Path, tell: Tell, progress: Progress = silent
) -> dict[str, Any]:
    """Evaluate a plan and write what came of it, whole or not at all.

    Args:
        plan: A plan of `asd evaluate`.
        folder: Is made, with evaluation.json, frames.csv, the plots, and a folder for each video
            if there are writers.
        tell: Is told, in lines, what has been done.
        progress: Is told how far each video has come.

    Returns:
        What evaluation.json holds.

    Raises:
        AsdError: The dataset, a video or an option is not usable, or the folder is taken.
    """
    options = plan.options
    _check_free(folder, overwrite=options.overwrite)
    if options.plots:
        require_matplotlib("plots=true", instead="plots=false")
    dataset = build(plan)
    gathered = _Gathered(_predicted(dataset))
    with whole_folder(folder) as new:
        if not gathered.rows:
            _run(plan, dataset, gathered, new, tell, progress)
        metrics = gathered.metrics()
        measure = _measure(dataset, options.measure, gathered.known())
        about = {
            "schema": SCHEMA,
            "dataset": plan.dataset.component.name,
            "videos": gathered.names,
            "measure": {**vars(measure), "value": metrics[measure.name]},
            "metrics": metrics,
            "cost": _cost(gathered.sights),
            "settings": plain(plan.settings),
            "provenance": plain(_origin(plan, gathered.sights)),
        }
        text = json.dumps(about, indent=1, ensure_ascii=False, allow_nan=False)
        (new / FILE).write_text(text + "\n", encoding="utf-8")
        if gathered.rows:
            _write_frames(new / FRAMES_FILE, gathered.rows)
            if options.plots:
                rows = Judged.pooled(list(gathered.rows.values()))
                if rows.truth.any():
                    precision_recall(new / "precision_recall", rows.score, rows.truth)
                reliability_plot(new / "reliability", metrics)
    return about


def _run(
    plan: DatasetPlan,
    dataset: Dataset,
    gathered: _Gathered,
    folder: Path,
    tell: Tell,
    progress: Progress,
) -> None:
    """Look at all videos, and hold what was found against the labels."""
    writers = [chosen.build(Context(plan.options.device)) for chosen in plan.run.writers]
    for video, sight in sights(plan, dataset, tell, progress):
        gathered.add(video, sight, plan.options.collar_s)
        if len(gathered.sights) == 1:
            # An unknown measure is refused after one video, not after all.
            _measure(dataset, plan.options.measure, gathered.known())
        for writer in writers:
            (folder / video.name).mkdir(exist_ok=True)
            writer.write(sight.result, folder / video.name)


def _check_free(folder: Path, *, overwrite: bool) -> None:
    """Refuse a folder that holds something else: it is replaced as a whole."""
    if (folder / FILE).exists():
        if not overwrite:
            raise OutputError(
                f"{folder} already holds an evaluation",
                "Choose another folder with output=FOLDER, or replace it with overwrite=true",
            )
    elif folder.is_dir() and any(folder.iterdir()):
        raise OutputError(
            f"{folder} already holds something else than an evaluation",
            "Choose another folder with output=FOLDER",
        )


def _predicted(dataset: Dataset) -> dict[str, Judged]:
    """Predictions that a dataset judges without a run, if it does."""
    predicted: Judged | None = getattr(dataset, "predicted", None)
    return {} if predicted is None else {"predictions": predicted}


def _measure(dataset: Dataset, name: str | None, known: Collection[str]) -> Measure:
    """What the evaluation is about.

    Raises:
        ConfigError: It is none of the metrics known.
    """
    measure = dataset.measure if name is None else Measure(name, name not in _LOWER_IS_BETTER)
    if measure.name not in known:
        raise ConfigError(
            f"There is no measure {measure.name} with this dataset", f"There are {', '.join(known)}"
        )
    return measure


def _speakers(result: Result) -> dict[str, Spans]:
    """Who is said to speak when, by name; what is spoken off screen is somebody's, too."""
    said: dict[str, Spans] = {}
    for start_s, end_s, name in turns(result):
        said[name] = (*said.get(name, ()), (start_s, end_s))
    return said


def _cost(sights: Sequence[Sight]) -> dict[str, Any] | None:
    """What it takes, as measured when it was computed; None where nothing was run."""
    frames = sum(sight.frames for sight in sights)
    if not frames:
        return None
    stages = dict.fromkeys(stage for sight in sights for stage in sight.timings_s)
    spent = {
        stage: sum(sight.timings_s.get(stage, 0.0) for sight in sights) for stage in stages
    }
    per_frame = {stage: 1000 * seconds / frames for stage, seconds in spent.items()}
    seconds = sum(spent.values())
    peaks = [sight.peak_bytes for sight in sights if sight.peak_bytes]
    used = {file.path: file.size_bytes for s in sights for kind in s.weights.values() for file in kind}
    return {
        "times_real_time": frames / GRID_FPS / seconds,
        "ms_per_frame": {**per_frame, "all": 1000 * seconds / frames},
        "peak_memory_mib": max(peaks) / 2**20 if peaks else None,
        "model_mb": sum(used.values()) / 1e6,
    }


def _origin(plan: DatasetPlan, sights: Sequence[Sight]) -> dict[str, Any]:
    """Where all of it comes from."""
    weights = {kind: files for sight in sights for kind, files in sight.weights.items()}
    devices = {kind: device for sight in sights for kind, device in sight.devices.items()}
    return provenance(plan.run, weights, devices)


def _write_frames(path: Path, rows: Mapping[str, Judged]) -> None:
    """A line for each labelled face and moment."""
    with path.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(("video", *_COLUMNS))
        for video, judged in rows.items():
            columns = []
            for name in _COLUMNS:
                values = getattr(judged, name)
                columns.append((values.astype(int) if values.dtype == bool else values).tolist())
            lines.writerows((video, *row) for row in zip(*columns, strict=True))
