"""Results of earlier runs as labels: weak ones, as a run decided, or corrected by their reader."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from ...core.arrays import within
from ...core.component import Context
from ...core.data.corrected import (
    check_own_files,
    corrected_turns,
    own_file,
    read_result,
    results_in,
)
from ...core.errors import ConfigError, InputError
from ...core.labels import Bool, LabelledFace, LabelledVideo, Measure
from ...core.matching import Label
from ...core.media.container import Reading
from ...core.media.of_result import place_of
from ...core.result import Result
from ...core.results import turns
from ...core.types import GRID_FPS, Spans, Track
from .ava import judge_boxes
from .folders import video_of, videos_in

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ResultsConfig:
    """Parameters of the `results` dataset.

    Attributes:
        folder: A folder of results, as `asd run` and `asd batch` write them, or one that holds
            several, however deep.
        videos: Folder of the videos, if they are not where the runs found them any more.
        names: Names for the people of the results, as report.html saves them: a file, or a folder
            of NAME.json, each called like the folder of its result.
        turns: Who speaks when, in place of what was decided: an RTTM file, such as a corrected
            speakers.rttm, or a folder of NAME.rttm. Results without one keep their decisions.
        min_confidence: Of what was decided only frames count in which it has at least this
            probability, from 0 to 1: with 0.9 those of which 0.9 or more says that the face
            speaks, and 0.1 or less that it does not. Corrected turns count as they are.
        iou_threshold: A face found is the labelled one if their boxes overlap by so much
            (intersection over union), above 0, up to 1.
    """

    folder: str = "???"
    videos: str | None = None
    names: str | None = None
    turns: str | None = None
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

    def videos(self) -> list[LabelledVideo]:
        """The videos of the results, by the names of their folders."""
        config = self._config
        folder = None if config.videos is None else Path(config.videos)
        moved = {} if folder is None else videos_in(folder)
        videos = []
        originals: dict[Path, Path] = {}
        """By video in the folder of moved ones: what the runs found it as."""
        results = results_in([config.folder])
        check_own_files(config.names, results, ".json")
        check_own_files(config.turns, results, ".rttm")
        for name, path in results.items():
            result = _named(path, own_file(config.names, name, ".json"))
            if why := _unusable(result):
                _log.warning("%s is left out: %s", path, why)
                continue
            if folder is None:
                video = place_of(result.video.path, result)
            else:
                video = video_of(result.video.path.stem, moved, folder, path)
                original = originals.setdefault(video, result.video.path)
                if original != result.video.path:
                    raise InputError(
                        f"{video} would be taken for two videos, {original} and "
                        f"{result.video.path}, which {path} is about",
                        "Leave out the results of one of them, or videos where the runs found them",
                    )
            if not video.exists():
                raise InputError(
                    f"{video}, which {path} is about, is not there any more",
                    "Say where the videos are now: dataset.videos=FOLDER",
                )
            corrected = own_file(config.turns, name, ".rttm")
            told = None if corrected is None else corrected_turns(corrected, result)
            videos.append(self._labelled(name, video, result, told))
        return videos

    def _labelled(
        self, name: str, video: Path, result: Result, told: Mapping[str, Spans] | None
    ) -> LabelledVideo:
        labels = labels_of(result, self._config.min_confidence, told)
        return LabelledVideo(
            name=name,
            path=video,
            judge=partial(judge_boxes, labels, iou_threshold=self._config.iou_threshold),
            faces=tuple(LabelledFace(track.first_frame, track.boxes) for track in result.tracks),
            speakers=_speakers(result) if told is None else told,
            off_screen=_off_screen(result) if told is None else None,
        )


def labels_of(
    result: Result, min_confidence: float, told: Mapping[str, Spans] | None
) -> list[Label]:
    """A label for each frame of each track that is sure enough, in order of time.

    Args:
        result: The result.
        min_confidence: The least probability of what was decided.
        told: By name of tracks: when they speak, in place of what was decided; it is sure.
    """
    labels = [one for track in result.tracks for one in _labels(track, min_confidence, told)]
    return sorted(labels, key=lambda label: label.time_s)


def _labels(
    track: Track, min_confidence: float, told: Mapping[str, Spans] | None
) -> Iterator[Label]:
    if told is None:
        speaks = track.speaking_frames
        sure = np.where(speaks, track.probabilities, 1 - track.probabilities) >= min_confidence
    else:
        speaks = within(told.get(track.name, ()), track.first_frame, len(track), GRID_FPS)
        sure = np.ones(len(track), np.bool_)
    for place in np.flatnonzero(sure).tolist():
        time_s = (track.first_frame + place) / GRID_FPS
        yield Label(track.name, time_s, bool(speaks[place]), track.boxes[place])


def _named(path: Path, names: Path | None) -> Result:
    """A result, with the names that a file gives.

    Raises:
        InputError: A file is damaged, or names somebody who is not in the result.
    """
    try:
        return read_result(path, names)
    except ConfigError as error:
        raise InputError(f"{names} is not of {path}: {error.what}", error.hint) from error


def _unusable(result: Result) -> str:
    """Why a result's video cannot be used; empty if it can.

    A dataset's video has the picture and the sound that its file says, as they are.
    """
    if result.sound_path is None:
        return "it is of a video without sound"
    if result.sound_path != result.video.path:
        return f"its sound is in a file of its own, {result.sound_path.name}"
    if result.sync is not None and result.sync.moved_s:
        return f"its sound had to be moved by {result.sync.moved_s:g} s to fit the lips"
    usual = Reading()
    for name in ("video_track", "sound_track", "program", "rotate"):
        value = result.settings.get(name, getattr(usual, name))
        if value != getattr(usual, name):
            return f"it was read with {name}={value}"
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


def build(config: ResultsConfig, context: Context) -> Results:
    """Build the dataset."""
    return Results(config)
