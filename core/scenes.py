"""What scorers get that look at all faces of a moment at once, and what they answer.

Whether a face speaks shows in the others, too: who else moves, who is looked at. Networks such as
LoCoNet (Wang et al., CVPR 2024) and SPELL (Min et al., ECCV 2022) take all faces of a stretch
together.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np

from .arrays import as_array
from .types import (
    CLIP_FRAMES,
    FACE_SIZE_PX,
    SAMPLES_PER_FRAME,
    SOUND_AFTER,
    Clip,
    Int16,
    Scores,
    UInt8,
)


@dataclass(frozen=True, eq=False)
class SceneFace:
    """One face of a scene.

    Attributes:
        first_frame: Its first frame, counted from the first one of the scene.
        faces: (m, 112, 112) uint8, grey, one crop per grid frame from there on.
    """

    first_frame: int
    faces: UInt8

    def __post_init__(self) -> None:
        side = FACE_SIZE_PX
        faces = as_array("SceneFace.faces", self.faces, np.uint8, (None, side, side))
        object.__setattr__(self, "faces", faces)
        if self.first_frame < 0 or not len(faces):
            raise ValueError(
                f"SceneFace must hold at least one frame, none before 0, but holds {len(faces)} "
                f"from {self.first_frame} on"
            )

    def __len__(self) -> int:
        return len(self.faces)

    @property
    def end(self) -> int:
        """The frame after its last one."""
        return self.first_frame + len(self)


@dataclass(frozen=True, eq=False)
class Scene:
    """All faces of a stretch of one shot, of at most a minute, with the simultaneous sound.

    Longer shots come in pieces of a minute; a face that goes on is in each of them.

    Attributes:
        faces: The faces, one or more; each is seen in one row of frames, at least one.
        sound: (640 n,) int16, 16 kHz mono, the sound of the n frames of the scene, 1 to 1500.
        sound_before: The sample before `sound`, for pre-emphasis; 0 at the start of a shot.
        sound_after: (240,) int16, the 15 ms after `sound`; silence beyond the end.
    """

    faces: tuple[SceneFace, ...]
    sound: Int16
    sound_before: int = 0
    sound_after: Int16 = field(default_factory=lambda: np.zeros(SOUND_AFTER, np.int16))

    def __post_init__(self) -> None:
        last = max((face.end for face in self.faces), default=0)
        if not last:
            raise ValueError("Scene.faces must hold at least one face")
        sound = as_array("Scene.sound", self.sound, np.int16, (None,))
        frames, rest = divmod(len(sound), SAMPLES_PER_FRAME)
        if rest or not last <= frames <= CLIP_FRAMES:
            raise ValueError(
                f"Scene.sound must have {SAMPLES_PER_FRAME} samples for each of {last} to "
                f"{CLIP_FRAMES} frames, but has {len(sound)}"
            )
        after = as_array("Scene.sound_after", self.sound_after, np.int16, (SOUND_AFTER,))
        object.__setattr__(self, "sound", sound)
        object.__setattr__(self, "sound_after", after)

    def __len__(self) -> int:
        return len(self.sound) // SAMPLES_PER_FRAME


def alone(clip: Clip) -> Scene:
    """The scene of one face with nobody else in it."""
    return Scene((SceneFace(0, clip.faces),), clip.sound, clip.sound_before, clip.sound_after)


@runtime_checkable
class SceneScorer(Protocol):
    """A scorer that looks at all faces of a moment at once.

    It has `Scorer.score`, too, for faces of which no others are known, such as those
    of a dataset of crops: what it answers to a clip is what `score_scene` answers to the scene of
    that face `alone`. It is no `ShiftingScorer`: `sync` asks about one face at a time.
    """

    def score_scene(self, scene: Scene) -> list[Scores]:
        """Score all faces of a scene.

        Args:
            scene: The faces in no particular order, and their sound. Left unchanged.

        Returns:
            One `Scores` per face, in the same order, a row per frame of the face. They depend on
            nothing but the scene, and not on the order of its faces.
        """
        ...
