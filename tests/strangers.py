"""Strangers' packages, installed or made in a folder, and the command run with them there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path


def install(source: Path, folder: Path) -> Path:
    """Install a package from a copy of its source, without a network; where it then is."""
    shutil.copytree(source, folder / "source")
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"),
            *("--no-build-isolation", "--target", str(folder / "site"), str(folder / "source")),
        ],
        check=True,
        capture_output=True,
    )
    return folder / "site"


def package(folder: Path, name: str, code: str) -> Path:
    """A package as pip would leave it, with one module and one entry point; its folder."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (folder / f"{name}.py").write_text(code)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[asdkit]\nmain = {name}\n")
    return folder


def run_module(*words: str, site: Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """`python -m WORDS` with one more folder of installed packages."""
    # What is asked of the tests here, such as coverage, is not asked of a stranger's.
    environment = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
    return subprocess.run(
        [sys.executable, "-m", *words],
        env={**environment, "PYTHONPATH": str(site)},
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )


def asd(*words: str, site: Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command with one more folder of installed packages."""
    return run_module("asdkit", *words, site=site, cwd=cwd or site)
