"""Embeds faces while their frames are at hand, several at a time."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .contracts import Embedder
from .crops import portrait
from .errors import PluginError
from .progress import Stopwatch
from .types import PORTRAIT_SIZE_PX, Float32, Float64, UInt8

_BATCH_FACES = 16
"""Faces embedded at once; each takes 77 kB until then."""


@dataclass
class Embedded:
    """The embeddings of one track: grid frames, and a vector for each."""

    frames: list[int] = field(default_factory=list)
    vectors: list[Float32] = field(default_factory=list)


class Portraits:
    """Gathers faces of all tracks and embeds them.

    Args:
        embedder: The embedder.
        watch: Measures the stage.
    """

    def __init__(self, embedder: Embedder, watch: Stopwatch) -> None:
        self._embedder = embedder
        self._watch = watch
        self._faces = np.empty((_BATCH_FACES, PORTRAIT_SIZE_PX, PORTRAIT_SIZE_PX, 3), np.uint8)
        self._waiting: list[tuple[Embedded, int]] = []

    def take(self, track: Embedded, frame: int, image: UInt8, box: Float64) -> None:
        """Take a face: `box` (4,) in `image` (height, width, 3), at a grid frame."""
        self._faces[len(self._waiting)] = portrait(image, box)
        self._waiting.append((track, frame))
        if len(self._waiting) == _BATCH_FACES:
            self.flush()

    def flush(self) -> None:
        """Embed the faces that wait.

        Raises:
            PluginError: The embedder did not answer with one vector per face.
        """
        if not self._waiting:
            return
        with self._watch("embed"):
            vectors = embed(self._embedder, self._faces[: len(self._waiting)])
        for (track, frame), vector in zip(self._waiting, vectors, strict=True):
            track.frames.append(frame)
            track.vectors.append(vector)
        self._waiting = []


def embed(embedder: Embedder, faces: UInt8) -> Float32:
    """The vectors (n, d) of faces (n, 160, 160, 3).

    Raises:
        PluginError: The embedder did not answer with one finite vector per face.
    """
    vectors = np.asarray(embedder.embed(faces), np.float32)
    if vectors.ndim != 2 or len(vectors) != len(faces) or not np.isfinite(vectors).all():
        raise PluginError(
            f"The embedder did not answer with one finite vector for each of {len(faces)} faces, "
            f"but with shape {vectors.shape}"
        )
    return vectors
