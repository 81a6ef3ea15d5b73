"""The part as asdkit finds and makes it, by the checks that asdkit's own pass."""

from __future__ import annotations

import asdkit
import numpy as np
import pytest
from asdkit import testing


def test_it_keeps_its_contract() -> None:
    """Vectors of length 1, each independent of the other faces."""
    testing.check_embedder(asdkit.load("embedder", "centre"))


def test_one_colour_is_nearer_than_another() -> None:
    """By cosine distance."""
    faces = np.zeros((3, 160, 160, 3), np.uint8)
    faces[:2, :, :, 0], faces[2, :, :, 2] = 200, 200
    first, same, other = asdkit.load("embedder", "centre").embed(faces)
    assert 1 - first @ same < 1e-5
    assert 1 - first @ other > 0.1


def test_wrong_parameters_are_refused() -> None:
    """In one line that names the parameter."""
    with pytest.raises(asdkit.AsdError, match="parts"):
        asdkit.load("embedder", "centre", parts=0)
