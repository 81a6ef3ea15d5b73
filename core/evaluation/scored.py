"""Rows as resampling needs them, and the units, videos or faces, that are drawn as wholes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..labels import Bool, Judged
from ..types import Float32, Float64, Int64

FEW_UNITS = 10
"""Intervals and tests of fewer videos or faces than this say little of others."""


@dataclass(frozen=True, eq=False)
class Scored:
    """Labels with scores and decisions; all arrays are (n,), a row for a face and moment.

    Attributes:
        truth: bool, whether the labelled face speaks.
        score: float, the higher, the likelier that it speaks; -inf if no face was found.
        probability: float from 0 to 1; 0 if no face was found.
        decided: bool, the decision that it speaks.
        found: bool, whether a face was found for the label.
    """

    truth: Bool
    score: Float32 | Float64
    probability: Float32
    decided: Bool
    found: Bool

    @classmethod
    def of(cls, parts: Sequence[Judged]) -> Scored:
        """The rows of several videos, one after another."""
        names = cls.__dataclass_fields__
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


@dataclass(frozen=True, eq=False)
class Units:
    """What is drawn as a whole, since the frames of one video or face are not independent.

    Attributes:
        of_row: (n,) int64, the unit of each row, from 0 to `count` - 1.
        count: How many units there are.
        kind: "videos" or "faces".
    """

    of_row: Int64
    count: int
    kind: str

    @property
    def are_few(self) -> bool:
        """Whether so few units say little of others."""
        return self.count < FEW_UNITS


def faces_of(rows: Mapping[str, Judged]) -> tuple[list[tuple[str, str]], Int64]:
    """The faces of rows, by video: each as (video, person), and the face of each row, (n,)."""
    faces: list[tuple[str, str]] = []
    of_row = []
    for video, judged in rows.items():
        people, face = np.unique(judged.person, return_inverse=True)
        of_row.append(face.reshape(-1) + len(faces))
        faces += [(video, str(person)) for person in people]
    return faces, np.concatenate(of_row).astype(np.int64)


def units_of(faces: Sequence[tuple[str, str]], face: Int64) -> Units:
    """The units of rows: videos, or where these are few, faces.

    Frames of a video are alike in room, sound and people, so videos are drawn where there are at
    least `FEW_UNITS`; among fewer, each person of each video, with all the rows of this face.

    Args:
        faces: The video and the person of each face.
        face: (n,) the face of each row.
    """
    videos = {video: number for number, video in enumerate(dict.fromkeys(v for v, _ in faces))}
    if len(videos) >= FEW_UNITS or len(faces) == len(videos):
        of_face = np.array([videos[video] for video, _ in faces], np.int64)
        return Units(of_face[face], len(videos), "videos")
    return Units(face, len(faces), "faces")
