"""Cuts the labelled faces of a video, with their sound, out of it in one pass.

The rule is that of the preparation in TalkNet-ASD (utils/tools.py of its repository): a crop for
each label, of exactly its box, its sides cut down to whole pixels, in colour, as JPEG named by its
time; and the sound from the first label of a face to its last, at 16 kHz.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
from scipy.io import wavfile

from ..ava_csv import timestamp
from ..errors import InputError
from ..media.container import Media
from ..progress import Progress
from ..types import SAMPLE_RATE
from .one_pass import box_in, pictures_of, sounds_of
from .published import Entity


def cut(
    media: Media, entities: Sequence[Entity], pictures: Path, sounds: Path, progress: Progress
) -> None:
    """Cut the faces of a video.

    Args:
        media: The video.
        entities: Its faces.
        pictures: An empty folder for FACE/TIME.jpg.
        sounds: An empty folder for FACE.wav.
        progress: Called with the frames that are done.

    Raises:
        InputError: The video has no sound, a label is where it has no picture, or it cannot be
            read.
        OSError: A file cannot be written.
    """
    if not entities:
        return
    if not media.info.has_sound:
        raise InputError(f"{media.info.path} has no sound", "Leave the video out")
    for entity in entities:
        (pictures / entity.id).mkdir()
    faces = [entity.face for entity in entities]
    with closing(pictures_of(media, faces, progress)) as shown:
        for image, which in shown:
            height, width = image.shape[:2]
            for number, label in which:
                time_s = float(faces[number].time_s[label])
                x1, y1, x2, y2 = box_in(faces[number].boxes[label], width, height)
                if x1 >= x2 or y1 >= y2:
                    raise InputError(
                        f"The box of {faces[number].person} at {time_s:.2f} s of "
                        f"{media.info.path} covers no pixel of its picture of {width}x{height}",
                        "asd data check tells of all such labels; take them away",
                    )
                name = f"{timestamp(media.info.start_s + time_s)}.jpg"
                crop = np.ascontiguousarray(image[y1:y2, x1:x2, ::-1])
                coded = cv2.imencode(".jpg", crop)[1]
                (pictures / entities[number].id / name).write_bytes(coded.tobytes())
    with closing(sounds_of(media, faces)) as heard:
        for number, samples, _ in heard:
            wavfile.write(sounds / f"{entities[number].id}.wav", SAMPLE_RATE, samples)
