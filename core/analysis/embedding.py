"""Embeds faces in batches while their frames are still in memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from ..contracts import Embedder
from ..pictures import Picture
from ..progress import Stopwatch
from ..types import Detections, Float32, Float64, TrackPiece, UInt8
from .alignment import embedded_picture
from .answers import asked
from .embedder_answers import (
    checked_identity_distance,
    checked_template,
    checked_vectors,
    side_of,
)
from .found_landmarks import FoundLandmarks, TrackLandmarks

_BATCH_FACES = 16
"""Faces per batch; each takes 77 kB while the batch fills, if it is a box."""


@dataclass
class Embedded:
    """The embeddings of one track: the grid frames embedded, and a vector for each."""

    frames: list[int] = field(default_factory=list)
    vectors: list[Float32] = field(default_factory=list)
    landmarks: TrackLandmarks = field(default_factory=TrackLandmarks)
    """Where its eyes, nose and mouth are, if the embedder wants aligned faces."""


class FaceAt(NamedTuple):
    """A face: the number of a grid frame, its picture, and the box (4,) in it."""

    frame: int
    picture: Picture
    box: Float64


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
        self._template = checked_template(name, embedder)
        self._identity_distance = checked_identity_distance(name, embedder)
        self._found = FoundLandmarks()
        side = side_of(self._template)
        self._faces = np.empty((_BATCH_FACES, side, side, 3), np.uint8)
        self._waiting: list[tuple[Embedded, int]] = []
        self._length: int | None = None
        """Length of every vector; None before the first batch."""

    def looked(self, found: Iterable[tuple[int, Detections]]) -> None:
        """Note the faces of the frames that the detector looked at last, in square pixels."""
        if self._template:
            self._found.add(found)

    def follow(self, track: Embedded, piece: TrackPiece) -> None:
        """Note the landmarks of a track's next boxes."""
        if self._template:
            track.landmarks.add(piece, self._found)

    def forget_before(self, index: int) -> None:
        """Free the landmarks found before grid frame `index`."""
        self._found.forget_before(index)

    def take(self, track: Embedded, face: FaceAt) -> None:
        """Queue a face of a track."""
        frame, picture, box = face
        landmarks = track.landmarks.near(frame, box)
        picked = embedded_picture(picture, box, landmarks, self._template)
        self._faces[len(self._waiting)] = picked
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

    def two_people(self, one: FaceAt, other: FaceAt) -> bool:
        """Whether two faces are further apart than those of one person.

        Raises:
            PluginError: As for `flush`.
        """
        return self.distance(one, other) > self._identity_distance

    def distance(self, one: FaceAt, other: FaceAt) -> float:
        """The cosine distance of two faces, from 0 to 2.

        Raises:
            PluginError: As for `flush`.
        """
        pictures = [
            embedded_picture(picture, box, self._found.at(frame, box), self._template)
            for frame, picture, box in (one, other)
        ]
        first, second = self._embed(np.stack(pictures))
        return 1.0 - float(first @ second)

    def _embed(self, faces: UInt8) -> Float32:
        with self._watch("embed"):
            vectors = embed(self._embedder, faces, self._name, self._length)
        self._length = vectors.shape[1]
        return vectors


def embed(
    embedder: Embedder, faces: UInt8, name: str = "The embedder", length: int | None = None
) -> Float32:
    """The vectors (n, d) of faces (n, side, side, 3).

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
