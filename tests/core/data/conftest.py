"""Clips that several test modules make dialogues of."""

from __future__ import annotations

from pathlib import Path

import pytest
from one_person import NAMES, write_clip


@pytest.fixture(scope="session")
def clips(tmp_path_factory) -> Path:
    """A folder with a clip of each of five people."""
    folder = tmp_path_factory.mktemp("clips")
    for person, name in enumerate(NAMES):
        write_clip(folder / f"{name}.mkv", person)
    return folder
