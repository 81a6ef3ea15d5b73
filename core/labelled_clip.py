"""Labelled faces as the published loaders of AVA-ActiveSpeaker read them: a crop for each label."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .arrays import as_array
from .types import FACE_SIZE_PX, GRID_FPS, SAMPLES_PER_FRAME, SOUND_AFTER, Clip, Int16


@dataclass(frozen=True, eq=False)
class LabelledClip(Clip):
    """The whole of a labelled face, a frame for each label, at the rate of the labels.

    A scorer that takes these has an attribute `reads_labelled_clips` that is True; others get them
    brought `on_grid`.

    Attributes:
        faces: (n, 112, 112) uint8, grey, one crop per label.
        sound: (m,) int16, 16 kHz mono, at least one sample, from the first label on and perhaps
            only up to the last. What is missing at the end is not silence but unknown.
        fps: Labels a second, above 0.
    """

    fps: float = 25.0

    def __post_init__(self) -> None:
        side = FACE_SIZE_PX
        faces = as_array("LabelledClip.faces", self.faces, np.uint8, (None, side, side))
        sound = as_array("LabelledClip.sound", self.sound, np.int16, (None,))
        if not len(faces) or not len(sound):
            raise ValueError("LabelledClip must hold at least one frame and one sample")
        if not 0 < self.fps < math.inf:
            raise ValueError(f"LabelledClip.fps must be above 0, got {self.fps}")
        object.__setattr__(self, "faces", faces)
        object.__setattr__(self, "sound", sound)

    def on_grid(self) -> Clip:
        """The same as frames of 1/25 s: the sound is stretched or pressed together, pitch and all.

        Sound that is missing at the end becomes silence.
        """
        length = SAMPLES_PER_FRAME * len(self) + SOUND_AFTER
        places = np.arange(length) * (GRID_FPS / self.fps)
        heard = np.interp(places, np.arange(len(self.sound)), self.sound, right=0)
        sound: Int16 = np.round(heard).astype(np.int16)
        return Clip(self.faces, sound[:-SOUND_AFTER], sound_after=sound[-SOUND_AFTER:])


def read_by(scorer: Any, clips: Sequence[Clip]) -> Sequence[Clip]:
    """Clips in the form that a scorer takes."""
    if getattr(scorer, "reads_labelled_clips", False) is True:
        return clips
    return [clip.on_grid() if isinstance(clip, LabelledClip) else clip for clip in clips]
