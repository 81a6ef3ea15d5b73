"""The network of S3FD (Zhang et al., "Single Shot Scale-invariant Face Detector", ICCV 2017).

A VGG-16 with detection heads at six depths, each for faces of one size. Modules are named as in
the published checkpoint.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

SMALLEST_INPUT_PX = 28
"""The shortest side for which a pixel remains after the five poolings."""
_MEAN_RGB = (123.0, 117.0, 104.0)
_SOURCE_CHANNELS = (256, 512, 512, 1024, 512, 256)


class Output(NamedTuple):
    """The output for the P cells of all six maps, finest map first, row by row.

    Attributes:
        loc: (n, P, 4), the face's box relative to the cell's prior; see `faces.decode`.
        confidence: (n, P) from 0 to 1, the confidence of a face.
        maps: Rows and columns of each map.
    """

    loc: Tensor
    confidence: Tensor
    maps: list[tuple[int, int]]


class S3fdNetwork(nn.Module):
    """The whole network, 22.46 M parameters; call `eval()` before use."""

    def __init__(self) -> None:
        super().__init__()
        self.vgg = nn.Sequential(
            *_convs(3, 64, 64),
            _pool(),
            *_convs(64, 128, 128),
            _pool(),
            *_convs(128, 256, 256, 256),
            _pool(rounds_up=True),
            *_convs(256, 512, 512, 512),
            _pool(),
            *_convs(512, 512, 512, 512),
            _pool(),
            nn.Conv2d(512, 1024, 3, padding=6, dilation=6),
            nn.ReLU(inplace=True),
            nn.Conv2d(1024, 1024, 1),
            nn.ReLU(inplace=True),
        )
        self.L2Norm3_3 = _ChannelNorm(256)
        self.L2Norm4_3 = _ChannelNorm(512)
        self.L2Norm5_3 = _ChannelNorm(512)
        self.extras = nn.ModuleList(
            [
                nn.Conv2d(1024, 256, 1),
                nn.Conv2d(256, 512, 3, stride=2, padding=1),
                nn.Conv2d(512, 128, 1),
                nn.Conv2d(128, 256, 3, stride=2, padding=1),
            ]
        )
        self.loc = nn.ModuleList(_head(channels, 4) for channels in _SOURCE_CHANNELS)
        self.conf = nn.ModuleList(
            _head(channels, 2 if level else 4) for level, channels in enumerate(_SOURCE_CHANNELS)
        )

    def forward(self, frames: Tensor) -> Output:
        """Detect faces; frames of a batch do not influence each other.

        Args:
            frames: (n, height, width, 3) uint8, RGB, each side `SMALLEST_INPUT_PX` or longer.
        """
        mean = torch.tensor(_MEAN_RGB, device=frames.device)
        # Channels stay last in memory, as in frames: PyTorch convolves faster so on a CPU.
        sources = self._sources((frames - mean).permute(0, 3, 1, 2))
        loc = [_flat(head(source)) for head, source in zip(self.loc, sources, strict=True)]
        logits = [_flat(head(source)) for head, source in zip(self.conf, sources, strict=True)]
        # The finest map has three background logits, of which the highest is used (max-out).
        nothing, face = logits[0][:, :, :3], logits[0][:, :, 3:]
        logits[0] = torch.cat([nothing.amax(2, keepdim=True), face], 2)
        confidence = torch.cat(logits, 1).softmax(2)[:, :, 1]
        maps = [(source.shape[2], source.shape[3]) for source in sources]
        return Output(torch.cat(loc, 1), confidence, maps)

    def _sources(self, pictures: Tensor) -> list[Tensor]:
        """The six maps that the heads read, finest first."""
        conv3_3 = self.vgg[:16](pictures)
        conv4_3 = self.vgg[16:23](conv3_3)
        conv5_3 = self.vgg[23:30](conv4_3)
        fc7 = self.vgg[30:](conv5_3)
        conv6_1, conv6_2, conv7_1, conv7_2 = self.extras
        deeper = functional.relu(conv6_2(functional.relu(conv6_1(fc7))))
        deepest = functional.relu(conv7_2(functional.relu(conv7_1(deeper))))
        normed = self.L2Norm3_3(conv3_3), self.L2Norm4_3(conv4_3), self.L2Norm5_3(conv5_3)
        return [*normed, fc7, deeper, deepest]


class _ChannelNorm(nn.Module):
    """Normalises each pixel's channels to L2 norm 1, then scales each channel (ParseNet)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        return functional.normalize(x, dim=1) * self.weight[:, None, None]


def _convs(*channels: int) -> list[nn.Module]:
    """3x3 convolutions from each width to the next, a ReLU after each."""
    layers: list[nn.Module] = []
    for before, after in pairwise(channels):
        layers += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU(inplace=True)]
    return layers


def _pool(rounds_up: bool = False) -> nn.Module:
    return nn.MaxPool2d(2, stride=2, ceil_mode=rounds_up)


def _head(channels: int, values: int) -> nn.Module:
    return nn.Conv2d(channels, values, 3, padding=1)


def _flat(values: Tensor) -> Tensor:
    """Reshape (n, c, rows, columns) to (n, rows * columns, c)."""
    return values.flatten(2).transpose(1, 2)
