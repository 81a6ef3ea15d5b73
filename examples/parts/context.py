"""A context: the mean of all faces of a frame is taken off each of them."""

from __future__ import annotations

from dataclasses import dataclass

import asdkit
import numpy as np
from asdkit.plugin import Shot


@dataclass(frozen=True)
class ContextConfig:
    """Parameters of the context.

    Attributes:
        weight: How much of the mean is taken off, from 0 to 1.
    """

    weight: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.weight <= 1:
            raise ValueError(f"weight must be from 0 to 1, got {self.weight}")


class AgainstTheOthers:
    """Who stands out from the others in the picture speaks."""

    def __init__(self, config: ContextConfig) -> None:
        self._weight = config.weight

    def rescore(self, shot: Shot) -> list[asdkit.Scores]:
        """The faces of a shot with their logits (n, 2); new ones for each face."""
        total = np.zeros((shot.end - shot.first_frame, 2))
        count = np.zeros((shot.end - shot.first_frame, 1))
        places = [
            slice(
                track.first_frame - shot.first_frame,
                track.first_frame - shot.first_frame + len(track),
            )
            for track in shot.tracks
        ]
        for track, place in zip(shot.tracks, places, strict=True):
            total[place] += track.logits
            count[place] += 1
        mean = self._weight * total / np.maximum(count, 1)
        return [
            asdkit.Scores((track.logits - mean[place]).astype(np.float32))
            for track, place in zip(shot.tracks, places, strict=True)
        ]


def build(config: ContextConfig, context: asdkit.Context) -> AgainstTheOthers:
    """Make the context."""
    return AgainstTheOthers(config)
