"""Computes in a child process, so that its peak memory is that of one configuration alone."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from typing import Any

from ..config.plan import RunPlan
from ..errors import AsdError
from ..labels import LabelledVideo
from ..models import Models
from ..plugin_files import OPTION, load_plugin_files
from ..progress import Progress
from .cache import Entry
from .checked_dataset import videos_of
from .dataset import DatasetPlan, analyser_of, build, dataset_plan_of, run_of
from .seen import Computes

_SPAWN = multiprocessing.get_context("spawn")


@contextmanager
def elsewhere(plan: DatasetPlan, progress: Progress) -> Iterator[Computes]:
    """Yield a function that computes a plan in a child process, started on the first call.

    Args:
        plan: The plan.
        progress: Called with the progress of each video.
    """
    process: Any = None
    connection: Any = None

    def compute(video: LabelledVideo, run: RunPlan) -> tuple[Entry, tuple[str, ...]]:
        nonlocal process, connection
        if process is None:
            connection, far_end = _SPAWN.Pipe()
            process = _SPAWN.Process(target=_serve, args=(far_end, plan.app, plan.settings))
            process.start()
            far_end.close()
        try:
            connection.send((video.name, run.options.sound, run.options.end_s))
            while True:
                what, *answer = connection.recv()
                if what == "progress":
                    progress(*answer)
                elif what == "error":
                    raise AsdError(*answer)
                else:
                    entry, computed = answer
                    return entry, computed
        except (EOFError, OSError) as error:
            process.join()
            raise AsdError(
                f"The process that looked at {video.name} died (exit code {process.exitcode})",
                "If memory was short, look for faces in smaller pictures or fewer at once",
            ) from error

    try:
        yield compute
    finally:
        if process is not None:
            connection.close()
            process.join(5)
            process.kill()
            process.join()


def _serve(connection: Connection, app: Any, settings: dict[str, Any]) -> None:
    """Process the videos named over the connection until it closes; runs in the child process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent gets the signal, too, and handles it

    def progress(stage: str, done: int, total: int) -> None:
        connection.send(("progress", stage, done, total))

    with suppress(EOFError, BrokenPipeError):
        name, *heard = connection.recv()
        try:
            load_plugin_files(settings.get(OPTION))
            plan = dataset_plan_of(app, settings)
            found = videos_of(plan.dataset.in_words, build(plan), plan.options.protocol)
            videos = {video.name: video for video in found}
            analyser = analyser_of(plan, Models(plan.run), progress)
            while True:
                entry, computed = analyser(videos[name], run_of(plan, videos[name], *heard))
                connection.send(("done", entry, computed))
                name, *heard = connection.recv()
        except AsdError as error:
            connection.send(("error", error.what, error.hint))
