"""Lightning Fabric on one device or several, each with a process of its own on this machine."""

from __future__ import annotations

import logging
import multiprocessing
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from importlib import import_module
from multiprocessing import util
from typing import TYPE_CHECKING, Any

from ..core.batch.held_signals import SIGNALS, end_with_parent, signals_held
from ..core.errors import AsdError, ConfigError, DeviceError, MissingExtraError, TrainingError
from ..plugins.support.pytorch import import_torch, pick_device
from .settings import TrainOptions

if TYPE_CHECKING:
    import torch
    from lightning_fabric import Fabric

GOES_ON = "The same command goes on from where the state was last saved"
"""What is said of a training that was stopped."""
_SPAWN = multiprocessing.get_context("spawn")
"""Spawned, as a forked process could not use CUDA."""
_LAST_BREATH_S = 10


def check_tools(options: TrainOptions) -> None:
    """Check that the packages a training needs are installed, and that the device fits.

    Raises:
        MissingExtraError: A package is missing.
        DeviceError: There is no such device, or there are fewer than asked for.
        ConfigError: The precision needs a GPU.
    """
    import_torch("asd train")
    try:
        import lightning_fabric  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("asd train", "lightning-fabric", "train") from error
    if "tensorboard" in options.logs:
        try:
            import_module("tensorboard")
        except ImportError as error:
            raise MissingExtraError(
                "logs=[tensorboard]", "tensorboard", "train", "logs=[csv]"
            ) from error
    first = pick_device(options.device)
    if options.precision == "16-mixed" and first.type == "cpu":
        raise ConfigError("precision=16-mixed needs a GPU", "Use precision=32 or bf16-mixed")
    if first.type == "cuda":
        import torch

        there = torch.cuda.device_count()
        if _index(first) + options.devices > there:
            raise DeviceError(
                f"devices={options.devices} from cuda:{_index(first)} on were asked for, but there "
                f"are {there} in all",
                "Use fewer, or begin at cuda:0",
            )


def _index(device: torch.device) -> int:
    return device.index or 0


def fabric_of(options: TrainOptions, rank: int = 0, port: int = 0) -> Fabric:
    """Fabric for this process, connected to the others if there are any.

    Args:
        options: The options, checked.
        rank: The number of this process, from 0.
        port: The port of this machine at which the processes meet.
    """
    from lightning_fabric import Fabric
    from lightning_fabric.plugins import MixedPrecision
    from lightning_fabric.plugins.environments.lightning import LightningEnvironment

    class Place(LightningEnvironment):
        """What Fabric has to know of processes that it does not start itself."""

        creates_processes_externally = True
        main_address = "127.0.0.1"
        main_port = port

        def local_rank(self) -> int:
            return rank

        def node_rank(self) -> int:
            return 0

    class Mixed(MixedPrecision):
        """Leaves the inputs as they are: the MFCC of sound need more digits than bfloat16 has."""

        def convert_input(self, data: Any) -> Any:
            return data

    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    first = pick_device(options.device)
    plugins: list[Any] = [Place()]
    if options.precision != "32":
        plugins.append(Mixed(options.precision, first.type))  # type: ignore[arg-type]
    begin = _index(first)
    fabric = Fabric(
        accelerator=first.type,
        devices=(
            options.devices if first.type == "cpu" else list(range(begin, begin + options.devices))
        ),
        strategy="ddp" if options.devices > 1 else "auto",
        plugins=plugins,
    )
    fabric.launch()
    return fabric


@contextmanager
def team(count: int, work: Callable[..., None], *arguments: Any) -> Iterator[int]:
    """Have other processes take part while the block runs; with one process there are none.

    Args:
        count: How many processes there are, with this one, which is number 0.
        work: What the others do: a function of a module, called with the arguments, the number of
            the process, and the port.
        arguments: Its first arguments, which can be pickled.

    Yields:
        The port of this machine at which the processes meet.

    Raises:
        TrainingError: Another process died.
        AsdError: Another process failed with it.
    """
    if count == 1:
        yield 0
        return
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    members = []
    for rank in range(1, count):
        near, far = _SPAWN.Pipe(duplex=False)
        process = _SPAWN.Process(target=_follow, args=(far, work, arguments, rank, port))
        with signals_held():
            process.start()
        far.close()
        members.append((process, near))
    try:
        yield port
        _join(members)
    except AsdError:
        raise
    except Exception as error:  # how the end of another shows here depends on the library
        _join(members)
        for process, near in members:
            if reason := _reason(process, near):
                raise reason from error
        raise
    finally:
        for process, _ in members:
            process.kill()
            process.join()


def stopped_short() -> str:
    """Clean up where this process is ended before the others have; return how to go on.

    They end by themselves then. Python would warn of their semaphores, which this process owns.
    """
    util._run_finalizers(0)  # type: ignore[attr-defined]
    return GOES_ON


def _join(members: Sequence[tuple[Any, Any]]) -> None:
    for process, _ in members:
        process.join(_LAST_BREATH_S)


def _reason(process: Any, near: Any) -> AsdError | None:
    """Why a process failed; None if it did not."""
    try:
        told: AsdError | None = near.recv() if near.poll() else None
    except EOFError:
        told = None
    if told is None and process.exitcode:
        return TrainingError(
            f"A process of the training died (exit status {process.exitcode})",
            GOES_ON,
        )
    return told


def _follow(far: Any, work: Callable[..., None], arguments: Any, rank: int, port: int) -> None:
    """Take part in a training; runs in a process of its own."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    threading.Thread(target=end_with_parent, daemon=True).start()
    try:
        work(*arguments, rank, port)
    except AsdError as error:
        far.send(error)
    finally:
        far.close()
