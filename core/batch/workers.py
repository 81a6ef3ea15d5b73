"""Processes that do videos, each with its own models, and that may die without harm to the rest."""

from __future__ import annotations

import errno
import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from pathlib import Path
from time import monotonic, perf_counter
from typing import Any

from ..config.plan import AnalysisPlan, analysis_plan_of
from ..errors import AsdError, OutputError
from ..files import sha256, whole_folder
from ..models import Models
from ..pipeline import execute
from .held_signals import SIGNALS, signals_held
from .manifest import Record, now

_SPAWN = multiprocessing.get_context("spawn")
"""A forked process could use neither CUDA nor the threads of the one it came from."""
_LAST_BREATH_S = 5
_LOADING_S = 600
"""What a worker that takes another's place may take to load, beside the time for its video."""
_NO_MORE = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.ESTALE}
"""Errors of the system that the next video would meet, too."""


@dataclass(frozen=True)
class Task:
    """What a worker needs to know of the batch.

    Attributes:
        settings: Its settings as plain values.
        output: The folder of all results.
    """

    settings: Mapping[str, Any]
    output: Path

    def plan(self) -> AnalysisPlan:
        """What is done with each video.

        Raises:
            AsdError: The settings do not fit.
        """
        return analysis_plan_of(self.settings)


def outcomes(
    task: Task, jobs: Iterator[Record], workers: int, timeout_s: float | None = None
) -> Generator[Record, None, None]:
    """What became of each video, as soon as it is known.

    Args:
        task: What holds for all.
        jobs: The videos, each as its record of state "started"; one is asked for when a worker
            is free to begin with it.
        workers: How many processes.
        timeout_s: How long a video may take, in seconds; None for any time.

    Yields:
        The record of state "done" or "failed" of each.

    Raises:
        AsdError: The components cannot be loaded; then no video has been begun.
        OutputError: No video can be done any more: the disk is full, or the folder is gone.
    """
    team = [_Worker(task) for _ in range(workers)]
    try:
        for worker in team:
            worker.start()
        for worker in team:
            worker.await_ready()
        while True:
            _give_work(team, jobs)
            busy = {worker.connection: worker for worker in team if worker.job}
            if not busy:
                for worker in team:
                    worker.dismiss()
                return
            soonest = _soonest(worker.left_s(timeout_s) for worker in team)
            for connection in wait(list(busy), soonest):
                if record := busy[connection].take():
                    yield record
            yield from (w.give_up(timeout_s) for w in team if w.left_s(timeout_s) == 0)
    finally:
        for worker in team:
            worker.kill()


def _give_work(team: Sequence[_Worker], jobs: Iterator[Record]) -> None:
    """A video for each worker that has none, as long as there are any."""
    for worker in team:
        if worker.job is None and (job := next(jobs, None)):
            worker.give(job)


def _soonest(times_s: Iterable[float | None]) -> float | None:
    """The least of what is known of some times; None if nothing is."""
    return min((time_s for time_s in times_s if time_s is not None), default=None)


class _Worker:
    """The near end of a process.

    Attributes:
        job: The video it is at.
        connection: Tells what it has to say.
    """

    def __init__(self, task: Task) -> None:
        self.job: Record | None = None
        self.connection: Any = None
        self._task = task
        self._process: Any = None
        self._ready = False
        self._given_at = 0.0

    def start(self) -> None:
        self.connection, far_end = _SPAWN.Pipe()
        self._ready = False
        process = _SPAWN.Process(target=_work, args=(far_end, self._task))
        with signals_held():
            process.start()
            self._process = process
        far_end.close()

    def await_ready(self) -> None:
        self._ready = True
        try:
            refusal = self.connection.recv()
        except (EOFError, OSError) as error:
            raise AsdError(
                f"A worker died while it loaded the components ({self._death()})",
                "If memory was short, use fewer: workers=N",
            ) from error
        if refusal:
            raise AsdError(*refusal)

    def give(self, job: Record) -> None:
        if self._process is None:
            self.start()
        self.job = job
        self._given_at = monotonic()
        with suppress(OSError):  # it has died; `take` will find out
            self.connection.send(job)

    def left_s(self, timeout_s: float | None) -> float | None:
        """How long it may still take for its video; None if it is at none, or there is no limit."""
        if timeout_s is None or self.job is None:
            return None
        loading_s = 0.0 if self._ready else _LOADING_S
        return max(0.0, self._given_at + loading_s + timeout_s - monotonic())

    def give_up(self, timeout_s: float | None) -> Record:
        """End it in the middle of a video, which has failed."""
        assert self.job
        taken_s = round(monotonic() - self._given_at, 3)
        told = f"It was not done within video_timeout_s={timeout_s:g}"
        record = replace(_failed(self.job, told, "VideoTimeout"), seconds=taken_s)
        self.job = None
        self.kill()
        return record

    def take(self) -> Record | None:
        """What it says of its video; None if all it says is that it has loaded."""
        assert self.job
        record: Record
        if not self._ready:
            try:
                self.await_ready()
            except AsdError as error:
                record = _failed(self.job, str(error), type(error).__name__)
                self.job = None
                self.kill()
                return record
            self._given_at = monotonic()
            return None
        try:
            record, sound, refusal = self.connection.recv()
        except (EOFError, OSError):
            record = _failed(self.job, f"Its worker died ({self._death()})", "WorkerDied")
            sound, refusal = False, None
        if refusal:
            raise OutputError(*refusal)
        self.job = None
        if not sound:
            self.kill()
        return record

    def dismiss(self) -> None:
        """Let it end by itself."""
        if self._process is not None:
            self.connection.close()
            self._process.join(_LAST_BREATH_S)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self.connection.close()
            self._process = None

    def _death(self) -> str:
        """How it ended."""
        self._process.join(_LAST_BREATH_S)
        code = self._process.exitcode or 0
        return f"{signal.strsignal(-code)}" if code < 0 else f"exit status {code}"


