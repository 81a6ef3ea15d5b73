"""Runs commands and measures them from outside: time and memory of whole processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

_LAUNCHER = Path(__file__).with_name("launch.py")
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_NOT_HANDED_ON = ("PYTHONPATH", "PYTHONHOME", "PYTHONSAFEPATH", *_ONE_THREAD)
_MOST_SHOWN = 2000


class CommandError(Exception):
    """A command failed; the text is one line with the end of its stderr."""


class Used(NamedTuple):
    """What a process used.

    Attributes:
        process_s: User and system time of the process and its children, in seconds.
        wall_s: Time from start to end, in seconds.
        peak_bytes: The most memory that the process, or one of its children, had.
    """

    process_s: float
    wall_s: float
    peak_bytes: float


def environment(one_thread: bool) -> dict[str, str]:
    """This process's environment, without what would have another interpreter find this asdkit.

    Args:
        one_thread: Have numeric libraries use one thread; else their own choice, whatever is set
            here.
    """
    kept = {name: value for name, value in os.environ.items() if name not in _NOT_HANDED_ON}
    return kept | dict.fromkeys(_ONE_THREAD, "1") if one_thread else kept


def measured(
    command: Sequence[str], env: Mapping[str, str] | None = None, folder: Path | None = None
) -> tuple[Used, str]:
    """Run a command to its end.

    Args:
        command: Absolute path of the program, and its arguments.
        env: Its environment; this process's if not given.
        folder: Its working directory; this process's if not given.

    Returns:
        What it used, and its stdout.

    Raises:
        CommandError: It could not be started, or its exit code is not 0.
    """
    with TemporaryDirectory() as aside:
        report = Path(aside, "report.json")
        launcher = [sys.executable, "-I", "-S", str(_LAUNCHER), str(report)]
        run = subprocess.run(
            [*launcher, *command], capture_output=True, env=env, cwd=folder, check=False
        )
        said = run.stdout.decode(errors="replace"), run.stderr.decode(errors="replace")
        if run.returncode:
            raise CommandError(f"could not be started: {_in_one_line(said[1])}")
        used = json.loads(report.read_text())
    exit_code = used.pop("exit_code")
    if exit_code:
        raise CommandError(f"ended with exit code {exit_code}: {_in_one_line(said[1] or said[0])}")
    return Used(**used), said[0]


def _in_one_line(text: str) -> str:
    line = " | ".join(filter(None, map(str.strip, text.splitlines()))) or "it said nothing"
    return line if len(line) <= _MOST_SHOWN else f"... {line[-_MOST_SHOWN:]}"
