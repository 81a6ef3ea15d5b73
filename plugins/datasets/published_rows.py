"""The published evaluation of datasets in AVA's form: every labelled face, a row for each label.

As trainTalkNet.py of TalkNet-ASD and train.py of Light-ASD and LR-ASD do, a face is scored whole,
with one crop for each label, the box alone in grey at 112x112, and the sound from its first label
to its last. Its labels count as successive frames, also where there are gaps between them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np

from ...core.analysis.crops import shown
from ...core.arrays import chance
from ...core.ava_csv import SPEAKING_AUDIBLE, AvaRows
from ...core.labelled_clip import LabelledClip
from ...core.labels import Judged, LabelledFace, Published
from ...core.matching import grid_frame
from ...core.media.moments import pictures_at
from ...core.media.probe import Media, Sound
from ...core.result import Result
from ...core.types import FACE_SIZE_PX, SAMPLE_RATE, Float64, Int64
from .face_crops import FaceCrops, as_face

_RATES = (10, 12, 12.5, 15, 24000 / 1001, 24, 25, 30000 / 1001, 30, 48, 50, 60000 / 1001, 60)
"""Usual frame rates, which labels with two decimals do not tell exactly."""
_ALMOST = 0.005

ClipOf = Callable[[Int64, float], LabelledClip]
"""Makes the clip of a face of its rows' numbers, in order of time, and of the labels' rate."""


def published(
    rows: AvaRows,
    time_s: Float64,
    size: tuple[int, int],
    clip_of: ClipOf,
    source: Path | None = None,
) -> Published:
    """How the published evaluation looks at a video.

    Args:
        rows: The labels of one video, in any order; all of them are judged, in this order.
        time_s: (n,) their times in seconds from the first picture.
        size: Width and height of the video in pixels.
        clip_of: Makes the clip of a face.
        source: The video that the clips are cut from; None for stored crops.
    """
    fps = rate_of(rows)
    boxes = rows.boxes * (size * 2)
    places = [_in_order(rows, face) for face in np.unique(rows.entity_id)]
    faces = tuple(
        LabelledFace(
            max(grid_frame(time_s[which[0]]), 0), boxes[which], partial(_clips, clip_of, which, fps)
        )
        for which in places
    )
    return Published(partial(judge_rows, rows, time_s, boxes, places), faces, rows, source)


def rate_of(rows: AvaRows) -> float:
    """Labels a second of a video's faces; 25 if no face has two labels.

    A usual frame rate if it is that to 0.5 %, as the published lists of AVA have it.
    """
    steps = [np.diff(rows.time_s[_in_order(rows, face)]) for face in np.unique(rows.entity_id)]
    between = np.concatenate(steps)
    between = between[between <= 1.5 * np.median(between)] if len(between) else between
    if not between.sum():
        return 25.0
    rate = len(between) / float(between.sum())
    usual = min(_RATES, key=lambda one: abs(rate / one - 1))
    return float(usual) if abs(rate / usual - 1) <= _ALMOST else rate


def judge_rows(
    rows: AvaRows, time_s: Float64, boxes: Float64, places: list[Int64], result: Result
) -> Judged:
    """Hold the scores of given faces against the labels, row by row.

    Rows are ranked by the softmax probability of speaking, without a calibration, in float64.

    Args:
        rows: The labels.
        time_s: (n,) their times in seconds from the first picture.
        boxes: (n, 4) their boxes in pixels.
        places: For each face, the numbers of its rows.
        result: The result, with a track for each face, numbered likewise, of a frame for each row.
    """
    n = len(rows)
    logits = np.tile(np.array([0, -np.inf], np.float32), (n, 1))
    ranked = np.full(n, -np.inf)
    decided, found = np.zeros((2, n), np.bool_)
    for track in result.tracks:
        which = places[track.id]
        logits[which] = track.logits
        raw = track.logits if track.uncalibrated is None else track.uncalibrated
        ranked[which] = chance(raw)
        decided[which] = track.speaking_frames
        found[which] = True
    _, moment, count = np.unique(rows.time_s, return_inverse=True, return_counts=True)
    return Judged(
        person=rows.entity_id,
        time_s=time_s,
        truth=rows.label == SPEAKING_AUDIBLE,
        logits=logits,
        decided=decided,
        found=found,
        face_px=(boxes[:, 2:] - boxes[:, :2]).max(1),
        on_screen=count[moment],
        ranked_by=ranked,
    )


def clip_of_video(
    media: Media, rows: AvaRows, time_s: Float64, which: Int64, fps: float
) -> LabelledClip:
    """The clip of a face in a video: the nearest picture to each label, cut to the box alone.

    Args:
        media: The video.
        rows: The labels.
        time_s: (n,) their times in seconds from the first picture.
        which: The numbers of the face's labels, in order of time.
        fps: Labels a second.
    """
    times = time_s[which]
    faces = np.empty((len(which), FACE_SIZE_PX, FACE_SIZE_PX), np.uint8)
    for place, picture in enumerate(pictures_at(media, times)):
        corners = rows.boxes[which[place]] * ((picture.width, picture.height) * 2)
        left, top, right, bottom = (int(edge) for edge in corners)
        inside = picture.region(*shown(picture, top, bottom, left, right))
        faces[place] = as_face(inside[:, :, ::-1])
    first = int(times[0] * SAMPLE_RATE)
    last = int(max(times[-1], times[0] + 1 / fps) * SAMPLE_RATE)
    with Sound(media, max(float(times[0]), 0.0), before_s=0.1) as sound:
        return LabelledClip(faces, sound.read(first, last), fps=fps)


def clip_of_crops(
    crops: Mapping[str, FaceCrops], rows: AvaRows, which: Int64, fps: float
) -> LabelledClip:
    """The clip of a face of which crops are stored: the nearest crop to each label.

    Args:
        crops: By face: its crops.
        rows: The labels.
        which: The numbers of the face's labels, in order of time.
        fps: Labels a second.
    """
    return crops[str(rows.entity_id[which[0]])].labelled_clip(rows.time_s[which], fps)


def _in_order(rows: AvaRows, face: str) -> Int64:
    """The numbers of a face's rows, in order of time."""
    which = np.flatnonzero(rows.entity_id == face)
    return which[np.argsort(rows.time_s[which], kind="stable")]


def _clips(clip_of: ClipOf, which: Int64, fps: float) -> list[LabelledClip]:
    return [clip_of(which, fps)]
