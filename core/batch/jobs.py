"""Jobs of Slurm that work at a batch: which there are, and what squeue says of them."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

SUBMITTED = ".submitit"
"""The folder in the output folder where submitit keeps a folder for each job."""
_JOB = re.compile(r"\d+(_\d+)?", re.ASCII)
_WAIT_S = 20
_MOST_ASKED = 500
"""At most so many jobs are named to squeue; the command line has limits."""


def is_job(text: str) -> bool:
    """Whether a text is the number of a job, as 123, or 123_4 for a task of an array."""
    return bool(_JOB.fullmatch(text))


def own_job() -> str | None:
    """The job of Slurm in which this process runs, as squeue calls it; None outside of one."""
    array, task = (os.environ.get(f"SLURM_ARRAY_{key}_ID") for key in ("JOB", "TASK"))
    return f"{array}_{task}" if array and task else os.environ.get("SLURM_JOB_ID")


def submitted_jobs(folder: Path) -> list[str]:
    """The jobs that submitit has submitted for a batch, in order, from the folders of their logs.

    An array has a folder for each task, and one without logs for the whole, which is left out.

    Args:
        folder: The output folder of the batch.
    """
    try:
        names = [path.name for path in (folder / SUBMITTED).iterdir()]
    except OSError:
        return []
    arrays = {name.partition("_")[0] for name in names if "_" in name}
    return sorted((name for name in names if is_job(name) and name not in arrays), key=_numbers)


def queued(jobs: Collection[str]) -> Mapping[str, str] | None:
    """What squeue says of jobs.

    Args:
        jobs: Each 123, or 123_4 for a task of an array.

    Returns:
        By job: its state in Slurm's words, such as RUNNING or PENDING; jobs that have ended are
        left out. None if squeue is not there, or says nothing.
    """
    whole = sorted({job.partition("_")[0] for job in jobs}, key=int)
    command = ["squeue", "--noheader", "--array", "--format=%i %T"]
    try:
        said = subprocess.run(
            [*command, f"--jobs={','.join(whole[-_MOST_ASKED:])}"],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_WAIT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    if said.returncode and "Invalid job id" not in said.stderr:  # of jobs that ended long ago
        return None
    pairs = [line.split() for line in said.stdout.splitlines()]
    found = {pair[0]: pair[1] for pair in pairs if len(pair) == 2}
    return {job: state for job, state in found.items() if job in jobs}


def in_words(jobs: Iterable[str]) -> str:
    """Jobs in few words: 123_0 to 123_31 are 123_[0-31], as Slurm itself writes them."""
    tasks: dict[str, list[int]] = {}
    for job in sorted(jobs, key=_numbers):
        whole, _, task = job.partition("_")
        tasks.setdefault(whole, []).extend([int(task)] if task else [])
    return ", ".join(f"{job}_[{_ranges(own)}]" if own else job for job, own in tasks.items())


def _ranges(numbers: list[int]) -> str:
    """Numbers in order, as in 0-3,7."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)


def _numbers(job: str) -> tuple[int, ...]:
    return tuple(map(int, job.split("_")))
