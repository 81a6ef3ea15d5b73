"""Animates portraits that installed packages ship."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ..errors import MissingExtraError
from ..types import Float32, UInt8

WIDTH, HEIGHT = 480, 540
"""Size of the animated picture, in pixels."""
_GAP_PX = 18.0
"""Height of a wide open mouth."""
_MOUTH_COLOUR = np.array([66, 24, 22], np.float32)


@dataclass(frozen=True, eq=False)
class Portrait:
    """A picture, the part of it to show, and positions in it, in pixels of the picture.

    Attributes:
        picture: (height, width, 3) uint8, RGB.
        left: Left edge of the part to show, whose upper edge is the picture's.
        scale: Enlargement of that part.
        head: Centre x, centre y and half the height of the head.
        mouth: Centre x, y of its corners, half its width.
        sag: How much lower the line between the lips is in the middle than at the corners.
        chin: y of the chin's lower edge.
    """

    picture: UInt8
    left: int
    scale: float
    head: tuple[float, float, float]
    mouth: tuple[float, float, float]
    sag: float
    chin: float


def grace_hopper() -> Portrait:
    """Grace Hopper in 1984, by the United States Navy; public domain.

    Raises:
        MissingExtraError: matplotlib, which ships it, is not installed.
    """
    try:
        from matplotlib.cbook import get_sample_data
    except ImportError as error:
        raise MissingExtraError("asd demo", "matplotlib", "demo") from error
    data = Path(get_sample_data("grace_hopper.jpg", asfileobj=False)).read_bytes()
    picture: Any = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    return Portrait(
        picture=np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8),
        left=0,
        scale=0.9375,
        head=(265, 195, 170),
        mouth=(268.5, 280.5, 38),
        sag=-1.5,
        chin=328,
    )


def astronaut() -> Portrait:
    """Eileen Collins in 1993, by NASA; public domain.

    Raises:
        MissingExtraError: scikit-image, which ships it, is not installed.
    """
    try:
        from skimage import data
    except ImportError as error:
        raise MissingExtraError("asd demo", "scikit-image", "demo") from error
    load: Any = data.astronaut
    return Portrait(
        picture=np.asarray(load(), np.uint8),
        left=97,
        scale=1.875,
        head=(226, 100, 88),
        mouth=(225, 141, 21),
        sag=8.0,
        chin=178,
    )


class TalkingHead:
    """A portrait whose head sways and whose mouth opens."""

    def __init__(self, portrait: Portrait) -> None:
        scale, left = portrait.scale, portrait.left
        shown = portrait.picture[: round(HEIGHT / scale), left : left + round(WIDTH / scale)]
        enlarged = cv2.resize(shown, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
        self._still: UInt8 = np.asarray(enlarged, np.uint8)
        self._y, self._x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
        x, y, size = portrait.head
        self._head_x, self._head_y = (x - left) * scale, y * scale
        # The head moves rigidly; the picture around it is warped.
        away = np.hypot(self._x - self._head_x, self._y - self._head_y) / (size * scale)
        self._stiffness = _smooth_step(2.2 - away)
        x, y, half_width = portrait.mouth
        mouth_x, corner_y, half_width = (x - left) * scale, y * scale, half_width * scale
        self._jaw = portrait.chin * scale - corner_y
        rows = slice(round(corner_y - self._jaw), round(corner_y + 2.2 * self._jaw))
        columns = slice(round(mouth_x - 2 * half_width), round(mouth_x + 2 * half_width))
        self._mouth = rows, columns
        self._across = np.square((self._x[self._mouth] - mouth_x) / half_width)
        self._lip = corner_y + portrait.sag * scale * (1 - self._across)

    def picture(self, opening: float, sway: tuple[float, float, float]) -> UInt8:
        """The portrait at one moment.

        Args:
            opening: How far the mouth is open, from 0 to 1.
            sway: The head's shift right and down in pixels, and its rotation in radians.

        Returns:
            (540, 480, 3) uint8, RGB.
        """
        picture = self._still.copy()
        picture[self._mouth] = self._lower_face(_GAP_PX * opening)
        right, down, turn = sway
        # The source position of each pixel: the sway, undone.
        x = self._x - self._stiffness * (right - turn * (self._y - self._head_y))
        y = self._y - self._stiffness * (down + turn * (self._x - self._head_x))
        return _looked_up(picture, x, y)

    def _lower_face(self, gap_px: float) -> UInt8:
        """Mouth, jaw and neck with the lips `gap_px` apart."""
        x, y = self._x[self._mouth], self._y[self._mouth]
        gap = gap_px * (1 - self._across).clip(0)
        upper_lip, lower_lip = self._lip - 0.15 * gap, self._lip + 0.85 * gap
        above, below = (upper_lip - y) / self._jaw, (y - lower_lip) / self._jaw
        rise = 0.15 * gap * _smooth_step(1 - 2 * above)
        # The lips part in the middle; further down, the whole jaw drops and the neck is warped.
        across = self._across / np.square(1 + 0.6 * below.clip(0, 1))
        drop = 0.85 * gap_px * (1 - across).clip(0) * _smooth_step((1.9 - below) / 0.9)
        # The source row of each pixel; between the lips, the line where they meet.
        from_y = np.select([above >= 0, below >= 0], [y + rise, y - drop], self._lip)
        still = _looked_up(self._still, x, from_y)
        inside = (-self._jaw / 2 * np.maximum(above, below)).clip(0, 1)[..., None]
        return np.asarray(np.rint(still + inside * (_MOUTH_COLOUR - still)), np.uint8)


def _looked_up(picture: UInt8, x: Float32, y: Float32) -> UInt8:
    """The picture whose pixels lie at (x, y) in `picture`."""
    moved = cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(moved, np.uint8)


def _smooth_step(x: Float32) -> Float32:
    """0 up to 0, 1 from 1 on, smooth between."""
    x = x.clip(0, 1)
    return np.asarray(x * x * (3 - 2 * x), np.float32)
