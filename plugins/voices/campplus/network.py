"""The network of CAM++ (Wang et al., Interspeech 2023), 6.9 M parameters.

A small residual network over the spectra, then a time-delay network whose layers each see the
outputs of all layers before (densely connected) and weigh their own by what is heard around them
(context-aware masking). Modules are named as in the published checkpoints.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional

from .filterbank import BINS

_DIMENSIONS = 192
_GROWTH = 32
"""Channels that each layer of a dense block adds."""
_NARROW = 4 * _GROWTH
"""Channels that a layer works on."""
_BLOCKS = ((12, 1), (24, 2), (16, 2))
"""Layers of each dense block, and the dilation of their convolutions."""
_SEGMENT = 100
"""Steps, of 20 ms each, over which the near context is averaged."""


class CamppNetwork(nn.Module):
    """The whole network; call `eval()` before use."""

    def __init__(self) -> None:
        super().__init__()
        self.head = _Head(32)
        self.xvector = nn.ModuleDict(dict(_time_delay_parts()))

    def forward(self, spectra: Tensor) -> Tensor:
        """Embed sounds of one length; those of a batch do not influence each other.

        Args:
            spectra: (n, frames, 80) float32, as from `filterbank.log_mel`.

        Returns:
            (n, 192) float32, of any length.
        """
        parts = self.xvector
        x = parts["tdnn"](self.head(spectra.transpose(1, 2)))
        for number in range(1, len(_BLOCKS) + 1):
            x = parts[f"transit{number}"](parts[f"block{number}"](x))
        x = parts["out_nonlinear"](x)
        # A single step has no deviation.
        deviation = x.std(2) if x.shape[2] > 1 else torch.zeros_like(x[:, :, 0])
        pooled = torch.cat([x.mean(2), deviation], 1)[:, :, None]
        voice: Tensor = parts["dense"](pooled)[:, :, 0]
        return voice


def _time_delay_parts() -> Iterator[tuple[str, nn.Module]]:
    """The parts after the head, by name."""
    yield "tdnn", _Convolved(32 * BINS // 8, 128)
    channels = 128
    for number, (layers, dilation) in enumerate(_BLOCKS, 1):
        yield f"block{number}", _DenseBlock(channels, layers, dilation)
        channels += layers * _GROWTH
        yield f"transit{number}", _Transit(channels)
        channels //= 2
    yield "out_nonlinear", _rectified(channels)
    yield "dense", _Dense(2 * channels)


def _rectified(channels: int) -> nn.Sequential:
    found = nn.Sequential()
    found.add_module("batchnorm", nn.BatchNorm1d(channels))
    found.add_module("relu", nn.ReLU())
    return found


class _Residual(nn.Module):
    """Two 3x3 convolutions beside a shortcut; `stride` is that over frequency."""

    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, (stride, 1), padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.shortcut = nn.Sequential()
        if stride > 1:
            self.shortcut.append(nn.Conv2d(channels, channels, 1, (stride, 1), bias=False))
            self.shortcut.append(nn.BatchNorm2d(channels))

    def forward(self, x: Tensor) -> Tensor:
        inner = self.bn2(self.conv2(functional.relu(self.bn1(self.conv1(x)))))
        return functional.relu(inner + self.shortcut(x))


class _Head(nn.Module):
    """The residual network: (n, 80, frames) to (n, 10 * channels, frames)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.layer1 = nn.Sequential(_Residual(channels, 2), _Residual(channels, 1))
        self.layer2 = nn.Sequential(_Residual(channels, 2), _Residual(channels, 1))
        self.conv2 = nn.Conv2d(channels, channels, 3, (2, 1), padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, spectra: Tensor) -> Tensor:
        x = functional.relu(self.bn1(self.conv1(spectra[:, None])))
        x = functional.relu(self.bn2(self.conv2(self.layer2(self.layer1(x)))))
        return x.flatten(1, 2)


class _Convolved(nn.Module):
    """The first time-delay layer, which halves the frames."""

    def __init__(self, channels_in: int, channels: int) -> None:
        super().__init__()
        self.linear = nn.Conv1d(channels_in, channels, 5, stride=2, padding=2, bias=False)
        self.nonlinear = _rectified(channels)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.nonlinear(self.linear(x))
        return found


class _Masked(nn.Module):
    """A convolution whose outputs are weighed by the whole sound and the two seconds around."""

    def __init__(self, dilation: int) -> None:
        super().__init__()
        self.linear_local = nn.Conv1d(
            _NARROW, _GROWTH, 3, padding=dilation, dilation=dilation, bias=False
        )
        self.linear1 = nn.Conv1d(_NARROW, _NARROW // 2, 1)
        self.linear2 = nn.Conv1d(_NARROW // 2, _GROWTH, 1)

    def forward(self, x: Tensor) -> Tensor:
        near = functional.avg_pool1d(x, _SEGMENT, _SEGMENT, ceil_mode=True)
        near = near.repeat_interleave(_SEGMENT, 2)[:, :, : x.shape[2]]
        context = x.mean(2, keepdim=True) + near
        weights = self.linear2(functional.relu(self.linear1(context))).sigmoid()
        found: Tensor = self.linear_local(x) * weights
        return found


class _DenseLayer(nn.Module):
    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.nonlinear1 = _rectified(channels)
        self.linear1 = nn.Conv1d(channels, _NARROW, 1, bias=False)
        self.nonlinear2 = _rectified(_NARROW)
        self.cam_layer = _Masked(dilation)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.cam_layer(self.nonlinear2(self.linear1(self.nonlinear1(x))))
        return found


class _DenseBlock(nn.ModuleDict):
    """Layers that each read the input and all outputs before."""

    def __init__(self, channels: int, layers: int, dilation: int) -> None:
        super().__init__(
            {
                f"tdnnd{number + 1}": _DenseLayer(channels + number * _GROWTH, dilation)
                for number in range(layers)
            }
        )

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.values():
            x = torch.cat([x, layer(x)], 1)
        return x


class _Transit(nn.Module):
    """Halves the channels after a block."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.nonlinear = _rectified(channels)
        self.linear = nn.Conv1d(channels, channels // 2, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.linear(self.nonlinear(x))
        return found


class _Dense(nn.Module):
    """The embedding; its values have either sign, as nothing rectifies them."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.linear = nn.Conv1d(channels, _DIMENSIONS, 1, bias=False)
        self.nonlinear = nn.Sequential()
        self.nonlinear.add_module("batchnorm", nn.BatchNorm1d(_DIMENSIONS, affine=False))

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.nonlinear(self.linear(x))
        return found
