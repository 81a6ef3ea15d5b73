"""Finds faces in the outputs of YuNet's network, as OpenCV's `cv2.FaceDetectorYN` does.

The formulas are those of the paper (Wu, Peng and Yu, "YuNet: A Tiny Millisecond-level Face
Detector", Machine Intelligence Research 2023) and of OpenCV, modules/objdetect/src/face_detect.cpp.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from ....core.types import Float32, Float64

STRIDES_PX = (8, 16, 32)
"""Distance of adjacent cells of each map, in pixels."""
_MOST_CANDIDATES = 5000
"""How many boxes, the most confident, enter suppression; as OpenCV's default."""


class Candidates(NamedTuple):
    """Boxes that may be faces.

    Attributes:
        places: (n, 4) float64: x and y of the left upper corner, width, height; in pixels.
        scores: (n,) float64, the confidence of each from 0 to 1.
        landmarks: (n, 5, 2) float64, in pixels; see `core.types.Detections`.
    """

    places: Float64
    scores: Float64
    landmarks: Float64

    def of(self, rows: NDArray[np.int64]) -> Candidates:
        """Those of these numbers, in their order."""
        return Candidates(self.places[rows], self.scores[rows], self.landmarks[rows])


def pick_faces(
    outputs: Mapping[str, Float32], width: int, score_threshold: float, nms_threshold: float
) -> Candidates:
    """The faces of a picture, one box each, the most confident first.

    Args:
        outputs: As for `decode`.
        width: Width of the network's input, in pixels.
        score_threshold: Confidence that a face needs.
        nms_threshold: Overlap above which two boxes count as one face.
    """
    found = decode(outputs, width, score_threshold)
    # OpenCV compares boxes of whole pixels, rounded towards zero.
    whole = found._replace(places=np.trunc(found.places))
    return found.of(suppress(whole, nms_threshold))


def decode(outputs: Mapping[str, Float32], width: int, score_threshold: float) -> Candidates:
    """The boxes of likely cells, the finest map first, row by row.

    A box is centred at the cell, shifted by the first two values of `bbox`; the other two are the
    logarithms of its width and height. Landmarks are at the cell, shifted by `kps`. All count in
    strides. The confidence is the geometric mean of `cls` and `obj`.

    Args:
        outputs: For each of `STRIDES_PX` and its n cells: "cls_8" and "obj_8", (1, n, 1) from 0 to
            1, "bbox_8", (1, n, 4), and "kps_8", (1, n, 10).
        width: Width of the network's input, in pixels.
        score_threshold: Confidence that a cell needs.
    """
    places, scores, landmarks = [], [], []
    for stride in STRIDES_PX:
        likely, good = (outputs[f"{name}_{stride}"][0, :, 0].clip(0, 1) for name in ("cls", "obj"))
        confidence = np.sqrt(likely * good)
        cells = np.flatnonzero(confidence >= score_threshold)
        box = outputs[f"bbox_{stride}"][0, cells].astype(np.float64)
        corners = np.stack(np.divmod(cells, width // stride)[::-1], 1)
        centres = corners + box[:, :2]
        sides = np.exp(box[:, 2:])
        places.append(np.concatenate([centres - sides / 2, sides], 1) * stride)
        scores.append(confidence[cells].astype(np.float64))
        points = outputs[f"kps_{stride}"][0, cells].astype(np.float64).reshape(-1, 5, 2)
        landmarks.append((corners[:, None] + points) * stride)
    return Candidates(*map(np.concatenate, (places, scores, landmarks)))


def suppress(found: Candidates, threshold: float) -> NDArray[np.int64]:
    """Of boxes that overlap, keep the most confident (non-maximum suppression).

    Args:
        found: The boxes.
        threshold: Overlap, as intersection over union, above which two boxes count as one.

    Returns:
        The numbers of the boxes that are kept, the most confident first.
    """
    kept = cv2.dnn.NMSBoxes(
        found.places.tolist(), found.scores.tolist(), 0.0, threshold, 1.0, _MOST_CANDIDATES
    )
    return np.asarray(kept, np.int64).reshape(-1)
