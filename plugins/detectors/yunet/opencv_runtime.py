"""Runs YuNet with OpenCV."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

import cv2
import numpy as np

from ....core.types import UInt8
from .decoding import Candidates


class OpencvRuntime:
    """OpenCV's own detector, `cv2.FaceDetectorYN`.

    Args:
        path: The published weights.
        score_threshold: Confidence that a face needs.
        nms_threshold: Overlap above which two boxes count as one face.
    """

    name = "opencv"

    def __init__(self, path: Path, score_threshold: float, nms_threshold: float) -> None:
        self._lock = Lock()
        with _quiet():
            self._net = cv2.FaceDetectorYN.create(
                str(path), "", (320, 320), score_threshold, nms_threshold
            )

    def look(self, picture: UInt8) -> Candidates:
        """Find the faces in a picture; see `detector.Runtime`."""
        bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
        with self._lock:  # not thread-safe: threads would get each other's boxes, or crash
            self._net.setInputSize((picture.shape[1], picture.shape[0]))
            # A row is x, y, width, height, five landmarks (x, y), confidence.
            rows = self._net.detect(bgr)[1]
        found = np.zeros((0, 15)) if rows is None else np.asarray(rows, np.float64)
        return Candidates(found[:, :4], found[:, 14], found[:, 4:14].reshape(-1, 5, 2))


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
