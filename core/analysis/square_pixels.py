"""Converts non-square pixels: components see square pixels, results are in stored pixels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from ..pictures import Picture, WholePicture, room
from ..types import Detections, Float64, UInt8

_NEARLY_SQUARE = 1.02
"""Pixels with sides within this ratio count as square: files give such ratios by rounding."""
MOST_OBLONG = 4.0
"""A larger ratio is taken for a mistake in the file, and the pixels for square."""


@dataclass(frozen=True)
class Square:
    """Converts stored pixels to square ones and back; pictures are only ever enlarged.

    Attributes:
        x: Factor of the picture's width, at least 1.
        y: Factor of its height, at least 1.
    """

    x: float = 1.0
    y: float = 1.0

    @classmethod
    def of(cls, pixel_aspect: float) -> Square:
        """For pixels whose width over height is `pixel_aspect`."""
        oblong = max(pixel_aspect, 1 / pixel_aspect) if pixel_aspect > 0 else np.inf
        if not _NEARLY_SQUARE < oblong <= MOST_OBLONG:
            return cls()
        return cls(x=pixel_aspect) if pixel_aspect > 1 else cls(y=1 / pixel_aspect)

    @property
    def changes(self) -> bool:
        """Whether stored pixels are not square."""
        return (self.x, self.y) != (1.0, 1.0)

    def size(self, height: int, width: int) -> tuple[int, int]:
        """Height and width in square pixels of a picture with this stored size."""
        return round(height * self.y), round(width * self.x)

    def picture(self, stored: Picture) -> Picture:
        """A picture in square pixels; the same one if its pixels are square."""
        if not self.changes:
            return stored
        return _Stretched(stored, *self.size(stored.height, stored.width))

    def boxes(self, stored: Float64) -> Float64:
        """Convert boxes (n, 4) from stored pixels to square ones."""
        return stored * (self.x, self.y, self.x, self.y) if self.changes else stored

    def faces(self, stored: Detections) -> Detections:
        """Convert boxes and landmarks of detections from stored pixels to square ones."""
        if not self.changes:
            return stored
        points = None if stored.landmarks is None else stored.landmarks * (self.x, self.y)
        return Detections(self.boxes(stored.boxes), stored.scores, points, stored.ids)

    def stored_boxes(self, boxes: Float64) -> Float64:
        """Convert boxes (n, 4) from square pixels to stored ones."""
        return boxes / (self.x, self.y, self.x, self.y) if self.changes else boxes

    def stored_smoothed(self, smoothed: Float64) -> Float64:
        """Convert the centres in rows (n, 3) to stored pixels; half sizes stay in square ones."""
        return smoothed / (self.x, self.y, 1) if self.changes else smoothed


class _Stretched(WholePicture):
    """A picture stretched to square pixels, as a whole, when somebody first looks at it."""

    def __init__(self, stored: Picture, height: int, width: int) -> None:
        super().__init__(height, width)
        self._stored = stored

    @cached_property
    def _image(self) -> UInt8:
        image = room((self.height, self.width, 3))
        cv2.resize(
            self._stored.rgb(), (self.width, self.height), image, interpolation=cv2.INTER_LINEAR
        )
        return image

    def rgb(self) -> UInt8:
        """See `core.pictures.Picture`."""
        return self._image
