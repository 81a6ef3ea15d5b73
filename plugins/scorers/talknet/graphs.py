"""The parts of TalkNet that become graphs, as modules with the graphs' inputs."""

from __future__ import annotations

import copy

from torch import Tensor, nn

from ....core.features import FACE_MEAN, FACE_STD
from .model import TalkNetNetwork
from .visual import PADDING, STRIDE


class _Part(nn.Module):
    """Takes and gives float32, whatever the network computes in."""

    def __init__(self, network: TalkNetNetwork) -> None:
        super().__init__()
        self.network = copy.deepcopy(network)
        first = self.network.model.visualFrontend.frontend3D
        first[0] = _as_conv2d(first[0])  # which the exporter joins with the norm behind it

    def _cast(self, x: Tensor) -> Tensor:
        return x.to(self.network.lossAV.FC.weight.dtype)


class Whole(_Part):
    """The whole network, from grey levels 0 to 255."""

    def forward(self, mfcc: Tensor, faces: Tensor) -> Tensor:
        """(B, 4 T, 13) MFCC and (B, T, 112, 112) faces to (B, T, 2) logits."""
        normalised = (faces / 255 - FACE_MEAN) / FACE_STD
        logits: Tensor = self.network(self._cast(normalised), self._cast(mfcc))
        return logits.float()


class Frontend(_Part):
    """The visual frontend."""

    def forward(self, seen: Tensor) -> Tensor:
        """(n, 5, 112, 112) normalised faces to (n, 512) vectors."""
        return self.network.vectors(self._cast(seen)).float()


class WindowPart(_Part):
    """All that comes after the visual frontend."""

    def forward(self, mfcc: Tensor, visual: Tensor) -> Tensor:
        """(B, 4 T, 13) MFCC and (B, T, 512) vectors to (B, T, 2) logits."""
        return self.network.window(self._cast(visual), self._cast(mfcc)).float()


def _as_conv2d(conv: nn.Module) -> nn.Conv2d:
    """The Conv3d over time as what it is computed by: a Conv2d over five frames."""
    if not isinstance(conv, nn.Conv3d):
        raise TypeError(f"the first layer is a {type(conv).__name__}, not a Conv3d")
    frames, height, width = conv.kernel_size
    plain = nn.Conv2d(
        frames, conv.out_channels, (height, width), STRIDE, padding=PADDING, bias=False
    )
    plain.weight = nn.Parameter(conv.weight.detach().squeeze(1))
    return plain.eval()
