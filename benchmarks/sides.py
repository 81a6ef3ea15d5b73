"""Two asdkits to compare, each with its own interpreter, and what either consists of."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .process import CommandError, environment, measured

INTERPRETERS = ("bin/python", ".venv/bin/python", "venv/bin/python")
"""Where in a folder an interpreter is looked for."""

_DESCRIBE = """
import json, platform
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
def of(*names):
    for name in names:
        try: return version(name)
        except PackageNotFoundError: pass
found = {
    "Python": platform.python_version(),
    "torch": of("torch"),
    "onnxruntime": of("onnxruntime", "onnxruntime-gpu"),
    "OpenCV": of("opencv-python-headless", "opencv-python"),
    "PyAV": of("av"),
    "NumPy": of("numpy"),
}
asdkit = find_spec("asdkit")
print(json.dumps([asdkit and asdkit.origin, of("asdkit"), found]))
"""


@dataclass(frozen=True)
class Side:
    """One of the two.

    Attributes:
        name: "old" or "new".
        python: Its interpreter.
        about: Versions of asdkit and of what it computes with, in one line.
    """

    name: str
    python: Path
    about: str


def find_side(name: str, given: Path) -> Side:
    """Find the interpreter and ask it for its versions.

    Args:
        name: "old" or "new".
        given: An interpreter, or a folder with one in INTERPRETERS.

    Raises:
        CommandError: There is none, it does not run, or it has no asdkit.
    """
    python = _interpreter(given)
    if python is None:
        raise CommandError(
            f"{name}: {given} is neither an interpreter nor a folder with one at "
            f"{', '.join(INTERPRETERS)}"
        )
    try:
        _, said = measured([str(python), "-I", "-c", _DESCRIBE], environment(one_thread=True))
    except CommandError as error:
        raise CommandError(f"{name}: {given} {error}") from error
    file, version, others = json.loads(said)
    if file is None:
        raise CommandError(f"{name}: {given} has no asdkit; install the checkout into it")
    about = [f"asdkit {version}{_commit(Path(file).parent)}"]
    about += [f"{package} {number or '-'}" for package, number in others.items()]
    return Side(name, python, ", ".join(about))


def _interpreter(given: Path) -> Path | None:
    # Not resolved: the link in a virtual environment is what tells Python of it.
    files = [given, *(given / place for place in INTERPRETERS)]
    return next((file.absolute() for file in files if file.is_file()), None)


def _commit(folder: Path) -> str:
    """Which commit a checkout is at, and whether files differ from it; "" if it is none."""
    git = ["git", "-C", str(folder)]
    try:
        head, changed = (
            subprocess.run([*git, *words], capture_output=True, text=True, check=True).stdout
            for words in (("rev-parse", "--short", "HEAD"), ("status", "--short", "-uno"))
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return f" at {head.strip()}{' with changes' if changed.strip() else ''}"
