"""An embedder by colour: faces are alike whose parts have the same colours."""

from __future__ import annotations

from dataclasses import dataclass

import asdkit
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class EmbedderConfig:
    """Parameters of the embedder.

    Attributes:
        parts: Into how many parts each side of the face is divided, from 1 to 16.
    """

    parts: int = 4

    def __post_init__(self) -> None:
        if not 1 <= self.parts <= 16:
            raise ValueError(f"parts must be from 1 to 16, got {self.parts}")


class ColourEmbedder:
    """The mean colour of each part, and a constant, so that no vector is zero."""

    identity_distance = 0.05

    def __init__(self, config: EmbedderConfig) -> None:
        self._parts = config.parts

    def embed(self, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Faces (n, 160, 160, 3) in RGB; a row of length 1 for each."""
        count, side = len(faces), faces.shape[1] // self._parts
        whole = faces[:, : side * self._parts, : side * self._parts].astype(np.float32)
        split = whole.reshape(count, self._parts, side, self._parts, side, 3)
        means = split.mean((2, 4)).reshape(count, 3 * self._parts**2) / 255
        rows = np.concatenate([means, np.ones((count, 1), np.float32)], 1)
        length = np.linalg.norm(rows, axis=1, keepdims=True)
        return np.asarray(rows / length, np.float32)


def build(config: EmbedderConfig, context: asdkit.Context) -> ColourEmbedder:
    """Make the embedder; weights would be loaded here."""
    return ColourEmbedder(config)
