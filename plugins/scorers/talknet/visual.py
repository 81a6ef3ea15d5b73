"""TalkNet's visual encoder: five faces to 512 values, and a temporal network from these to 128.

Modules are named as in the published checkpoint.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..windowed.network import FlatConv
from .frames import FRAMES_SEEN, VECTOR


class VisualFrontend(nn.Module):
    """One visual vector a frame, from the five frames around it."""

    def __init__(self) -> None:
        super().__init__()
        self.frontend3D = nn.Sequential(
            # The caller pads in time and passes the five frames of each vector, so that clips in
            # a batch cannot leak into each other.
            FlatConv(1, 64, (FRAMES_SEEN, 7, 7), single=1, stride=2),
            _norm(64),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, stride=2, padding=1),
        )
        self.resnet = _ResNet()

    def forward(self, seen: Tensor) -> Tensor:
        """Compute one vector per row of five faces; rows do not influence each other.

        Args:
            seen: (n, 5, 112, 112) float, normalised; zeros where a frame has no neighbour.

        Returns:
            (n, 512) float.
        """
        vectors: Tensor = self.resnet(self.frontend3D(seen))
        return vectors


class _ResNet(nn.Module):
    """The ResNet, applied to each frame separately."""

    def __init__(self) -> None:
        super().__init__()
        self.layer1 = _ResNetLayer(64, 64, stride=1)
        self.layer2 = _ResNetLayer(64, 128, stride=2)
        self.layer3 = _ResNetLayer(128, 256, stride=2)
        self.layer4 = _ResNetLayer(256, VECTOR, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return torch.mean(x, dim=(2, 3))


class _ResNetLayer(nn.Module):
    """Two residual blocks, with a batch norm after each sum."""

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.conv1a = _conv3x3(channels_in, channels, stride)
        self.bn1a = _norm(channels)
        self.conv2a = _conv3x3(channels, channels)
        # Unused in layer 1, which keeps the size; but the checkpoint holds its weights. Training
        # on several GPUs must not wait for their gradient.
        self.downsample = nn.Conv2d(channels_in, channels, 1, stride=stride, bias=False)
        self.downsample.requires_grad_(stride != 1)
        self.outbna = _norm(channels)
        self.conv1b = _conv3x3(channels, channels)
        self.bn1b = _norm(channels)
        self.conv2b = _conv3x3(channels, channels)
        self.outbnb = _norm(channels)

    def forward(self, x: Tensor) -> Tensor:
        skip = x if self.stride == 1 else self.downsample(x)
        total = self.conv2a(functional.relu(self.bn1a(self.conv1a(x)))) + skip
        x = functional.relu(self.outbna(total))
        total = self.conv2b(functional.relu(self.bn1b(self.conv1b(x)))) + total
        return functional.relu(self.outbnb(total))


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


def _conv3x3(channels_in: int, channels: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(channels_in, channels, 3, stride=stride, padding=1, bias=False)


class _Net(nn.Module):
    """A sequence of layers under the name `net`, as in the checkpoint."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.net = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.net(x)
        return result


def visual_tcn() -> nn.Module:
    """Residual temporal convolutions over visual vectors, (B, 512, T) to (B, 512, T)."""
    return _Net(*(_TCNBlock(VECTOR) for _ in range(5)))


def visual_conv1d() -> nn.Module:
    """The last layers of the visual encoder, (B, 512, T) to (B, 128, T)."""
    return _Net(
        nn.Conv1d(VECTOR, 256, 5, padding=2),
        nn.BatchNorm1d(256),
        nn.ReLU(),
        nn.Conv1d(256, 128, 1),
    )


class _TCNBlock(_Net):
    """A residual block of depthwise separable convolution over time."""

    def __init__(self, channels: int) -> None:
        super().__init__(
            nn.ReLU(),
            nn.BatchNorm1d(channels),
            nn.Conv1d(channels, channels, 3, padding=1, groups=channels, bias=False),
            nn.PReLU(),
            _GlobalLayerNorm(channels),
            nn.Conv1d(channels, channels, 1, bias=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + super().forward(x)


class _GlobalLayerNorm(nn.Module):
    """Normalises a whole window, over channels and time at once (Luo and Mesgarani, 2019)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(1, channels, 1))
        self.beta = nn.Parameter(torch.zeros(1, channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        # In half precision the sum of squares over a window would overflow.
        variance, mean = torch.var_mean(x.float(), dim=(1, 2), correction=0, keepdim=True)
        normalised = (x - mean) / torch.sqrt(variance + 1e-8)
        return self.gamma * normalised.to(x.dtype) + self.beta
