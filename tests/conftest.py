"""Fixtures that several test modules use."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest
from checkout import SHARED
from family import Family

# How long an example takes says how busy the machine is.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


@pytest.fixture(scope="session")
def shared() -> Callable[[str], Path]:
    """A file of the folder `shared` beside the checkout; skips where it is not there."""

    def find(name: str) -> Path:
        if not (SHARED / name).exists():
            pytest.skip(f"needs ../shared/{name}")
        return SHARED / name

    return find


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Lets processes started here heed Ctrl-C, also where tests run in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def family(tmp_path_factory: pytest.TempPathFactory) -> Family:
    """The models that look at windows."""
    return Family(tmp_path_factory.mktemp("family"))


@pytest.fixture(scope="session")
def checkpoint(family: Family) -> Path:
    """A checkpoint of TalkNet with the rule's weights."""
    return family.checkpoint("talknet")


@pytest.fixture(scope="session")
def exported(family: Family) -> tuple[Path, list[str]]:
    """The bundle of that checkpoint in fp32, and what the export said."""
    return family.exported("talknet")


@pytest.fixture(scope="session")
def bundle(exported: tuple[Path, list[str]]) -> Path:
    """The bundle of that checkpoint in fp32."""
    return exported[0]
