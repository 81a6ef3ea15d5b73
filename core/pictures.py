"""Pictures that are converted to RGB only as far as somebody looks at them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import prod
from mmap import mmap
from typing import Protocol

import cv2
import numpy as np

from .arrays import as_array
from .types import UInt8


class Picture(Protocol):
    """An upright picture. The arrays it hands out are RGB, uint8, and read-only by convention."""

    @property
    def height(self) -> int:
        """Height in pixels."""
        ...

    @property
    def width(self) -> int:
        """Width in pixels."""
        ...

    def rgb(self) -> UInt8:
        """The whole picture: (height, width, 3)."""
        ...

    def scaled(self, longer_side_px: int) -> UInt8:
        """The picture scaled down to the size that `scaled_size` gives; small ones as they are."""
        ...

    def region(self, top: int, bottom: int, left: int, right: int, step: int = 1) -> UInt8:
        """A part of the picture, (bottom - top, right - left, 3) if `step` is 1.

        Args:
            top: First row, 0 or more.
            bottom: One past the last row, above `top` and at most the height.
            left: First column, 0 or more.
            right: One past the last column, above `left` and at most the width.
            step: Take only every so many-th row and column, from the first on.
        """
        ...


def scaled_size(height: int, width: int, longer_side_px: int) -> tuple[int, int, float]:
    """The size of a picture whose longer side is brought down to `longer_side_px`.

    Returns:
        Height and width in pixels, and the scale, at most 1: pictures are never enlarged.
    """
    scale = longer_side_px / max(height, width)
    if scale >= 1:
        return height, width, 1.0
    return max(1, round(height * scale)), max(1, round(width * scale)), scale


def shrink(image: UInt8, longer_side_px: int) -> tuple[UInt8, float]:
    """Scale an image (h, w, 3) down so that its longer side is `longer_side_px`.

    Returns:
        The image, and its scale, at most 1: images that are small enough are returned as they are.
    """
    height, width, scale = scaled_size(image.shape[0], image.shape[1], longer_side_px)
    if scale == 1:
        return image, scale
    small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8), scale


class WholePicture(ABC):
    """A picture whose parts are taken from the whole.

    Args:
        height: In pixels.
        width: In pixels.
    """

    def __init__(self, height: int, width: int) -> None:
        self.height = height
        self.width = width

    @abstractmethod
    def rgb(self) -> UInt8:
        """See `Picture`."""

    def scaled(self, longer_side_px: int) -> UInt8:
        """See `Picture`."""
        return shrink(self.rgb(), longer_side_px)[0]

    def region(self, top: int, bottom: int, left: int, right: int, step: int = 1) -> UInt8:
        """See `Picture`."""
        return self.rgb()[top:bottom:step, left:right:step]


class ArrayPicture(WholePicture):
    """A picture that is RGB already.

    Args:
        image: (height, width, 3) uint8.
    """

    def __init__(self, image: UInt8) -> None:
        self._image = as_array("ArrayPicture.image", image, np.uint8, (None, None, 3))
        super().__init__(self._image.shape[0], self._image.shape[1])

    def rgb(self) -> UInt8:
        """See `Picture`."""
        return self._image


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture of the 25 fps grid.

    Attributes:
        index: Grid frame number; the picture nearest to `index / 25` seconds.
        picture: The upright picture. A frame that repeats the previous picture has the very same
            object.
    """

    index: int
    picture: Picture

    @property
    def image(self) -> UInt8:
        """The whole picture: (height, width, 3) uint8, RGB, read-only by convention."""
        return self.picture.rgb()


def as_picture(image: Picture | UInt8) -> Picture:
    """The picture of an array (height, width, 3); pictures are returned as they are."""
    return ArrayPicture(image) if isinstance(image, np.ndarray) else image


def unseen(*size: int) -> UInt8:
    """Black pictures (..., height, width, 3) that take no memory, for who does not look at them.

    Args:
        size: Height and width, perhaps after the number of pictures.
    """
    return np.broadcast_to(np.zeros((), np.uint8), (*size, 3))


def room(shape: tuple[int, ...]) -> UInt8:
    """An array of uint8 in memory of its own, which the system gets back when nobody uses it.

    Pictures that are kept for some frames, between arrays that are not, fragment the heap: a
    minute of 960x540 took 2.4 GB although at most 41 pictures were alive.
    """
    size = prod(shape)
    return np.frombuffer(mmap(-1, max(1, size)), np.uint8)[:size].reshape(shape)
