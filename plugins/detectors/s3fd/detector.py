"""The detector `s3fd`: runs the network on scaled frames, and converts boxes to source pixels."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
import torch
from torch import Tensor

from ....core.pictures import shrink
from ....core.types import Detections, Float32, Float64, UInt8
from ...support.pytorch import inference
from .config import S3fdConfig
from .faces import pick_faces, priors
from .network import SMALLEST_INPUT_PX, Output

_SMALL_FRAME_PX = 1_000_000
_FIT_LONGER_PX, _FIT_SHORTER_PX = 640, 480


class S3fdDetector:
    """Runs S3FD on batches of frames, all frames of a batch at once.

    Boxes are not clipped to the picture, as in the reference.

    Args:
        config: The parameters.
        network: Computes `Output` from (n, height, width, 3) uint8 frames; it is on the device.
        device: The device to compute on.
    """

    runtime = "torch"

    def __init__(
        self, config: S3fdConfig, network: Callable[[Tensor], Output], device: str
    ) -> None:
        self._config = config
        self._network = network
        self.device = device

    def detect(self, frames: UInt8, indices: Sequence[int]) -> list[Detections]:
        """Find the faces; see `core.contracts.Detector`."""
        if not len(frames):
            return []
        small = np.stack([self._scaled(frame) for frame in frames])
        return self.detect_scaled(small, indices, (frames.shape[1], frames.shape[2]))

    def input_side_px(self, height: int, width: int) -> int | None:
        """See `core.contracts.ScalingDetector`; pictures are scaled here as the reference does."""
        return self._config.longer_side_px if self._config.reference_scale is None else None

    def detect_scaled(
        self, frames: UInt8, indices: Sequence[int], size: tuple[int, int]
    ) -> list[Detections]:
        """Find the faces; see `core.contracts.ScalingDetector`."""
        if not len(frames) or min(frames.shape[1:3]) < SMALLEST_INPUT_PX:
            return [Detections.none() for _ in frames]
        height, width = size
        source_size = np.array([width, height, width, height], np.float64)
        return [
            self._detections(boxes.cpu().numpy() * source_size, scores.cpu().numpy())
            for boxes, scores in self._faces(frames)
        ]

    def _scaled(self, frame: UInt8) -> UInt8:
        """Scale a frame for the network."""
        if self._config.reference_scale is None:
            return shrink(frame, self._config.longer_side_px)[0]
        size = reference_size(frame.shape[0], frame.shape[1], self._config.reference_scale)
        return np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_LINEAR), np.uint8)

    def _faces(self, frames: UInt8) -> list[tuple[Tensor, Tensor]]:
        """The relative boxes and confidences of the faces in each frame."""
        with inference():
            output = self._network(torch.from_numpy(frames).to(self.device))
            height, width = frames.shape[1:3]
            start = priors(output.maps, height, width, output.loc.device)
            return [
                pick_faces(
                    loc,
                    confidence,
                    start,
                    self._config.score_threshold,
                    self._config.nms_threshold,
                )
                for loc, confidence in zip(output.loc, output.confidence, strict=True)
            ]

    def _detections(self, boxes: Float64, scores: Float32) -> Detections:
        large = (boxes[:, 2:] - boxes[:, :2]).max(1) >= self._config.min_face_px
        return Detections(boxes[large], scores[large])


def reference_size(height: int, width: int, scale: float) -> tuple[int, int]:
    """The size to which TalkNet-ASD scripts scale a frame before detection.

    Args:
        height: Height of the frame in pixels.
        width: Width of the frame in pixels.
        scale: Factor for all frames; 0.5 in the scripts.

    Returns:
        Width and height, rounded down, but at least 1.
    """
    if height * width >= _SMALL_FRAME_PX:
        longer, shorter = max(height, width), min(height, width)
        scale *= round(1 / max(longer / _FIT_LONGER_PX, shorter / _FIT_SHORTER_PX), 3)
    return max(1, int(width * scale)), max(1, int(height * scale))
