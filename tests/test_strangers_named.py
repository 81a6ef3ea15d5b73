"""Whatever a stranger's component raises, the error names it, its package and the version."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from failing_parts import installed_in, raises
from strangers import package
from synth import clicks, steady, write_video

import asdkit
import asdkit.plugin
from asdkit.core.analysis.answers import asked
from asdkit.core.component import KINDS
from asdkit.core.errors import CancelledError, ConfigError, MissingExtraError

RUN = {
    "cutter": "none",
    "detector": "boxes",
    "detector.path": "boxes.json",
    "scorer": "lip_motion",
    "writers": "[json]",
    "output": "out",
}
ASKED = {"writer": "writers=[moody]", "voice": "voice=moody vad=energy decisions=exclusive"}
NAME = "vad=moody (moody_parts 1.0)"


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The plugin's module, found as an installed package is."""
    yield from installed_in(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a video of one face."""
    made = tmp_path_factory.mktemp("folder")
    sounds = [(0.0, clicks([0.2], 1.2))]
    write_video(made / "clip.mp4", frames=30, size=(64, 48), image=steady, sounds=sounds)
    (made / "boxes.json").write_text(json.dumps([[[10, 5, 50, 45, 1.0]]] * 30))
    return made


@pytest.fixture
def moody(installed, folder, tmp_path, monkeypatch):
    """The plugin's module, and what it is tried on in the current folder."""
    monkeypatch.setenv("ASDKIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(shutil.copytree(folder, tmp_path / "here"))
    return installed


def words_for(kind):
    """A command that uses the plugin's component of this kind."""
    given = {key: value for key, value in RUN.items() if key.partition(".")[0] != kind}
    if kind == "writer":
        given.pop("writers")
    if kind == "dataset":
        given.pop("writers")
        return ["evaluate", *(f"{key}={value}" for key, value in given.items()), "dataset=moody"]
    rest = [f"{key}={value}" for key, value in given.items()]
    return ["run", "clip.mp4", *rest, *ASKED.get(kind, f"{kind}=moody").split()]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("error", [asdkit.AsdError, ValueError])
def test_what_cannot_be_built_is_named(moody, monkeypatch, asd, kind, error):
    monkeypatch.setattr(moody, "made", raises(error("no luck")))
    code, _, err = asd(*words_for(kind))
    assert code == 2, err
    last = err.splitlines()[-1]
    assert last.startswith(f"asd: {kind}=moody (moody_parts 1.0)"), last
    assert "no luck" in last


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "voice"])
@pytest.mark.parametrize("error", [asdkit.AsdError, ValueError])
def test_what_fails_in_use_is_named(moody, monkeypatch, asd, kind, error):
    """A voice is asked for people who are known by name alone; see tests/core/voices."""
    monkeypatch.setattr(moody.Part, "says", raises(error("no luck")))
    monkeypatch.setattr(moody.Part, "measure", asdkit.plugin.Measure("f1"), raising=False)
    code, _, err = asd(*words_for(kind))
    assert code == 2, err
    last = err.splitlines()[-1]
    assert last.startswith(f"asd: {kind}=moody (moody_parts 1.0)"), last
    assert "no luck" in last
    assert not Path("out").exists()


def test_a_package_that_cannot_be_imported_is_named_with_its_version(tmp_path, found_in, asd):
    found_in(package(tmp_path, "cracked_parts", "raise RuntimeError('no luck')\n"))
    _, out, _ = asd("plugins")
    assert "cracked_parts 1.0 (main) failed to load: RuntimeError: no luck" in out
    _, _, err = asd("run", "x.mp4", "detector=cracked")
    assert "Failed to load: cracked_parts 1.0 (main) (asd plugins says why)" in err


@pytest.mark.parametrize(
    "error",
    [ConfigError("it cannot", "Do"), MissingExtraError("vad=moody", "nothing", "torch")],
)
def test_its_own_words_come_after_its_name_once(error):
    what = error.what
    with pytest.raises(type(error)) as caught, asked(NAME), asked(NAME):
        raise error
    assert caught.value.what == f"{NAME}: {what}"


@pytest.mark.parametrize("name", ["vad=energy (asdkit 0.1.0)", "vad=mine"])
def test_asdkits_own_and_those_without_a_package_keep_their_words(name):
    with pytest.raises(asdkit.AsdError, match=r"^no luck$"), asked(name):
        raise asdkit.AsdError("no luck")


def test_neither_a_wish_to_stop_nor_a_wrong_parameter_is_its_fault():
    with pytest.raises(CancelledError, match=r"^The run was cancelled$"), asked(NAME):
        raise CancelledError
    with pytest.raises(ConfigError, match=r"^vad\.x is 3$"), asked(NAME, parameters=True):
        raise ConfigError("vad.x is 3")


def test_a_launcher_that_ends_its_job_meanwhile_does_so():
    """As submitit does when Slurm tells it of the limit, to have the job queued again."""
    handler = {"__name__": "submitit.core.job_environment"}
    exec("def told():\n    raise SystemExit(-1)", handler)
    with pytest.raises(SystemExit), asked(NAME):
        handler["told"]()
    with pytest.raises(asdkit.AsdError, match="SystemExit: -1"), asked(NAME):
        raise SystemExit(-1)
