"""Hints name a command that gets more packages into this very installation."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from asdkit.core import installation
from asdkit.core.errors import MissingExtraError

FROM_INDEX = 'pip install "asdkit[cpu]"'


@pytest.fixture
def recorded(monkeypatch, tmp_path):
    """Has pip have recorded something of where asdkit came from."""

    class Installed:
        def __init__(self, text):
            self.text = text

        def read_text(self, name):
            assert name == "direct_url.json"
            return self.text

    def record(text):
        monkeypatch.setattr(installation, "distribution", lambda _: Installed(text))
        installation._source.cache_clear()

    yield record
    monkeypatch.undo()
    installation._source.cache_clear()


def of_folder(folder: Path, **about) -> str:
    return json.dumps({"url": folder.as_uri(), "dir_info": about})


def test_a_checkout_is_named(recorded, tmp_path):
    folder = tmp_path / "my own asdkit"
    folder.mkdir()
    recorded(of_folder(folder, editable=True))
    assert installation.install_words("cpu") == f'python -m pip install -e "{folder}[cpu]"'
    recorded(of_folder(folder))
    assert installation.install_words("cpu,torch") == f'python -m pip install "{folder}[cpu,torch]"'


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "no JSON",
        "[]",
        '{"url": "file:///", "dir_info": null}',
        '{"url": "https://example.org/asdkit.whl", "archive_info": {}}',
        '{"url": "file:///no/such/folder", "dir_info": {"editable": true}}',
    ],
)
def test_what_came_from_elsewhere_gets_the_usual_words(recorded, text):
    recorded(text)
    assert installation.install_words("cpu") == FROM_INDEX


def test_every_hint_has_these_words(recorded, tmp_path):
    recorded(of_folder(tmp_path, editable=True))
    words = f'python -m pip install -e "{tmp_path}[silero]", or choose vad=energy'
    assert words in str(MissingExtraError("vad=silero", "silero-vad", "silero", "vad=energy"))


def test_hydras_own_groups_have_them_too(refused, recorded, tmp_path, monkeypatch):
    recorded(of_folder(tmp_path, editable=True))
    monkeypatch.chdir(tmp_path)
    line = refused("run", "x.mp4", "hydra/launcher=submitit_none", "-m")
    assert f'python -m pip install -e "{tmp_path}[slurm]"' in line
