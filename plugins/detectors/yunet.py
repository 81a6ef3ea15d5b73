"""YuNet (Wu, Peng and Yu, Machine Intelligence Research 2023), run by OpenCV."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil
from threading import Lock

import cv2
import numpy as np

from ...core.component import Context
from ...core.pictures import shrink
from ...core.types import Detections, UInt8
from ...core.weights import Weights, locate

WEIGHTS = Weights(
    name="face_detection_yunet_2023mar",
    url=(
        "https://huggingface.co/opencv/face_detection_yunet/resolve/"
        "3cc26e7f1014a5ee5d74a42acee58bafc9d0a310/face_detection_yunet_2023mar.onnx"
    ),
    published="face_detection_yunet_2023mar.onnx",
    check="sha256:8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
    size_bytes=232_589,
    licence="MIT",
)


_SMALLEST_SEEN_PX = 16
"""Larger side of the smallest faces YuNet finds, in pixels of its input: 14 to 18 px."""
_WIDE_VIEW_PX = 640
"""Longer side of a second input for the largest faces, which YuNet misses at much larger inputs."""


@dataclass(frozen=True)
class YunetConfig:
    """Parameters of the `yunet` detector.

    Attributes:
        longer_side_px: Frames with a longer side than this are scaled down to it; faces smaller
            than about 16 px are then not seen. null makes it so large that faces of min_face_px
            are, and looks a second time at 640 for the largest ones: with the default
            min_face_px that takes about 4 times as long in 720p, 30 times in 4K.
        min_face_px: Faces whose larger side is smaller than this, in source pixels, are left out.
        score_threshold: Confidence from 0 to 1 that a face needs.
        nms_threshold: Overlap from 0 to 1 from which two boxes count as one face.
    """

    longer_side_px: int | None = 640
    min_face_px: float = 20.0
    score_threshold: float = 0.7
    nms_threshold: float = 0.3

    def __post_init__(self) -> None:
        if self.longer_side_px is not None and self.longer_side_px < 32:
            raise ValueError(f"longer_side_px must be at least 32, got {self.longer_side_px}")
        if self.min_face_px < 0:
            raise ValueError(f"min_face_px must not be negative, got {self.min_face_px}")
        for name in ("score_threshold", "nms_threshold"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be from 0 to 1, got {getattr(self, name)}")


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence OpenCV 5's warning about its own default target; OpenCV 4.9 has no such warning."""
    log = getattr(cv2.utils, "logging", None)
    if log is None:
        yield
        return
    before = log.setLogLevel(log.LOG_LEVEL_ERROR)
    try:
        yield
    finally:
        log.setLogLevel(before)


class YunetDetector:
    """Runs YuNet on each frame, on the CPU."""

    def __init__(self, config: YunetConfig, path: str) -> None:
        self._config = config
        self._lock = Lock()
        with _quiet():
            self._net = cv2.FaceDetectorYN.create(
                path, "", (320, 320), config.score_threshold, config.nms_threshold
            )

    def detect(self, frames: UInt8, indices: Sequence[int]) -> list[Detections]:
        """Find the faces; see `core.contracts.Detector`."""
        return [self._look(frame) for frame in frames]

    def smallest_face_px(self, height: int, width: int) -> float:
        """The smallest face found in pictures of a size; see `core.contracts.Detector`."""
        longer_side = max(self._longer_sides(height, width))
        scale = min(1.0, longer_side / max(height, width))
        return max(self._config.min_face_px, _SMALLEST_SEEN_PX / scale)

    def _longer_sides(self, height: int, width: int) -> list[int]:
        """The longer sides to which a picture is scaled for detection."""
        if self._config.longer_side_px is not None:
            return [self._config.longer_side_px]
        wanted = _SMALLEST_SEEN_PX / max(self._config.min_face_px, 1)
        near = min(max(height, width), ceil(max(height, width) * wanted))
        return [_WIDE_VIEW_PX] if near <= _WIDE_VIEW_PX else [near, _WIDE_VIEW_PX]

    def _look(self, frame: UInt8) -> Detections:
        views = [self._faces(*shrink(frame, side)) for side in self._longer_sides(*frame.shape[:2])]
        if len(views) == 1:
            return views[0]
        boxes = np.concatenate([view.boxes for view in views])
        scores = np.concatenate([view.scores for view in views])
        places = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], 1)
        kept = cv2.dnn.NMSBoxes(places.tolist(), scores.tolist(), 0.0, self._config.nms_threshold)
        best = np.asarray(kept, np.int64).reshape(-1)
        return Detections(boxes[best], scores[best])

    def _faces(self, frame: UInt8, scale: float) -> Detections:
        picture = cv2.cvtColor(frame, cv2.COLOR_RGB2BGR)
        with self._lock:  # not thread-safe: threads would get each other's boxes, or crash
            self._net.setInputSize((frame.shape[1], frame.shape[0]))
            # A row is x, y, width, height, five landmarks (x, y), confidence.
            rows = self._net.detect(picture)[1]
        if rows is None:
            return Detections.none()
        rows = rows.astype(np.float64)
        rows = rows[rows[:, 2:4].max(1) >= self._config.min_face_px * scale]
        corners = np.concatenate([rows[:, :2], rows[:, :2] + rows[:, 2:4]], 1) / scale
        return Detections(corners, rows[:, 14].clip(0, 1))


def build(config: YunetConfig, context: Context) -> YunetDetector:
    """Find the weights and build the detector."""
    if context.threads:
        cv2.setNumThreads(context.threads)
    return YunetDetector(config, str(locate(WEIGHTS)))
