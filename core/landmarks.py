"""Landmarks of faces: where they are, and the similarity that moves them elsewhere.

A face has five: the eye on the picture's left, the eye on its right, the tip of the nose, and the
corners of the mouth on the left and on the right.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .arrays import as_array, checked_landmarks
from .types import Float64

TYPICAL: Float64 = np.array(
    [[0.265, 0.40], [0.735, 0.40], [0.50, 0.605], [0.29, 0.74], [0.71, 0.74]], np.float64
)
"""Where landmarks are in the box of a face, as parts of its width and height: the means of those
that YuNet and MTCNN find, which differ by 0.015 at most, rounded and made symmetric; measured by
benchmarks/identities.py on the photographs that docs/choosing.md names."""
_LEAST_SPREAD = 1e-3
"""Landmarks closer together than this, as the root mean square distance from their mean in pixels,
say nothing of a face's size and direction."""


@dataclass(frozen=True, eq=False)
class FaceTemplate:
    """The pictures of faces that an embedder wants: their size, and where the landmarks are.

    Attributes:
        side_px: Side of the square picture, 1 or more.
        landmarks: (5, 2) float64: x and y in the picture of the eye on its left, the eye on its
            right, the nose, and the corners of the mouth on the left and on the right; in pixels
            from the middle of the first one.

    Raises:
        ValueError: A field is out of range, or all landmarks are in one place.
    """

    side_px: int
    landmarks: Float64

    def __post_init__(self) -> None:
        side_px = self.side_px
        if not isinstance(side_px, int | np.integer) or isinstance(side_px, bool) or side_px < 1:
            raise ValueError(f"FaceTemplate.side_px must be a number of pixels, got {side_px!r}")
        points = as_array("FaceTemplate.landmarks", self.landmarks, np.float64, (5, 2))
        checked_landmarks("FaceTemplate.landmarks", points[None], 1)
        if not spread_out(points):
            raise ValueError(f"FaceTemplate.landmarks are all at {points[0].tolist()}")
        object.__setattr__(self, "side_px", int(side_px))
        object.__setattr__(self, "landmarks", points)


def spread_out(landmarks: Float64) -> bool:
    """Whether landmarks (5, 2) are apart, so that they say a face's size and direction."""
    return float(((landmarks - landmarks.mean(0)) ** 2).sum(1).mean()) > _LEAST_SPREAD**2


def typical(box: Float64) -> Float64:
    """Where landmarks are in a box (4,) of a face that nothing more is known of: (5, 2)."""
    return box[:2] + TYPICAL * (box[2:] - box[:2])


def moved(landmarks: Float64, old: Float64, new: Float64) -> Float64:
    """Landmarks (5, 2) of a face whose box (4,) has moved and grown from `old` to `new`."""
    sides = old[2:] - old[:2]
    scale = np.divide(new[2:] - new[:2], sides, out=np.ones(2), where=sides > 0)
    return new[:2] + (landmarks - old[:2]) * scale


def similarity(places: Float64, wanted: Float64) -> Float64:
    """The shift, rotation and scale that best moves places to others.

    Best means the least sum of squared distances (Umeyama, "Least-squares estimation of
    transformation parameters between two point patterns", IEEE Transactions on Pattern Analysis and
    Machine Intelligence 1991). In the plane, without reflection, that is the linear regression of
    complex numbers x + iy.

    Args:
        places: (n, 2) float64, not all equal.
        wanted: (n, 2) float64.

    Returns:
        (2, 3) float64: multiply it by x, y, 1.
    """
    given, target = (points[:, 0] + 1j * points[:, 1] for points in (places, wanted))
    centred = given - given.mean()
    turn = (centred.conj() @ (target - target.mean())) / (centred.conj() @ centred).real
    shift = target.mean() - turn * given.mean()
    return np.array(
        [[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]], np.float64
    )
