"""The interface that all networks share.

A network runs in two parts. `vectors` encodes the faces and takes nearly all of the time; `window`
is cheap and fuses picture and sound over a whole window. Modules are named as in the published
checkpoints.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn
from torch.nn import functional


class Body(nn.Module, ABC):
    """The visual and audio encoders and the layers that fuse them."""

    @abstractmethod
    def vectors(self, seen: Tensor) -> Tensor:
        """Compute visual vectors from faces; the model's `Sharing` states the shapes.

        Args:
            seen: Faces normalised as (x / 255 - 0.4161) / 0.1688; zeros where a window has no
                frame.
        """

    def frontend(self, faces: Tensor) -> Tensor:
        """Compute vectors (B, T, V) from normalised faces of whole windows, (B, T, 112, 112)."""
        return self.vectors(faces)

    @abstractmethod
    def read(self, visual: Tensor, mfcc: Tensor) -> tuple[Tensor, ...]:
        """Compute what the heads read from visual vectors (B, T, V) and MFCC (B, 4 T, 13).

        Returns:
            The picture fused with the sound (B, T, W), for the head of the scorer; then (B, T, 128)
            for each head used only in training, in their order.
        """

    def forward(self, visual: Tensor, mfcc: Tensor) -> Tensor:
        """Fuse visual vectors (B, T, V) and MFCC (B, 4 T, 13) into the head's input (B, T, W)."""
        return self.read(visual, mfcc)[0]

    def draw(self) -> None:
        """Draw the weights at random as the published code does before it trains.

        A new module has those that PyTorch draws for each layer; a subclass draws others anew.
        """


class Network(nn.Module):
    """A whole network as published; call `eval()` before use, or train it.

    Args:
        body: All layers but the heads.
        width: Values per frame that the head reads.
        training_heads: Names of the heads used only in training, which read 128 values per frame.
    """

    def __init__(self, body: Body, width: int, training_heads: tuple[str, ...]) -> None:
        super().__init__()
        self.model = body
        self.lossAV = _Head(width)
        for name in training_heads:
            self.add_module(name, _Head(128))
        self._heads = ("lossAV", *training_heads)

    def vectors(self, seen: Tensor) -> Tensor:
        """Compute visual vectors from faces; see `Body.vectors`."""
        return self.model.vectors(seen)

    def window(self, visual: Tensor, mfcc: Tensor) -> Tensor:
        """Compute the logits of windows of one length.

        Args:
            visual: (B, T, V) float, visual vectors.
            mfcc: (B, 4 T, 13) float.

        Returns:
            (B, T, 2) float: not speaking, speaking.
        """
        logits: Tensor = self.lossAV(self.model(visual, mfcc))
        return logits

    def forward(self, faces: Tensor, mfcc: Tensor) -> Tensor:
        """Compute logits (B, T, 2) from normalised faces (B, T, 112, 112) and MFCC (B, 4 T, 13)."""
        return self.window(self.model.frontend(faces), mfcc)

    def all_heads(self, faces: Tensor, mfcc: Tensor) -> tuple[Tensor, ...]:
        """Compute the same logits, followed by those of each head used only in training."""
        read = self.model.read(self.model.frontend(faces), mfcc)
        heads = [self.get_submodule(name) for name in self._heads]
        return tuple(head(x) for head, x in zip(heads, read, strict=True))


class _Head(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.FC = nn.Linear(width, 2)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.FC(x)
        return logits


class FlatConv(nn.Conv3d):
    """A 3D convolution of a published checkpoint, computed as a 2D convolution.

    One axis of its weight has size 1, so the result is the same, and every runtime has faster code
    for 2D. Each side is padded by half a kernel.

    Args:
        channels_in: Channels of the input.
        channels: Channels of the output.
        kernel: Kernel size over time, height and width.
        single: The axis of size 1 in the weight (out, in, time, height, width). With 1, the
            kernel's time steps become input channels.
        stride: Stride over the two axes that remain.
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
        """Convolve (B, channels in, X, Y), where X and Y are the two axes that remain."""
        weight = self.weight.squeeze(self.single)
        padding = [size // 2 for size in weight.shape[2:]]
        return functional.conv2d(x, weight, stride=self.step, padding=padding)

    def plain(self) -> nn.Conv2d:
        """The equivalent 2D convolution."""
        weight = self.weight.detach().squeeze(self.single)
        channels, channels_in, height, width = weight.shape
        padding = (height // 2, width // 2)
        conv = nn.Conv2d(
            channels_in, channels, (height, width), self.step, padding=padding, bias=False
        )
        conv.weight = nn.Parameter(weight)
        return conv


def flatten(module: nn.Module) -> None:
    """Replace each `FlatConv` within a module by a plain 2D convolution."""
    for name, child in module.named_children():
        if isinstance(child, FlatConv):
            setattr(module, name, child.plain().eval())
        else:
            flatten(child)
