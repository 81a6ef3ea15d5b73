"""The form of AVA-ActiveSpeaker that published trainings read: names, and lines of their lists.

Which names they take and what their lists hold was read from the loader and the preparation of
TalkNet-ASD (Tao et al., "Is Someone Speaking? Exploring Long-term Temporal Features for
Audio-visual Active Speaker Detection", 2021; dataLoader.py and utils/tools.py of its repository),
whose form later trainings kept.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b32encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..ava_csv import LABELS, NOT_SPEAKING, SPEAKING_AUDIBLE, TRUTH_COLUMNS, timestamp
from ..files import same_form
from ..types import GRID_FPS
from .labelled import FaceLabels

VIDEO_NAME_LENGTH = 11
"""Published loaders take so many characters at the beginning of a face's name for the name of its
video: AVA's videos have the identifiers of a video platform."""
_BEGINNING = 4
"""Characters of a longer name that stay as they are; a hash stands for the rest."""
_LONGEST_PERSON = 60
ORIG_COLUMNS = (*TRUTH_COLUMNS, "label_id", "instance_id")
"""The columns of the published lists of labels, train_orig.csv and val_orig.csv."""
_UNWRITABLE = re.compile(r'[\s/\\<>"|?*,\x00-\x1f\x7f]')


@dataclass(frozen=True, eq=False)
class Entity:
    """A face with the name that it has in the published form.

    Attributes:
        id: Its name, which begins with that of the video; a name of files, too.
        face: Its labels.
    """

    id: str
    face: FaceLabels


def video_id(name: str) -> str:
    """The name of a video in the published form, of 11 characters; such a name stays as it is.

    A shorter one is filled up with `_`. A longer one keeps its first four characters, and a hash of
    the whole, 35 bits, stands for the rest.
    """
    plain = _UNWRITABLE.sub("_", same_form(name)).replace(":", "_")
    if len(plain) <= VIDEO_NAME_LENGTH and not plain.startswith("."):
        return plain.ljust(VIDEO_NAME_LENGTH, "_")
    digest = b32encode(hashlib.sha256(same_form(name).encode()).digest()).decode().lower()
    return plain[:_BEGINNING].replace(".", "_") + digest[: VIDEO_NAME_LENGTH - _BEGINNING]


def entities(video: str, faces: Sequence[FaceLabels]) -> list[Entity]:
    """Names for the faces of a video, by name.

    A name is VIDEO_PERSON; that of a person which begins with the video's, as in AVA, stays as it
    is. Faces of one person are numbered from 0.

    Args:
        video: The name of the video in the published form.
        faces: The faces, by person and time.
    """
    wanted = [_entity(video, face.person) for face in faces]
    taken: set[str] = set()
    found = []
    for name, face in zip(wanted, faces, strict=True):
        number, own = 0, name if wanted.count(name) == 1 else f"{name}_0"
        while _alike(own) in taken:
            number += 1
            own = f"{name}_{number}"
        taken.add(_alike(own))
        found.append(Entity(own, face))
    return sorted(found, key=lambda entity: entity.id)


def _entity(video: str, person: str) -> str:
    plain = _UNWRITABLE.sub("_", same_form(person))[:_LONGEST_PERSON]
    return plain if plain.startswith(video) else f"{video}_{plain}"


def _alike(name: str) -> str:
    """Names that are one to some file system, or to the dataset `ava`, have the same of these."""
    return re.sub(r"\W", "_", name).casefold()


def label_rows(
    video: str, entity: Entity, start_s: float, size: tuple[int, int]
) -> Iterator[list[str]]:
    """The rows of a face under `ORIG_COLUMNS`.

    Args:
        video: The name of the video in the published form.
        entity: The face.
        start_s: The time of the first picture on the clock of the file, in seconds.
        size: Width and height of the picture, in pixels.
    """
    instance, before = -1, None
    for time_s, speaks, box in zip(
        entity.face.time_s, entity.face.speaks, entity.face.boxes / (size * 2), strict=True
    ):
        label = SPEAKING_AUDIBLE if speaks else NOT_SPEAKING
        instance, before = instance + (label != before), label
        # Ten digits, as the official script compares boxes with the truth's to 1e-9.
        corners = [f"{side:.10g}" for side in box + 0.0]
        name = f"{entity.id}:{instance}"
        number = str(LABELS.index(label))
        yield [video, timestamp(start_s + time_s), *corners, label, entity.id, number, name]


def loader_line(entity: str, times_s: Sequence[float], labels: Sequence[int], video: int) -> str:
    """A line of the published list of faces: name, crops, frames a second, labels, video.

    Args:
        entity: The name of the face.
        times_s: The times of its labels, in seconds.
        labels: 1 for each that speaks, 0 for others.
        video: The number of its video.
    """
    long_s = times_s[-1] - times_s[0]
    fps = (len(times_s) - 1) / long_s if long_s > 0 else float(GRID_FPS)
    return f"{entity}\t{len(labels)}\t{round(fps, 2):g}\t[{', '.join(map(str, labels))}]\t{video}\n"
