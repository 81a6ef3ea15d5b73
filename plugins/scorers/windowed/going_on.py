"""Computes the visual vectors of a face that goes on, from its new frames alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ....core.types import Float32, UInt8
from .stream import Stream


class GoingOn:
    """The visual vectors of a face so far, as those of a window that begins with the face.

    New frames change the vectors of the last `reach` frames, which saw the end of the window.

    Args:
        stream: Runs the graphs.
    """

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._first: list[UInt8] = []
        """Its faces as long as they are too few to go on from."""
        self._last: UInt8 | None = None
        """The last faces, once it goes on."""
        self._found: Mapping[str, Any] = {}
        self._inside: list[Float32] = []
        self._edge = np.empty(0, np.float32)

    def vectors(self, new: UInt8, wanted: int) -> Float32:
        """Take the next faces, (n, 112, 112), perhaps none; return the last `wanted` vectors.

        Args:
            new: The faces.
            wanted: How many vectors; no later call may ask for those before them.
        """
        if len(new):
            self._take(new)
        known = np.concatenate([*self._inside, self._edge])[-wanted:]
        reach = self._stream.reach.frames
        if self._last is not None:
            self._inside = [known[: max(len(known) - reach, 0)]]
        return known

    def _take(self, new: UInt8) -> None:
        reach, earlier = self._stream.reach.frames, self._stream.earlier
        if self._last is None:
            self._first.append(new)
            faces = np.concatenate(self._first)
            self._found = self._stream.begin(faces)
            found: Float32 = self._found[self._stream.reach.vectors.name].numpy()[0]
            inside = max(len(faces) - reach, 0)
            self._inside, self._edge = [found[:inside]], found[inside:]
            if len(faces) >= 2 * reach:
                self._first, self._last = [], faces[-earlier:]
            return
        faces = np.concatenate([self._last, new])
        self._found = self._stream.go_on(faces, self._found)
        self._inside.append(self._found[self._stream.reach.vectors.name].numpy()[0])
        self._edge = self._stream.at_end(self._found)
        self._last = faces[-earlier:]
