"""The least time that a computation can take on this machine.

FLOPs are those of matrix products and convolutions, two for each multiplication and addition, as
PyTorch's own formulas give them (`torch.utils.flop_counter`), counted by a hook on each operator
while the computation runs (`TorchDispatchMode`). Bytes are what just these operators read and
write, with their weights: all else can be fused into them. Recurrent layers, which cuDNN computes
in one piece, are not counted; they are below 1 % of the networks here.

The machine's rates are measured: a product of two large matrices, and a copy of a large array. It
is no strict bound: algorithms that save multiplications, such as Winograd's, can get below it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

from asdkit.plugins.support.pytorch import inference

_ROUNDS = 3
_MATRIX = {"cpu": 2048, "cuda": 8192}
_COPIED_BYTES = {"cpu": 2**28, "cuda": 2**30}


class Work(NamedTuple):
    """What a computation consists of, in float32."""

    flops: float
    bytes: float

    def per(self, items: int) -> Work:
        """The work for one of so many items."""
        return Work(self.flops / items, self.bytes / items)


class Rates(NamedTuple):
    """What a device can do in a second, in a precision."""

    flops: float
    bytes: float
    item_bytes: int

    def floor_s(self, work: Work) -> tuple[float, str]:
        """Least seconds that work takes, and what limits it: "compute" or "memory"."""
        scaled = work.bytes * self.item_bytes / torch.float32.itemsize
        return max((work.flops / self.flops, "compute"), (scaled / self.bytes, "memory"))

    def __str__(self) -> str:
        return f"{self.flops / 1e12:.2f} TFLOP/s, {self.bytes / 1e9:.0f} GB/s"


def count(compute: Callable[[], object]) -> Work:
    """Run a computation of PyTorch and count its work.

    Operators in other threads, or in other libraries, are not seen.
    """
    with _Counter() as counter:
        compute()
    return Work(counter.flops, counter.bytes)


class _Counter(TorchDispatchMode):
    """Counts the work of the operators that run while it is active."""

    def __init__(self) -> None:
        super().__init__()
        self.flops = self.bytes = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> object:
        kwargs = kwargs or {}
        if func is not torch.ops.prim.device.default:
            with self:  # in inference mode a convolution arrives as one with its wrapping
                found = func.decompose(*args, **kwargs)
            if found is not NotImplemented:
                return found
        found = func(*args, **kwargs)
        formula = flop_registry.get(func.overloadpacket)
        if formula is not None:
            self.flops += formula(*args, **kwargs, out_val=found)
            tensors = [x for x in tree_leaves((args, kwargs, found)) if torch.is_tensor(x)]
            self.bytes += sum(x.numel() * x.element_size() for x in tensors)
        return found


def rates(device: str, dtype: torch.dtype) -> Rates:
    """Measure what a device can do, in true float32 or in a lower precision."""
    side = _MATRIX[device]
    with inference():
        matrix = torch.rand(side, side, device=device).to(dtype)
        array = torch.ones(_COPIED_BYTES[device] // dtype.itemsize, dtype=dtype, device=device)
        product_s = best_s(lambda: matrix @ matrix, device)
        copy_s = best_s(array.clone, device)
    return Rates(2 * side**3 / product_s, 2 * _COPIED_BYTES[device] / copy_s, dtype.itemsize)


def best_s(compute: Callable[[], object], device: str) -> float:
    """The shortest time of some rounds, after one that does not count."""
    times = []
    for _ in range(_ROUNDS + 1):
        start = time.perf_counter()
        compute()
        if device == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return min(times[1:])
