"""Pictures and sound levels of moments, from the video or from a dataset's face crops."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import cv2
import numpy as np

from ..analysis.crops import crop
from ..labelled_clip import LabelledClip
from ..labels import LabelledFace, LabelledVideo
from ..matching import grid_frame
from ..media.colours import converter
from ..media.container import Media
from ..media.decoder import Decoder
from ..media.of_result import media_of
from ..media.sound import Sound
from ..media.upright import Upright
from ..pictures import Picture
from ..result import Result
from ..types import GRID_FPS, SAMPLE_RATE, Float64, Int16, UInt8
from .moments import SHOWN, WINDOW_S, Moment

SIDE_PX = 112
FLOOR_DB = -60.0
"""The lowest sound level that is shown."""
_QUALITY = 80
_AROUND = 0.3
"""How much more than the box a picture shows on each side, of half the box's larger side."""
_LEVELS = round(WINDOW_S * GRID_FPS)


@dataclass(frozen=True, eq=False)
class Shown:
    """What is shown of a moment.

    Attributes:
        pictures: For each of `Moment.times_s`, a JPEG file, or None if there is none.
        levels: (n,) float64, the sound level in dB below full scale, from `FLOOR_DB` to 0, in
            successive equal parts of the time.
        whole: Whether pictures show the whole picture, as no face was found.
    """

    pictures: Sequence[bytes | None]
    levels: Float64
    whole: bool


def shown_of(moment: Moment, video: LabelledVideo, result: Result) -> Shown:
    """What is shown of a moment.

    Args:
        moment: The moment.
        video: Its video.
        result: The result on that video.

    Raises:
        InputError: The video, a crop or the sound cannot be read.
    """
    if video.path is None:
        return _of_crops(moment, video.faces)
    media = media_of(result)
    wanted = [grid_frame(time_s) for time_s in moment.times_s]
    pictures: dict[int, bytes] = {}
    for frame, picture in _pictures(media, wanted):
        box = moment.boxes.get(frame)
        if box is not None or not moment.boxes:
            pictures[frame] = _jpeg(_image(picture, box))
    first = round(moment.from_s * SAMPLE_RATE)
    with Sound(media, start_s=moment.from_s, before_s=1.0) as sound:
        heard = sound.read(first, first + round(WINDOW_S * SAMPLE_RATE))
    return Shown([pictures.get(frame) for frame in wanted], levels(heard), not moment.boxes)


def levels(sound: Int16) -> Float64:
    """The root mean square of sound, in dB below full scale, in successive equal parts.

    Args:
        sound: (n,) int16.

    Returns:
        (50,) float64 from `FLOOR_DB` to 0.
    """
    parts = np.array_split(sound.astype(np.float64) / 2**15, _LEVELS)
    squares = np.array([np.mean(part**2) if len(part) else 0.0 for part in parts])
    found: Float64 = np.clip(10 * np.log10(np.maximum(squares, 1e-12)), FLOOR_DB, 0)
    return found


def _of_crops(moment: Moment, faces: Sequence[LabelledFace]) -> Shown:
    """Of a dataset that has only crops, whose tracks are numbered as its faces are."""
    silent = Shown([None] * len(moment.times_s), np.full(_LEVELS, FLOOR_DB), whole=False)
    face = None if moment.track is None else faces[moment.track]
    if face is None or face.clips is None:
        return silent
    clips = face.clips()
    sound = np.concatenate([clip.sound for clip in clips])
    crops = np.concatenate([clip.faces for clip in clips])
    if isinstance(clips[0], LabelledClip):
        places, begins_s = _by_labels(moment), float(moment.labels_s[0])
    else:
        places = [grid_frame(time_s) - face.first_frame for time_s in moment.times_s]
        begins_s = face.first_frame / GRID_FPS
    pictures = [_jpeg(crops[k]) if 0 <= k < len(crops) else None for k in places]
    first = round((moment.from_s - begins_s) * SAMPLE_RATE)
    window = np.zeros(round(WINDOW_S * SAMPLE_RATE), np.int16)
    begin, end = max(first, 0), min(first + len(window), len(sound))
    if begin < end:
        window[begin - first : end - first] = sound[begin:end]
    return Shown(pictures, levels(window), whole=False)


def _by_labels(moment: Moment) -> list[int]:
    """For each picture's time, the number of the label nearest to it; -1 if none is near."""
    apart = np.abs(moment.labels_s[:, None] - moment.times_s)
    nearest = np.where(apart.min(axis=0) <= WINDOW_S / SHOWN, apart.argmin(axis=0), -1)
    numbers: list[int] = nearest.tolist()
    return numbers


def _pictures(media: Media, wanted: Sequence[int]) -> Iterator[tuple[int, Picture]]:
    """The pictures that are seen in some grid frames, which are in order."""
    upright = Upright(
        (media.info.width, media.info.height), media.reading.rotate, converter(media.transfer)
    )
    decoder = Decoder(media.picture, 1, media.notes, media.clock)
    frames: Any = decoder.frames(media.zero + Fraction(wanted[0], GRID_FPS))
    coming = list(reversed(wanted))
    seen: Any = None
    with closing(frames):
        for frame in frames:
            if frame.pts is None:
                continue
            number = round((frame.pts * frame.time_base - media.zero) * GRID_FPS)
            while coming and coming[-1] < number:
                due = coming.pop()
                if seen is not None:
                    yield due, upright.picture(seen)
            if not coming:
                return
            seen = frame
    if seen is not None:
        yield from ((due, upright.picture(seen)) for due in reversed(coming))


def _image(picture: Picture, box: Float64 | None) -> UInt8:
    """A face, or without a box the whole picture."""
    if box is None:
        return picture.scaled(2 * SIDE_PX)
    x, y = (box[:2] + box[2:]) / 2
    half = max(*(box[2:] - box[:2]), 1.0) / 2
    square = crop(picture, x, y, half, _AROUND)
    small = cv2.resize(square, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)


def _jpeg(image: UInt8) -> bytes:
    """An RGB or grey picture as a JPEG file."""
    order = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".jpg", order, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return data.tobytes()
