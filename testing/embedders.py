"""The check of embedders."""

from __future__ import annotations

import numpy as np

from ..core.analysis.answers import checked_vectors
from ..core.contracts import Embedder
from ..core.samples import noise_picture
from ..core.types import PORTRAIT_SIZE_PX, Float32, UInt8
from .holding import SAME_SCORE, Remembered, asking, hold, name_of


def check_embedder(embedder: Embedder) -> None:
    """Check that an embedder gives each face a vector of length 1, independent of other faces.

    It is given noise, black and white instead of faces, and no face at all.

    Args:
        embedder: The embedder.

    Raises:
        PluginError: It does not keep its contract; see `asdkit.plugin.Embedder`.
    """
    name = name_of(embedder)
    returned = Remembered(name)
    sizes: list[int] = []

    def embed(faces: UInt8) -> Float32:
        with asking(name, faces):
            answer = embedder.embed(faces)
        vectors = checked_vectors(name, answer, len(faces), *sizes[:1])
        sizes.append(vectors.shape[1])
        returned.add([vectors])
        lengths = np.linalg.norm(vectors, axis=1)
        wrong = lengths[abs(lengths - 1) > 1e-3]
        hold(
            not len(wrong),
            f"{name} gives vectors whose length is not 1, but {wrong[:1]}",
            "Divide each row by its length",
        )
        return vectors

    shape = (PORTRAIT_SIZE_PX, PORTRAIT_SIZE_PX, 3)
    plain = [np.full(shape, level, np.uint8) for level in (0, 255)]
    faces = np.stack([*noise_picture((2, *shape), seed=2), *plain])
    together = embed(faces)
    embed(faces[:0])
    for row, face in zip(together, faces, strict=True):
        hold(
            np.allclose(row, embed(face[None])[0], rtol=0, atol=SAME_SCORE),
            f"{name} embeds a face otherwise among others than alone",
            "Embed each face separately, whatever else is in the batch, and use no chance",
        )
    returned.check()
