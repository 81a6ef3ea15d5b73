"""The labels of a dataset, face by face: where each face is, and whether it speaks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..errors import InputError
from ..labels import Bool, Judged, LabelledFace, LabelledVideo
from ..result import Result, VideoInfo
from ..types import GRID_FPS, Clip, Float64, Int64, Track

MAX_GAP_S = 0.2
"""Labels of a face that lie further apart, in seconds, are of two faces: published loaders take
the crops of a face for successive frames."""


@dataclass(frozen=True, eq=False)
class FaceLabels:
    """The labels of one face, without long gaps.

    Attributes:
        person: Whose face it is, as the dataset says.
        time_s: (n,) float64, rising, in seconds from the first picture; at least one.
        speaks: (n,) bool, whether the face speaks then.
        boxes: (n, 4) float64, x1, y1, x2, y2 of the face then, in source pixels.
        clips: Returns the crops and sound of a face of which there is no video, as successive
            clips on the 25 fps grid; see `core.labels.LabelledFace`.
    """

    person: str
    time_s: Float64
    speaks: Bool
    boxes: Float64
    clips: Callable[[], Sequence[Clip]] | None = None

    def __len__(self) -> int:
        return len(self.time_s)


@dataclass(frozen=True, eq=False)
class Labels:
    """The labels of a video.

    Attributes:
        faces: The faces, by person and time.
        homeless: (person, seconds from the first picture) of each label whose face is nowhere: it
            was not found, or its box has no size.
    """

    faces: tuple[FaceLabels, ...]
    homeless: tuple[tuple[str, float], ...] = ()


def labels_of(video: LabelledVideo, info: VideoInfo, found: Result | None = None) -> Labels:
    """The labels of a video of a dataset, by its own judgement.

    A dataset says what its labels are when it judges a result. So it is given one in which the
    logits of each face are the number of its track and the place in it: the rows that come back
    tell which face each label is about.

    Args:
        video: The video.
        info: Its properties.
        found: A result whose faces get the labels; None for the faces that the dataset gives.

    Raises:
        InputError: The dataset has no labels of faces, or none where faces are, or does not hand
            on the logits of the faces that it matches.
    """
    if video.judge is None or (found is None and not video.faces):
        raise InputError(
            f"The dataset has no labelled faces of {video.name}",
            "Leave the video out, or choose a dataset with labels of its faces",
        )
    if found is None:
        tracks = tuple(_numbered(number, face) for number, face in enumerate(video.faces))
        shots = ((0, max(track.frames.stop for track in tracks)),)
        found = Result(info, shots, tracks, {}, {})
    else:
        tracks = tuple(
            replace(track, id=number, logits=_numbers(number, len(track)))
            for number, track in enumerate(found.tracks)
        )
        found = replace(found, tracks=tracks)
    rows = video.judge(found)
    place = _places(rows, tracks, video.name)
    homeless = zip(rows.person[~rows.found].tolist(), rows.time_s[~rows.found], strict=True)
    faces = []
    for number, track in enumerate(tracks):
        clips = video.faces[number].clips if video.faces and len(video.faces) > number else None
        mine = rows.found & (rows.logits[:, 0] == number)
        for person in np.unique(rows.person[mine]).tolist():
            which = np.flatnonzero(mine & (rows.person == person))
            faces += _stretches(rows, which[np.argsort(rows.time_s[which])], track, place, clips)
    if not faces:
        raise InputError(
            f"No face of {video.name} has a label", "Check that labels and faces are of one video"
        )
    faces.sort(key=lambda face: (face.person, face.time_s[0]))
    return Labels(tuple(faces), tuple((str(who), float(when)) for who, when in homeless))


def _numbers(number: int, length: int) -> np.ndarray:
    """Logits (length, 2) float32 that say which track it is, and which place in it."""
    places = np.arange(length)
    return np.stack([np.full(length, number), places], 1).astype(np.float32)


def _numbered(number: int, face: LabelledFace) -> Track:
    """A face that a dataset gives as a track, whose logits are its number and the place."""
    boxes = face.boxes
    logits = _numbers(number, len(boxes))
    return Track(number, 0, face.first_frame, boxes, np.zeros((len(boxes), 3)), logits, ())


def _places(rows: Judged, tracks: Sequence[Track], video: str) -> Int64:
    """(n,) the place in its track of each row with a face; 0 for the others.

    Raises:
        InputError: The rows' logits are not those of the tracks.
    """
    known = np.where(rows.found[:, None], rows.logits, 0)
    whole = np.isfinite(known).all() and (known == np.floor(known)).all() and (known >= 0).all()
    numbers, places = known.astype(np.int64).T if whole else np.zeros((2, len(rows)), np.int64)
    lengths = np.array([len(track) for track in tracks], np.int64)
    if not whole or (numbers >= len(tracks)).any() or (places >= lengths[numbers]).any():
        raise InputError(
            f"The dataset does not hand on the scores of the faces that it matches in {video}, so "
            "that it cannot be told which face a label is about",
            "Let its judge use asdkit.plugin.judge_matches",
        )
    return np.asarray(places, np.int64)


def _stretches(
    rows: Judged,
    which: Int64,
    track: Track,
    place: Int64,
    clips: Callable[[], Sequence[Clip]] | None,
) -> list[FaceLabels]:
    """The labels of a person on a track, divided at long gaps.

    A label between two frames of the grid has a box between theirs.
    """
    found = []
    for part in np.split(which, np.flatnonzero(np.diff(rows.time_s[which]) > MAX_GAP_S) + 1):
        times = rows.time_s[part]
        at = np.clip(times * GRID_FPS - track.first_frame, place[part] - 1, place[part] + 1)
        steps = np.arange(len(track))
        columns = [np.interp(np.round(at, 6), steps, column) for column in track.boxes.T]
        speaks = rows.truth[part]
        person = str(rows.person[part[0]])
        found.append(FaceLabels(person, times, speaks, np.stack(columns, 1), clips))
    return found
