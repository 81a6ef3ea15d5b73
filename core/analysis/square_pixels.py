"""Converts non-square pixels: components see square pixels, results are in stored pixels."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ..types import Float64, UInt8

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

    def image(self, stored: UInt8) -> UInt8:
        """A picture (h, w, 3) in square pixels; the same array if its pixels are square."""
        if not self.changes:
            return stored
        height, width = stored.shape[:2]
        size = round(width * self.x), round(height * self.y)
        return np.asarray(cv2.resize(stored, size, interpolation=cv2.INTER_LINEAR), np.uint8)

    def boxes(self, stored: Float64) -> Float64:
        """Convert boxes (n, 4) from stored pixels to square ones."""
        return stored * (self.x, self.y, self.x, self.y) if self.changes else stored

    def stored_boxes(self, boxes: Float64) -> Float64:
        """Convert boxes (n, 4) from square pixels to stored ones."""
        return boxes / (self.x, self.y, self.x, self.y) if self.changes else boxes

    def stored_smoothed(self, smoothed: Float64) -> Float64:
        """Convert the centres in rows (n, 3) to stored pixels; half sizes stay in square ones."""
        return smoothed / (self.x, self.y, 1) if self.changes else smoothed
