"""The pictures of faces that embedders read: boxes, or faces moved to where landmarks should be."""

from __future__ import annotations

from math import ceil, floor, hypot

import cv2
import numpy as np

from ..landmarks import FaceTemplate, similarity, spread_out, typical
from ..pictures import Picture, as_picture
from ..types import Float64, UInt8
from .crops import portrait, shown

_SHRUNK_ABOVE = 0.5
"""Faces that become smaller than this are first scaled down by averaging: taking single pixels of
them, as `cv2.warpAffine` does, would make patterns that are not in the face."""


def embedded_picture(
    image: Picture | UInt8, box: Float64, landmarks: Float64 | None, template: FaceTemplate | None
) -> UInt8:
    """The picture of a face for an embedder.

    Args:
        image: The picture, or an array (height, width, 3) uint8, RGB.
        box: (4,) x1, y1, x2, y2 of the face in pixels.
        landmarks: (5, 2), in the same pixels; None to assume typical places in the box.
        template: What the embedder wants; None for the box alone.

    Returns:
        (side, side, 3) uint8, RGB: `crops.portrait` without a template, else `aligned`.
    """
    if template is None:
        return portrait(image, box)
    return aligned(image, typical(box) if landmarks is None else landmarks, template)


def aligned(image: Picture | UInt8, landmarks: Float64, template: FaceTemplate) -> UInt8:
    """A face moved by a similarity transform, so that its landmarks are at those of a template.

    Args:
        image: The picture, or an array (height, width, 3) uint8, RGB.
        landmarks: (5, 2) float64, in pixels of the picture; if all are in one place, its
            surroundings are shown pixel by pixel.
        template: Size of the result, and where the landmarks should be.

    Returns:
        (side, side, 3) uint8, RGB, black beyond the picture.
    """
    picture = as_picture(image)
    if not spread_out(landmarks):
        landmarks = landmarks.mean(0) + template.landmarks - template.landmarks.mean(0)
    side = template.side_px
    move = similarity(landmarks, template.landmarks)
    back = cv2.invertAffineTransform(move)
    corners = np.array([[x, y, 1.0] for x in (-1, side) for y in (-1, side)]) @ back.T
    # Beyond the picture nothing is seen, however far the numbers go.
    (left, top), (right, bottom) = np.clip(
        [corners.min(0), corners.max(0)], -2, (picture.width + 2, picture.height + 2)
    )
    top, bottom, left, right = shown(picture, floor(top), ceil(bottom), floor(left), ceil(right))
    inside = picture.region(top, bottom, left, right)
    height, width = inside.shape[:2]
    shrunk = min(1.0, hypot(*move[:, 0]) / _SHRUNK_ABOVE)
    if shrunk < 1:
        size = max(1, ceil(width * shrunk)), max(1, ceil(height * shrunk))
        inside = np.asarray(cv2.resize(inside, size, interpolation=cv2.INTER_AREA), np.uint8)
    # Pixel k of `inside` is centred at (k + 0.5) * step - 0.5 from the region's first one.
    step = np.array([width / inside.shape[1], height / inside.shape[0]])
    whole = np.array(
        [[step[0], 0, left + step[0] / 2 - 0.5], [0, step[1], top + step[1] / 2 - 0.5], [0, 0, 1]]
    )
    return np.asarray(
        cv2.warpAffine(inside, move @ whole, (side, side), flags=cv2.INTER_LINEAR), np.uint8
    )
