"""What LR-ASD and Light-ASD say of their encoder before PyTorch is imported."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch.nn import Module

    from .windowed.network import Network

FRAME_VALUES = 56**2 * 32 + 28**2 * 64 + 14**2 * 128
"""Values of a frame that the temporal convolutions of the three blocks read, in one path each."""


def parts(network: Network) -> Sequence[Module]:
    """The modules of the graphs `through`, `begin` and `end`; see `windowed.exporting`."""
    from .factorised_stream import Edge, Through

    return Through(network), Edge(network, begins=True), Edge(network, begins=False)
