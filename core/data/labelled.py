"""The labels of a dataset, face by face: where each face is, and whether it speaks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..errors import InputError
from ..labels import Bool, Judged, LabelledFace, LabelledVideo
from ..numbered import numbered, numbers, numbers_of
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
        crops: Returns the times and sizes of such crops; see there.
    """

    person: str
    time_s: Float64
    speaks: Bool
    boxes: Float64
    clips: Callable[[], Sequence[Clip]] | None = None
    crops: Callable[[], Float64] | None = None

    def __len__(self) -> int:
        return len(self.time_s)


@dataclass(frozen=True, eq=False)
class Labels:
    """The labels of a video.

    Attributes:
        faces: The faces, by person and time.
        homeless: (person, seconds from the first picture) of each label whose face is nowhere: it
            was not found, or its box has no size.
        of_result: Whether the faces are those of a result, which has them at the frames of the
            25 fps grid, whatever the rate of the video.
    """

    faces: tuple[FaceLabels, ...]
    homeless: tuple[tuple[str, float], ...] = ()
    of_result: bool = False


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
    given = video.faces if found is None else ()
    of_result = found is not None
    if found is None:
        tracks = tuple(
            numbered(number, 0, face.first_frame, face.boxes)
            for number, face in enumerate(video.faces)
        )
        shots = ((0, max(track.frames.stop for track in tracks)),)
        found = Result(info, shots, tracks, {}, {})
    else:
        tracks = tuple(
            replace(track, id=number, logits=numbers(number, len(track)))
            for number, track in enumerate(found.tracks)
        )
        found = replace(found, tracks=tracks)
    rows = video.judge(found)
    which_face, place = numbers_of(video.name, rows, [len(track) for track in tracks])
    homeless = zip(rows.person[~rows.found].tolist(), rows.time_s[~rows.found], strict=True)
    faces = []
    for number, track in enumerate(tracks):
        own = given[number] if given else None
        mine = rows.found & (which_face == number)
        for person in np.unique(rows.person[mine]).tolist():
            which = np.flatnonzero(mine & (rows.person == person))
            faces += _stretches(rows, which[np.argsort(rows.time_s[which])], track, place, own)
    if not faces:
        raise InputError(
            f"No face of {video.name} has a label", "Check that labels and faces are of one video"
        )
    faces.sort(key=lambda face: (face.person, face.time_s[0]))
    return Labels(tuple(faces), tuple((str(who), float(when)) for who, when in homeless), of_result)


def _stretches(
    rows: Judged,
    which: Int64,
    track: Track,
    place: Int64,
    own: LabelledFace | None,
) -> list[FaceLabels]:
    """The labels of a person on a track, divided at long gaps.

    A label between two frames of the grid has a box between theirs.
    """
    crops = (None, None) if own is None else (own.clips, own.crops)
    found = []
    gaps_s = np.diff(rows.time_s[which]).round(6)  # five labels a second are 0.2 s apart
    for part in np.split(which, np.flatnonzero(gaps_s > MAX_GAP_S) + 1):
        times = rows.time_s[part]
        at = np.clip(times * GRID_FPS - track.first_frame, place[part] - 1, place[part] + 1)
        steps = np.arange(len(track))
        columns = [np.interp(np.round(at, 6), steps, column) for column in track.boxes.T]
        speaks = rows.truth[part]
        person = str(rows.person[part[0]])
        found.append(FaceLabels(person, times, speaks, np.stack(columns, 1), *crops))
    return found
