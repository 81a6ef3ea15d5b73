"""Lowers the score of a face while another visible face is more likely to speak, and vice versa.

People rarely speak at once. So in each frame the log odds of a face become

    log odds - weight * (the highest log odds among the other faces of the frame)

and a face that is alone keeps its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...core.arrays import log_odds
from ...core.component import Context
from ...core.types import Float64, Scores, Shot


@dataclass(frozen=True)
class OthersConfig:
    """Parameters of `context=others`.

    Attributes:
        weight: How much of the best other face's log odds is taken off a face's own, from 0 to 1.
    """

    weight: float = 0.25

    def __post_init__(self) -> None:
        if not 0 <= self.weight <= 1:
            raise ValueError(f"weight must be from 0 to 1, got {self.weight}")


class Others:
    """Compares each face with the others of its frame; see the module's docstring."""

    def __init__(self, config: OthersConfig) -> None:
        self._weight = config.weight

    def rescore(self, shot: Shot) -> list[Scores]:
        """Score the faces of a shot anew; see `core.contracts.FaceContext`.

        The logits of not speaking stay as they are.
        """
        first = shot.first_frame
        spans = [slice(t.frames.start - first, t.frames.stop - first) for t in shot.tracks]
        odds = np.full((len(spans), shot.end - first), -np.inf)
        for row, span, track in zip(odds, spans, shot.tracks, strict=True):
            row[span] = log_odds(track.logits)
        scores = []
        for row, span, track in zip(_best_others(odds), spans, shot.tracks, strict=True):
            other = row[span]
            logits = track.logits.copy()
            logits[:, 1] -= self._weight * np.where(np.isfinite(other), other, 0)
            scores.append(Scores(logits))
        return scores


def _best_others(odds: Float64) -> Float64:
    """For each face and frame, the highest of the others' values; -inf without any.

    Args:
        odds: (faces, frames) float64, -inf where a face is not seen.
    """
    if not len(odds):
        return odds
    first = odds.argmax(0)
    columns = np.arange(odds.shape[1])
    rest = odds.copy()
    rest[first, columns] = -np.inf
    best = np.tile(odds[first, columns], (len(odds), 1))
    best[first, columns] = rest.max(0)
    return best


def build(config: OthersConfig, context: Context) -> Others:
    """Build the context."""
    return Others(config)
