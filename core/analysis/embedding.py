"""Embeds faces in batches while their frames are still in memory."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ..contracts import Embedder
from ..pictures import Picture
from ..progress import Stopwatch
from ..types import PORTRAIT_SIZE_PX, Float32, Float64, UInt8
from .answers import asked, checked_vectors
from .crops import portrait

_BATCH_FACES = 16
"""Faces per batch; each takes 77 kB while the batch fills."""


@dataclass
class Embedded:
    """The embeddings of one track: the grid frames embedded, and a vector for each."""

    frames: list[int] = field(default_factory=list)
    vectors: list[Float32] = field(default_factory=list)


class Portraits:
    """Gathers the faces of all tracks and embeds them in batches.

    Args:
        embedder: The embedder.
        watch: Times the stage "embed".
        name: The embedder in words.
    """

    def __init__(self, embedder: Embedder, watch: Stopwatch, name: str = "The embedder") -> None:
        self._embedder = embedder
        self._watch = watch
        self._name = name
        self._faces = np.empty((_BATCH_FACES, PORTRAIT_SIZE_PX, PORTRAIT_SIZE_PX, 3), np.uint8)
        self._waiting: list[tuple[Embedded, int]] = []
        self._length: int | None = None
        """Length of every vector; None before the first batch."""

    def take(self, track: Embedded, frame: int, picture: Picture, box: Float64) -> None:
        """Queue the face at `box` (4,) in the picture of a grid frame."""
        self._faces[len(self._waiting)] = portrait(picture, box)
        self._waiting.append((track, frame))
        if len(self._waiting) == _BATCH_FACES:
            self.flush()

    def flush(self) -> None:
        """Embed the queued faces.

        Raises:
            PluginError: The embedder did not return one finite vector per face.
        """
        if not self._waiting:
            return
        vectors = self._embed(self._faces[: len(self._waiting)])
        for (track, frame), vector in zip(self._waiting, vectors, strict=True):
            track.frames.append(frame)
            track.vectors.append(vector)
        self._waiting = []

    def distance(self, a: UInt8, b: UInt8) -> float:
        """The cosine distance of two portraits (160, 160, 3), from 0 to 2.

        Raises:
            PluginError: As for `flush`.
        """
        first, second = self._embed(np.stack([a, b]))
        return 1.0 - float(first @ second)

    def _embed(self, faces: UInt8) -> Float32:
        with self._watch("embed"):
            vectors = embed(self._embedder, faces, self._name, self._length)
        self._length = vectors.shape[1]
        return vectors


def embed(
    embedder: Embedder, faces: UInt8, name: str = "The embedder", length: int | None = None
) -> Float32:
    """The vectors (n, d) of faces (n, 160, 160, 3).

    Args:
        embedder: The embedder.
        faces: uint8, RGB.
        name: The embedder in words.
        length: d, if known from earlier calls.

    Raises:
        PluginError: The embedder did not return one finite vector per face.
    """
    with asked(name):
        answer = embedder.embed(faces)
    return checked_vectors(name, answer, len(faces), length)
