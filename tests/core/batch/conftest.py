"""A folder of videos, with the plugin that does what their names say."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from batching import MOODY
from strangers import package

from asdkit.core.batch import workers
from asdkit.core.errors import OutputError


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder with an installed plugin."""
    return package(tmp_path_factory.mktemp("site"), "moody", MOODY)


@pytest.fixture
def nowhere(tmp_path, monkeypatch, site, found_in, interruptible):
    """Runs in an empty folder, with the plugin there."""
    monkeypatch.chdir(tmp_path)
    found_in(site)


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
