"""A cutter: a shot begins where the picture's brightness jumps."""

from __future__ import annotations

from dataclasses import dataclass

import asdkit
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class CutterConfig:
    """Parameters of the cutter.

    Attributes:
        threshold: Change of the mean brightness, from 0 to 255, that is a cut.
    """

    threshold: float = 30.0

    def __post_init__(self) -> None:
        if not 0 < self.threshold <= 255:
            raise ValueError(f"threshold must be in (0, 255], got {self.threshold}")


class BrightnessCutter:
    """Compares each frame with the one before."""

    input_side_px = 64

    def __init__(self, config: CutterConfig) -> None:
        self._threshold = config.threshold
        self._before: float | None = None

    def starts_shot(self, frame: NDArray[np.uint8], index: int) -> bool:
        """The next frame (height, width, 3) in RGB; whether a shot begins with it."""
        brightness = float(frame.mean())
        before, self._before = self._before, brightness
        return before is not None and abs(brightness - before) > self._threshold


def build(config: CutterConfig, context: asdkit.Context) -> BrightnessCutter:
    """Make the cutter, anew for each video."""
    return BrightnessCutter(config)
