"""A voice activity detector: what is louder than a threshold is speech."""

from __future__ import annotations

from dataclasses import dataclass

import asdkit
import numpy as np
from asdkit.plugin import SAMPLES_PER_FRAME
from numpy.typing import NDArray


@dataclass(frozen=True)
class VadConfig:
    """Parameters of the voice activity detector.

    Attributes:
        threshold_db: Sound above this level, against full scale, is speech.
    """

    threshold_db: float = -40.0

    def __post_init__(self) -> None:
        if self.threshold_db >= 0:
            raise ValueError(f"threshold_db must be below 0, got {self.threshold_db}")


class LoudSound:
    """Judges each frame by the loudness of its 40 ms of sound."""

    def __init__(self, config: VadConfig) -> None:
        self._threshold_db = config.threshold_db

    def speech(self, sound: NDArray[np.int16]) -> NDArray[np.float32]:
        """The next 640 n samples; n numbers, how likely somebody speaks."""
        samples = sound.reshape(-1, SAMPLES_PER_FRAME) / 32768
        level_db = 10 * np.log10(np.square(samples).mean(1) + 1e-9)
        odds = np.exp(np.clip((self._threshold_db - level_db) / 3, -50, 50))
        return np.asarray(1 / (1 + odds), np.float32)


def build(config: VadConfig, context: asdkit.Context) -> LoudSound:
    """Make the detector, anew for each video."""
    return LoudSound(config)
