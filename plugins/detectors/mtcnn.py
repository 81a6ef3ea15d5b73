"""MTCNN (Zhang et al., IEEE Signal Processing Letters 2016), from facenet-pytorch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...core.component import Context
from ...core.errors import MissingExtraError
from ...core.types import Detections, Float64, UInt8
from ...core.weights import note
from ..support.pytorch import import_torch, inference, pick_device, set_threads
from ..support.resizing import shrink

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
        shrunk = [shrink(frame, self._config.longer_side_px) for frame in frames]
        small, scale = np.stack([frame for frame, _ in shrunk]), shrunk[0][1]
        self._network.min_face_size = self._config.min_face_px * scale
        if min(small.shape[1:3]) < max(self._network.min_face_size, _SMALLEST_INPUT_PX):
            return [Detections.none() for _ in frames]
        with inference():
            all_boxes, all_scores = self._network.detect(small)
        size = frames.shape[2], frames.shape[1]
        return [
            Detections.none()
            if boxes is None
            else _inside(np.asarray(boxes, np.float64) / scale, np.asarray(scores, float), size)
            for boxes, scores in zip(all_boxes, all_scores, strict=True)
        ]


def _inside(boxes: Float64, scores: Float64, size: tuple[int, int]) -> Detections:
    """Drop faces that lie outside a picture of (width, height).

    The networks shift boxes by a regression that may move them out of the picture.
    """
    shown = np.minimum(boxes[:, 2:], size) - np.maximum(boxes[:, :2], 0)
    sound = (shown > 0).all(1)  # False for NaN, too
    return Detections(boxes[sound], scores[sound])


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
    ).eval()
    return MtcnnDetector(config, network, str(device))
