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
def checkout(tmp_path_factory) -> Path:
    """A copy of the checkout, in a folder of another name."""
    copy = tmp_path_factory.mktemp("copy") / "some name"
    shutil.copytree(ROOT, copy, ignore=LEFT_OUT)
    return copy


def built(how: str, checkout: Path, into: Path) -> zipfile.ZipFile:
    """The wheel that a hook of PEP 517 or 660 builds."""
    code = f"from setuptools import build_meta; build_meta.{how}({str(into)!r})"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=checkout, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    (wheel,) = into.glob("*.whl")
    return zipfile.ZipFile(wheel)


@pytest.fixture(scope="module")
def site(checkout, tmp_path_factory) -> Path:
    """A folder of packages into which the checkout is installed to be edited."""
    folder = tmp_path_factory.mktemp("site")
    with built("build_editable", checkout, folder) as wheel:
        wheel.extractall(folder)
    return folder


def test_how_it_is_installed_is_no_part_of_it(checkout, tmp_path):
    with built("build_wheel", checkout, tmp_path) as wheel:
        names = set(wheel.namelist())
    assert {"asdkit/__init__.py", "asdkit/py.typed", "asdkit/conf/write.yaml"} < names
    assert "asdkit/setup.py" not in names


def test_python_runs_what_is_in_the_checkout(checkout, site):
    code = "import site, sys; site.addsitedir(sys.argv[1]); import asdkit; print(asdkit.__file__)"
    done = subprocess.run(
        [sys.executable, "-S", "-c", code, str(site)], capture_output=True, text=True, check=True
    )
    assert Path(done.stdout.strip()) == (checkout / "__init__.py").resolve()


@pytest.mark.slow
def test_type_checkers_find_it_by_a_folder(site, tmp_path):
    (path_file,) = site.glob("*.pth")
    folders = [line for line in path_file.read_text().splitlines() if "import " not in line]
    assert Path(folders[0], "asdkit", "py.typed").exists()
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
