"""What the networks have in common, whatever is in them.

A network runs in two parts. `vectors` looks at the faces and is nearly all of the work; `window`
is cheap and joins what is seen and heard in a whole window. The names of modules are those of the
published checkpoints.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn
from torch.nn import functional


class Body(nn.Module, ABC):
    """The encoders of both senses and what joins them."""

    @abstractmethod
    def vectors(self, seen: Tensor) -> Tensor:
        """What the frontend sees to visual vectors; the model's `Sharing` tells the shapes.

        Args:
            seen: Normalised faces, `x / 255` less 0.4161, over 0.1688; zeros where a window has
                no frame.
        """

    def frontend(self, faces: Tensor) -> Tensor:
        """(B, T, 112, 112) normalised faces of whole windows to their vectors (B, T, V)."""
        return self.vectors(faces)

    @abstractmethod
    def forward(self, visual: Tensor, mfcc: Tensor) -> Tensor:
        """(B, T, V) visual vectors and (B, 4 T, 13) MFCC to what the head reads, (B, T, W)."""


class Network(nn.Module):
    """A whole network as published; make it `eval()` before use.

    Args:
        body: All but the heads.
        width: Values that the head reads for each frame.
        training_heads: Names of the heads that serve training alone; they read 128 values.
    """

    def __init__(self, body: Body, width: int, training_heads: tuple[str, ...]) -> None:
        super().__init__()
        self.model = body
        self.lossAV = _Head(width)
        for name in training_heads:
            self.add_module(name, _Head(128))

    def vectors(self, seen: Tensor) -> Tensor:
        """What the frontend sees to visual vectors; see `Body.vectors`."""
        return self.model.vectors(seen)

    def window(self, visual: Tensor, mfcc: Tensor) -> Tensor:
        """The logits of whole windows, all of one length, from both senses.

        Args:
            visual: (B, T, V) float, visual vectors.
            mfcc: (B, 4 T, 13) float.

        Returns:
            (B, T, 2) float: not speaking, speaking.
        """
        logits: Tensor = self.lossAV(self.model(visual, mfcc))
        return logits

    def forward(self, faces: Tensor, mfcc: Tensor) -> Tensor:
        """(B, T, 112, 112) normalised faces and (B, 4 T, 13) MFCC to logits (B, T, 2)."""
        return self.window(self.model.frontend(faces), mfcc)


class _Head(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.FC = nn.Linear(width, 2)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.FC(x)
        return logits


class FlatConv(nn.Conv3d):
    """A published convolution over time and space, computed as one of two dimensions.

    One axis of its weight has a single place, so the sums are the same, and every runtime has
    faster code for pictures. It pads each side by half a kernel.

    Args:
        channels_in: Channels of what it reads.
        channels: Channels of what it gives.
        kernel: Its size over time, height and width.
        single: The axis of the weight (out, in, time, height, width) with a single place. 1 makes
            channels of the kernel's times.
        stride: Over the two axes that are left.
    """

    def __init__(
        self,
        channels_in: int,
        channels: int,
        kernel: tuple[int, int, int],
        single: int,
        stride: int = 1,
    ) -> None:
        super().__init__(channels_in, channels, kernel, bias=False)
        self.single, self.step = single, stride

    def forward(self, x: Tensor) -> Tensor:
        """(B, channels_in, height, width) to (B, channels, height, width), whatever those are."""
        weight = self.weight.squeeze(self.single)
        padding = [size // 2 for size in weight.shape[2:]]
        return functional.conv2d(x, weight, stride=self.step, padding=padding)

    def plain(self) -> nn.Conv2d:
        """The convolution that it is computed by."""
        weight = self.weight.detach().squeeze(self.single)
        channels, channels_in, height, width = weight.shape
        padding = (height // 2, width // 2)
        conv = nn.Conv2d(
            channels_in, channels, (height, width), self.step, padding=padding, bias=False
        )
        conv.weight = nn.Parameter(weight)
        return conv
