"""The registry: one hook for asdkit's own components and for strangers'."""

from __future__ import annotations

import inspect
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import asdkit
from asdkit.core import hookspecs
from asdkit.core.components import KINDS, Component, Provider, Registry, registry
from asdkit.core.errors import PluginError

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "plugin"
BUILT_IN = {
    "cutter": ["content", "csv", "none"],
    "detector": ["boxes", "mtcnn", "yunet"],
    "tracker": ["iou"],
    "scorer": ["lip_motion", "talknet"],
    "embedder": ["none"],
    "vad": ["none"],
    "writer": ["annotated", "ava", "json", "pywork", "rttm", "webvtt"],
}


@dataclass(frozen=True)
class Config:
    """Parameters of a stranger's component."""


def component(name: str = "acme", kind: str = "detector") -> Component:
    return Component(kind, name, Config, lambda config, context: None)


def asd(*words: str, path: Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command with one more folder of installed packages."""
    return subprocess.run(
        [sys.executable, "-m", "asdkit", *words],
        env={**os.environ, "PYTHONPATH": str(path)},
        cwd=cwd or path,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    """A folder with the example plugin installed into it, from its own pyproject.toml."""
    root = tmp_path_factory.mktemp("stranger")
    shutil.copytree(EXAMPLE, root / "source")
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"),
            *("--no-build-isolation", "--target", str(root / "site"), str(root / "source")),
        ],
        check=True,
        capture_output=True,
    )
    return root / "site"


def package(folder: Path, name: str, code: str) -> Path:
    """A package as pip would leave it, with one module and one entry point."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (folder / f"{name}.py").write_text(code)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[asdkit]\nmain = {name}\n")
    return folder


def test_built_ins_come_through_the_entry_points():
    assert {kind: [c.name for c in registry().of_kind(kind)] for kind in KINDS} == BUILT_IN
    assert not registry().failures
    assert all(provider.name == "asdkit" for provider in registry().providers.values())
    own = [e for e in entry_points(group="asdkit") if e.value.startswith("asdkit.plugins.")]
    assert {entry.name for entry in own} == {f"{kind}s" for kind in KINDS}


def test_the_hook_keeps_its_name_and_parameters():
    """Plugins in the field call by these."""
    assert list(inspect.signature(hookspecs.asdkit_components).parameters) == []
    assert hookspecs.PROJECT == "asdkit"
    assert list(Component.__dataclass_fields__)[:4] == ["kind", "name", "config", "build"]


def test_two_packages_with_one_name_are_both_named():
    found = Registry()
    found.add(component(), Provider("first", "1"))
    with pytest.raises(PluginError, match=r"detector=acme: first and second"):
        found.add(component(), Provider("second", "1"))


def test_an_unknown_kind_or_name_lists_what_there_is():
    with pytest.raises(PluginError, match="boxes, mtcnn, yunet"):
        asdkit.load("detector", "yunett")
    with pytest.raises(PluginError, match=", ".join(KINDS)):
        asdkit.load("detecter", "yunet")


def test_a_strangers_package_is_listed_and_chosen(stranger, tmp_path):
    listed = asd("plugins", path=stranger)
    assert listed.returncode == 0, listed.stderr
    assert "detector  centre      asdkit-centre  0.3.0" in listed.stdout
    shown = asd(
        "run", "a.mp4", "detector=centre", "detector.face_ratio=0.25", "--cfg", "job",
        path=stranger,
    )  # fmt: skip
    assert shown.returncode == 0, shown.stderr
    assert "name: centre" in shown.stdout
    assert "face_ratio: 0.25" in shown.stdout
    wrong = asd("run", "a.mp4", "detector=centre", "detector.face_ratio=big", path=stranger)
    assert wrong.returncode == 2
    assert "detector.face_ratio" in wrong.stderr
    missing = asd("run", "a.mp4", "detector=center", path=stranger)
    assert missing.returncode == 2
    assert "boxes, centre, mtcnn, yunet" in missing.stderr


def test_a_broken_plugin_is_reported_and_stops_nobody(tmp_path):
    package(tmp_path, "broken", "import no_such_module")
    package(
        tmp_path,
        "misspelt",
        "import asdkit\n@asdkit.hookimpl\ndef asdkit_component():\n    return []\n",
    )
    package(
        tmp_path,
        "odd",
        "import asdkit\n@asdkit.hookimpl\ndef asdkit_components():\n"
        "    return [asdkit.Component('tractor', 'x', int, None)]\n",
    )
    listed = asd("plugins", path=tmp_path)
    assert listed.returncode == 0, listed.stderr
    assert "detector  mtcnn" in listed.stdout
    assert "broken (main) failed to load: ModuleNotFoundError: No module named" in listed.stdout
    assert "misspelt (main) failed to load: PluginValidationError" in listed.stdout
    assert "odd (main) failed to load: ValueError" in listed.stdout
    missing = asd("run", "a.mp4", "detector=broken", path=tmp_path)
    assert missing.returncode == 2
    assert "broken (main)" in missing.stderr


def test_two_packages_with_one_name_stop_with_one_line(tmp_path):
    code = (
        "import asdkit\n@asdkit.hookimpl\ndef asdkit_components():\n"
        "    return [asdkit.Component('detector', 'mtcnn', int, None)]\n"
    )
    package(tmp_path, "rival", code)
    done = asd("plugins", path=tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "asdkit and rival" in done.stderr
