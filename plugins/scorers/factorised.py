"""What LR-ASD and Light-ASD have in common (Liao et al., IJCV 2025 and CVPR 2023).

Both encode picture and sound by three blocks, whose convolutions run across the picture, or the
frequencies, and along time, never both at once. A network is its block and what joins the senses.
The names of modules are those of the published checkpoints.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn
from torch.nn import functional

from .windowed.network import Body, FlatConv

NORM_EPSILON = 1e-3
"""Of every batch norm of these networks."""
_Convolution = nn.Conv2d | nn.Conv3d


class VisualLayers:
    """How a block sees. Its moments are pictures, (B T, C, H, W); courses are (B, C, T, H W)."""

    letter = "s"
    """Begins the names of convolutions across moments."""
    stride = 2
    """Of the first convolution."""

    @staticmethod
    def across(channels_in: int, channels: int, kernel: int, stride: int = 1) -> _Convolution:
        """A convolution of moments, over height and width."""
        return FlatConv(channels_in, channels, (1, kernel, kernel), single=2, stride=stride)

    @staticmethod
    def along(channels: int, kernel: int) -> _Convolution:
        """A convolution of courses, over time."""
        return FlatConv(channels, channels, (kernel, 1, 1), single=4)

    @staticmethod
    def courses(moments: Tensor, batch: int) -> Tensor:
        """Moments as courses; clips in a batch cannot leak into each other."""
        flat = moments.flatten(2)
        return flat.reshape(batch, -1, *flat.shape[1:]).transpose(1, 2)

    @staticmethod
    def moments(courses: Tensor, shape: torch.Size) -> Tensor:
        """Courses as moments of this shape, but for the channels."""
        flat = courses.transpose(1, 2).flatten(0, 1)
        return flat.reshape(*flat.shape[:2], *shape[2:])

    @staticmethod
    def pool(moments: Tensor) -> Tensor:
        """Half the height and width."""
        return functional.max_pool2d(moments, 3, stride=2, padding=1)


class AudioLayers:
    """How a block hears: the same for sound, (B, C, frequency, time) in every order."""

    letter = "m"
    stride = 1

    @staticmethod
    def across(channels_in: int, channels: int, kernel: int, stride: int = 1) -> _Convolution:
        """A convolution over frequency."""
        padding = (kernel // 2, 0)
        return nn.Conv2d(channels_in, channels, (kernel, 1), stride, padding, bias=False)

    @staticmethod
    def along(channels: int, kernel: int) -> _Convolution:
        """A convolution over time."""
        return nn.Conv2d(channels, channels, (1, kernel), padding=(0, kernel // 2), bias=False)

    @staticmethod
    def courses(moments: Tensor, batch: int) -> Tensor:
        """Moments as courses."""
        return moments

    @staticmethod
    def moments(courses: Tensor, shape: torch.Size) -> Tensor:
        """Courses as moments."""
        return courses

    @staticmethod
    def pool(moments: Tensor) -> Tensor:
        """Half the time."""
        return functional.max_pool2d(moments, (1, 3), stride=(1, 2), padding=(0, 1))


Sense = type[VisualLayers] | type[AudioLayers]


class Block(nn.Module, ABC):
    """A few convolutions, with a norm and a ReLU behind each.

    Args:
        sense: What it sees or hears.
        channels_in: Channels of what it reads.
        channels: Channels of what it gives.
        stride: Of its first convolution.
    """

    def __init__(self, sense: Sense, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.sense = sense

    def add(self, name: str, norm: str, convolution: _Convolution) -> None:
        """Add a convolution and its norm, under the names that the checkpoint has for them."""
        self.add_module(name, convolution)
        self.add_module(norm, nn.BatchNorm2d(convolution.out_channels, eps=NORM_EPSILON))

    def step(self, name: str, norm: str, x: Tensor) -> Tensor:
        """One convolution, its norm and a ReLU."""
        return functional.relu(self.get_submodule(norm)(self.get_submodule(name)(x)))

    @abstractmethod
    def forward(self, moments: Tensor, batch: int) -> Tensor:
        """Moments of so many clips to moments."""


class _Encoder(nn.Module):
    """Three blocks, each wider and of a smaller picture, or coarser in time."""

    def __init__(self, sense: Sense, block: type[Block]) -> None:
        super().__init__()
        self._sense = sense
        self.block1 = block(sense, 1, 32, sense.stride)
        self.block2 = block(sense, 32, 64, 1)
        self.block3 = block(sense, 64, 128, 1)

    def forward(self, moments: Tensor, batch: int) -> Tensor:
        x = self._sense.pool(self.block1(moments, batch))
        x = self._sense.pool(self.block2(x, batch))
        found: Tensor = self.block3(x, batch)
        return found


class FactorisedBody(Body):
    """Two encoders of 128 values a frame; a child joins the senses.

    Args:
        block: What both are made of.
    """

    def __init__(self, block: type[Block]) -> None:
        super().__init__()
        self.visualEncoder = _Encoder(VisualLayers, block)
        self.audioEncoder = _Encoder(AudioLayers, block)

    def vectors(self, seen: Tensor) -> Tensor:
        """(B, T, 112, 112) faces to (B, T, 128)."""
        batch, frames = seen.shape[:2]
        pictures: Tensor = self.visualEncoder(seen.flatten(0, 1).unsqueeze(1), batch)
        return pictures.amax(dim=(2, 3)).reshape(batch, frames, -1)

    def forward(self, visual: Tensor, mfcc: Tensor) -> Tensor:
        """(B, T, 128) visual vectors and (B, 4 T, 13) MFCC to (B, T, 128)."""
        sound = self.audioEncoder(mfcc.transpose(1, 2).unsqueeze(1), mfcc.shape[0])
        return self.join(visual, sound.mean(dim=2).transpose(1, 2))

    @abstractmethod
    def join(self, seen: Tensor, heard: Tensor) -> Tensor:
        """(B, T, 128) of each sense to (B, T, 128)."""


def backwards(gru: nn.GRU, x: Tensor) -> Tensor:
    """What a GRU gives for a sequence (B, T, C) that it reads from the end."""
    found: Tensor = gru(x.flip(1))[0].flip(1)
    return found
