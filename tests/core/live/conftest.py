"""A short clip for live sources: every picture carries its number, and the sound clicks."""

from __future__ import annotations

from pathlib import Path

import pytest
from synth import clicks, write_video

_FRAMES = 60


@pytest.fixture(scope="session")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A transport stream of 2.4 s, 60 numbered pictures, H.264 and AAC."""
    path = tmp_path_factory.mktemp("talk") / "talk.ts"
    sounds = [(0.0, clicks([0.5, 1.5], _FRAMES / 25))]
    return write_video(path, frames=_FRAMES, sounds=sounds)
