"""A scorer for one person alone: who is seen speaks whenever it is loud."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import asdkit
import numpy as np


@dataclass(frozen=True)
class LoudnessConfig:
    """Parameters of the scorer.

    Attributes:
        threshold_db: Sound above this level, against full scale, is speech.
    """

    threshold_db: float = -40.0

    def __post_init__(self) -> None:
        if self.threshold_db >= 0:
            raise ValueError(f"threshold_db must be below 0, got {self.threshold_db}")


class LoudnessScorer:
    """Scores each frame by the loudness of its 40 ms of sound."""

    def __init__(self, config: LoudnessConfig) -> None:
        self._threshold_db = config.threshold_db

    def score(self, clips: Sequence[asdkit.Clip]) -> list[asdkit.Scores]:
        """Clips of any length in; one `Scores` for each, a row per frame."""
        return [self._score(clip) for clip in clips]

    def _score(self, clip: asdkit.Clip) -> asdkit.Scores:
        samples = clip.sound.reshape(len(clip), -1) / 32768
        level_db = 10 * np.log10(np.square(samples).mean(1) + 1e-9)
        logits = np.zeros((len(clip), 2), np.float32)  # not speaking, speaking
        logits[:, 1] = (level_db - self._threshold_db) / 3
        return asdkit.Scores(logits)


def build(config: LoudnessConfig, context: asdkit.Context) -> LoudnessScorer:
    """Make the scorer; weights would be loaded here."""
    return LoudnessScorer(config)
