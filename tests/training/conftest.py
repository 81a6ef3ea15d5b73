"""The stranger's scorer that can be trained, installed."""

from __future__ import annotations

import pytest
from nanotraining import NANO
from strangers import package


@pytest.fixture(scope="session")
def nano_site(tmp_path_factory):
    """A folder with the stranger's package."""
    return package(tmp_path_factory.mktemp("site"), "nano", NANO)


@pytest.fixture
def nano(nano_site, found_in, monkeypatch, tmp_path, one_thread):
    """Has the package be found, and works in an empty folder."""
    pytest.importorskip("lightning_fabric", reason="needs the package lightning-fabric")
    found_in(nano_site)
    monkeypatch.chdir(tmp_path)
