"""Collects the outcomes of an evaluation's videos, and computes metrics and cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..contracts import Dataset
from ..errors import ConfigError
from ..labels import Judged, LabelledVideo, Measure
from ..provenance import provenance
from ..result import Result
from ..results import turns
from ..sync import CHECK
from ..types import GRID_FPS, Spans
from .checked_dataset import measure_of, predictions_of
from .dataset import DatasetPlan, wanted_names
from .diarization import paired, pooled, who_speaks_error
from .foreign import FOREIGN_FITS, OWN_REFUSED, SPEAKING, Sounds
from .metrics import Confusion
from .off_screen import off_screen_counts, off_screen_metrics
from .protocols import COLUMBIA
from .rows import evaluate_rows, plain_values
from .seen import VideoOutcome

LOWER_IS_BETTER = {
    *("expected_calibration_error", "brier", "nll", "missed", "missed_positives", "unlabelled"),
    *("diarization_error_rate", "false_alarm_s", "missed_s", "confusion_s"),
    *(SPEAKING, FOREIGN_FITS, OWN_REFUSED),
}

_OF_SOME = {
    *("diarization_error_rate", "false_alarm_s", "missed_s", "confusion_s", "total_s"),
    *("off_screen_recall", "off_screen_precision", "off_screen_frames"),
}
"""Metrics that the first video may lack though others have them, as each has files of its own."""
_OF_EACH = ("rows", "positives", "average_precision", "f1", "balanced_accuracy")
"""Metrics of labelled faces in the tables of videos and categories."""


class EvaluatedVideos:
    """The outcomes of the videos evaluated so far.

    Args:
        plan: A plan of `asd evaluate`.
        dataset: The plan's dataset. If it holds predictions, these are evaluated and no video is
            run.

    Attributes:
        rows: By video: its labelled faces with the scores and decisions found for them.
        predicted: Whether the dataset holds predictions, so that there are all rows already.
        names: The names of the videos, in order.
        per_video: By video, what is known of each: `rows`, `positives`, `average_precision`,
            `f1` and `balanced_accuracy` of labelled faces; the who-speaks error and its parts, and
            as `speakers` whom each name in the result was taken for; the metrics of off-screen
            speech; with `sync=check`, as `own_sound` and `foreign_sound`, whether these fit the
            lips, see `core.sync.Fit`. Undefined values are None.
    """

    def __init__(self, plan: DatasetPlan, dataset: Dataset) -> None:
        predicted = predictions_of(plan.dataset.in_words, dataset)
        self.predicted = predicted is not None
        self.names = wanted_names(list(predicted), plan.options.videos) if predicted else []
        self.rows = {name: predicted[name] for name in self.names} if predicted else {}
        self._plan = plan
        self._dataset = dataset
        self.per_video = {name: _of_rows(rows) for name, rows in self.rows.items()}
        self._categories: dict[str, list[str]] = {}
        self._errors: list[Mapping[str, float]] = []
        self._off_screen: list[Confusion] = []
        self._sights: list[VideoOutcome] = []
        self._sounds = Sounds()

    def add(self, video: LabelledVideo, outcome: VideoOutcome) -> None:
        """Add a video.

        Raises:
            ConfigError: The requested measure is none of the metrics of this dataset. Raised at
                the first video, not after all.
        """
        self.names.append(video.name)
        for category in dict.fromkeys(video.categories):
            self._categories.setdefault(category, []).append(video.name)
        self._sights.append(
            replace(outcome, result=replace(outcome.result, tracks=()), foreign=None)
        )
        of_one = self.per_video[video.name] = {}
        if video.judge:
            rows = self.rows[video.name] = video.judge(outcome.result)
            of_one |= _of_rows(rows)
        if video.speakers is not None:
            of_one |= plain_values(self._who_speaks(video, video.speakers, outcome.result))
        if video.off_screen is not None:
            counts = off_screen_counts(video.off_screen, outcome.result)
            if counts is not None:
                self._off_screen.append(counts)
                of_one |= plain_values(off_screen_metrics([counts]))
        of_one |= self._sounds.add(outcome.result, outcome.foreign)
        if len(self.names) == 1:
            self._check_early()

    def per_category(self) -> dict[str, dict[str, Any]]:
        """By category of the dataset: its number of `videos`, and metrics of their labelled faces.

        A video may be in several categories. Categories are in the order in which they came.
        """
        found: dict[str, dict[str, Any]] = {}
        for category, videos in self._categories.items():
            of_one = found[category] = {"videos": len(videos)}
            rows = [self.rows[video] for video in videos if video in self.rows]
            if rows:
                of_one |= _of_rows(Judged.pooled(rows))
        return found

    def metrics(self) -> dict[str, Any]:
        """All metrics over all videos."""
        found: dict[str, Any] = {}
        if self.rows:
            found |= evaluate_rows(Judged.pooled(list(self.rows.values())))
            if self._plan.options.protocol == COLUMBIA:
                # The published script counts who never speaks, by scikit-learn, as 0.
                each = [one["f1"] or 0.0 for one in found["per_person"].values()]
                found["f1_per_person_mean"] = sum(each) / len(each)
        if self._errors:
            found |= pooled(self._errors)
        if self._off_screen:
            found |= plain_values(off_screen_metrics(self._off_screen))
        return found | self._of_sounds()

    def measured(self, metrics: Mapping[str, Any]) -> dict[str, Any]:
        """The evaluation's measure, with its value from the metrics.

        Raises:
            ConfigError: It is none of the metrics.
        """
        measure = self._measure()
        self._check(measure, metrics)
        return {**vars(measure), "value": metrics[measure.name]}

    def cost(self) -> dict[str, Any] | None:
        """Speed, memory and model size, as recorded when each stage was computed, or None."""
        frames = sum(outcome.frames for outcome in self._sights)
        if not frames:
            return None
        spent: dict[str, float] = {}
        for outcome in self._sights:
            for stage, seconds in outcome.timings_s.items():
                spent[stage] = spent.get(stage, 0.0) + seconds
        total = sum(spent.values())
        peaks = [outcome.peak_bytes for outcome in self._sights if outcome.peak_bytes]
        files = [
            f for outcome in self._sights for of_kind in outcome.weights.values() for f in of_kind
        ]
        sizes = {file.path: file.size_bytes for file in files}
        return {
            "times_real_time": frames / GRID_FPS / total,
            "ms_per_frame": {
                **{stage: 1000 * seconds / frames for stage, seconds in spent.items()},
                "all": 1000 * total / frames,
            },
            "peak_memory_mib": max(peaks) / 2**20 if peaks else None,
            "model_mb": sum(sizes.values()) / 1e6,
        }

    def provenance(self) -> dict[str, Any]:
        """The provenance of all videos: versions, weights files and devices."""
        weights = {kind: files for s in self._sights for kind, files in s.weights.items()}
        devices = {kind: device for s in self._sights for kind, device in s.devices.items()}
        return provenance(self._plan.run, weights, devices)

    def _of_sounds(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if self._plan.options.foreign_sound:
            found |= self._sounds.speaking()
        if self._plan.options.sync == CHECK:
            found |= self._sounds.fitting(foreign=self._plan.options.foreign_sound)
        return found

    def _who_speaks(
        self, video: LabelledVideo, speakers: Mapping[str, Spans], result: Result
    ) -> dict[str, Any]:
        said = _speakers(result)
        collar_s = self._plan.options.collar_s
        error = who_speaks_error(speakers, said, video.scored, collar_s)
        self._errors.append(error)
        return {**error, "speakers": paired(speakers, said, video.scored, collar_s)}

    def _measure(self) -> Measure:
        name = self._plan.options.measure
        measure = measure_of(self._plan.dataset.in_words, self._dataset)
        if name is not None:
            measure = Measure(name, name not in LOWER_IS_BETTER)
        return measure

    def _check_early(self) -> None:
        """Check the measure by the first video, if its metrics can be computed."""
        rows = [of_one for of_one in self.rows.values() if len(of_one)]
        found = evaluate_rows(rows[0]) if rows else {}
        found |= self._errors[0] if self._errors else {}
        if found:
            found |= self._of_sounds()
        if found and self._measure().name not in _OF_SOME:
            self._check(self._measure(), found)

    def _check(self, measure: Measure, metrics: Mapping[str, Any]) -> None:
        known = [key for key, value in metrics.items() if not isinstance(value, (dict, list))]
        if measure.name not in known:
            raise ConfigError(
                f"There is no measure {measure.name} with this dataset",
                f"There are {', '.join(known)}" if known else "",
            )


def _of_rows(rows: Judged) -> dict[str, Any]:
    """The metrics of labelled faces in a table; empty without rows."""
    if not len(rows):
        return {}
    found = evaluate_rows(rows)
    return {name: found[name] for name in _OF_EACH}


def _speakers(result: Result) -> dict[str, Spans]:
    """By name: when the result says that this person speaks; off-screen speech has a name, too."""
    said: dict[str, Spans] = {}
    for start_s, end_s, name in turns(result):
        said[name] = (*said.get(name, ()), (start_s, end_s))
    return said
