"""Goes through a video once, with the labels of its faces."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator, Sequence
from contextlib import closing
from typing import NamedTuple

import numpy as np

from ..errors import InputError
from ..matching import grid_frame
from ..media.container import Media
from ..media.probe import Sound, frames
from ..progress import Progress
from ..types import GRID_FPS, SAMPLE_RATE, SAMPLES_PER_FRAME, Float64, Int16, UInt8
from .labelled import FaceLabels

LATE_S = 1 / GRID_FPS
"""How far after the end of the picture a label may be, to get the last picture."""


class Place(NamedTuple):
    """Which label it is.

    Attributes:
        face: The number of its face.
        label: Its number among those of the face.
    """

    face: int
    label: int


def pictures_of(
    media: Media, faces: Sequence[FaceLabels], progress: Progress
) -> Generator[tuple[UInt8, list[Place]], None, None]:
    """The pictures that have labels, in order of time, each with its labels.

    A label gets the frame of the 25 fps grid that is nearest to its time; one up to a frame after
    the last picture gets that.

    Args:
        media: The video.
        faces: The faces.
        progress: Called with the frames that are done.

    Yields:
        (height, width, 3) uint8, RGB, and the labels, in order of face and time.

    Raises:
        InputError: A picture cannot be read, or a label is after the last one.
    """
    wanted: dict[int, list[Place]] = defaultdict(list)
    for number, face in enumerate(faces):
        for label, time_s in enumerate(face.time_s.tolist()):
            wanted[max(grid_frame(time_s), 0)].append(Place(number, label))
    first, last = min(wanted), max(wanted)
    image: UInt8 | None = None
    with closing(frames(media, first / GRID_FPS, (last + 1) / GRID_FPS)) as shown:
        for at, frame in enumerate(shown, first):
            if at in wanted:
                image = frame.picture.rgb()
                yield image, wanted.pop(at)
            progress("looking at faces", at + 1 - first, last + 1 - first)
    for which in wanted.values():
        time_s = min(float(faces[place.face].time_s[place.label]) for place in which)
        if image is None or time_s > media.info.duration_s + LATE_S:
            raise InputError(
                f"{media.info.path} has a label at {time_s:.2f} s, but its picture ends at "
                f"{media.info.duration_s:.2f} s",
                "Take the label away, or give the whole video",
            )
        yield image, which


def sounds_of(
    media: Media, faces: Sequence[FaceLabels]
) -> Generator[tuple[int, Int16, int], None, None]:
    """The sound of each face, by the time of its last label.

    It goes from the sample of the first label to that of the last, and is as long as a frame at
    least.

    Yields:
        The number of the face; (n,) int16, 16 kHz; and how many of these samples come after the
        end of the video's sound, where they are silence.

    Raises:
        InputError: The sound cannot be read.
    """
    order = sorted(range(len(faces)), key=lambda number: float(faces[number].time_s[-1]))
    spans = np.array([_samples(faces[number].time_s) for number in order])
    needed = np.minimum.accumulate(spans[::-1, 0])[::-1]
    """By face: the first sample of all that is still to be read."""
    with Sound(media) as sound:
        for number, (first, stop), earliest in zip(order, spans.tolist(), needed, strict=True):
            sound.forget(max(int(earliest), 0))
            samples = sound.read(first, stop)
            ended = stop if sound.ended_at is None else sound.ended_at
            yield number, samples, min(max(stop - ended, 0), stop - first)


def _samples(time_s: Float64) -> tuple[int, int]:
    first, last = (round(float(one) * SAMPLE_RATE) for one in time_s[[0, -1]])
    return first, max(last, first + SAMPLES_PER_FRAME)


def box_in(box: Float64, width: int, height: int) -> tuple[int, int, int, int]:
    """x1, y1, x2, y2 of a box in whole pixels, rounded towards 0, within the picture."""
    x1, y1, x2, y2 = np.clip(box, 0, (width, height) * 2).round(6).astype(int).tolist()
    return x1, y1, x2, y2
