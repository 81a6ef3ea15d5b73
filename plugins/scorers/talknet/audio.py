"""TalkNet's audio encoder: a ResNet with squeeze-and-excitation (Hu et al., CVPR 2018) over MFCC.

Modules are named as in the published checkpoint.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class AudioEncoder(nn.Module):
    """One vector of 128 values a frame, from the frame's four MFCC steps and their surroundings."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 7, stride=(2, 1), padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.layer1 = _layer(3, 16, 16, stride=1)
        self.layer2 = _layer(4, 16, 32, stride=2)
        self.layer3 = _layer(6, 32, 64, stride=2)
        self.layer4 = _layer(3, 64, 128, stride=1)

    def forward(self, mfcc: Tensor) -> Tensor:
        """Encode the sound.

        Args:
            mfcc: (B, 1, 13, 4 T) float, frequency as height and time as width.

        Returns:
            (B, T, 128) float.
        """
        x = functional.relu(self.bn1(self.conv1(mfcc)))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return torch.mean(x, dim=2).transpose(1, 2)


def _layer(blocks: int, channels_in: int, channels: int, stride: int) -> nn.Sequential:
    """A sequence of residual blocks; the first one changes stride and channels."""
    first = _SEBlock(channels_in, channels, stride)
    return nn.Sequential(first, *(_SEBlock(channels, channels, 1) for _ in range(blocks - 1)))


class _SEBlock(nn.Module):
    """A residual block whose channels are scaled by weights computed from the whole window."""

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.se = _SqueezeExcitation(channels)
        self.downsample: nn.Module = nn.Identity()
        if stride != 1 or channels_in != channels:
            self.downsample = nn.Sequential(
                nn.Conv2d(channels_in, channels, 1, stride=stride, bias=False),
                nn.BatchNorm2d(channels),
            )

    def forward(self, x: Tensor) -> Tensor:
        # The norm comes after the ReLU here, as in the published network.
        inner = self.bn1(functional.relu(self.conv1(x)))
        inner = self.se(self.bn2(self.conv2(inner)))
        return functional.relu(inner + self.downsample(x))


class _SqueezeExcitation(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc = nn.Sequential(
            nn.Linear(channels, channels // 8),
            nn.ReLU(),
            nn.Linear(channels // 8, channels),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        scale: Tensor = self.fc(x.mean(dim=(2, 3)))
        return x * scale[:, :, None, None]
