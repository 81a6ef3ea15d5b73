"""Installs strangers' packages into a folder, and runs the command as if they were there."""

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


def run_module(*words: str, site: Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """`python -m WORDS` with one more folder of installed packages."""
    return subprocess.run(
        [sys.executable, "-m", *words],
        env={**os.environ, "PYTHONPATH": str(site)},
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )


def asd(*words: str, site: Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command with one more folder of installed packages."""
    return run_module("asdkit", *words, site=site, cwd=cwd or site)
