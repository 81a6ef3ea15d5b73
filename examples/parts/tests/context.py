"""The part as asdkit finds and makes it, by the checks that asdkit's own pass."""

from __future__ import annotations

from pathlib import Path

import asdkit
import numpy as np
import pytest
from asdkit import testing
from asdkit.plugin import Shot


def test_it_keeps_its_contract() -> None:
    """Shots with one face, several and none."""
    testing.check_context(asdkit.load("context", "centre"))


def test_half_of_the_mean_is_taken_off() -> None:
    """Two faces that are both in each frame."""
    tracks = testing.result(Path("video.mp4"), frames=50).tracks
    context = asdkit.load("context", "centre", weight=0.5)
    scores = context.rescore(Shot(0, 50, tracks))
    mean = (tracks[0].logits + tracks[1].logits) / 2
    for track, new in zip(tracks, scores, strict=True):
        assert np.allclose(new.logits, track.logits - mean / 2)


def test_wrong_parameters_are_refused() -> None:
    """In one line that names the parameter."""
    with pytest.raises(asdkit.AsdError, match="weight"):
        asdkit.load("context", "centre", weight=2.0)
