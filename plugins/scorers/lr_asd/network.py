"""The network of LR-ASD (Liao et al., IJCV 2025), 0.84 M parameters."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..factorised import NORM_EPSILON, NORM_MOMENTUM, Block, FactorisedBody, Sense, backwards
from ..windowed.network import Network


def network() -> Network:
    """LR-ASD with random weights."""
    return Network(_Body(), 128, training_heads=("lossV",))


class _Block(Block):
    """Two spatial (for sound: frequency) convolutions, then two temporal ones."""

    paths, reach = 1, 2 + 1

    def __init__(self, sense: Sense, channels_in: int, channels: int, stride: int) -> None:
        super().__init__(sense, channels_in, channels, stride)
        half, s = channels // 2, sense.letter
        self.add(f"{s}_1", f"{s}_norm_1", sense.across(channels_in, half, 5, stride))
        self.add(f"{s}_2", f"{s}_norm_2", sense.across(half, channels, 3))
        self.add("t_1", "t_norm_1", sense.along(channels, 5))
        self.add("t_2", "t_norm_2", sense.along(channels, 3))

    def across(self, moments: Tensor) -> list[Tensor]:
        s = self.sense.letter
        x = self.step(f"{s}_1", f"{s}_norm_1", moments)
        return [self.step(f"{s}_2", f"{s}_norm_2", x)]

    def along(self, paths: list[Tensor]) -> Tensor:
        return self.step("t_2", "t_norm_2", self.step("t_1", "t_norm_1", paths[0]))


class _Body(FactorisedBody):
    """Attention over the visual and audio vectors, then a GRU in each direction."""

    def __init__(self) -> None:
        super().__init__(_Block)
        self.fusion = _Fusion(256)
        self.detector = _Detector()

    def join(self, seen: Tensor, heard: Tensor) -> Tensor:
        found: Tensor = self.detector(self.fusion(torch.cat([heard, seen], dim=2)))
        return found


class _Fusion(nn.Module):
    """Scales each value of a frame by a weight computed from all values of that frame."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.attention = nn.Conv1d(width, width, 1, bias=False)
        self.bn = nn.BatchNorm1d(width, NORM_EPSILON, NORM_MOMENTUM)

    def forward(self, x: Tensor) -> Tensor:
        weights = torch.sigmoid(self.bn(self.attention(x.transpose(1, 2))))
        return x * weights.transpose(1, 2)


class _Detector(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gru_forward = nn.GRU(256, 64, batch_first=True)
        self.gru_backward = nn.GRU(256, 64, batch_first=True)
        self.drop = nn.Dropout(0.5)
        self.attention = _Fusion(128)

    def forward(self, x: Tensor) -> Tensor:
        # In training each GRU loses other values.
        forth, back = self.gru_forward(self.drop(x))[0], backwards(self.gru_backward, self.drop(x))
        found: Tensor = self.attention(torch.cat([forth, back], dim=2))
        return found
