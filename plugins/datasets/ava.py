"""AVA-ActiveSpeaker: ground truth in its CSV, with the videos, face crops or predictions.

Roth et al., "AVA-ActiveSpeaker: An Audio-Visual Dataset for Active Speaker Detection", 2020.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from functools import cached_property, partial
from pathlib import Path

import numpy as np

from ...core.ava_csv import SPEAKING_AUDIBLE, AvaRows, read_ava_truth
from ...core.boxes import iou
from ...core.component import Context
from ...core.errors import InputError
from ...core.labels import Bool, Judged, LabelledFace, LabelledVideo, Measure
from ...core.matching import Label, judge_matches, match
from ...core.media.probe import probe
from ...core.result import Result
from ...core.types import GRID_FPS, Float64
from . import ava_official
from .face_crops import FaceCrops, crops_of
from .folders import check_times, video_of, videos_in
from .published_rows import clip_of_crops, clip_of_video, published
from .stretches import stretches


@dataclass(frozen=True)
class AvaDatasetConfig:
    """Parameters of the `ava` dataset; `videos`, `crops` or `predictions` is needed.

    Attributes:
        truth: The CSV of the labels.
        videos: Folder of the videos, each named by its video_id.
        crops: Folder with clips_videos and clips_audios, instead of the videos.
        predictions: A CSV of predictions to judge; nothing is run.
        offset_s: The second of the movie at which the videos begin: 0 for whole movies, 900 for
            the parts that are shared for this dataset.
        iou_threshold: A face found is the labelled one if their boxes overlap by so much
            (intersection over union), above 0, up to 1.
        max_gap_s: Labels of a face that lie further apart, in seconds, make two face tracks.
    """

    truth: str = "???"
    videos: str | None = None
    crops: str | None = None
    predictions: str | None = None
    offset_s: float = 0.0
    iou_threshold: float = 0.5
    max_gap_s: float = 0.2

    def __post_init__(self) -> None:
        if sum(given is not None for given in (self.videos, self.crops, self.predictions)) != 1:
            raise ValueError("videos, crops or predictions must be given, and only one of them")
        if not 0 < self.iou_threshold <= 1:
            raise ValueError(f"iou_threshold must be above 0, up to 1; got {self.iou_threshold}")
        if not math.isfinite(self.offset_s):
            raise ValueError(f"offset_s must be a number of seconds, got {self.offset_s}")
        if not self.max_gap_s > 0:
            raise ValueError(f"max_gap_s must be above 0, got {self.max_gap_s}")


class Ava:
    """The videos of a file of ground truth; see `core.contracts.Dataset`."""

    measure = Measure("average_precision")
    protocol = "ava"

    def __init__(self, config: AvaDatasetConfig) -> None:
        self._config = config
        self._truth = Path(config.truth)

    def videos(self) -> list[LabelledVideo]:
        """The labelled videos, by name; none if predictions are evaluated."""
        if self._config.predictions is not None:
            return []
        rows = list(_by_video(read_ava_truth(self._truth), self._truth))
        for of_one in rows:
            _check_name(str(of_one.video_id[0]), int(of_one.line[0]), self._truth)
        if self._config.crops is not None:
            return [self._of_crops(of_one, Path(self._config.crops)) for of_one in rows]
        assert self._config.videos is not None
        folder = Path(self._config.videos)
        found = videos_in(folder)
        paths = [video_of(of_one.video_id[0], found, folder, self._truth) for of_one in rows]
        return [self._of_video(of_one, path) for of_one, path in zip(rows, paths, strict=True)]

    @cached_property
    def predicted(self) -> dict[str, Judged] | None:
        """By video, the rows of `predictions` with the truth's labels; None without predictions.

        Raises:
            InputError: A file is invalid, or the two files do not have the same rows.
        """
        if self._config.predictions is None:
            return None
        scores, speaks = ava_official.join_predictions(self._truth, Path(self._config.predictions))
        rows = read_ava_truth(self._truth)
        judged = judge_scores(rows, scores, speaks, self._config.offset_s)
        return {
            str(video): judged.part(rows.video_id == video) for video in np.unique(rows.video_id)
        }

    def _of_video(self, rows: AvaRows, path: Path) -> LabelledVideo:
        media = probe(path, allow_silent=True)
        info = media.info
        time_s = rows.time_s - self._config.offset_s - info.start_s
        check_times(
            time_s[0],
            time_s[-1],
            info.duration_s,
            self._truth,
            f"Set dataset.offset_s to the second of the movie at which {path} begins, such as 900",
        )
        size = (info.width, info.height)
        whole = published(rows, time_s, size, partial(clip_of_video, media, rows, time_s), path)
        return replace(self._labelled(rows, time_s, path, size, {}), published=whole)

    def _of_crops(self, rows: AvaRows, folder: Path) -> LabelledVideo:
        """A video of which there are only crops; its size is computed from the largest one."""
        faces, first = np.unique(rows.entity_id, return_index=True)
        begins_s = dict(zip(faces.tolist(), rows.time_s[first].tolist(), strict=True))
        crops = crops_of(folder, rows.video_id[0], begins_s)
        sides = rows.boxes[:, 2:] - rows.boxes[:, :2]
        largest = int(sides.min(1).argmax())
        if sides[largest].min() <= 0:
            raise InputError(f"No box of {rows.video_id[0]} in {self._truth} has a size")
        picture = crops[rows.entity_id[largest]].picture_near(rows.time_s[largest])
        height, width = picture.shape[:2]
        size = (round(width / sides[largest, 0]), round(height / sides[largest, 1]))
        time_s = rows.time_s - self._config.offset_s
        whole = published(rows, time_s, size, partial(clip_of_crops, crops, rows))
        return replace(self._labelled(rows, time_s, None, size, crops), published=whole)

    def _labelled(
        self,
        rows: AvaRows,
        time_s: Float64,
        path: Path | None,
        size: tuple[int, int],
        crops: dict[str, FaceCrops],
    ) -> LabelledVideo:
        boxes = rows.boxes * (size * 2)
        speaks = rows.label == SPEAKING_AUDIBLE
        labels = [
            Label(*label) for label in zip(rows.entity_id, time_s, speaks, boxes, strict=True)
        ]
        faces = []
        for face in np.unique(rows.entity_id):
            which = rows.entity_id == face
            for first, on_grid in stretches(time_s[which], boxes[which], self._config.max_gap_s):
                clips, sizes = None, None
                if face in crops:
                    frames = np.arange(first, first + len(on_grid))
                    times = frames / GRID_FPS + self._config.offset_s
                    clips = partial(crops[face].clips, times, self._config.max_gap_s)
                    sizes = partial(crops[face].sizes, self._config.offset_s)
                faces.append(LabelledFace(first, on_grid, clips, sizes))
        return LabelledVideo(
            name=str(rows.video_id[0]),
            path=path,
            judge=partial(judge_boxes, labels, iou_threshold=self._config.iou_threshold),
            faces=tuple(faces),
        )


def judge_boxes(labels: list[Label], result: Result, *, iou_threshold: float) -> Judged:
    """Match tracks with labels: each label gets the found face whose box overlaps it most."""
    return judge_matches(labels, match(labels, result.tracks, iou, iou_threshold), result.tracks)


def judge_scores(rows: AvaRows, scores: Float64, speaks: Bool, offset_s: float = 0.0) -> Judged:
    """Combine predictions and truth.

    Args:
        rows: The truth.
        scores: (n,) score of each row, -inf if no face was found. If all others are from 0 to 1,
            they are probabilities, else logits.
        speaks: (n,) whether each row speaks.
        offset_s: The second of the movie at which the videos begin.
    """
    found = scores > -np.inf
    logits = scores
    if ((scores >= 0) & (scores <= 1) | ~found).all():
        with np.errstate(divide="ignore"):  # the logit of 0 or 1 is infinite
            chance = np.where(found, scores, 0)
            logits = np.log(chance) - np.log1p(-chance)
    moments = np.stack([np.unique(rows.video_id, return_inverse=True)[1], rows.time_s], 1)
    _, moment, count = np.unique(moments, axis=0, return_inverse=True, return_counts=True)
    return Judged(
        person=rows.entity_id,
        time_s=rows.time_s - offset_s,
        truth=speaks,
        logits=np.stack([np.zeros(len(rows)), logits], 1),
        decided=found & (logits >= 0),
        found=found,
        face_px=np.full(len(rows), np.nan),
        on_screen=count[moment.ravel()],
        ranked_by=scores,
    )


def _check_name(video: str, line: int, path: Path) -> None:
    """Check that a video's name is not a path to another folder, as files are searched by name."""
    if not video.strip(". ") or re.search(r"[/\\\0]", video):
        raise InputError(
            f"{path}:{line} has {video[:100]!r} as video_id",
            "It should be the name of a video, without a folder and without suffix",
        )


def _by_video(rows: AvaRows, path: Path) -> Iterator[AvaRows]:
    """The rows of each video, by name, in order of time."""
    order = np.lexsort((rows.entity_id, rows.time_s, rows.video_id))
    video, face, time_s = (a[order] for a in (rows.video_id, rows.entity_id, rows.time_s))
    again = (video[1:] == video[:-1]) & (face[1:] == face[:-1]) & (time_s[1:] == time_s[:-1])
    if again.any():
        line = max(rows.line[order[k + int(again.argmax())]] for k in (0, 1))
        raise InputError(f"{path}:{line} labels a face at one moment again", "Leave out one line")
    for which in np.split(order, np.flatnonzero(video[1:] != video[:-1]) + 1):
        yield AvaRows(*(getattr(rows, field.name)[which] for field in fields(AvaRows)))


def build(config: AvaDatasetConfig, context: Context) -> Ava:
    """Build the dataset."""
    return Ava(config)
