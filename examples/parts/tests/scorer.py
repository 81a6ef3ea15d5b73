"""The part as asdkit finds and makes it, by the checks that asdkit's own pass."""

from __future__ import annotations

import asdkit
import numpy as np
import pytest
from asdkit import testing


def test_it_keeps_its_contract() -> None:
    """For a slow network longest_frames=100 is quicker."""
    testing.check_scorer(asdkit.load("scorer", "centre"))


def test_loud_is_speech_and_silence_is_not() -> None:
    """A row of logits for each frame."""
    faces = np.zeros((50, 112, 112), np.uint8)
    loud = asdkit.Clip(faces, np.tile(np.array([9000, -9000], np.int16), 16_000))
    silent = asdkit.Clip(faces, np.zeros(32_000, np.int16))
    scores = asdkit.load("scorer", "centre").score([loud, silent])
    assert (scores[0].score > 0).all()
    assert (scores[1].score < 0).all()


def test_wrong_parameters_are_refused() -> None:
    """In one line that names the parameter."""
    with pytest.raises(asdkit.AsdError, match="threshold_db"):
        asdkit.load("scorer", "centre", threshold_db=3.0)
