"""Starts batches of cheap runs, whose writer does what a video's name says, and looks at them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest

from asdkit.core.batch.manifest import Record, Records, now
from asdkit.core.batch.run import run_batch
from asdkit.core.batch.settings import BATCH
from asdkit.core.config.compose import compose_app
from asdkit.core.errors import InputError

BOXES = ["detector=boxes", "detector.path=boxes.json"]
CHEAP = [*BOXES, "cutter=none", "scorer=lip_motion", "writers=[json,moody]"]
"""No network, no models; and a writer that does to a video what its name says."""


MOODY = """
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import asdkit
from asdkit.core.component import Component


@dataclass(frozen=True)
class Config:
    \"\"\"Parameters.

    Attributes:
        built: What becomes of building it.
    \"\"\"

    built: str = "well"


class Moody:
    def write(self, result, folder):
        (folder / "moody.txt").write_text("half")
        mood = result.video.path.stem
        if "crash" in mood:
            os.kill(os.getpid(), signal.SIGKILL)
        if "raise" in mood:
            raise RuntimeError("not\\ntoday")
        if "wait" in mood:
            Path(f"{mood}.reached").write_text(str(os.getpid()))
            while not Path("go").exists():
                time.sleep(0.02)
        if "full" in mood:
            raise OSError(28, os.strerror(28))
        if "gone" in mood:
            Path("out").rename("elsewhere")
        (folder / "moody.txt").write_text("whole")
        return [folder / "moody.txt"]


def build(config, context):
    if config.built == "crash":
        os.kill(os.getpid(), signal.SIGKILL)
    if config.built == "raise":
        raise RuntimeError("broken")
    return Moody()


@asdkit.hookimpl
def asdkit_components():
    return [Component("writer", "moody", Config, build, files=("moody.txt",))]
"""


def batch(*overrides, failed=0):
    """Run a batch, of which so many videos must fail; the lines it told."""
    lines = []
    config = compose_app(BATCH, ["videos=talks", "output=out", *CHEAP, *overrides])
    with pytest.raises(InputError, match=f"^{failed} of ") if failed else nullcontext():
        run_batch(config, lines.append)
    return lines


def latest(folder="out"):
    """The latest record of each video, by the name of its folder."""
    return {record.name: record for record in Records(Path(folder)).latest.values()}


def states(folder="out"):
    return {name: record.state for name, record in latest(folder).items()}


def results(folder="out"):
    """The names of the folders of results; asserts that each is whole."""
    folders = [path for path in Path(folder).glob("[!.]*") if path.is_dir()]
    for path in folders:
        assert (path / "moody.txt").read_text() == "whole", path
        json.loads((path / "result.json").read_text())
    return sorted(path.name for path in folders)


def begun(folder="out"):
    """How often each video was begun with, by the name of its folder."""
    lines = [x for p in Path(folder).glob("*.jsonl") for x in p.read_text().splitlines()]
    entries = [json.loads(line) for line in lines]
    names = [entry["name"] for entry in entries if entry["state"] == "started"]
    return {name: names.count(name) for name in names}


@contextmanager
def started(*overrides):
    """A batch in a process of its own, which does not outlive the block."""
    words = ["videos=talks", "output=out", *CHEAP, *overrides]
    command = [sys.executable, "-m", "asdkit", "batch", *words]
    with subprocess.Popen(
        command,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def eventually(what):
    """Wait until something is so."""
    end = time.monotonic() + 60
    while not (answer := what()):
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.02)
    return answer


def reached(name, process):
    """Wait until a worker of a batch is in the middle of a video; its process id."""
    path = Path(f"{name}.reached")

    def pid():
        assert process.poll() is None, process.stderr.read()
        return path.exists() and path.read_text()

    return int(eventually(pid))


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


def results_so_far():
    """The folders of results once the videos that wait are all that is being done."""
    eventually(lambda: list(states().values()).count("started") == 2)
    return results()


def record(**values):
    base = {"video": "/a.mp4", "name": "a", "state": "done", "time": now(), "shard": 0}
    return Record(**{**base, "host": "h", "pid": 1, "asdkit": "0", "settings_hash": "x", **values})
