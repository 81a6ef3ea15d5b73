"""The Columbia dataset: one long video, and a file of labels for each person in it.

Chakravarty and Tuytelaars, "Cross-modal Supervision for Learning Active Speaker Detection in
Video", 2016.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from ...core.component import Context
from ...core.errors import InputError
from ...core.files import folder_name, same_form
from ...core.labels import Judged, LabelledFace, LabelledVideo, Measure, Published
from ...core.matching import Label, judge_matches, match
from ...core.media.probe import probe
from ...core.named_files import lines_of, shown
from ...core.result import Result
from ...core.types import Float64
from .folders import check_times, files_in
from .published_columbia import judge_by_script
from .stretches import stretches

_MAX_GAP_S = 0.2
_LARGEST = 10**9
"""Largest number accepted as a frame or a pixel position."""
_FORM = "Each line should be FRAME<TAB>X<TAB>Y<TAB>SIZE<TAB>LABEL, whole numbers, LABEL 0 or 1"


@dataclass(frozen=True)
class ColumbiaConfig:
    """Parameters of the `columbia` dataset.

    Attributes:
        labels: Folder of the labels, NAME.txt for each person.
        video: The video.
        label_fps: Frames a second that the labels count.
        scale: Pixels of the video for each pixel of the labels.
    """

    labels: str = "???"
    video: str = "???"
    label_fps: float = 29.97
    scale: float = 1.0

    def __post_init__(self) -> None:
        for name in ("label_fps", "scale"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name} must be above 0, got {getattr(self, name)}")


class Columbia:
    """One video with labels of each person; see `core.contracts.Dataset`."""

    measure = Measure("f1_per_person_mean")
    protocol = "columbia"

    def __init__(self, config: ColumbiaConfig) -> None:
        self._config = config

    def videos(self) -> list[LabelledVideo]:
        """The one video."""
        path = Path(self._config.video)
        duration_s = probe(path, allow_silent=True).info.duration_s
        labels: list[Label] = []
        faces: list[LabelledFace] = []
        for file in files_in(Path(self._config.labels), ".txt", "labels"):
            of_one = read_labels(file, self._config.label_fps, self._config.scale)
            times = np.array([label.time_s for label in of_one])
            hint = f"Check that it labels {path}, at {self._config.label_fps} frames a second"
            check_times(0, times[-1], duration_s, file, hint)
            boxes = np.stack([label.box for label in of_one])
            faces += (LabelledFace(*stretch) for stretch in stretches(times, boxes, _MAX_GAP_S))
            labels += of_one
        labels.sort(key=lambda label: (label.time_s, label.person))
        return [
            LabelledVideo(
                same_form(folder_name(path)),
                path,
                partial(judge_centres, labels),
                tuple(faces),
                published=Published(partial(judge_by_script, labels, self._config.scale)),
            )
        ]


def read_labels(path: Path, label_fps: float, scale: float) -> list[Label]:
    """The labels of one person, in order of time.

    Args:
        path: The file, named by the person; its lines are frame (from 0), left, top, side of the
            face's square, and 1 if it speaks.
        label_fps: Frames a second.
        scale: Pixels of the video for each pixel of the labels.

    Raises:
        InputError: The file cannot be read, is empty, or has an invalid line.
    """
    by_frame: dict[int, Label] = {}
    for where, words in lines_of(path, "labels"):
        try:
            frame, left, top, side, speaks = numbers = [int(word) for word in words]
        except ValueError as error:
            raise InputError(f"{where} holds {shown(' '.join(words))}", _FORM) from error
        huge = max(map(abs, numbers)) > _LARGEST
        if huge or frame < 0 or side <= 0 or speaks not in {0, 1}:
            raise InputError(f"{where} holds {shown(' '.join(words))}", _FORM)
        if frame in by_frame:
            raise InputError(f"{where} labels frame {frame} again", "Leave out one of the lines")
        box = scale * np.array([left, top, left + side, top + side])
        by_frame[frame] = Label(same_form(path.stem), frame / label_fps, bool(speaks), box)
    if not by_frame:
        raise InputError(f"{path} has no label", _FORM)
    return [by_frame[frame] for frame in sorted(by_frame)]


def judge_centres(labels: list[Label], result: Result) -> Judged:
    """Match tracks with labels: each label gets the found face with the nearest centre.

    That centre must lie in the labelled square.
    """
    return judge_matches(labels, match(labels, result.tracks, _nearness, -1), result.tracks)


def _nearness(labelled: Float64, found: Float64) -> Float64:
    """Minus the distance of centres, (n, m), in half sides of the label: -1 is on its edge."""
    sides = labelled[:, 2:] - labelled[:, :2]
    apart = (labelled[:, :2] + labelled[:, 2:])[:, None] - (found[:, :2] + found[:, 2:])
    nearness: Float64 = -np.abs(apart / sides[:, None]).max(-1)
    return nearness


def build(config: ColumbiaConfig, context: Context) -> Columbia:
    """Build the dataset."""
    return Columbia(config)
