"""PySceneDetect's content detector, fed frame by frame."""

from __future__ import annotations

from dataclasses import dataclass

import cv2

from ...core.components import Context
from ...core.types import GRID_FPS, UInt8
from ..resizing import shrink

_LONGER_SIDE_PX = 256


@dataclass(frozen=True)
class ContentConfig:
    """Parameters of the `content` cutter.

    Attributes:
        threshold: Mean change of hue, saturation and brightness between two frames, from 0 to
            255, from which on they belong to different shots.
        min_shot_s: Seconds that must pass after a cut before the next one counts.
    """

    threshold: float = 27.0
    min_shot_s: float = 0.6

    def __post_init__(self) -> None:
        if not 0 < self.threshold <= 255:
            raise ValueError(f"threshold must be above 0 and up to 255, got {self.threshold}")
        if self.min_shot_s < 0:
            raise ValueError(f"min_shot_s must not be negative, got {self.min_shot_s}")


class ContentCutter:
    """Asks the content detector about each frame, scaled down as PySceneDetect does.

    Cuts too close to the last one are suppressed: PySceneDetect's default, which merges them,
    tells of a cut only later, when the faces of the new shot are already being tracked.
    """

    def __init__(self, config: ContentConfig) -> None:
        from scenedetect import FrameTimecode
        from scenedetect.detector import FlashFilter
        from scenedetect.detectors import ContentDetector

        self._timecode = FrameTimecode
        self._detector = ContentDetector(
            threshold=config.threshold,
            min_scene_len=round(config.min_shot_s * GRID_FPS),
            filter_mode=FlashFilter.Mode.SUPPRESS,
        )

    def starts_shot(self, frame: UInt8, index: int) -> bool:
        """Whether the content changed; see `core.contracts.Cutter`."""
        bgr = cv2.cvtColor(shrink(frame, _LONGER_SIDE_PX)[0], cv2.COLOR_RGB2BGR)
        return bool(self._detector.process_frame(self._timecode(index, float(GRID_FPS)), bgr))


def build(config: ContentConfig, context: Context) -> ContentCutter:
    """Make the cutter."""
    return ContentCutter(config)
