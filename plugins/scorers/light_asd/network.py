"""The network of Light-ASD, 1.02 M parameters.

Liao et al., "A Light Weight Model for Active Speaker Detection", CVPR 2023.
"""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn
from torch.nn import functional

from ..factorised import Block, FactorisedBody, Sense, backwards
from ..windowed.network import Network

_KERNELS = (3, 5)


def network() -> Network:
    """Light-ASD with random weights."""
    return Network(_Body(), 128, training_heads=("lossV",))


class _Block(Block):
    """Two paths, each a spatial (sound: frequency) and a temporal convolution, summed and mixed."""

    paths, reach = len(_KERNELS), max(_KERNELS) // 2
    left_out: ClassVar[dict[str, int]] = {f"t_{k}": max(_KERNELS) // 2 - k // 2 for k in _KERNELS}

    def __init__(self, sense: Sense, channels_in: int, channels: int, stride: int) -> None:
        super().__init__(sense, channels_in, channels, stride)
        for k in _KERNELS:
            across = f"{sense.letter}_{k}"
            self.add(across, f"bn_{across}", sense.across(channels_in, channels, k, stride))
            self.add(f"t_{k}", f"bn_t_{k}", sense.along(channels, k))
        self.add("last", "bn_last", sense.along(channels, 1))

    def across(self, moments: Tensor) -> list[Tensor]:
        names = [f"{self.sense.letter}_{k}" for k in _KERNELS]
        return [self.step(name, f"bn_{name}", moments) for name in names]

    def along(self, paths: list[Tensor]) -> Tensor:
        names = [f"t_{k}" for k in _KERNELS]
        three, five = (
            self.step(name, f"bn_{name}", x) for name, x in zip(names, paths, strict=True)
        )
        return self.step("last", "bn_last", three + five)


class _Body(FactorisedBody):
    """The sum of visual and audio vectors, through a forward GRU and then a backward one."""

    def __init__(self) -> None:
        super().__init__(_Block)
        self.GRU = _TwoWays()

    def join(self, seen: Tensor, heard: Tensor) -> Tensor:
        found: Tensor = self.GRU(heard + seen)
        return found


class _TwoWays(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gru_forward = nn.GRU(128, 128, batch_first=True)
        self.gru_backward = nn.GRU(128, 128, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        forth = functional.gelu(self.gru_forward(x)[0])
        return functional.gelu(backwards(self.gru_backward, forth))
