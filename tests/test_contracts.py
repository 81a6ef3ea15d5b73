"""What is built in keeps the contracts: its methods by mypy, its behaviour by `asdkit.testing`."""

from __future__ import annotations

import functools
import importlib
import inspect
import os
import re
import subprocess
import sys

import numpy as np
import pytest
from checkout import ROOT

import asdkit
from asdkit import plugin, testing
from asdkit.core.contracts import CONTRACTS
from asdkit.core.errors import MissingExtraError, WeightsError
from asdkit.core.registry import registry

OWN = {
    key: component
    for key, component in registry().components.items()
    if component.config.__module__.startswith("asdkit.")
}


def class_of(component):
    """What a component builds, as its builder is annotated."""
    build = component.build
    while isinstance(build, functools.partial):
        build = build.func
    name = build.__annotations__["return"].removesuffix(" | None")
    return name if name == "None" else f"{build.__module__}.{name}"


def mypy(tmp_path, text):
    """What mypy says of a module that uses the package."""
    pytest.importorskip("mypy")
    (tmp_path / "asdkit").symlink_to(ROOT)
    (tmp_path / "using.py").write_text(text)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml")),
            "--implicit-reexport",  # a class may come from a module beside its builder's
            *("--cache-dir", str(ROOT / ".mypy_cache"), "using.py"),
        ],
        cwd=tmp_path,
        env={**os.environ, "MYPYPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    return [line for line in done.stdout.splitlines() if line.startswith("using.py")]


@pytest.mark.slow
def test_mypy_takes_every_component_for_what_it_is(tmp_path):
    lines = ["from asdkit.core import contracts"]
    for (kind, name), component in OWN.items():
        built = class_of(component)
        if built == "None":
            continue
        module, _, made = built.rpartition(".")
        contract = CONTRACTS[kind].__name__
        assert made[0].isupper(), "builders say which class they make"
        lines += [
            f"from {module} import {made} as {kind}_{name}",
            f"def take_{kind}_{name}(part: {kind}_{name}) -> contracts.{contract}:",
            "    return part",
        ]
    assert len(lines) > 60
    assert mypy(tmp_path, "\n".join(lines)) == []


def test_modules_that_the_pages_name_are_there():
    named = re.compile(r"\basdkit\.(?:core|export|plugins?|testing)(?:\.[a-z_]+)*")
    for page in [*ROOT.glob("docs/*.md"), ROOT / "README.md"]:
        for name in set(named.findall(page.read_text())):
            module, found = "asdkit", asdkit
            for part in name.split(".")[1:]:
                module = f"{module}.{part}"
                try:
                    found = importlib.import_module(module)
                except ImportError:
                    assert hasattr(found, part), f"{page.name}: {name}"
                    break


@pytest.mark.slow
def test_load_is_known_by_its_kind(tmp_path):
    found = mypy(
        tmp_path,
        "import asdkit\n"
        "from asdkit.plugin import Detector\n"
        'right: Detector = asdkit.load("detector", "yunet")\n'
        'asdkit.load("detector", "yunet").detcet([], [])\n'
        'wrong: Detector = asdkit.load("scorer", "lr_asd")\n'
        'asdkit.load("writer", "json").write()\n',
    )
    assert [line.split(":")[1] for line in found if ": error:" in line] == ["4", "5", "6"]


def available(kind, name, **parameters):
    """A component; skipped where its package or its weights are not here."""
    try:
        return asdkit.load(kind, name, device="cpu", **parameters)
    except (MissingExtraError, WeightsError) as error:
        pytest.skip(str(error).partition(": not in")[0])


@pytest.fixture(autouse=True)
def nothing_downloaded(monkeypatch, tmp_path):
    """Weights that are not in ../shared are not had."""
    monkeypatch.setenv("ASDKIT_CACHE", str(tmp_path / "cache"))
    shared = ROOT.parent / "shared" / "weights"
    if shared.is_dir():
        monkeypatch.setenv("ASDKIT_WEIGHTS", str(shared))
    for variable in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(variable, "http://127.0.0.1:1")


@pytest.mark.parametrize("name", sorted(name for kind, name in OWN if kind == "detector"))
def test_detectors(name, tmp_path):
    given = {}
    if name == "boxes":
        (tmp_path / "boxes.json").write_text("[[[10, 10, 50, 60, 0.9]], [], [], [], []]")
        given = {"path": str(tmp_path / "boxes.json")}
    testing.check_detector(available("detector", name, **given), 120, 160)


@pytest.mark.parametrize("name", sorted(name for kind, name in OWN if kind == "tracker"))
def test_trackers(name):
    testing.check_tracker(lambda: available("tracker", name))


@pytest.mark.parametrize(
    # loconet has no published weights that could be fetched; its own tests check it.
    "name",
    sorted(name for kind, name in OWN if kind == "scorer" and name != "loconet"),
)
def test_scorers(name):
    # A minute takes the networks half a minute on one core.
    longest = 1500 if name == "lip_motion" else 50
    testing.check_scorer(available("scorer", name), longest_frames=longest)


@pytest.mark.parametrize("name", ["facenet", "mobilefacenet"])
def test_embedders(name):
    testing.check_embedder(available("embedder", name))


def test_context():
    testing.check_context(available("context", "others"))


def test_voice():
    testing.check_voice(available("voice", "campplus"))


@pytest.mark.parametrize("name", ["energy", "silero"])
def test_vads(name):
    testing.check_vad(lambda: available("vad", name))


@pytest.mark.parametrize("name", sorted(name for kind, name in OWN if kind == "cutter"))
def test_cutters(name, tmp_path):
    given = {}
    if name == "csv":
        (tmp_path / "scenes.csv").write_text("1,0,00:00:00.000,0.0\n2,250,00:00:10.000,10.0\n")
        given = {"path": str(tmp_path / "scenes.csv")}
    testing.check_cutter(lambda: available("cutter", name, **given))


@pytest.mark.parametrize("name", sorted(name for kind, name in OWN if kind == "writer"))
def test_writers(name, tmp_path):
    video = tmp_path / "talk.mp4"
    pictures = [np.full((120, 200, 3), 90, np.uint8)] * 50
    testing.write_video(video, pictures, np.zeros(32_000, np.int16))
    folder = tmp_path / "results"
    folder.mkdir()
    testing.check_writer(
        available("writer", name),
        folder,
        of=testing.result(video),
        files=OWN["writer", name].files,
    )


def test_dataset(tmp_path):
    video = tmp_path / "data" / "talk.mp4"
    video.parent.mkdir()
    testing.write_video(video, [np.zeros((64, 64, 3), np.uint8)] * 25, np.zeros(16_000, np.int16))
    (tmp_path / "data" / "talk.rttm").write_text("SPEAKER talk 1 0.2 0.4 <NA> <NA> ann <NA> <NA>\n")
    dataset = asdkit.load("dataset", "rttm", videos=str(video.parent), rttm=str(video.parent))
    assert [video.name for video in testing.check_dataset(dataset)] == ["talk"]


def test_the_public_names_are_there():
    assert {"plugin", "testing", "run", "load"} <= set(dir(asdkit))
    for module in (plugin, testing):
        assert sorted(module.__all__, key=str.lower) == sorted(set(module.__all__), key=str.lower)
        for name in module.__all__:
            assert getattr(module, name).__doc__ or not callable(getattr(module, name))


def test_docstrings_of_public_names_point_at_public_names():
    """A stranger may not import what lies in asdkit.core."""
    public = {name: getattr(m, name) for m in (asdkit, plugin, testing) for name in m.__all__}
    for name, found in public.items():
        methods = vars(found) if inspect.isclass(found) else {}
        own = {f"{name}.{key}": one for key, one in methods.items() if not key.startswith("_")}
        for where, one in {name: found, **own}.items():
            said = inspect.getdoc(one) or ""
            assert not re.search(r"\bcore\.", said), where
            named = re.findall(r"asdkit\.(?:plugin|testing)\.([A-Za-z_]+)", said)
            assert set(named) <= public.keys(), where


def test_examples_and_docs_import_public_names_alone():
    deep = re.compile(r"^\s*(?:>>> )?(?:from|import) asdkit\.core\b", re.MULTILINE)
    pages = [*ROOT.glob("docs/*.md"), ROOT / "README.md", *(ROOT / "examples").rglob("*.py")]
    for page in pages:
        assert not deep.search(page.read_text()), page
