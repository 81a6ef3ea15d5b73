"""The modules to export: a network and its two parts, with the inputs of the ONNX graphs."""

from __future__ import annotations

import copy

from torch import Tensor, nn

from ....core.analysis.features import FACE_MEAN, FACE_STD
from .network import Network, flatten


class Part(nn.Module):
    """Takes and returns float32, whatever dtype the network computes in."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = copy.deepcopy(network)
        flatten(self.network)  # the exporter fuses plain convolutions with batch norms

    def _cast(self, x: Tensor) -> Tensor:
        return x.to(self.network.lossAV.FC.weight.dtype)


class Whole(Part):
    """The whole network, from grey levels 0 to 255."""

    def forward(self, mfcc: Tensor, faces: Tensor) -> Tensor:
        """Compute logits (B, T, 2) from MFCC (B, 4 T, 13) and faces (B, T, 112, 112)."""
        normalised = (faces / 255 - FACE_MEAN) / FACE_STD
        logits: Tensor = self.network(self._cast(normalised), self._cast(mfcc))
        return logits.float()


class Frontend(Part):
    """The visual frontend."""

    def forward(self, seen: Tensor) -> Tensor:
        """Compute vectors from normalised faces; see `Body.vectors`."""
        return self.network.vectors(self._cast(seen)).float()


class WindowPart(Part):
    """All layers after the visual frontend."""

    def forward(self, mfcc: Tensor, visual: Tensor) -> Tensor:
        """Compute logits (B, T, 2) from MFCC (B, 4 T, 13) and visual vectors (B, T, V)."""
        return self.network.window(self._cast(visual), self._cast(mfcc)).float()
