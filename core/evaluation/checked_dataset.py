"""Checks what a dataset returns against its contract; errors name the dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from ..analysis.answers import asked
from ..contracts import Dataset
from ..errors import PluginError
from ..labels import Judged, LabelledFace, LabelledVideo, Measure
from ..result import Result
from ..types import Clip, Float64
from .protocols import NONE, under


def videos_of(name: str, dataset: Dataset, protocol: str = NONE) -> list[LabelledVideo]:
    """The videos of a dataset, checked; what is asked of them later is checked then.

    Args:
        name: The dataset in words, such as "dataset=ava (asdkit 0.1.0)".
        dataset: The dataset.
        protocol: How the videos are looked at; see `core.evaluation.protocols`.

    Raises:
        PluginError: The dataset failed, returned anything but videos, or gave two one name. The
            `judge` of a video and the `clips` of its faces raise it later, if these fail or return
            something wrong.
    """
    with asked(name):
        answer = dataset.videos()
    if not isinstance(answer, Sequence) or isinstance(answer, str | bytes):
        raise PluginError(
            f"{name} must answer with a sequence of LabelledVideo, but answered with a "
            f"{type(answer).__name__}",
            "Return a list, which can be gone through twice",
        )
    with asked(name):
        videos = list(answer)
    for video in videos:
        if not isinstance(video, LabelledVideo):
            raise PluginError(
                f"{name} must answer with a sequence of LabelledVideo, but in it is a "
                f"{type(video).__name__}"
            )
    names = [video.name for video in videos]
    if twice := [one for one in names if names.count(one) > 1]:
        raise PluginError(
            f"{name} gives two videos one name: {twice[0]}",
            "Make names unique, for example by the name of the folder",
        )
    return [_checked(name, under(protocol, name, video)) for video in videos]


def measure_of(name: str, dataset: Dataset) -> Measure:
    """The default metric of a dataset.

    Raises:
        PluginError: It has none.
    """
    with asked(name):
        measure: Any = dataset.measure
    if not isinstance(measure, Measure):
        raise PluginError(
            f"{name} must have a Measure as its measure, but has {measure!r}",
            'As in: measure = asdkit.plugin.Measure("average_precision")',
        )
    return measure


def predictions_of(name: str, dataset: Dataset) -> dict[str, Judged] | None:
    """By video, the rows of a dataset that holds predictions, so that none is run; else None.

    Raises:
        PluginError: They are no rows by video, or reading them fails.
    """
    with asked(name):
        predicted = getattr(dataset, "predicted", None)
    if predicted is None:
        return None
    if not isinstance(predicted, Mapping) or not predicted:
        raise PluginError(
            f"{name} must have predictions as a mapping from the names of videos to Judged, but "
            f"has a {type(predicted).__name__}"
        )
    return {str(video): _rows(name, rows) for video, rows in predicted.items()}


def _checked(name: str, video: LabelledVideo) -> LabelledVideo:
    """A video whose functions check what they return."""
    faces = tuple(_checked_face(name, face) for face in video.faces)
    judge = partial(_judged, name, video) if video.judge else None
    return replace(video, faces=faces, judge=judge)


def _checked_face(name: str, face: LabelledFace) -> LabelledFace:
    if face.clips:
        face = replace(face, clips=partial(_clips, name, face))
    return replace(face, crops=partial(_crops, name, face)) if face.crops else face


def _crops(name: str, face: LabelledFace) -> Float64:
    assert face.crops
    with asked(name):
        sizes = face.crops()
    if not isinstance(sizes, np.ndarray) or sizes.ndim != 2 or sizes.shape[1] != 3:
        raise PluginError(
            f"{name} must answer with an array (m, 3) of the times and sizes of a face's crops"
        )
    return sizes.astype(np.float64)


def _judged(name: str, video: LabelledVideo, result: Result) -> Judged:
    assert video.judge
    with asked(name):
        rows = video.judge(result)
    return _rows(name, rows)


def _rows(name: str, rows: Any) -> Judged:
    if not isinstance(rows, Judged):
        raise PluginError(
            f"{name} must judge with Judged, but did with a {type(rows).__name__}",
            "asdkit.plugin.judge_matches makes it of labels and matched faces",
        )
    return rows


def _clips(name: str, face: LabelledFace) -> Sequence[Clip]:
    assert face.clips
    with asked(name):
        clips = face.clips()
    whole = isinstance(clips, Sequence) and all(isinstance(clip, Clip) for clip in clips)
    if not whole or sum(map(len, clips)) != len(face.boxes):
        raise PluginError(
            f"{name} must answer with clips of all {len(face.boxes)} frames of a face from frame "
            f"{face.first_frame} on, but answered with others",
            "Give one crop for each box, in successive clips of at most a minute",
        )
    return clips
