"""A folder of videos, with the plugin that does what their names say."""

from __future__ import annotations

import importlib
import json
import shutil
from pathlib import Path

import pytest
from batching import MOODY
from synth import clicks, steady, write_video

from asdkit.core.batch import workers
from asdkit.core.errors import OutputError
from asdkit.core.registry import registry


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder with an installed plugin."""
    folder = tmp_path_factory.mktemp("site")
    info = folder / "moody-1.0.dist-info"
    info.mkdir()
    (folder / "moody.py").write_text(MOODY)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: moody\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[asdkit]\nmain = moody\n")
    return folder


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """A video of one second, with sound."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    return write_video(
        path, frames=25, size=(64, 48), image=steady, sounds=[(0.0, clicks([0.5], 1.0))]
    )


@pytest.fixture
def nowhere(tmp_path, monkeypatch, site, interruptible):
    """Runs in an empty folder, with the plugin there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(site)
    monkeypatch.setenv("PYTHONPATH", str(site))
    importlib.invalidate_caches()
    registry.cache_clear()
    yield
    registry.cache_clear()


@pytest.fixture
def videos(clip):
    """Makes videos of the given names in the folder talks."""

    def make(*names):
        Path("talks").mkdir(exist_ok=True)
        Path("boxes.json").write_text(json.dumps([[[10, 5, 50, 45, 1.0]]] * 25))
        for name in names:
            shutil.copy(clip, Path("talks", name))

    return make


@pytest.fixture
def at_once(monkeypatch):
    """Spares the workers' start where they are not what is tested: the videos are done here."""

    def outcomes(task, jobs, *_):
        models = workers._loaded(task)
        for job in jobs:
            record, _, refusal = workers._done(job, task, models)
            if refusal:
                raise OutputError(*refusal)
            yield record

    monkeypatch.setattr("asdkit.core.batch.run.outcomes", outcomes)
    monkeypatch.setattr(workers.logging, "basicConfig", lambda **_: None)
