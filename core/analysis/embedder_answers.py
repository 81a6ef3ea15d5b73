"""Checks what an embedder says of itself, and the vectors that it returns."""

from __future__ import annotations

import math
from numbers import Real
from typing import Any

import numpy as np

from ..contracts import Embedder
from ..errors import PluginError
from ..landmarks import FaceTemplate
from ..types import PORTRAIT_SIZE_PX, Float32
from .answers import asked, shown

IDENTITY_DISTANCE = 0.5
"""The `identity_distance` of embedders that state none."""


def checked_template(name: str, embedder: Embedder | None) -> FaceTemplate | None:
    """The aligned faces that an embedder wants; None if it wants boxes.

    Raises:
        PluginError: What it says is no `FaceTemplate`.
    """
    with asked(name):
        template = getattr(embedder, "template", None)
    if template is not None and not isinstance(template, FaceTemplate):
        raise PluginError(
            f"{name} must say in its attribute template which faces it wants, as an "
            f"asdkit.plugin.FaceTemplate, but it is {shown(template)}",
            "Leave it out for an embedder of boxes",
        )
    return template


def side_of(template: FaceTemplate | None) -> int:
    """Side in pixels of the pictures that an embedder with this template is given."""
    return PORTRAIT_SIZE_PX if template is None else template.side_px


def checked_identity_distance(name: str, embedder: Embedder | None) -> float:
    """The `identity_distance` of an embedder, from 0 to 2; `IDENTITY_DISTANCE` if it has none.

    Raises:
        PluginError: It is not a number from 0 to 2.
    """
    with asked(name):
        distance = getattr(embedder, "identity_distance", IDENTITY_DISTANCE)
    fits = isinstance(distance, Real) and not isinstance(distance, bool)
    if not fits or not math.isfinite(distance) or not 0 <= distance <= 2:
        raise PluginError(
            f"{name} has identity_distance={distance!r}, which is no cosine distance from 0 to 2",
            f"Leave it out for {IDENTITY_DISTANCE}",
        )
    return float(distance)


def checked_vectors(
    name: str, answer: Any, count: int, length: int | None = None, *, of: str = "face"
) -> Float32:
    """Check what an embedder returned, and convert it to (n, d) float32.

    Args:
        name: The embedder in words.
        answer: The value it returned.
        count: How many faces, or sounds, it was given.
        length: d of its earlier vectors; None for the first call.
        of: What these are, in a word.

    Raises:
        PluginError: The value is not one finite vector for each, or their length has changed.
    """
    with asked(name):
        vectors: Float32 = np.asarray(answer, np.float32)
    fits = vectors.ndim == 2 and len(vectors) == count and vectors.shape[1:] != (0,)
    if not fits or not np.isfinite(vectors).all():
        raise PluginError(
            f"{name} must answer with one finite vector for each of {count} {of}s, but answered "
            f"with shape {vectors.shape}"
        )
    if length not in (None, vectors.shape[1]):
        raise PluginError(
            f"{name} must answer with vectors of one length, but after {length} numbers came "
            f"{vectors.shape[1]}"
        )
    return vectors