def _work(connection: Connection, task: Task) -> None:
    """Do videos until told no more: the other process."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        models = _loaded(task)
    except AsdError as error:
        connection.send((error.what, error.hint))
        return
    except Exception as error:  # a plugin's; it would hit every video
        connection.send((f"The components cannot be loaded: {_told(error)}", ""))
        return
    connection.send(None)
    sound = True
    with suppress(EOFError):  # there is no more to do
        while sound:
            connection.send(_done(connection.recv(), task, models))


def _end_with_parent() -> None:
    """End this process when its parent does, however that came about."""
    parent = multiprocessing.parent_process()
    assert parent
    wait([parent.sentinel])
    os._exit(1)


def _loaded(task: Task) -> Models:
    """The models, after everything was built once that a run will build."""
    plan = task.plan()
    models = Models(plan)
    models.parts()
    _ = models.people
    for chosen in plan.writers:
        chosen.build(models.context)
    return models


def _done(
    started: Record, task: Task, models: Models
) -> tuple[Record, bool, tuple[str, str] | None]:
    """Do a video.

    Returns:
        What became of it; whether this process is still good for another; and why there is no use
        in going on with any, if so, and what to do.
    """
    logging.basicConfig(format=f"asd: {started.name}: %(message)s", force=True)
    begin = perf_counter()
    record = started
    sound = True
    refusal = None
    try:
        record = replace(record, sha256=content_hash(started.video))
        template = task.plan()
        with whole_folder(task.output / started.name, parents=False) as aside:
            plan = template.for_video(started.video, str(task.output / started.name))
            options = replace(plan.options, output=str(aside))  # for a while: see whole_folder
            result = execute(replace(plan, options=options), models=models, keep=False)
        record = replace(
            record,
            state="done",
            time=now(),
            video_s=result.video.duration_s,
            timings_s={stage: round(spent, 3) for stage, spent in result.timings_s.items()},
            files=[str(file.relative_to(aside)) for file in result.files],
        )
    except AsdError as error:
        record = _failed(record, str(error), type(error).__name__)
        refusal = _refusal(error, task)
    except Exception as error:  # a plugin's; what it leaves, such as a lost GPU, is not to be used
        record, sound = _failed(record, _told(error), type(error).__name__), False
        refusal = _refusal(error, task)
    return replace(record, seconds=round(perf_counter() - begin, 3)), sound, refusal


def _refusal(error: BaseException, task: Task) -> tuple[str, str] | None:
    """Why no other video can be done either, and what to do; None if another may well be."""
    hint = "The same command then goes on with what is left"
    if not task.output.is_dir():
        return f"The folder of the results, {task.output}, is gone", f"Put it back. {hint}"
    cause: BaseException | None = error
    for _ in range(10):  # a library may have made a circle
        if isinstance(cause, OSError) and cause.errno in _NO_MORE:
            return f"{task.output}: {os.strerror(cause.errno)}", f"Make room. {hint}"
        cause = cause and (cause.__cause__ or cause.__context__)
    return None


def content_hash(video: str) -> str | None:
    """The SHA-256 of a file, in hexadecimal digits; None if it cannot be read."""
    path = Path(video)
    try:
        return sha256(path) if path.is_file() else None
    except OSError:
        return None


def _failed(record: Record, error: str, error_type: str) -> Record:
    return replace(record, state="failed", time=now(), error=error, error_type=error_type)


def _told(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())
