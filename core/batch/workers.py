"""Worker processes for videos, each with its own models; the batch goes on if one dies."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from pathlib import Path
from time import monotonic, perf_counter
from typing import Any

from ..config.plan import AnalysisPlan, analysis_plan_of
from ..errors import AsdError, OutputError, PluginError
from ..files import DISK_ERRORS, sha256, whole_folder
from ..models import Models
from ..pipeline import execute
from ..plugin_files import OPTION, load_plugin_files
from ..progress import Progress, silent
from .held_signals import SIGNALS, end_with_parent, signals_held
from .manifest import Record, now
from .pace import Reports, Step

_SPAWN = multiprocessing.get_context("spawn")
"""Spawned, as a forked process could use neither CUDA nor its parent's threads."""
_LAST_BREATH_S = 5
_LOADING_S = 600
"""Seconds a replacement worker may take to load its models, in addition to its video's time."""


@dataclass(frozen=True)
class Task:
    """The part of a batch that workers need.

    Attributes:
        settings: The batch's settings as plain values.
        output: The folder of all results.
    """

    settings: Mapping[str, Any]
    output: Path

    def plan(self) -> AnalysisPlan:
        """The plan for each video.

        Raises:
            AsdError: The settings are invalid.
        """
        load_plugin_files(self.settings.get(OPTION))
        return analysis_plan_of(self.settings)


def _unheeded(record: Record, step: Step) -> None:
    """Pay no heed to a worker's progress."""


def outcomes(
    task: Task,
    jobs: Iterator[Record],
    workers: int,
    timeout_s: float | None = None,
    heed: Callable[[Record, Step], None] = _unheeded,
) -> Generator[Record, None, None]:
    """Process videos in worker processes; yield the outcome of each as soon as it is known.

    Args:
        task: The settings and output folder of the batch.
        jobs: The videos, each as its record of state "started"; the next one is requested when a
            worker is free.
        workers: Number of processes.
        timeout_s: How long a video may take, in seconds; None for no limit.
        heed: Called every few seconds with a worker's video, and how far the worker is.

    Yields:
        The record of state "done" or "failed" of each video.

    Raises:
        AsdError: The components cannot be loaded; no video has been started.
        OutputError: No more videos can be processed: the disk is full, or the folder is gone.
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
                worker = busy[connection]
                if record := worker.take():
                    yield record
                elif worker.job and worker.step:
                    heed(worker.job, worker.step)
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
    """The least of the times that are not None; None if all are."""
    return min((time_s for time_s in times_s if time_s is not None), default=None)


class _Worker:
    """The parent's handle of a worker process.

    Attributes:
        job: The video the worker is processing; None if it is idle.
        connection: Receives the worker's messages.
        step: How far it is with its video, as last reported.
    """

    def __init__(self, task: Task) -> None:
        self.job: Record | None = None
        self.step: Step | None = None
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
            refusal: AsdError | None = self.connection.recv()
        except (EOFError, OSError) as error:
            raise AsdError(
                f"A worker died while it loaded the components ({self._death()})",
                "If memory was short, use fewer: workers=N",
            ) from error
        if refusal:
            raise refusal

    def give(self, job: Record) -> None:
        if self._process is None:
            self.start()
        self.job, self.step = job, None
        self._given_at = monotonic()
        with suppress(OSError):  # the worker has died; `take` will notice
            self.connection.send(job)

    def left_s(self, timeout_s: float | None) -> float | None:
        """Seconds left for the current video; None without a video or a limit."""
        if timeout_s is None or self.job is None:
            return None
        loading_s = 0.0 if self._ready else _LOADING_S
        return max(0.0, self._given_at + loading_s + timeout_s - monotonic())

    def give_up(self, timeout_s: float | None) -> Record:
        """Kill the worker, and return the record of its video as failed."""
        assert self.job
        taken_s = round(monotonic() - self._given_at, 3)
        told = f"It was not done within video_timeout_s={timeout_s:g}"
        record = replace(_failed(self.job, told, "VideoTimeout"), seconds=taken_s)
        self.job = None
        self.kill()
        return record

    def take(self) -> Record | None:
        """The worker's next record, or None if it only reported how far it is."""
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
            message = self.connection.recv()
            if isinstance(message, Step):
                self.step = message
                return None
            record, sound, refusal = message
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
        """Close the connection, on which the worker ends by itself."""
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
        """How the process ended, in words."""
        self._process.join(_LAST_BREATH_S)
        code = self._process.exitcode or 0
        return f"{signal.strsignal(-code)}" if code < 0 else f"exit status {code}"


def _work(connection: Connection, task: Task) -> None:
    """Process videos until the connection closes; runs in the worker process."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    threading.Thread(target=end_with_parent, daemon=True).start()
    try:
        models = _loaded(task)
    except AsdError as error:
        connection.send(error)
        return
    except Exception as error:  # from a plugin; every video would fail with it
        connection.send(AsdError(f"The components cannot be loaded: {_told(error)}"))
        return
    connection.send(None)
    sound = True
    with suppress(EOFError):  # the parent has closed the connection
        while sound:
            connection.send(_done(connection.recv(), task, models, Reports(connection.send)))


def _loaded(task: Task) -> Models:
    """Build all components once, including writers, so that errors show before any video."""
    plan = task.plan()
    models = Models(plan)
    models.parts()
    _ = models.people
    for chosen in plan.writers:
        chosen.build(models.context)
    return models


def _done(
    started: Record, task: Task, models: Models, progress: Progress = silent
) -> tuple[Record, bool, tuple[str, str] | None]:
    """Process a video.

    Returns:
        Its record; whether this process can process another video; and, if no further video can be
        processed at all, the reason and what to do.
    """
    level = logging.ERROR if task.settings["quiet"] else logging.WARNING
    logging.basicConfig(format=f"asd: {started.name}: %(message)s", level=level, force=True)
    begin = perf_counter()
    record = started
    sound = True
    refusal = None
    try:
        record = replace(record, sha256=content_hash(started.video))
        template = task.plan()
        with whole_folder(task.output / started.name, parents=False) as aside:
            folder = str(task.output / started.name)
            plan = template.for_video(started.video, folder, name=started.name)
            options = replace(plan.options, output=str(aside))  # temporary: see whole_folder
            plan = replace(plan, options=options)
            result = execute(plan, progress, models=models, keep=False, of_several=True)
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
        sound = not isinstance(error, PluginError)  # it may leave a broken state: a lost GPU
        refusal = _refusal(error, task)
    except Exception as error:
        record, sound = _failed(record, _told(error), type(error).__name__), False
        refusal = _refusal(error, task)
    return replace(record, seconds=round(perf_counter() - begin, 3)), sound, refusal


def _refusal(error: BaseException, task: Task) -> tuple[str, str] | None:
    """Why no further video can be processed, and what to do; None if others may succeed."""
    hint = "The same command then goes on with what is left"
    if not task.output.is_dir():
        return f"The folder of the results, {task.output}, is gone", f"Put it back. {hint}"
    cause: BaseException | None = error
    for _ in range(10):  # the chain of causes may be circular
        if isinstance(cause, OSError) and cause.errno in DISK_ERRORS:
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
