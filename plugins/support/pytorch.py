"""Helpers for plugins that run on PyTorch: import, device, threads, precision."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from ...core.device import read_device
from ...core.errors import DeviceError, MissingExtraError
from ...core.shared_state import Together

if TYPE_CHECKING:
    import torch

_Network = TypeVar("_Network", bound="torch.nn.Module")


def import_torch(needed_by: str, instead: str = "") -> ModuleType:
    """Import the module `torch`.

    Args:
        needed_by: The option that needs it, such as "scorer=talknet".
        instead: An alternative without it, such as "scorer=talknet_onnx".

    Raises:
        MissingExtraError: PyTorch is not installed.
    """
    try:
        import torch
    except ImportError as error:
        raise MissingExtraError(needed_by, "torch", "torch", instead) from error
    return torch


def pick_device(asked: str) -> torch.device:
    """The device to compute on.

    Args:
        asked: "auto" (the first CUDA device if there is one, else the CPU), "cpu", "cuda" (the
            first one) or "cuda:N".

    Raises:
        DeviceError: The device does not exist, or the name is none of the above.
    """
    import torch

    if asked == "auto":
        asked = "cuda" if torch.cuda.is_available() else "cpu"
    if asked == "cpu":
        return torch.device("cpu")
    known = read_device(asked)
    if known is None:
        raise DeviceError(
            f"device={asked} is not a device asdkit knows",
            "Use device=auto, device=cpu, device=cuda or device=cuda:N",
        )
    if not torch.cuda.is_available():
        raise DeviceError(
            f"device={asked} was asked for, but PyTorch {torch.__version__} sees no CUDA device",
            "Use device=cpu or device=auto, or install a CUDA build of PyTorch and its driver",
        )
    index, count = known[1], torch.cuda.device_count()
    if index >= count:
        there = ", ".join(f"cuda:{i}" for i in range(count))
        raise DeviceError(
            f"device={asked} was asked for, but there is only {there}",
            "Use one of these, device=cpu or device=auto",
        )
    return torch.device("cuda", index)


def placed(network: _Network, device: torch.device) -> _Network:
    """Move a network to a device, and there keep its weights as they are fastest.

    On the CPU, convolutions whose weights have their channels last in memory take up to 1.7 times
    less, and give the same numbers but for float32 rounding.

    Args:
        network: The network, without 3D convolutions.
        device: The device.
    """
    import torch

    network.to(device)
    if device.type == "cpu":
        network.to(memory_format=torch.channels_last)
    return network


def set_threads(threads: int | None) -> None:
    """Set the number of CPU threads of PyTorch; None keeps PyTorch's own choice.

    The setting is process-wide: if runs overlap in several threads, the last one to begin decides.
    This affects speed, and results only by float32 rounding.
    """
    if threads is not None:
        import torch

        torch.set_num_threads(threads)


@contextmanager
def inference() -> Iterator[None]:
    """Compute without gradients and, on CUDA, in true float32.

    By default cuDNN's convolutions round to TF32 (10 bits of mantissa), which changes logits by
    more than 1e-3; matrix products do so where the caller has chosen it. The previous settings are
    restored when the last thread has left such a block.
    """
    import torch

    with torch.inference_mode(), _true_float32():
        yield


@contextmanager
def _without_tf32() -> Iterator[None]:
    changes = []
    for holder, name, value in _tf32_flags():
        with suppress(RuntimeError):  # an old flag cannot be read where new ones contradict it
            changes.append((holder, name, value, getattr(holder, name)))
    for holder, name, value, _ in changes:
        setattr(holder, name, value)
    try:
        yield
    finally:
        for holder, name, _, before in changes:
            setattr(holder, name, before)


def _tf32_flags() -> list[tuple[Any, str, bool | str]]:
    """PyTorch's flags for TF32, each with the value that turns it off.

    From PyTorch 2.9 on there are flags for each operator. They overrule the old ones, which are
    set too, since PyTorch refuses to read an old one that contradicts them.
    """
    from torch.backends import cuda, cudnn

    flags: list[tuple[Any, str, bool | str]] = [
        (cudnn, "allow_tf32", False),
        (cuda.matmul, "allow_tf32", False),
    ]
    if hasattr(cudnn, "conv"):
        operators = (cudnn.conv, cudnn.rnn, cuda.matmul)
        flags += [(operator, "fp32_precision", "ieee") for operator in operators]
    return flags


_true_float32 = Together(_without_tf32)
"""Shared between threads, as the flags are process-wide."""
