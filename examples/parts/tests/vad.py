"""The part as asdkit finds and makes it, by the checks that asdkit's own pass."""

from __future__ import annotations

import asdkit
import numpy as np
import pytest
from asdkit import testing


def test_it_keeps_its_contract() -> None:
    """It is made anew for each video, so the check takes what makes one."""
    testing.check_vad(lambda: asdkit.load("vad", "centre"))


def test_loud_is_speech_and_silence_is_not() -> None:
    """A number for each 40 ms."""
    sound = np.concatenate([np.zeros(640, np.int16), np.full(640, 9000, np.int16)])
    quiet, loud = asdkit.load("vad", "centre").speech(sound)
    assert quiet < 0.01
    assert loud > 0.99


def test_wrong_parameters_are_refused() -> None:
    """In one line that names the parameter."""
    with pytest.raises(asdkit.AsdError, match="threshold_db"):
        asdkit.load("vad", "centre", threshold_db=3.0)
