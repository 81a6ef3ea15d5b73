"""Matches found faces with labels, and builds the rows of `Judged`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from math import ceil, floor

import numpy as np

from .arrays import as_array
from .boxes import pairs
from .decisions.segments import mask
from .labels import Judged
from .types import GRID_FPS, Float64, Track

Found = tuple[Track, int]
"""A face of a track: the track, and the index of the frame within it."""
Closeness = Callable[[Float64, Float64], Float64]
"""Closeness of labelled boxes (n, 4) and found boxes (m, 4): (n, m), higher for closer ones."""


@dataclass(frozen=True, eq=False)
class Label:
    """A label of one face at one moment.

    Attributes:
        person: The person it is about.
        time_s: Seconds from the start of the picture.
        speaks: Whether the face speaks.
        box: (4,) float64, x1, y1, x2, y2 in source pixels; nan if labels have no boxes.
    """

    person: str
    time_s: float
    speaks: bool
    box: Float64 = field(default_factory=lambda: np.full(4, np.nan))

    def __post_init__(self) -> None:
        object.__setattr__(self, "box", as_array("Label.box", self.box, np.float64, (4,)))


def match(
    labels: Sequence[Label], tracks: Sequence[Track], closeness: Closeness, least: float
) -> list[Found | None]:
    """Find the face of each label, moment by moment; None if there is none.

    Args:
        labels: The labels, in order of time; labels of one moment get different faces.
        tracks: The tracks found.
        closeness: Computes how close labelled and found boxes are.
        least: Least closeness of a match.
    """
    by_frame: dict[int, list[Found]] = defaultdict(list)
    for track in tracks:
        for place, frame in enumerate(track.frames):
            by_frame[frame].append((track, place))
    matched: list[Found | None] = []
    for time_s, moment in groupby(labels, lambda label: label.time_s):
        boxes = np.stack([label.box for label in moment])
        here: list[Found | None] = [None] * len(boxes)
        if faces := by_frame.get(grid_frame(time_s), []):
            found = np.stack([track.boxes[place] for track, place in faces])
            for row, column in pairs(closeness(boxes, found), least):
                here[row] = faces[column]
        matched += here
    return matched


def judge_matches(
    labels: Sequence[Label], matched: Sequence[Found | None], tracks: Sequence[Track]
) -> Judged:
    """Combine labels and matched faces, a row for each label.

    A found face counts as labelled in the grid frames before and after a label, so that labels of
    any frame rate leave no gaps.

    Args:
        labels: The labels.
        matched: The found face of each label.
        tracks: All tracks found.
    """
    n = len(labels)
    boxes = np.array([label.box for label in labels]).reshape(n, 4)
    logits = np.tile(np.array([0, -np.inf], np.float32), (n, 1))
    decided = np.zeros(n, np.bool_)
    speaking = {track.id: mask(track.speaking, track.first_frame, len(track)) for track in tracks}
    labelled = {track.id: np.zeros(len(track), np.bool_) for track in tracks}
    for row, (label, face) in enumerate(zip(labels, matched, strict=True)):
        if face is None:
            continue
        track, place = face
        logits[row] = track.logits[place]
        decided[row] = speaking[track.id][place]
        if np.isnan(boxes[row]).any():
            boxes[row] = track.boxes[place]
        around = round(label.time_s * GRID_FPS, 6) - track.first_frame
        labelled[track.id][max(floor(around), 0) : ceil(around) + 1] = True
    times = np.array([label.time_s for label in labels], np.float64)
    _, moment, count = np.unique(times, return_inverse=True, return_counts=True)
    return Judged(
        person=np.array([label.person for label in labels], np.str_),
        time_s=times,
        truth=np.array([label.speaks for label in labels], np.bool_),
        logits=logits,
        decided=decided,
        found=np.array([face is not None for face in matched], np.bool_),
        face_px=(boxes[:, 2:] - boxes[:, :2]).max(1, initial=-np.inf),
        on_screen=count[moment],
        unlabelled=int(sum((~about).sum() for about in labelled.values())),
    )


def grid_frame(time_s: float) -> int:
    """The grid frame nearest to a time; of two equally near ones the earlier."""
    return ceil(time_s * GRID_FPS - 0.5)
