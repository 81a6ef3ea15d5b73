"""The check of embedders."""

from __future__ import annotations

import numpy as np

from ..core.analysis.embedder_answers import (
    checked_identity_distance,
    checked_template,
    checked_vectors,
    side_of,
)
from ..core.contracts import Embedder
from ..core.landmarks import FaceTemplate
from ..core.samples import noise_picture
from ..core.types import Float32, UInt8
from .holding import SAME_SCORE, Remembered, asking, hold, hold_length, in_order, name_of


def check_embedder(embedder: Embedder) -> None:
    """Check that an embedder gives each face a vector of length 1, independent of other faces.

    It is given noise, black and white instead of faces, and no face at all, in the size that it
    asks for. If it has a `template` and an `identity_distance`, they are checked, too.

    Args:
        embedder: The embedder.

    Raises:
        PluginError: It does not keep its contract; see `asdkit.plugin.Embedder`.
    """
    name = name_of(embedder)
    template = checked_template(name, embedder)
    checked_identity_distance(name, embedder)
    if template:
        _check_places(name, template)
    returned = Remembered(name)
    sizes: list[int] = []

    def embed(faces: UInt8) -> Float32:
        with asking(name, faces):
            answer = embedder.embed(faces)
        vectors = checked_vectors(name, answer, len(faces), *sizes[:1])
        sizes.append(vectors.shape[1])
        returned.add([vectors])
        hold_length(name, vectors)
        return vectors

    side = side_of(template)
    shape = (side, side, 3)
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


def _check_places(name: str, template: FaceTemplate) -> None:
    """The landmarks of a template are in its picture, and in order."""
    landmarks, side = template.landmarks, side_of(template)
    hold(
        ((landmarks >= 0) & (landmarks <= side)).all(),
        f"{name} wants landmarks at {landmarks.tolist()}, of which not all are in its picture of "
        f"{side}x{side}",
        "A template's landmarks are x, y in pixels of the picture",
    )
    hold(
        in_order(landmarks),
        f"{name} wants landmarks at {landmarks.tolist()}, which are not in order",
        "It is: eye on the picture's left, eye on its right, nose, mouth's left, mouth's right",
    )
