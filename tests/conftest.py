"""Fixtures that several test modules use."""

from __future__ import annotations

import importlib
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from browser import chromium
from checkout import SHARED
from family import Family

from asdkit.core.cli.main import main
from asdkit.core.registry import CONF, registry

# Several processes run tests: threads of OpenMP must not keep the cores busy while they wait. It is
# loaded with PyTorch, later.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
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


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """On a busy machine PyTorch's threads would wait for each other; skips without PyTorch."""
    from extras import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Lets processes started here heed Ctrl-C, also where tests run in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def found_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], None]]:
    """Has packages installed in a folder be found, here and by processes that are started."""

    def find(site: Path) -> None:
        monkeypatch.syspath_prepend(site)
        monkeypatch.setenv("PYTHONPATH", str(site))
        importlib.invalidate_caches()
        registry.cache_clear()

    yield find
    registry.cache_clear()


@pytest.fixture
def own_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has only asdkit's own components and presets be known, whatever else is installed."""
    found = registry()
    own = {
        key for key, one in found.components.items() if one.config.__module__.startswith("asdkit.")
    }
    own |= {key for key, file in found.presets.items() if file.is_relative_to(CONF)}
    for name in ("components", "presets", "providers"):
        kept = {key: value for key, value in getattr(found, name).items() if key in own}
        monkeypatch.setattr(found, name, kept)


@pytest.fixture
def asd(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Runs the command; returns exit code, stdout and stderr."""

    def call(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        try:
            main(words)
            code = 0
        except SystemExit as stop:
            code = stop.code or 0
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


@pytest.fixture
def progress() -> tuple[str, ...]:
    """Lines that a command may say before it fails."""
    return ()


@pytest.fixture
def refused(
    asd: Callable[..., tuple[int, str, str]], progress: tuple[str, ...]
) -> Callable[..., str]:
    """Runs a command that must fail: one line, exit 2, nothing left behind; the line."""

    def call(*words: str) -> str:
        before = sorted(Path().rglob("*"))
        code, out, err = asd(*words)
        lines = [line for line in err.splitlines() if line not in progress]
        assert (code, out) == (2, ""), err
        assert len(lines) == 1, err
        assert lines[0].startswith("asd: ")
        assert sorted(Path().rglob("*")) == before
        return lines[0]

    return call


@pytest.fixture(scope="session")
def of_all(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Makes a folder that the processes that run the tests have in common."""
    base = tmp_path_factory.getbasetemp()
    common = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def make(name: str) -> Path:
        (common / name).mkdir(exist_ok=True)
        return common / name

    return make


@pytest.fixture(scope="session")
def faces_found(of_all: Callable[[str], Path]) -> Path:
    """A cache, where each detector finds the faces of the real clips once for all tests."""
    return of_all("faces")


@pytest.fixture(scope="session")
def family(of_all: Callable[[str], Path]) -> Family:
    """The models that look at windows."""
    return Family(of_all("family"))


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


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A headless Chromium; skips where there is none.

    For one module alone: while it is there, so is an event loop of this thread, which other tests
    must not find.
    """
    with chromium() as one:
        yield one
