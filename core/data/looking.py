"""Looks at one labelled video, or at the crops of one, for what breaks trainings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace

import cv2
import numpy as np

from ..boxes import iou
from ..errors import AsdError
from ..labels import Bool
from ..media.container import Media
from ..media.picture_times import picture_times
from ..progress import Progress
from ..types import GRID_FPS, SAMPLE_RATE, SAMPLES_PER_FRAME, Float64, Int16, Int64, UInt8
from .labelled import FaceLabels, Labels
from .one_pass import LATE_S, box_in, pictures_of, sounds_of
from .prints import SEEN_AT, FacePrint, level_of, looks_of
from .problems import Problem
from .sources import Video

_OFF_S = 0.0101
"""Labels further from any picture are off the grid; published times are rounded to 0.01 s."""
_ON_GRID = 1e-6
"""So near to a frame of the 25 fps grid, in frames, a label of a result is of that frame."""
_SIDE_PX = 32
_SILENT = 2
"""Samples no louder than this are digital silence: codecs leave a little noise in it."""
_SHORT_S = 0.2
_STILL_LABELS = 25
_STILL = 1
"""A picture in which nothing changes by more is the same."""
_FLAT = 2.0
"""Standard deviation of the brightness below which nothing is to be seen."""
_SAME_BOX = 0.9
_SLACK_PX, _SLACK = 2.0, 0.05
"""By so many pixels, and by such a part of itself, a side of a crop may differ from its box's."""


