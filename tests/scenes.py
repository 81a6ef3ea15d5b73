"""A scorer that looks at all faces of a moment at once: who moves most is the one speaking."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

import asdkit
from asdkit.plugin import Component, Scores, alone


@dataclass(frozen=True)
class Config:
    """Parameters of `scorer=most_moving`: none."""


class MostMoving:
    """Scores 1 for the face that changed most since the frame before, and -1 for all others.

    Attributes:
        scenes: For each call: the first frame and the number of frames of each face.
    """

    def __init__(self):
        self.scenes = []

    def score(self, clips):
        return [self._scored(alone(clip))[0] for clip in clips]

    def score_scene(self, scene):
        self.scenes.append(sorted((face.first_frame, len(face)) for face in scene.faces))
        return self._scored(scene)

    def _scored(self, scene):
        moved = np.full((len(scene.faces), len(scene)), -1.0)
        for row, face in zip(moved, scene.faces, strict=True):
            steps = np.abs(np.diff(face.faces.astype(np.int16), axis=0)).mean(axis=(1, 2))
            row[face.first_frame : face.end] = (
                np.concatenate([steps[:1], steps]) if len(steps) else 0
            )
        most = moved == moved.max(axis=0)
        return [
            Scores(np.where(rows[:, None], [-1.0, 1.0], [1.0, -1.0])[face.first_frame : face.end])
            for rows, face in zip(most, scene.faces, strict=True)
        ]


@asdkit.hookimpl
def asdkit_components():
    return [Component("scorer", "most_moving", Config, lambda config, context: MostMoving())]
