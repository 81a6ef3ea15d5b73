"""MTCNN (Zhang et al., IEEE Signal Processing Letters 2016), from facenet-pytorch."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...core.component import Context
from ...core.errors import MissingExtraError
from ...core.pictures import scaled_size, shrink
from ...core.types import Detections, Float64, UInt8
from ...core.weights import note
from ..support.pytorch import import_torch, inference, pick_device, placed, set_threads

_SMALLEST_INPUT_PX = 12
"""Side of the input of MTCNN's first network, hence of the smallest face."""


@dataclass(frozen=True)
class MtcnnConfig:
    """Parameters of the `mtcnn` detector.

    Attributes:
        longer_side_px: Frames with a longer side than this are scaled down to it; for faces that
            are smaller than 12 px then a larger one is needed.
        min_face_px: The smallest face looked for, in source pixels; the time grows steeply as
            it falls.
        thresholds: Confidence from 0 to 1 that a face needs in each of the three networks.
    """

    longer_side_px: int = 640
    min_face_px: float = 40.0
    thresholds: tuple[float, float, float] = (0.6, 0.7, 0.9)

    def __post_init__(self) -> None:
        if self.longer_side_px < 32:
            raise ValueError(f"longer_side_px must be at least 32, got {self.longer_side_px}")
        if self.min_face_px <= 0:
            raise ValueError(f"min_face_px must be above 0, got {self.min_face_px}")
        if len(self.thresholds) != 3 or not all(0 <= t <= 1 for t in self.thresholds):
            raise ValueError(
                f"thresholds must be three numbers from 0 to 1, got {list(self.thresholds)}"
            )


class MtcnnDetector:
    """Runs MTCNN on batches of frames; facenet-pytorch ships its weights."""

    runtime = "torch"

    def __init__(self, config: MtcnnConfig, network: Any, device: str) -> None:
        self._config = config
        self._network = network
        self.device = device

    def smallest_face_px(self, height: int, width: int) -> float:
        """The smallest face found in pictures of a size; see `core.contracts.Detector`."""
        scale = min(1.0, self._config.longer_side_px / max(height, width))
        return max(self._config.min_face_px, _SMALLEST_INPUT_PX / scale)

    def detect(self, frames: UInt8, indices: Sequence[int]) -> list[Detections]:
        """Find the faces; see `core.contracts.Detector`."""
        if not len(frames):
            return []
        small = np.stack([shrink(frame, self._config.longer_side_px)[0] for frame in frames])
        return self.detect_scaled(small, indices, (frames.shape[1], frames.shape[2]))

    def input_side_px(self, height: int, width: int) -> int | None:
        """See `core.contracts.ScalingDetector`."""
        return self._config.longer_side_px

    def detect_scaled(
        self, frames: UInt8, indices: Sequence[int], size: tuple[int, int]
    ) -> list[Detections]:
        """Find the faces; see `core.contracts.ScalingDetector`."""
        height, width = size
        scale = scaled_size(height, width, self._config.longer_side_px)[2]
        smallest = self._config.min_face_px * scale
        if not len(frames) or min(frames.shape[1:3]) < max(smallest, _SMALLEST_INPUT_PX):
            return [Detections.none() for _ in frames]
        network = copy(self._network)  # another thread may look for faces of another size
        network.min_face_size = smallest
        with inference():
            found = zip(*network.detect(frames, landmarks=True), strict=True)
        return [
            Detections.none()
            if boxes is None
            else _inside(
                np.asarray(boxes, np.float64) / scale,
                np.asarray(scores, np.float64),
                np.asarray(landmarks, np.float64) / scale,
                (width, height),
            )
            for boxes, scores, landmarks in found
        ]


def _inside(
    boxes: Float64, scores: Float64, landmarks: Float64, size: tuple[int, int]
) -> Detections:
    """Drop faces that lie outside a picture of (width, height).

    The networks shift boxes by a regression that may move them out of the picture.
    """
    shown = np.minimum(boxes[:, 2:], size) - np.maximum(boxes[:, :2], 0)
    sound = (shown > 0).all(1)  # False for NaN, too
    return Detections(boxes[sound], scores[sound], landmarks[sound])


def build(config: MtcnnConfig, context: Context) -> MtcnnDetector:
    """Load the networks and build the detector."""
    import_torch("detector=mtcnn", instead="detector=yunet")
    try:
        import facenet_pytorch
    except ImportError as error:
        raise MissingExtraError(
            "detector=mtcnn", "facenet-pytorch", "torch", instead="detector=yunet"
        ) from error
    set_threads(context.threads)
    device = pick_device(context.device)
    for part in ("pnet", "rnet", "onet"):
        note(Path(facenet_pytorch.__file__).parent / "data" / f"{part}.pt")
    network = facenet_pytorch.MTCNN(
        keep_all=True, thresholds=list(config.thresholds), device=device
    )
    return MtcnnDetector(config, placed(network, device).eval(), str(device))
