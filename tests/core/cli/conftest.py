"""The command in an empty folder, where no weights are found."""

from __future__ import annotations

import sys

import pytest
from commanding import PROGRESS


@pytest.fixture(autouse=True)
def nowhere(tmp_path, tmp_path_factory, monkeypatch):
    """Runs in an empty folder, with no weights to be found."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ASDKIT_WEIGHTS", raising=False)
    monkeypatch.setenv("ASDKIT_CACHE", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.setattr(sys, "argv", ["asd"])


@pytest.fixture
def progress():
    """What runs may say before they fail."""
    return PROGRESS