class _Look:
    """What is seen and heard of one face; of pictures and sound nothing is kept.

    Args:
        video: The name of the video.
        face: The face.
        count: How many pictures there will be.
    """

    def __init__(self, video: str, face: FaceLabels, count: int) -> None:
        self.face = face
        self._video = video
        self._at = [int(part * (count - 1)) for part in SEEN_AT]
        self._looks: list[UInt8] = []
        self._seen = 0
        self._flat = 0
        self._still = 0
        self._before: UInt8 | None = None
        self._level: Float64 | None = None
        self._loudest = 0
        self._late = 0

    def see(self, grey: UInt8) -> None:
        """Take the next picture, (height, width) uint8."""
        small = cv2.resize(grey, (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_AREA)
        now = np.asarray(small, np.uint8)
        self._flat += float(now.std()) < _FLAT
        if self._before is not None:
            change = np.abs(now.astype(np.int16) - self._before).max()
            self._still += int(change) <= _STILL
        self._before = now
        self._looks += [looks_of(now)] * self._at.count(self._seen)
        self._seen += 1

    def hear(self, sound: Int16, late: int) -> None:
        """Take its sound, (n,) int16, of which so many samples are after the end of the video's."""
        self._level = level_of(sound)
        self._loudest = int(np.abs(sound.astype(np.int32)).max(initial=0))
        self._late = late

    def print(self) -> FacePrint | None:
        """The fingerprint; None if not all of the face was seen."""
        if len(self._looks) < len(SEEN_AT):
            return None
        face = self.face
        looks = np.concatenate(self._looks)
        level = level_of(np.zeros(0, np.int16)) if self._level is None else self._level
        return FacePrint(self._video, face.person, float(face.time_s[0]), len(face), looks, level)

    def problems(self) -> Iterator[Problem]:
        """What is wrong with it."""
        if self._seen and self._flat == self._seen:
            yield self._problem("blank", "its crops show nothing but one brightness")
        elif self._seen >= _STILL_LABELS and self._still == self._seen - 1:
            yield self._problem("frozen", f"its {self._seen} crops are one and the same picture")
        if self._level is None:
            return
        if self._loudest <= _SILENT:
            yield self._problem("silent", "there is digital silence while it is seen")
        elif self._late > _SHORT_S * SAMPLE_RATE:
            end_s = self._late / SAMPLE_RATE
            yield self._problem("short_sound", f"the sound ends {end_s:.2f} s before the face does")

    def _problem(self, kind: str, said: str) -> Problem:
        return Problem(kind, self._video, self.face.person, float(self.face.time_s[0]), said)


def look(name: str, video: Video, progress: Progress) -> tuple[list[Problem], list[FacePrint]]:
    """Look at a labelled video.

    Args:
        name: Its name.
        video: The video.
        progress: Called with the frames that are done.

    Returns:
        What is wrong with it, and the fingerprints of its faces.
    """
    found = list(_in_labels(name, video.labels))
    if video.media is None:
        looks = list(_at_crops(name, video.labels.faces, found, progress))
    else:
        found += _in_places(name, video.labels, video.media, video.size)
        end_s = video.media.info.duration_s
        faces = [_within(face, end_s) for face in video.labels.faces]
        looks = _at_video(name, [one for one in faces if len(one)], video.media, found, progress)
    for one in looks:
        found += one.problems()
    prints = [one.print() for one in looks]
    return found, [one for one in prints if one is not None]


def _in_labels(name: str, labels: Labels) -> Iterator[Problem]:
    """What is wrong with the labels by themselves."""
    lost: dict[str, list[float]] = defaultdict(list)
    for person, time_s in labels.homeless:
        lost[person].append(time_s)
    for person, times in lost.items():
        yield Problem("no_face", name, person, min(times), f"{len(times)} labels have no face")
    moments: dict[int, list[tuple[FaceLabels, Float64]]] = defaultdict(list)
    for face in labels.faces:
        if len(face) == 1:
            yield Problem("one_frame", name, face.person, float(face.time_s[0]), "it has one label")
        for time_s, box in zip(face.time_s.tolist(), face.boxes, strict=True):
            moments[round(time_s * 1000)].append((face, box))
    told = set()
    for moment in sorted(moments):
        for k, (face, box) in enumerate(moments[moment]):
            for other, its in moments[moment][:k]:
                twice = face.person == other.person or iou(box[None], its[None]) > _SAME_BOX
                if twice and (id(face), id(other)) not in told:
                    told.add((id(face), id(other)))
                    said = f"{other.person} has a label in the same place"
                    yield Problem("twice", name, face.person, moment / 1000, said)


def _in_places(name: str, labels: Labels, media: Media, size: tuple[int, int]) -> Iterator[Problem]:
    """Labels that lie outside the picture, before or after it, or between two pictures."""
    begins, _ = picture_times(media)
    end_s = media.info.duration_s
    for face in labels.faces:
        late = _is_outside(face, end_s)
        if late.any():
            first_s = float(face.time_s[late][0])
            said = f"{late.sum()} labels are outside the video, which lasts {end_s:.2f} s"
            yield Problem("outside", name, face.person, first_s, said)
        inside = face.boxes.clip(0, size * 2)
        areas = [(boxes[:, 2:] - boxes[:, :2]).prod(1) for boxes in (inside, face.boxes)]
        out = areas[0] < areas[1] / 2
        if out.any():
            said = f"{out.sum()} boxes lie outside the picture by more than half"
            yield Problem("outside", name, face.person, float(face.time_s[out][0]), said)
        off_s = np.abs(begins[_nearest(face.time_s, begins)] - face.time_s)
        off = (off_s > _OFF_S) & ~late & (face.time_s <= begins[-1])  # the last one is held
        if labels.of_result:
            off &= np.abs(face.time_s * GRID_FPS - np.round(face.time_s * GRID_FPS)) > _ON_GRID
        if off.any():
            said = f"{off.sum()} labels are up to {off_s[off].max():.3f} s from the nearest picture"
            yield Problem("off_grid", name, face.person, float(face.time_s[off][0]), said)


def _is_outside(face: FaceLabels, end_s: float) -> Bool:
    """(n,) bool, which labels are before or after the picture."""
    return np.asarray((face.time_s > end_s + LATE_S) | (face.time_s < -LATE_S))


def _within(face: FaceLabels, end_s: float) -> FaceLabels:
    """The labels of a face that are neither before nor after the picture."""
    kept = ~_is_outside(face, end_s)
    arrays = {name: getattr(face, name)[kept] for name in ("time_s", "speaks", "boxes")}
    return replace(face, **arrays)


def _nearest(time_s: Float64, among: Float64) -> Int64:
    """(n,) the number of the nearest of rising times, of which there is at least one."""
    after = np.searchsorted(among, time_s).clip(1, max(len(among) - 1, 1))
    before = after - 1
    after = np.minimum(after, len(among) - 1)
    nearer = np.abs(among[after] - time_s) < np.abs(among[before] - time_s)
    return np.asarray(np.where(nearer, after, before), np.int64)


def _at_video(
    name: str,
    faces: Sequence[FaceLabels],
    media: Media,
    found: list[Problem],
    progress: Progress,
) -> list[_Look]:
    """See and hear all faces of a video; what cannot be is added to `found`."""
    looks = [_Look(name, face, len(face)) for face in faces]
    if not faces:
        return looks
    lost: dict[int, list[float]] = defaultdict(list)
    try:
        with closing(pictures_of(media, faces, progress)) as shown:
            for image, which in shown:
                height, width = image.shape[:2]
                for number, label in which:
                    x1, y1, x2, y2 = box_in(faces[number].boxes[label], width, height)
                    if x1 < x2 and y1 < y2:
                        grey = cv2.cvtColor(
                            np.ascontiguousarray(image[y1:y2, x1:x2]), cv2.COLOR_RGB2GRAY
                        )
                        looks[number].see(np.asarray(grey, np.uint8))
                    else:
                        lost[number].append(float(faces[number].time_s[label]))
    except AsdError as error:
        found.append(Problem("unreadable", name, "", None, error.what))
    for number, times in lost.items():
        said = f"{len(times)} boxes cover no pixel"
        found.append(Problem("no_face", name, faces[number].person, min(times), said))
    if not media.info.has_sound:
        found.append(Problem("silent", name, "", None, "the video has no sound"))
        return looks
    try:
        with closing(sounds_of(media, faces)) as heard:
            for number, samples, late in heard:
                looks[number].hear(samples, late)
    except AsdError as error:
        found.append(Problem("unreadable", name, "", None, error.what))
    return looks


def _at_crops(
    name: str, faces: Sequence[FaceLabels], found: list[Problem], progress: Progress
) -> Iterator[_Look]:
    """See and hear all faces of which there are only crops."""
    seen = set()
    for number, face in enumerate(faces):
        progress("looking at faces", number, len(faces))
        assert face.clips is not None
        if id(face.clips) in seen:
            continue
        seen.add(id(face.clips))
        try:
            clips = face.clips()
            if face.crops is not None:
                alike = [one for one in faces if one.crops is face.crops]
                found += [one for other in alike for one in _in_crops(name, other, face.crops())]
        except AsdError as error:
            said = f"{error.what}. {error.hint}" if error.hint else error.what
            found.append(Problem("unreadable", name, face.person, float(face.time_s[0]), said))
            continue
        one = _Look(name, face, sum(map(len, clips)))
        for clip in clips:
            for grey in clip.faces:
                one.see(grey)
        sound = np.concatenate([clip.sound for clip in clips])
        # The published sound ends with the last label, a frame before the picture does.
        sound = sound[: max(len(sound) - SAMPLES_PER_FRAME, SAMPLES_PER_FRAME)]
        one.hear(sound, len(sound) - 1 - int(np.flatnonzero(sound).max(initial=-1)))
        yield one


def _in_crops(name: str, face: FaceLabels, crops: Float64) -> Iterator[Problem]:
    """Labels of a face without a crop, or with one of another size than their box.

    Crops that all have one size were scaled to it on purpose.

    Args:
        name: The name of the video.
        face: The face.
        crops: (m, 3) the times and sizes of the crops.
    """
    crops = crops[np.argsort(crops[:, 0])]
    own = crops[_nearest(face.time_s, crops[:, 0])]
    lacking = np.abs(own[:, 0] - face.time_s) > _OFF_S
    if lacking.any():
        said = f"{lacking.sum()} labels have no crop"
        yield Problem("no_crop", name, face.person, float(face.time_s[lacking][0]), said)
    sides = face.boxes[:, 2:] - face.boxes[:, :2]
    scaled = len(crops) > 1 and (crops[:, 1:] == crops[0, 1:]).all()
    apart = np.abs(own[:, 1:] - sides)
    wrong = (apart > _SLACK_PX + _SLACK * sides).any(1) & ~lacking
    if wrong.any() and not scaled:
        k = int(wrong.argmax())
        sizes = ("x".join(f"{side:.0f}" for side in pair) for pair in (own[k, 1:], sides[k]))
        said = (
            f"{wrong.sum()} crops have another size than their box, the first {' for '.join(sizes)}"
        )
        yield Problem("wrong_size", name, face.person, float(face.time_s[k]), said)
