"""The detector `yunet`: looks at scaled frames, and converts boxes to source pixels."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Protocol

import numpy as np

from ....core.pictures import scaled_size, shrink
from ....core.types import Detections, UInt8
from .config import YunetConfig
from .decoding import Candidates, suppress

_SMALLEST_SEEN_PX = 16
"""Larger side of the smallest faces YuNet finds, in pixels of its input: 14 to 18 px."""
_WIDE_VIEW_PX = 640
"""Longer side of a second input for the largest faces, which YuNet misses at much larger inputs."""


class Runtime(Protocol):
    """Runs the network.

    Attributes:
        name: What computes it, "onnx" or "opencv".
    """

    name: str

    def look(self, picture: UInt8) -> Candidates:
        """Find the faces in a picture (height, width, 3), uint8, RGB: one box each."""


class YunetDetector:
    """Runs YuNet on each frame, on the CPU.

    Args:
        config: The parameters.
        runtime: The network.
    """

    one_at_a_time = True

    def __init__(self, config: YunetConfig, runtime: Runtime) -> None:
        self._config = config
        self._runtime = runtime

    @property
    def runtime(self) -> str:
        """What computes the network: "onnx" or "opencv"."""
        return self._runtime.name

    def detect(self, frames: UInt8, indices: Sequence[int]) -> list[Detections]:
        """Find the faces; see `core.contracts.Detector`."""
        size = frames.shape[1], frames.shape[2]
        side = self.input_side_px(*size)
        small = [shrink(frame, side)[0][None] for frame in frames]
        return [faces for frame in small for faces in self.detect_scaled(frame, indices, size)]

    def detect_scaled(
        self, frames: UInt8, indices: Sequence[int], size: tuple[int, int]
    ) -> list[Detections]:
        """Find the faces; see `core.contracts.ScalingDetector`."""
        scale = scaled_size(*size, self.input_side_px(*size))[2]
        return [self._look(frame, scale) for frame in frames]

    def smallest_face_px(self, height: int, width: int) -> float:
        """The smallest face found in pictures of a size; see `core.contracts.Detector`."""
        scale = min(1.0, self.input_side_px(height, width) / max(height, width))
        return max(self._config.min_face_px, _SMALLEST_SEEN_PX / scale)

    def input_side_px(self, height: int, width: int) -> int:
        """See `core.contracts.ScalingDetector`."""
        if self._config.longer_side_px is not None:
            return self._config.longer_side_px
        wanted = _SMALLEST_SEEN_PX / max(self._config.min_face_px, 1)
        return max(_WIDE_VIEW_PX, min(max(height, width), ceil(max(height, width) * wanted)))

    def _look(self, picture: UInt8, scale: float) -> Detections:
        """Find the faces in a picture that is scaled by `scale`; in pixels before that."""
        found = self._faces(picture, scale)
        if self._config.longer_side_px is None and max(picture.shape[:2]) > _WIDE_VIEW_PX:
            wide, further = shrink(picture, _WIDE_VIEW_PX)
            views = found, self._faces(wide, scale * further)
            both = Candidates(*map(np.concatenate, zip(*views, strict=True)))
            found = both.of(suppress(both, self._config.nms_threshold))
        corners, sides = found.places[:, :2], found.places[:, 2:]
        boxes = np.concatenate([corners, corners + sides], 1)
        return Detections(boxes, found.scores.clip(0, 1), found.landmarks)

    def _faces(self, picture: UInt8, scale: float) -> Candidates:
        """The faces of `min_face_px` or more in one view."""
        found = self._runtime.look(picture)
        large = found.places[:, 2:].max(1) >= self._config.min_face_px * scale
        found = found.of(np.flatnonzero(large))
        return Candidates(found.places / scale, found.scores, found.landmarks / scale)
