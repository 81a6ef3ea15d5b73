"""The layers that LR-ASD and Light-ASD share (Liao et al., IJCV 2025 and CVPR 2023).

Both encode picture and sound with three blocks each. A convolution in a block runs either over
height and width (for sound: over frequency) or over time, never over both. The two networks differ
in the block and in how they fuse picture and sound. Modules are named as in the published
checkpoints.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from .windowed.network import Body, FlatConv

NORM_EPSILON = 1e-3
"""Epsilon of every batch norm of these networks."""
NORM_MOMENTUM = 0.01
"""Share of a batch in the running statistics of every batch norm of these networks."""
_Convolution = nn.Conv2d | nn.Conv3d


class VisualLayers:
    """Tensor layouts and convolutions of the visual encoder.

    `moments` are (B T, C, H, W), one picture per frame, for spatial convolutions; `courses` are
    (B, C, T, H W), one time series per pixel, for temporal ones. In memory, channels come last in
    between: ONNX Runtime then moves no value more than once from one layout to the other.
    """

    letter = "s"
    """First letter of the names of spatial convolutions in the checkpoint."""
    stride = 2
    """Stride of the encoder's first convolution."""

    @staticmethod
    def across(channels_in: int, channels: int, kernel: int, stride: int = 1) -> _Convolution:
        """A convolution over height and width, for `moments`."""
        return FlatConv(channels_in, channels, (1, kernel, kernel), single=2, stride=stride)

    @staticmethod
    def along(channels: int, kernel: int) -> _Convolution:
        """A convolution over time, for `courses`."""
        return FlatConv(channels, channels, (kernel, 1, 1), single=4)

    @staticmethod
    def courses(moments: Tensor, batch: int) -> Tensor:
        """Rearrange moments as courses, so that clips in a batch cannot leak into each other."""
        last = moments.permute(0, 2, 3, 1).flatten(1, 2)
        return last.reshape(batch, -1, *last.shape[1:]).permute(0, 3, 1, 2)

    @staticmethod
    def moments(courses: Tensor, shape: torch.Size) -> Tensor:
        """Rearrange courses as moments; height and width are taken from `shape`."""
        last = courses.permute(0, 2, 3, 1)
        return last.reshape(-1, *shape[2:], last.shape[3]).permute(0, 3, 1, 2)

    @staticmethod
    def pool(moments: Tensor) -> Tensor:
        """Halve height and width."""
        return functional.max_pool2d(moments, 3, stride=2, padding=1)


