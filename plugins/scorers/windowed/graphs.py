"""A network and its two parts as modules with the graphs' inputs."""

from __future__ import annotations

import copy

from torch import Tensor, nn

from ....core.analysis.features import FACE_MEAN, FACE_STD
from .network import FlatConv, Network


class _Part(nn.Module):
    """Takes and gives float32, whatever the network computes in."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = copy.deepcopy(network)
        _flatten(self.network)

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
        """Normalised faces to vectors; see `Body.vectors`."""
        return self.network.vectors(self._cast(seen)).float()


class WindowPart(_Part):
    """All that comes after the visual frontend."""

    def forward(self, mfcc: Tensor, visual: Tensor) -> Tensor:
        """(B, 4 T, 13) MFCC and (B, T, V) vectors to (B, T, 2) logits."""
        return self.network.window(self._cast(visual), self._cast(mfcc)).float()


def _flatten(module: nn.Module) -> None:
    """Put plain convolutions in place of flat ones: the exporter joins them with their norms."""
    for name, child in module.named_children():
        if isinstance(child, FlatConv):
            setattr(module, name, child.plain().eval())
        else:
            _flatten(child)
