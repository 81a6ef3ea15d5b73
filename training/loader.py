"""Makes batches ahead, in processes of their own."""

from __future__ import annotations

import pickle
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Generator, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol

import cv2

from ..core.batch.held_signals import end_with_parent
from ..core.errors import AsdError, DeviceError, PluginError
from ..core.plugin_files import load_plugin_files
from ..core.registry import registry
from .batches import Batch

_AHEAD = 2
"""How many batches each process makes ahead."""


class BatchSource(Protocol):
    """Knows the batches of a training, such as `training.batches.Batches`; it can be pickled."""

    def order(self, epoch: int, /, rank: int = 0, world_size: int = 1) -> list[int]:
        """The numbers of an epoch's batches, in the order in which one process takes them."""

    def batch(self, epoch: int, number: int, /) -> Batch:
        """Make a batch, the same whenever it is asked for.

        Raises:
            AsdError: A picture or sound cannot be read.
        """


class Loader(AbstractContextManager["Loader"]):
    """Goes through the batches of a training, epoch by epoch.

    They are the same whatever the number of processes. The processes are started once, at the first
    epoch, on every system by starting Python anew (spawn), as a copy of a process that has threads
    or uses a GPU may hang. They end when the loader is closed or this process ends, however it
    does. A context manager: when it is left, the loader is closed.

    Args:
        batches: The batches.
        workers: How many processes make them; 0 makes them in this one.
        rank: Which one of the processes that train together this is, from 0.
        world_size: How many train together.
    """

    def __init__(
        self, batches: BatchSource, workers: int = 0, rank: int = 0, world_size: int = 1
    ) -> None:
        self._batches = batches
        self._workers = workers
        self._share = rank, world_size
        self._keys: list[tuple[int, int]] = []
        """(epoch, number) of the batches that the worker processes are to make, in order."""
        self._running: Any = None
        self._current: Generator[Batch, None, None] | None = None

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        """How many batches each epoch has for each process."""
        return len(self._batches.order(0, *self._share))

    def epoch(self, number: int, begin: int = 0) -> Iterator[Batch]:
        """The batches of an epoch; one epoch is to be ended or given up before the next begins.

        Args:
            number: The number of the epoch; each is in another order.
            begin: Which batch to begin with, from 0.

        Raises:
            AsdError: A picture or sound cannot be read, as the worker process has said it.
            DeviceError: A worker process has died.
            PluginError: The batches cannot be handed to another process.
        """
        self._current = self._epoch(number, begin)
        return self._current

    def close(self) -> None:
        """End the worker processes."""
        if self._current is not None:
            self._current.close()
        self._running = None  # its iterator ends them

    def _epoch(self, number: int, begin: int) -> Generator[Batch, None, None]:
        self._keys[:] = [(number, batch) for batch in self._batches.order(number, *self._share)]
        del self._keys[:begin]
        if not self._workers:
            for key in self._keys:
                yield self._batches.batch(*key)
            return
        with _dying(self._workers):
            for made in self._made():
                if isinstance(made, AsdError):
                    raise made
                inputs, labels = made
                yield Batch(tuple(one.numpy() for one in inputs), labels.numpy())

    def _made(self) -> Iterator[Any]:
        """What the worker processes make of the keys."""
        from torch.utils.data import DataLoader

        with warnings.catch_warnings(), _deaf():
            # They are as many as was said, however few cores there are.
            warnings.filterwarnings("ignore", "This DataLoader will create")
            if self._running is None:
                made: Any = _Made(_packed(self._batches), list(registry().files))
                self._running = DataLoader(
                    made,
                    batch_size=None,
                    sampler=self._keys,
                    num_workers=self._workers,
                    collate_fn=_as_it_is,
                    prefetch_factor=_AHEAD,
                    persistent_workers=True,
                    multiprocessing_context="spawn",
                    worker_init_fn=_begin,
                )
            return iter(self._running)


class _Made:
    """Makes batches in a worker process, as tensors, which travel in shared memory.

    Args:
        packed: The batches, pickled.
        files: The plugins of a single file that this process has read. What is pickled may be
            theirs, so a worker process has to read them first.
    """

    def __init__(self, packed: bytes, files: Sequence[Path]) -> None:
        self._packed = packed
        self._files = files
        self._batches: BatchSource | None = None

    def __getitem__(self, key: tuple[int, int]) -> Any:
        import torch

        try:
            if self._batches is None:
                load_plugin_files(self._files)
                self._batches = pickle.loads(self._packed)
            batch = self._batches.batch(*key)
        except AsdError as error:
            vars(error)["__notes__"] = [traceback.format_exc()]  # which pickle would leave behind
            return error
        inputs = tuple(torch.from_numpy(one) for one in batch.inputs)
        return inputs, torch.from_numpy(batch.labels)


def _packed(batches: BatchSource) -> bytes:
    """The batches, pickled."""
    try:
        return pickle.dumps(batches)
    except Exception as error:  # what pickle raises depends on what it meets
        raise PluginError(
            f"The faces of the dataset cannot be handed to another process: {error}",
            "workers=0 prepares batches in the training's process",
        ) from error


def _as_it_is(made: Any) -> Any:
    return made


def _begin(_: int) -> None:
    """Begin a worker process, with one thread as there are several; it ends with its parent."""
    threading.Thread(target=end_with_parent, daemon=True).start()
    cv2.setNumThreads(1)
    sys.excepthook = _given_up


def _given_up(*_: object) -> None:
    """Say nothing of a batch that this process was asked for, and then was not.

    In a worker process only the thread that hands batches over reports errors so, and the parent
    has its own words for all of them. When Ctrl-C reaches the parent while it asks, there is none.
    """


@contextmanager
def _deaf() -> Iterator[None]:
    """Start processes that Ctrl-C does not reach: this one ends them, in its own time."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _dying(workers: int) -> Iterator[None]:
    """Say in a line that a worker process has died."""
    try:
        yield
    except RuntimeError as error:
        if not str(error).startswith("DataLoader worker (pid"):
            raise
        raise DeviceError(
            "A process that prepares batches was ended from outside, or ran out of memory",
            f"Use fewer than workers={workers}; workers=0 prepares them in the training's process",
        ) from error
