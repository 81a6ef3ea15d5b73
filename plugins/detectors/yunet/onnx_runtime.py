"""Runs YuNet with ONNX Runtime."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ....core.component import Context
from ....core.onnx_file import with_free_axes
from ....core.types import Float32, UInt8
from ...support.onnx import OnnxSession
from .decoding import STRIDES_PX, Candidates, pick_faces

_INPUT, _OUTPUTS = "input", ("cls", "obj", "bbox", "kps")
"""The network's input, and its outputs for each map; kps are landmarks."""
_SIDE_UNIT_PX = STRIDES_PX[-1]
"""The network halves pictures evenly if their sides are multiples of this."""
_FREE = {
    _INPUT: {2: "height", 3: "width"},
    **{f"{name}_{stride}": {1: f"cells_{stride}"} for stride in STRIDES_PX for name in _OUTPUTS},
}
"""What the published file fixes for pictures of 640x640, though its nodes take any size."""


class OnnxRuntime:
    """The published weights with free sizes; threads can share an instance.

    Pictures go one by one: ONNX Runtime takes longer for each picture of a batch.

    Args:
        path: The published weights.
        score_threshold: Confidence that a face needs.
        nms_threshold: Overlap above which two boxes count as one face.
        threads: Threads to compute with; None for the library's own choice.
    """

    name = "onnx"

    def __init__(
        self, path: Path, score_threshold: float, nms_threshold: float, threads: int | None
    ) -> None:
        self._session = OnnxSession(
            path,
            Context(device="cpu", threads=threads),
            content=with_free_axes(path.read_bytes(), _FREE),
            smaller="detector.longer_side_px",
        )
        self._score_threshold = score_threshold
        self._nms_threshold = nms_threshold

    def look(self, picture: UInt8) -> Candidates:
        """Find the faces in a picture; see `detector.Runtime`."""
        pixels = padded(picture)
        outputs = self._session.run_all({_INPUT: pixels})
        return pick_faces(outputs, pixels.shape[3], self._score_threshold, self._nms_threshold)


def padded(picture: UInt8) -> Float32:
    """The network's input for a picture.

    Args:
        picture: (height, width, 3) uint8, RGB.

    Returns:
        (1, 3, H, W) float32: BGR from 0 to 255, with zeros on the right and below that make H and
        W multiples of 32.
    """
    height, width = picture.shape[:2]
    size = height + -height % _SIDE_UNIT_PX, width + -width % _SIDE_UNIT_PX
    pixels = np.zeros((1, 3, *size), np.float32)
    pixels[0, :, :height, :width] = picture.transpose(2, 0, 1)[::-1]
    return pixels
