"""Runs the command on many inputs, each in a process of its own that is watched.

Used as a program: `python hostile_runner.py CASES RESULTS`. CASES is JSON, a list of objects with
`name`, `words` (the arguments after `asd`) and `folder` (where it is started). Each is run in a
fork, so that the imports and Hydra's first look around are paid once, under a limit of time and of
address space; RESULTS gets, for each name, the exit code (None: it did not end in time), what it
printed, how long it took and the memory it had at most.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import time
from pathlib import Path
from typing import Any

LIMIT_S = 60
"""Seconds that one input may take before it counts as a hang."""
ADDRESS_SPACE = 6 << 30
"""Bytes of address space: far more than any input may need, far less than the machine has."""


def run(case: dict[str, Any]) -> dict[str, Any]:
    """Run one input; what came of it."""
    folder = Path(case["folder"])
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        _be_the_command(case["words"], folder)
    status = None
    while time.monotonic() - began < LIMIT_S:
        found, status, used = os.wait4(child, os.WNOHANG)
        if found:
            break
        time.sleep(0.01)
    else:
        os.kill(child, signal.SIGKILL)
        _, _, used = os.wait4(child, 0)
        status = None
    return {
        "code": None if status is None else os.waitstatus_to_exitcode(status),
        "out": (folder / ".stdout").read_text(errors="replace"),
        "err": (folder / ".stderr").read_text(errors="replace"),
        "seconds": time.monotonic() - began,
        "peak_mib": used.ru_maxrss / 1024,
    }


def _be_the_command(words: list[str], folder: Path) -> None:
    """Become `asd WORDS` in `folder`; never returns."""
    code = 70
    try:
        os.chdir(folder)
        for number, name in ((1, ".stdout"), (2, ".stderr")):
            os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
        sys.argv = ["asd", *words]
        from asdkit.core.cli.main import main

        try:
            main()
            code = 0
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else 1
    except BaseException:
        import traceback

        traceback.print_exc()
        code = 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def main() -> None:
    """Run all inputs that a file lists."""
    import cv2
    import hydra  # noqa: F401

    import asdkit.core.cli.hydra_app
    import asdkit.core.cli.main
    import asdkit.core.pipeline  # noqa: F401
    from asdkit.core.config.compose import compose_run
    from asdkit.core.registry import registry

    registry()
    compose_run(["detector=boxes", "scorer=lip_motion", "cutter=none"], "clip.mp4")
    cv2.setNumThreads(1)
    cases = json.loads(Path(sys.argv[1]).read_text())
    Path(sys.argv[2]).write_text(json.dumps({case["name"]: run(case) for case in cases}))


if __name__ == "__main__":
    main()