class AudioLayers:
    """The same for the audio encoder; moments and courses are both (B, C, frequency, time)."""

    letter = "m"
    stride = 1

    @staticmethod
    def across(channels_in: int, channels: int, kernel: int, stride: int = 1) -> _Convolution:
        """A convolution over frequency, for `moments`."""
        padding = (kernel // 2, 0)
        return nn.Conv2d(channels_in, channels, (kernel, 1), stride, padding, bias=False)

    @staticmethod
    def along(channels: int, kernel: int) -> _Convolution:
        """A convolution over time, for `courses`."""
        return nn.Conv2d(channels, channels, (1, kernel), padding=(0, kernel // 2), bias=False)

    @staticmethod
    def courses(moments: Tensor, batch: int) -> Tensor:
        """Return the tensor as it is: both layouts are the same."""
        return moments

    @staticmethod
    def moments(courses: Tensor, shape: torch.Size) -> Tensor:
        """Return the tensor as it is: both layouts are the same."""
        return courses

    @staticmethod
    def pool(moments: Tensor) -> Tensor:
        """Halve the number of time steps."""
        return functional.max_pool2d(moments, (1, 3), stride=(1, 2), padding=(0, 1))


Sense = type[VisualLayers] | type[AudioLayers]


class Block(nn.Module, ABC):
    """A few convolutions, each followed by a batch norm and a ReLU: some across, then some along.

    Args:
        sense: The layouts and convolutions of picture or sound.
        channels_in: Channels of the input.
        channels: Channels of the output.
        stride: Stride of the first convolution.

    Attributes:
        paths: How many paths lead from `across` to `along`, each with all channels of the output.
        reach: How many frames to each side `along` reaches.
        left_out: By convolution over time: how many frames less it reaches than another path.
        channels: Channels of the output.
    """

    paths: ClassVar[int]
    reach: ClassVar[int]
    left_out: ClassVar[Mapping[str, int]] = {}

    def __init__(self, sense: Sense, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.sense, self.channels = sense, channels

    def add(self, name: str, norm: str, convolution: _Convolution) -> None:
        """Add a convolution and its norm under their names in the checkpoint."""
        self.add_module(name, convolution)
        channels = convolution.out_channels
        self.add_module(norm, nn.BatchNorm2d(channels, NORM_EPSILON, NORM_MOMENTUM))

    def step(self, name: str, norm: str, x: Tensor) -> Tensor:
        """Apply a convolution, its norm and a ReLU."""
        return functional.relu(self.get_submodule(norm)(self.get_submodule(name)(x)))

    def forward(self, moments: Tensor, batch: int) -> Tensor:
        """Compute moments from the moments of `batch` clips."""
        found = self.across(moments)
        courses = self.along([self.sense.courses(path, batch) for path in found])
        return self.sense.moments(courses, found[0].shape)

    @abstractmethod
    def across(self, moments: Tensor) -> list[Tensor]:
        """Apply the convolutions over height and width; returns moments for each path."""

    @abstractmethod
    def along(self, paths: list[Tensor]) -> Tensor:
        """Apply the convolutions over time to the courses of each path; returns courses."""


class Encoder(nn.Module):
    """Three blocks with more channels each and pooling in between."""

    def __init__(self, sense: Sense, block: type[Block]) -> None:
        super().__init__()
        self.sense = sense
        self.block1 = block(sense, 1, 32, sense.stride)
        self.block2 = block(sense, 32, 64, 1)
        self.block3 = block(sense, 64, 128, 1)

    @property
    def blocks(self) -> list[Block]:
        """The blocks in their order."""
        return [self.block1, self.block2, self.block3]

    def forward(self, moments: Tensor, batch: int) -> Tensor:
        """Compute the last block's moments from the moments of `batch` clips."""
        x = self.sense.pool(self.block1(moments, batch))
        x = self.sense.pool(self.block2(x, batch))
        found: Tensor = self.block3(x, batch)
        return found


class FactorisedBody(Body):
    """A visual and an audio encoder of 128 values a frame; a subclass fuses them.

    Args:
        block: The block both encoders are made of.
    """

    def __init__(self, block: type[Block]) -> None:
        super().__init__()
        self.visualEncoder = Encoder(VisualLayers, block)
        self.audioEncoder = Encoder(AudioLayers, block)

    def vectors(self, seen: Tensor) -> Tensor:
        """Encode faces (B, T, 112, 112) as vectors (B, T, 128)."""
        batch, frames = seen.shape[:2]
        pictures: Tensor = self.visualEncoder(seen.flatten(0, 1).unsqueeze(1), batch)
        return pictures.amax(dim=(2, 3)).reshape(batch, frames, -1)

    def read(self, visual: Tensor, mfcc: Tensor) -> tuple[Tensor, ...]:
        """Fuse visual vectors (B, T, 128) and MFCC (B, 4 T, 13) into (B, T, 128).

        The head used only in training reads the visual vectors themselves.
        """
        sound = self.audioEncoder(mfcc.transpose(1, 2).unsqueeze(1), mfcc.shape[0])
        return self.join(visual, sound.mean(dim=2).transpose(1, 2)), visual

    def draw(self) -> None:
        """Draw kernels of the encoders and GRUs anew, as He et al. (ICCV 2015) do; biases are 0."""
        for encoder in (self.visualEncoder, self.audioEncoder):
            for layer in encoder.modules():
                if isinstance(layer, nn.Conv2d | nn.Conv3d):
                    nn.init.kaiming_normal_(layer.weight)
        for layer in self.modules():
            if isinstance(layer, nn.GRU):
                for name, weight in layer.named_parameters():
                    if name.startswith("weight"):
                        nn.init.kaiming_normal_(weight)
                    else:
                        nn.init.zeros_(weight)

    @abstractmethod
    def join(self, seen: Tensor, heard: Tensor) -> Tensor:
        """Fuse the visual and audio vectors, (B, T, 128) each, into (B, T, 128)."""


def backwards(gru: nn.GRU, x: Tensor) -> Tensor:
    """Run a GRU over a sequence (B, T, C) from its end to its start."""
    found: Tensor = gru(x.flip(1))[0].flip(1)
    return found
