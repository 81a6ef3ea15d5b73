"""The part as asdkit finds and makes it, by the checks that asdkit's own pass."""

from __future__ import annotations

import asdkit
import numpy as np
import pytest
from asdkit import testing


def test_it_keeps_its_contract() -> None:
    """It is made anew for each video, so the check takes what makes one."""
    testing.check_cutter(lambda: asdkit.load("cutter", "centre"))


def test_a_jump_of_brightness_is_a_cut() -> None:
    """The first frame of all is none."""
    cutter = asdkit.load("cutter", "centre")
    levels = [0, 10, 200, 200]
    frames = [np.full((36, 64, 3), level, np.uint8) for level in levels]
    cuts = [cutter.starts_shot(frame, index) for index, frame in enumerate(frames)]
    assert cuts == [False, False, True, False]


def test_wrong_parameters_are_refused() -> None:
    """In one line that names the parameter."""
    with pytest.raises(asdkit.AsdError, match="threshold"):
        asdkit.load("cutter", "centre", threshold=0.0)
