"""Runs a command and reports what it used: `python -I -S launch.py REPORT COMMAND ...`.

A process of its own, because on Linux the peak memory of a process counts from that of the process
that starts it (exec hands it on): started from one that has made videos or loaded PyTorch, a small
command would seem large. This one imports next to nothing.

REPORT becomes JSON: `exit_code`, `wall_s`, `process_s` (user and system time of the command and of
the children that it has waited for) and `peak_bytes` (the most memory that any one of these had).
"""

import json
import os
import sys
import time


def main(report: str, *command: str) -> None:
    """Run the command with this process's environment, folder and streams."""
    start = time.perf_counter()
    pid = os.posix_spawn(command[0], command, os.environ)
    _, status, usage = os.wait4(pid, 0)
    wall_s = time.perf_counter() - start
    unit = 1 if sys.platform == "darwin" else 1024
    used = {
        "exit_code": os.waitstatus_to_exitcode(status),
        "wall_s": wall_s,
        "process_s": usage.ru_utime + usage.ru_stime,
        "peak_bytes": unit * usage.ru_maxrss,
    }
    with open(report, "w") as file:  # noqa: PTH123
        json.dump(used, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
