"""The public names are shown, and type checkers find the package as the README installs it."""

from __future__ import annotations

import contextlib
import io
import pydoc
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from checkout import ROOT

import asdkit

LEFT_OUT = shutil.ignore_patterns(".*", "build", "*.egg-info", "__pycache__", "tests", "benchmarks")


def test_the_public_names_are_listed():
    assert set(asdkit.__all__) < set(dir(asdkit))
    assert {"plugin", "testing"} < set(dir(asdkit))
    for name in dir(asdkit):
        assert getattr(asdkit, name) is not None


def test_help_shows_the_public_names():
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        pydoc.Helper(output=shown).help(asdkit)
    for name in set(asdkit.__all__) - {"__version__"}:
        assert name in shown.getvalue()
    assert "Decide anew who speaks when, without running any model" in shown.getvalue()


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> tuple[Path, Path]:
    """A copy of the checkout, and a folder of packages into which it is installed to be edited."""
    checkout = tmp_path_factory.mktemp("copy") / "some name"
    shutil.copytree(ROOT, checkout, ignore=LEFT_OUT)
    site = tmp_path_factory.mktemp("site")
    code = "from setuptools import build_meta; import sys; build_meta.build_editable(sys.argv[1])"
    done = subprocess.run(
        [sys.executable, "-c", code, str(site)],
        cwd=checkout,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (wheel,) = site.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    return checkout, site


def test_python_runs_what_is_in_the_checkout(installed):
    checkout, site = installed
    code = "import site, sys; site.addsitedir(sys.argv[1]); import asdkit; print(asdkit.__file__)"
    done = subprocess.run(
        [sys.executable, "-S", "-c", code, str(site)], capture_output=True, text=True, check=True
    )
    assert Path(done.stdout.strip()) == (checkout / "__init__.py").resolve()


@pytest.mark.slow
def test_type_checkers_find_it_by_a_folder(installed, tmp_path):
    _, site = installed
    (path_file,) = site.glob("*.pth")
    folders = [line for line in path_file.read_text().splitlines() if "import " not in line]
    assert [Path(folders[0], "asdkit", name).exists() for name in ("py.typed", "setup.py")]
    (tmp_path / "use.py").write_text(
        "import asdkit\n"
        "result = asdkit.run('clip.mp4', ['writers=[]'])\n"
        "reveal_type(result.at(1.0).faces[0].box)\n"
        "asdkit.run(3)\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--follow-imports=silent", "use.py"],
        cwd=tmp_path,
        env={"MYPYPATH": folders[0]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert 'note: Revealed type is "tuple[float, float, float, float]"' in done.stdout
    assert "use.py:4: error: Argument 1" in done.stdout
    assert "Found 1 error in 1 file" in done.stdout
