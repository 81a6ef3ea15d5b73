"""Pixels that are not square: components see square ones, results tell of those stored."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ..types import Float64, UInt8

_NEARLY_SQUARE = 1.02
"""Up to this much off, the shape of a pixel is left as it is: files say so by rounding."""
MOST_OBLONG = 4.0
"""A pixel that is said to be more oblong than this is taken for square."""


@dataclass(frozen=True)
class Square:
    """The way from stored pixels to square ones and back; nothing is made smaller by it.

    Attributes:
        x: How much wider the picture becomes, at least 1.
        y: How much higher it becomes, at least 1.
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

    def image(self, stored: UInt8) -> UInt8:
        """A picture (h, w, 3) in square pixels; itself where they are."""
        if not self.changes:
            return stored
        height, width = stored.shape[:2]
        size = round(width * self.x), round(height * self.y)
        return np.asarray(cv2.resize(stored, size, interpolation=cv2.INTER_LINEAR), np.uint8)

    def boxes(self, stored: Float64) -> Float64:
        """Boxes (n, 4) in stored pixels, in square ones."""
        return stored * (self.x, self.y, self.x, self.y) if self.changes else stored

    def stored_boxes(self, boxes: Float64) -> Float64:
        """Boxes (n, 4) in square pixels, in stored ones."""
        return boxes / (self.x, self.y, self.x, self.y) if self.changes else boxes

    def stored_smoothed(self, smoothed: Float64) -> Float64:
        """Rows (n, 3) of centre and half size; the half size stays one in square pixels."""
        return smoothed / (self.x, self.y, 1) if self.changes else smoothed
