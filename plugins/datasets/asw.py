"""ASW, Active Speakers in the Wild: a JSON of face tracks for each video, labels 5 times a second.

Kim et al., "Look Who's Talking: Active Speaker Detection in the Wild", 2021;
github.com/clovaai/lookwhostalking.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ...core.boxes import iou
from ...core.component import Context
from ...core.errors import InputError
from ...core.files import same_form
from ...core.labels import Bool, Judged, LabelledFace, LabelledVideo, Measure
from ...core.matching import Label, judge_matches, match
from ...core.media.probe import probe
from ...core.named_files import lines_of, read_json, shown
from ...core.result import Result
from ...core.spelling import one_of
from ...core.types import Float64
from .ava import AvaDatasetConfig
from .folders import check_times, videos_in
from .stretches import stretches

SPLITS = ("dev", "val", "test")
_FORM = (
    'It should be {TRACK: [{"time": SECONDS, "bbox": [x1, y1, x2, y2], "label": 0 or 1, '
    '"eval": 0 or 1}, ...], ...}, times rising'
)
_LARGEST = 1e8
"""Largest number accepted as a time in seconds or a position in a picture."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class AswConfig:
    """Parameters of the `asw` dataset.

    Attributes:
        labels: The published folder, with json/VIDEO.json and split/testset.list.
        videos: Folder of the videos, each named as its JSON.
        split: "test", "val" or "dev", which trains.
    """

    labels: str = "???"
    videos: str = "???"
    split: str = field(default="test", metadata={"values": SPLITS})

    def __post_init__(self) -> None:
        if self.split not in SPLITS:
            raise ValueError(one_of("split", self.split, SPLITS))


@dataclass(frozen=True, eq=False)
class FaceTruth:
    """One face track of n moments.

    Attributes:
        time_s: (n,) float64, rising, seconds on the clock of the video's file.
        boxes: (n, 4) float64, x1, y1, x2, y2 relative to the picture; those of faces at its edge
            reach beyond 0 and 1.
        speaks: (n,) bool.
        evaluated: (n,) bool, whether the moment counts.
    """

    time_s: Float64
    boxes: Float64
    speaks: Bool
    evaluated: Bool


class Asw:
    """The videos of one split that are there; see `core.contracts.Dataset`."""

    measure = Measure("average_precision")

    def __init__(self, config: AswConfig) -> None:
        self._config = config

    def videos(self) -> list[LabelledVideo]:
        """The videos, by name.

        Those that are not in the folder are left out with a warning, as the dataset's authors ask,
        since videos vanish from YouTube.

        Raises:
            InputError: A file is missing or invalid, or no video is there.
        """
        labels, folder = Path(self._config.labels), Path(self._config.videos)
        listed = labels / "split" / f"{self._config.split}set.list"
        if not listed.is_file():
            raise InputError(
                f"{labels} has no split/{listed.name}",
                "Give the folder with json/VIDEO.json and split/SPLITset.list, as it was published",
            )
        names = sorted({same_form(Path(words[0]).stem) for _, words in lines_of(listed, "split")})
        found = videos_in(folder)
        missing = [name for name in names if name not in found]
        if len(missing) == len(names):
            raise InputError(
                f"{folder} holds none of the {len(names)} videos that {listed} names",
                "Put the videos there, each named as its JSON: VIDEO.mp4 or with another suffix",
            )
        if missing:
            _log.warning(
                "%d of the %d videos that %s names are not in %s and are left out: %s",
                *(len(missing), len(names), listed, folder, ", ".join(missing)),
            )
        there = [name for name in names if name in found]
        return [_labelled(labels / "json" / f"{name}.json", name, found[name]) for name in there]


def _labelled(truth: Path, name: str, path: Path) -> LabelledVideo:
    info = probe(path, allow_silent=True).info
    size = (info.width, info.height)
    rows: list[tuple[Label, bool]] = []
    faces: list[LabelledFace] = []
    for track, face in read_faces(truth).items():
        time_s, boxes = face.time_s - info.start_s, face.boxes * (size * 2)
        check_times(
            *(time_s[0], time_s[-1], info.duration_s, truth), f"Check that it is about {path}"
        )
        labels = zip(time_s, face.speaks, boxes, strict=True)
        told = [Label(f"{name}:{track}", *label) for label in labels]
        rows += zip(told, face.evaluated.tolist(), strict=True)
        faces += (LabelledFace(*stretch) for stretch in stretches(time_s, boxes, math.inf))
    rows.sort(key=lambda row: (row[0].time_s, row[0].person))
    return LabelledVideo(name, path, partial(judge_evaluated, rows), tuple(faces))


def judge_evaluated(rows: Sequence[tuple[Label, bool]], result: Result) -> Judged:
    """Match tracks with labels by their overlap; keep the rows of moments that are evaluated.

    Args:
        rows: Labels in order of time, each with whether it is evaluated. Those that are not have a
            found face of their own all the same, which no other label gets.
        result: The result to judge.
    """
    labels = [label for label, _ in rows]
    matched = match(labels, result.tracks, iou, AvaDatasetConfig.iou_threshold)
    kept = [k for k, (_, evaluated) in enumerate(rows) if evaluated]
    return judge_matches([labels[k] for k in kept], [matched[k] for k in kept], result.tracks)


def read_faces(path: Path) -> dict[str, FaceTruth]:
    """Read the face tracks of one video, by name.

    Raises:
        InputError: The file cannot be read or is invalid.
    """
    content = read_json(path, "a JSON of face tracks", _FORM)
    if not (isinstance(content, dict) and content):
        raise InputError(f"{path} has no face track", _FORM)
    faces = {}
    for track, moments in sorted(content.items()):
        before = -math.inf
        if not (isinstance(moments, list) and moments):
            raise InputError(f"{path} has no moment of {shown(track)}", _FORM)
        for moment in moments:
            if not _is_moment(moment) or moment["time"] <= before:
                raise InputError(f"{path} has {shown(moment)} in {shown(track)}", _FORM)
            before = moment["time"]
        faces[same_form(track)] = FaceTruth(
            np.array([moment["time"] for moment in moments], np.float64),
            np.array([moment["bbox"] for moment in moments], np.float64),
            np.array([moment["label"] for moment in moments], np.bool_),
            np.array([moment["eval"] for moment in moments], np.bool_),
        )
    return faces


def _is_moment(moment: Any) -> bool:
    if not (isinstance(moment, Mapping) and {"time", "bbox", "label", "eval"} <= moment.keys()):
        return False
    box = moment["bbox"]
    return (
        isinstance(box, list)
        and len(box) == 4
        and all(_is_number(value) for value in (moment["time"], *box))
        and box[0] <= box[2]
        and box[1] <= box[3]
        and all(_is_number(moment[key]) and moment[key] in (0, 1) for key in ("label", "eval"))
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _LARGEST


def build(config: AswConfig, context: Context) -> Asw:
    """Build the dataset."""
    return Asw(config)
