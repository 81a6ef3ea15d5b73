"""Where a crop should be to show a face, or two, frame by frame."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ....core.types import Float64
from .paths import Rect
from .people import Person

_LARGE = 90
"""Of the heights of a face the crop is made for this percentile: it is seldom larger."""
_LARGEST_SHARE = 0.6
"""Of the height of a crop a face is at most this part for the sake of showing nobody else."""
_AROUND = 1.2
"""Two faces fit into a crop that is so many times as wide, and as high, as both together."""


@dataclass(frozen=True)
class Frame:
    """What crops of one shape keep to.

    Attributes:
        width: Width of the source in pixels.
        height: Height of the source in pixels.
        aspect: Width over height of the crops, in stored pixels.
        max_zoom: The largest crop is at most so many times as high as any.
        face_share: The height of a face that is wanted, as a part of the crop's.
        headroom: Where the middle of the face is wanted, as a part of the crop's height.
    """

    width: int
    height: int
    aspect: Fraction
    max_zoom: float
    face_share: float
    headroom: float

    @property
    def largest(self) -> float:
        """The height of the largest crop."""
        return float(min(Fraction(self.height), self.width / self.aspect))

    def middle(self) -> Rect:
        """The largest crop, in the middle."""
        return self.at(self.width / 2, self.height / 2, self.largest)

    def at(self, x: float, y: float, height: float) -> Rect:
        """The crop of a height around a point, moved into the picture."""
        width = height * float(self.aspect)
        left = min(max(x - width / 2, 0.0), max(self.width - width, 0.0))
        top = min(max(y - height / 2, 0.0), max(self.height - height, 0.0))
        return Rect(left, top, width, height)


def wanted(
    people: Sequence[Person], first: int, end: int, frame: Frame, most: float = math.inf
) -> Float64 | None:
    """Where the crop of one person should be, or of two who fit into it.

    Its height is the same throughout, that of the person's largest faces. Where the face is not
    visible its place is taken from the frames before and after.

    Args:
        people: The people to show, one or two.
        first: The first frame, in frames of the shot.
        end: The frame after the last one.
        frame: What crops keep to.
        most: The width that the crop should not exceed, if it still shows the face with a margin.

    Returns:
        (end - first, 3) float64, the crop's centre x, its centre y, and its height in pixels, all
        of it within the picture; None if two do not fit.
    """
    boxes = np.stack([_filled(person)[first:end] for person in people])
    x1, y1 = boxes[..., :2].min(axis=0).T
    x2, y2 = boxes[..., 2:].max(axis=0).T
    faces = boxes[..., 3] - boxes[..., 1]
    face = float(np.percentile(faces.max(axis=0), _LARGE))
    height = min(face / frame.face_share, max(most / float(frame.aspect), face / _LARGEST_SHARE))
    if len(people) > 1:
        wide, tall = (_AROUND * float(np.percentile(side, _LARGE)) for side in (x2 - x1, y2 - y1))
        needed = max(wide / float(frame.aspect), tall)
        if needed > frame.largest:
            return None
        height = max(height, needed)
    height = min(max(height, frame.largest / frame.max_zoom), frame.largest)
    half_width, half_height = height * float(frame.aspect) / 2, height / 2
    x = _kept((x1 + x2) / 2, half_width, frame.width)
    y = _kept((y1 + y2) / 2 + (0.5 - frame.headroom) * height, half_height, frame.height)
    return np.stack([x, y, np.full(end - first, height)], axis=1)


def room_beside(person: Person, other: Person, first: int, end: int, frame: Frame) -> float:
    """The width of the widest crop of one person that does not show another one's face.

    Args:
        person: Whom the crop shows.
        other: The other one.
        first: The first frame, in frames of the shot.
        end: The frame after the last one.
        frame: What crops keep to.
    """
    own, others = (_filled(one)[first:end] for one in (person, other))
    x = float(np.median(own[:, [0, 2]]))
    free = float(np.median(others[:, 0]))
    if float(np.median(others[:, [0, 2]])) < x:  # on the left: the same from the other side
        x, free = frame.width - x, frame.width - float(np.median(others[:, 2]))
    # At the edge of the picture the crop is not around the face but reaches from there.
    return max(free, 0.0) if 2 * x <= free else 2 * max(free - x, 0.0)


def overlap(one: Rect, other: Rect) -> float:
    """The part of the smaller of two crops that the other one shows, too."""
    width = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    height = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    smaller = min(one.width * one.height, other.width * other.height)
    return max(width, 0.0) * max(height, 0.0) / smaller


def _filled(person: Person) -> Float64:
    """A person's boxes in every frame of the shot, interpolated where there are none."""
    seen = np.flatnonzero(person.visible)
    frames = np.arange(len(person.boxes))
    columns = [np.interp(frames, seen, column[seen]) for column in person.boxes.T]
    return np.stack(columns, axis=1)


def _kept(centres: Float64, half: float, length: int) -> Float64:
    """Centres of crops, moved so that the crops are within the picture."""
    return np.asarray(np.clip(centres, half, max(length - half, half)), np.float64)
