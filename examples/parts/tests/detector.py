"""The part as asdkit finds and makes it, by the checks that asdkit's own pass."""

from __future__ import annotations

import asdkit
import numpy as np
import pytest
from asdkit import testing


def test_it_keeps_its_contract() -> None:
    """If it finds nothing in noise, give the check pictures of people, too."""
    testing.check_detector(asdkit.load("detector", "centre"))


def test_it_answers_for_every_frame() -> None:
    """Each box lies in the picture, and n frames give n answers."""
    detector = asdkit.load("detector", "centre", face_ratio=0.5)
    found = detector.detect(np.zeros((3, 100, 200, 3), np.uint8), indices=[0, 1, 2])
    assert [faces.boxes.tolist() for faces in found] == [[[75, 25, 125, 75]]] * 3


def test_wrong_parameters_are_refused() -> None:
    """In one line that names the parameter."""
    with pytest.raises(asdkit.AsdError, match="face_ratio"):
        asdkit.load("detector", "centre", face_ratio=1.5)
