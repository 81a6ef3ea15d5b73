"""Pictures of a live session as small JPEGs, for who looks at the page."""

from __future__ import annotations

import struct

import cv2
import numpy as np

from ..pictures import Picture

MOST_PER_SECOND = 12
LONGER_SIDE_PX = 640
_QUALITY = 80
_HEADER = struct.Struct("<dII")


class Pace:
    """Lets so many pictures a second through, evenly."""

    def __init__(self) -> None:
        self._due_s = float("-inf")

    def lets(self, now_s: float) -> bool:
        """Whether a picture may pass.

        Args:
            now_s: The time of any clock that does not go back.
        """
        if now_s < self._due_s:
            return False
        step_s = 1 / MOST_PER_SECOND
        late = now_s - self._due_s > step_s
        self._due_s = (now_s if late else self._due_s) + step_s
        return True


def still(time_s: float, picture: Picture) -> bytes:
    """A picture as it is sent: 16 bytes before a JPEG.

    The header is little-endian: the time in seconds (float64), and the width and the height of the
    picture before it was scaled down (uint32 each), to which boxes refer.
    """
    image = cv2.cvtColor(picture.scaled(LONGER_SIDE_PX), cv2.COLOR_RGB2BGR)
    _, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return _HEADER.pack(time_s, picture.width, picture.height) + np.asarray(jpeg).tobytes()
