"""Changes the faces and the sound of training examples at random, as published trainings do.

The laws and their defaults are those of the training loader of TalkNet (Tao et al., "Is Someone
Speaking? Exploring Long-term Temporal Features for Audio-visual Active Speaker Detection", 2021;
dataLoader.py of its published code), which Light-ASD and LR-ASD use unchanged. The paper calls the
foreign sound negative sampling.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import cv2
import numpy as np

from ..core.types import FACE_SIZE_PX, Clip, Float64, Int16, UInt8

_SILENCE = 1e-4
"""Added to the power of a sound, so that silence has a level: -40 dB of one step of a sample."""


@dataclass(frozen=True)
class Augment:
    """How often, and how much, examples are changed.

    Of flip, crop and rotation a face track gets one at most, the same in all of its frames. The
    defaults are those of TalkNet's published loader: every second track gets a foreign sound, and
    each of nothing, a flip, a crop and a rotation is as likely as the others.

    Attributes:
        foreign_sound: Probability, from 0 to 1, that the sound of another track of the batch is
            added.
        least_snr_db: The lowest signal-to-noise ratio at which it is added, in dB; negative where
            the foreign sound is the louder one.
        most_snr_db: The highest one. The ratio is drawn evenly between both.
        flip: Probability that faces are mirrored, left to right.
        crop: Probability that a square part of the faces is enlarged to the whole.
        least_crop: The smallest side of this part, of the face's side: above 0, below 1. It is
            drawn evenly from there to 1, and its place evenly.
        rotate: Probability that faces are turned around their centre.
        most_degrees: The largest angle, to either side; drawn evenly.
    """

    none: ClassVar[Augment]
    """Changes nothing, for validation."""
    foreign_sound: float = 0.5
    least_snr_db: float = -5.0
    most_snr_db: float = 5.0
    flip: float = 0.25
    crop: float = 0.25
    least_crop: float = 0.7
    rotate: float = 0.25
    most_degrees: float = 15.0

    def __post_init__(self) -> None:
        for name in ("foreign_sound", "flip", "crop", "rotate"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be from 0 to 1, got {getattr(self, name)}")
        if (sum_of := self.flip + self.crop + self.rotate) > 1 + 1e-9:
            raise ValueError(
                f"flip, crop and rotate must add up to 1 at most, as a track gets one of them; "
                f"got {sum_of:g}"
            )
        if not -math.inf < self.least_snr_db <= self.most_snr_db < math.inf:
            raise ValueError(
                "least_snr_db must not be above most_snr_db, "
                f"got {self.least_snr_db} and {self.most_snr_db}"
            )
        if not 0 < self.least_crop < 1:
            raise ValueError(f"least_crop must be above 0, below 1, got {self.least_crop}")
        if not 0 <= self.most_degrees <= 180:
            raise ValueError(f"most_degrees must be from 0 to 180, got {self.most_degrees}")


Augment.none = Augment(foreign_sound=0, flip=0, crop=0, rotate=0)


def augmented(clips: Sequence[Clip], augment: Augment, random: np.random.Generator) -> list[Clip]:
    """The clips of a batch, changed at random.

    A batch of one clip has no other sound to add.

    Args:
        clips: The clips, all of the same length.
        augment: How often, and how much.
        random: Draws all that is random.
    """
    changed = []
    for number, clip in enumerate(clips):
        one = clip
        if len(clips) > 1 and random.random() < augment.foreign_sound:
            other = (number + random.integers(1, len(clips))) % len(clips)
            snr_db = random.uniform(augment.least_snr_db, augment.most_snr_db)
            one = with_sound_of(clip, clips[other], snr_db)
        changed.append(replace(one, faces=_faces(clip.faces, augment, random)))
    return changed


def with_sound_of(clip: Clip, other: Clip, snr_db: float) -> Clip:
    """A clip to whose sound another one's is added.

    The gain is the one at which the levels of both sounds, each over the whole clip, differ by
    `snr_db`. A level is 10 log10(mean of the squared samples + 0.0001), as in the published loader;
    that squares 16-bit samples in 16 bits, where loud ones overflow, here they do not. Sums beyond
    16 bits are clipped.

    Args:
        clip: The clip.
        other: One of the same length.
        snr_db: How much louder than the other sound the clip's own is, in dB.
    """
    wanted = _level_db(clip.sound) - snr_db
    gain = 10 ** ((wanted - _level_db(other.sound)) / 20)
    before = clip.sound_before + gain * other.sound_before
    return Clip(
        clip.faces,
        _samples(clip.sound + gain * other.sound),
        int(_samples(np.array(before))),
        _samples(clip.sound_after + gain * other.sound_after),
    )


def flipped(faces: UInt8) -> UInt8:
    """Faces (n, 112, 112) mirrored, left to right."""
    return np.ascontiguousarray(faces[:, :, ::-1])


def enlarged(faces: UInt8, left: int, top: int, side: int) -> UInt8:
    """A square part of faces (n, 112, 112), as large as they are.

    Args:
        faces: The faces.
        left: First column of the part.
        top: First row of the part.
        side: Its side in pixels.
    """
    part = faces[:, top : top + side, left : left + side]
    size = (FACE_SIZE_PX, FACE_SIZE_PX)
    return np.stack([np.asarray(cv2.resize(face, size), np.uint8) for face in part])


def rotated(faces: UInt8, degrees: float) -> UInt8:
    """Faces (n, 112, 112) turned counter-clockwise around their centre; what is uncovered is black.

    Args:
        faces: The faces.
        degrees: The angle.
    """
    size = (FACE_SIZE_PX, FACE_SIZE_PX)
    centre = (FACE_SIZE_PX / 2, FACE_SIZE_PX / 2)
    turn = cv2.getRotationMatrix2D(centre, degrees, 1)
    return np.stack([np.asarray(cv2.warpAffine(face, turn, size), np.uint8) for face in faces])


def _faces(faces: UInt8, augment: Augment, random: np.random.Generator) -> UInt8:
    """Faces of one track, with one change at most."""
    drawn = random.random()
    if drawn < augment.flip:
        return flipped(faces)
    if drawn < augment.flip + augment.crop:
        side = max(int(FACE_SIZE_PX * random.uniform(augment.least_crop, 1)), 1)
        left, top = random.integers(0, FACE_SIZE_PX - side, 2)
        return enlarged(faces, int(left), int(top), side)
    if drawn < augment.flip + augment.crop + augment.rotate:
        return rotated(faces, random.uniform(-augment.most_degrees, augment.most_degrees))
    return faces


def _level_db(sound: Int16) -> float:
    """The level of a sound, in dB of one step of a sample."""
    return 10 * math.log10(float(np.mean(np.square(sound, dtype=np.float64))) + _SILENCE)


def _samples(sound: Float64) -> Int16:
    """A sum of sounds as 16-bit samples."""
    limits = np.iinfo(np.int16)
    return np.clip(np.rint(sound), limits.min, limits.max).astype(np.int16)
