"""What has become of a batch so far: done, failed and why, at work, left. Only reads; no locks."""

from __future__ import annotations

import json
import os
import re
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import AsdError, InputError
from ..files import lives
from .jobs import is_job, queued, submitted_jobs
from .manifest import Begin, Record, Records
from .videos import find_videos


@dataclass(frozen=True)
class Failure:
    """Videos that failed for one reason.

    Attributes:
        reason: The reason, with VIDEO for the video's own path or name.
        kind: The class of the error.
        names: The names of the videos.
    """

    reason: str
    kind: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class Status:
    """The state of a batch. A video is in one of `done`, `failed`, `running` and `left`.

    Attributes:
        done: The videos whose results are there.
        failed: The videos that failed, by reason; the most frequent reason first.
        running: The videos that a process is at.
        unsure: How many of those run on other machines, of which nothing is known here.
        left: How many videos are still to be done.
        gone: How many of those were done, but results of theirs were removed.
        guessed: Whether `left` is estimated, as the videos themselves cannot be found from here,
            or no manifest says which they are.
        queue: By job of Slurm that waits or runs: its state in Slurm's words; None if that is not
            known.
        jobs: The jobs of Slurm that have worked at it, or are to.
        passed_over: The lines of manifests that are damaged, each as FILE:NUMBER.
    """

    done: tuple[Record, ...]
    failed: tuple[Failure, ...]
    running: tuple[Record, ...]
    unsure: int
    left: int
    gone: int
    guessed: bool
    queue: Mapping[str, str] | None
    jobs: tuple[str, ...]
    passed_over: tuple[str, ...]


@dataclass
class _Sorted:
    """The videos of a batch by state."""

    done: list[Record] = field(default_factory=list)
    failed: list[Record] = field(default_factory=list)
    running: list[Record] = field(default_factory=list)
    unsure: int = 0
    stopped: int = 0
    gone: int = 0


def status_of(folder: Path) -> Status:
    """What has become of a batch so far, perhaps while it runs.

    Args:
        folder: The output folder of the batch.

    Raises:
        InputError: The folder does not exist, or is of no batch.
        OutputError: A manifest cannot be read.
    """
    records, submitted = records_of(folder)
    begins = {begin.shard: begin for begin in records.begins}  # the last of each shard
    own = {begin.job for begin in begins.values() if begin.job and is_job(begin.job)}
    jobs = [*submitted, *sorted(own.difference(submitted))]
    queue = queued(jobs) if jobs else {}
    by_state = _by_state(folder, records, begins, queue)
    left, guessed = _left(folder, records)
    return Status(
        done=tuple(by_state.done),
        failed=tuple(failures(by_state.failed)),
        running=tuple(by_state.running),
        unsure=by_state.unsure,
        left=left + by_state.stopped + by_state.gone,
        gone=by_state.gone,
        guessed=guessed,
        queue=queue,
        jobs=tuple(jobs),
        passed_over=tuple(records.passed_over),
    )


def records_of(folder: Path) -> tuple[Records, Sequence[str]]:
    """The records of a batch, and the jobs that were submitted for it.

    Raises:
        InputError: The folder does not exist, or is of no batch.
        OutputError: A manifest cannot be read.
    """
    hint = "Name the folder that was the output of asd batch"
    if not os.path.isdir(folder):  # noqa: PTH112 - False if there can be no such name
        raise InputError(f"There is no folder {folder}", hint)
    records, jobs = Records(folder), submitted_jobs(folder)
    if not jobs and not any(folder.glob("manifest-*.jsonl")):
        raise InputError(f"{folder} holds no manifest of a batch", hint)
    return records, jobs


def is_whole(folder: Path, record: Record) -> bool:
    """Whether all results of a video that is done are there."""
    return all((folder / record.name / file).exists() for file in record.files or [])


def failures(records: Sequence[Record]) -> list[Failure]:
    """Failed videos by reason, the most frequent reason first."""
    found: dict[tuple[str, str], list[str]] = {}
    for record in records:
        reason = record.error or "no reason was recorded"
        for text in (record.video, Path(record.video).name):
            reason = re.sub(rf"(?<![\w.]){re.escape(text)}(?!\w)", "VIDEO", reason)
        found.setdefault((reason, record.error_type or "error"), []).append(record.name)
    ordered = sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
    return [Failure(reason, kind, tuple(sorted(own))) for (reason, kind), own in ordered]


def _by_state(
    folder: Path,
    records: Records,
    begins: Mapping[int, Begin],
    queue: Mapping[str, str] | None,
) -> _Sorted:
    found = _Sorted()
    for record in sorted(records.latest.values(), key=lambda record: record.name):
        if record.state == "failed":
            found.failed.append(record)
        elif record.state == "done":
            if is_whole(folder, record):
                found.done.append(record)
            else:
                found.gone += 1
        elif (runs := _runs(record, begins.get(record.shard), queue)) is False:
            found.stopped += 1
        else:
            found.running.append(record)
            found.unsure += runs is None
    return found


def _runs(record: Record, begin: Begin | None, queue: Mapping[str, str] | None) -> bool | None:
    """Whether a process is still at a video that was started; None if that is not known."""
    if begin and begin.time > record.time:
        return False  # only one process at a time is at a shard
    if begin and is_job(begin.job or "") and queue is not None:
        return queue.get(begin.job or "") in ("RUNNING", "COMPLETING", "SUSPENDED")
    if record.host == socket.gethostname():
        return record.pid == os.getpid() or lives(record.pid)
    return None


def _left(folder: Path, records: Records) -> tuple[int, bool]:
    """How many videos no process has begun with; and whether that is a guess.

    Videos are looked for anew, as those that were added meanwhile are to be done, too.
    """
    asked = {json.dumps([begin.videos, begin.folder]): begin for begin in records.begins}
    if not asked:
        return 0, True
    known = records.latest.keys()
    unknown: set[str] = set()
    try:
        for begin in asked.values():
            unknown |= set(find_videos(begin.videos, folder, Path(begin.folder))).difference(known)
    except AsdError:
        found = max(begin.found for begin in asked.values())
        return max(0, found - len(known)), True
    return len(unknown), False
