"""Results of earlier runs as labels: weak ones, as a run decided them, with names put right."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from ...core.arrays import within
from ...core.component import Context
from ...core.errors import ConfigError, InputError
from ...core.files import is_litter, same_form
from ...core.labels import Bool, LabelledFace, LabelledVideo, Measure
from ...core.matching import Label
from ...core.media.of_result import place_of
from ...core.names_file import read_names
from ...core.result import Result
from ...core.results import FILE, turns
from ...core.types import GRID_FPS, Spans, Track
from .ava import judge_boxes
from .folders import video_of, videos_in

NAMES = "names.json"
"""The file of names beside a result, as the report saves it."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ResultsConfig:
    """Parameters of the `results` dataset.

    Attributes:
        folder: Holds a result.json, or folders that do, as `asd run` and `asd batch` write them;
            beside each perhaps names.json, as the report saves it.
        videos: Folder of the videos, if they are not where the runs found them any more.
        min_confidence: Only frames count in which what was decided has at least this probability,
            from 0 to 1; 0.9 takes faces of whom 0.9 or more says that they speak, and 0.1 or less
            that they do not.
        iou_threshold: A face found is the labelled one if their boxes overlap by so much
            (intersection over union), above 0, up to 1.
    """

    folder: str = "???"
    videos: str | None = None
    min_confidence: float = 0.0
    iou_threshold: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.min_confidence <= 1:
            raise ValueError(f"min_confidence must be from 0 to 1, got {self.min_confidence}")
        if not 0 < self.iou_threshold <= 1:
            raise ValueError(f"iou_threshold must be above 0, up to 1; got {self.iou_threshold}")


class Results:
    """The videos of earlier results; see `core.contracts.Dataset`."""

    measure = Measure("average_precision")

    def __init__(self, config: ResultsConfig) -> None:
        self._config = config
        self._folder = Path(config.folder)

    def videos(self) -> list[LabelledVideo]:
        """The videos of the results, by the names of their folders."""
        found = None if self._config.videos is None else videos_in(Path(self._config.videos))
        videos = []
        for path in result_files(self._folder):
            result = read_result(path)
            if why := _unusable(result):
                _log.warning("%s is left out: %s", path, why)
                continue
            if found is None:
                video = place_of(result.video.path, result)
            else:
                assert self._config.videos is not None
                stem = result.video.path.stem
                video = video_of(stem, found, Path(self._config.videos), path)
            videos.append(self._labelled(_name(path), video, result, path))
        return videos

    def _labelled(self, name: str, video: Path, result: Result, path: Path) -> LabelledVideo:
        if not video.exists():
            raise InputError(
                f"{video}, which {path} is about, is not there any more",
                "Say where the videos are now: dataset.videos=FOLDER",
            )
        labels = labels_of(result, self._config.min_confidence)
        return LabelledVideo(
            name=name,
            path=video,
            judge=partial(judge_boxes, labels, iou_threshold=self._config.iou_threshold),
            faces=tuple(LabelledFace(track.first_frame, track.boxes) for track in result.tracks),
            speakers=_speakers(result),
            off_screen=_off_screen(result),
        )


def result_files(folder: Path) -> list[Path]:
    """The result.json of a folder, or of the folders in it, by name.

    Raises:
        InputError: There is none.
    """
    try:
        folders = [folder, *sorted(folder.iterdir())]
    except OSError as error:
        raise InputError(
            f"Cannot read the folder {folder}: {error.strerror or error}",
            "Check its name and its permissions",
        ) from error
    own = (one / FILE for one in folders if not is_litter(one) and not one.name.startswith("."))
    files = [path for path in (folder / FILE, *own) if path.is_file()]
    if not files:
        raise InputError(
            f"{folder} holds no {FILE}, nor do the folders in it",
            "Give the output folder of asd batch or of asd run",
        )
    return list(dict.fromkeys(files))


def read_result(path: Path) -> Result:
    """A result with the names that a file beside it gives.

    Raises:
        InputError: A file is damaged, or names somebody who is not in the result.
    """
    result = Result.load(path)
    names = path.with_name(NAMES)
    if not names.exists():
        return result
    try:
        return result.renamed(read_names(names))
    except ConfigError as error:
        raise InputError(f"{names} does not fit {path.name}: {error.what}", error.hint) from error


def labels_of(result: Result, min_confidence: float) -> list[Label]:
    """A label for each frame of each track whose decision is sure enough, in order of time.

    Args:
        result: The result.
        min_confidence: The least probability of what was decided.
    """
    labels = [one for track in result.tracks for one in _labels(track, min_confidence)]
    return sorted(labels, key=lambda label: label.time_s)


def _labels(track: Track, min_confidence: float) -> Iterator[Label]:
    speaks = track.speaking_frames
    sure = np.where(speaks, track.probabilities, 1 - track.probabilities) >= min_confidence
    for place in np.flatnonzero(sure).tolist():
        time_s = (track.first_frame + place) / GRID_FPS
        yield Label(track.name, time_s, bool(speaks[place]), track.boxes[place])


def _unusable(result: Result) -> str:
    """Why a result's video cannot be used; empty if it can.

    A dataset's video has the sound of its own file, as it is.
    """
    if result.sound_path is None:
        return "it is of a video without sound"
    if result.sound_path != result.video.path:
        return f"its sound is in a file of its own, {result.sound_path.name}"
    if result.sync is not None and result.sync.moved_s:
        return f"its sound had to be moved by {result.sync.moved_s:g} s to fit the lips"
    return ""


def _speakers(result: Result) -> Mapping[str, Spans]:
    """By name: when this person speaks."""
    spans: dict[str, list[tuple[float, float]]] = {}
    for start_s, end_s, name in turns(result):
        spans.setdefault(name, []).append((start_s, end_s))
    return {name: tuple(own) for name, own in spans.items()}


def _off_screen(result: Result) -> Bool | None:
    """For each frame from 0 on, whether somebody speaks off screen; None if it is not known."""
    if result.off_screen is None or not result.shots:
        return None
    return within(result.off_screen, 0, result.shots[-1][1], GRID_FPS)


def _name(path: Path) -> str:
    """The name of a result's folder."""
    return same_form(path.resolve().parent.name)


def build(config: ResultsConfig, context: Context) -> Results:
    """Build the dataset."""
    return Results(config)
