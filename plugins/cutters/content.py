"""PySceneDetect's content detector, fed frame by frame."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import cv2
import numpy as np

from ...core.component import Context
from ...core.pictures import shrink
from ...core.types import GRID_FPS, UInt8

_LONGER_SIDE_PX = 256


@dataclass(frozen=True)
class ContentConfig:
    """Parameters of the `content` cutter.

    Attributes:
        threshold: Mean change of hue, saturation and brightness between two frames, from 0 to
            255, from which on they belong to different shots.
        min_shot_s: Seconds that must pass after a cut before the next one counts. Tracks end at
            those left out, too, if it is other people that are seen then.
    """

    threshold: float = 27.0
    min_shot_s: float = 0.2

    def __post_init__(self) -> None:
        if not 0 < self.threshold <= 255:
            raise ValueError(f"threshold must be above 0 and up to 255, got {self.threshold}")
        if self.min_shot_s < 0:
            raise ValueError(f"min_shot_s must not be negative, got {self.min_shot_s}")


class ContentCutter:
    """Runs the content detector on each frame, scaled down as PySceneDetect does.

    A change counts only if the earlier picture does not return within a few frames: a camera flash
    or a damaged picture begins no shot. So each answer is about the frame three frames before.
    """

    input_side_px = _LONGER_SIDE_PX
    lookahead_frames = 3
    concurrent = True

    def __init__(self, config: ContentConfig) -> None:
        from scenedetect import FrameTimecode
        from scenedetect.detectors import ContentDetector

        self._timecode = FrameTimecode
        # The detector may cut anywhere; cuts too soon after another are dropped here.
        self._detector = ContentDetector(threshold=config.threshold, min_scene_len=0)
        self._threshold = config.threshold
        self._min_shot_frames = round(config.min_shot_s * GRID_FPS)
        self._shot_start: int | None = None
        span = 2 * self.lookahead_frames + 2
        self._colours: deque[UInt8] = deque(maxlen=span)
        """Hue, saturation and brightness of the last frames, scaled down."""
        self._changed: deque[bool] = deque(maxlen=span)
        """For each of them: whether the detector saw a change from its predecessor."""

    def starts_shot(self, frame: UInt8, index: int) -> bool:
        """Whether the content changed three frames ago; see `core.contracts.Cutter`."""
        bgr = cv2.cvtColor(shrink(frame, _LONGER_SIDE_PX)[0], cv2.COLOR_RGB2BGR)
        timecode = self._timecode(index, float(GRID_FPS))
        self._changed.append(bool(self._detector.process_frame(timecode, bgr)))
        self._colours.append(np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2HSV), np.uint8))
        if self._shot_start is None:
            self._shot_start = index
        at = len(self._changed) - 1 - self.lookahead_frames
        if at < 0 or not self._changed[at] or self._passes(at):
            return False
        start = index - self.lookahead_frames
        if start - self._shot_start < self._min_shot_frames:
            return False
        self._shot_start = start
        return True

    def _passes(self, at: int) -> bool:
        """Whether a picture from before a change returns within three frames after it."""
        return any(
            self._alike(self._colours[before], self._colours[after])
            for before in range(max(0, at - 1 - self.lookahead_frames), at)
            for after in range(at, min(before + 2 + self.lookahead_frames, len(self._colours)))
            if after - before > 1
        )

    def _alike(self, a: UInt8, b: UInt8) -> bool:
        """Whether two pictures are of one shot: they differ by less than half the threshold."""
        return float(np.mean(cv2.absdiff(a, b))) < self._threshold / 2


def build(config: ContentConfig, context: Context) -> ContentCutter:
    """Build the cutter."""
    return ContentCutter(config)
