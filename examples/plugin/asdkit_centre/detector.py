"""A detector for selfies and other talking heads: the face is in the middle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import asdkit
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class MiddleConfig:
    """Parameters of the detector.

    Attributes:
        face_ratio: Side of the face, as a part from 0 to 1 of the picture's shorter
            side.
    """

    face_ratio: float = 0.5

    def __post_init__(self) -> None:
        if not 0 < self.face_ratio <= 1:
            raise ValueError(f"face_ratio must be in (0, 1], got {self.face_ratio}")


class MiddleDetector:
    """Finds one face in every frame: a square in the middle."""

    def __init__(self, config: MiddleConfig) -> None:
        self._face_ratio = config.face_ratio

    def detect(
        self, frames: NDArray[np.uint8], indices: Sequence[int]
    ) -> list[asdkit.Detections]:
        """Frames (n, height, width, 3) in RGB; one `Detections` for each."""
        height, width = frames.shape[1:3]
        half = self._face_ratio * min(height, width) / 2
        box = [width / 2 - half, height / 2 - half, width / 2 + half, height / 2 + half]
        return [asdkit.Detections(np.array([box]), np.ones(1)) for _ in frames]


def build(config: MiddleConfig, context: asdkit.Context) -> MiddleDetector:
    """Make the detector; a heavy import, or a look for the GPU, would stand here."""
    return MiddleDetector(config)
