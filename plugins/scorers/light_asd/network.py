"""The network of Light-ASD, 1.02 M parameters.

Liao et al., "A Light Weight Model for Active Speaker Detection", CVPR 2023.
"""

from __future__ import annotations

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

    def __init__(self, sense: Sense, channels_in: int, channels: int, stride: int) -> None:
        super().__init__(sense, channels_in, channels, stride)
        for k in _KERNELS:
            across = f"{sense.letter}_{k}"
            self.add(across, f"bn_{across}", sense.across(channels_in, channels, k, stride))
            self.add(f"t_{k}", f"bn_t_{k}", sense.along(channels, k))
        self.add("last", "bn_last", sense.along(channels, 1))

    def forward(self, moments: Tensor, batch: int) -> Tensor:
        paths = []
        for k in _KERNELS:
            across = f"{self.sense.letter}_{k}"
            x = self.step(across, f"bn_{across}", moments)
            paths.append(self.step(f"t_{k}", f"bn_t_{k}", self.sense.courses(x, batch)))
        return self.sense.moments(self.step("last", "bn_last", paths[0] + paths[1]), x.shape)


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
