"""The parts of TalkNet that become graphs, as modules with the graphs' inputs."""

from __future__ import annotations

from torch import Tensor, nn

from ....core.features import FACE_MEAN, FACE_STD
from .model import TalkNetNetwork


class _Part(nn.Module):
    """Takes and gives float32, whatever the network computes in."""

    def __init__(self, network: TalkNetNetwork) -> None:
        super().__init__()
        self.network = network

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
