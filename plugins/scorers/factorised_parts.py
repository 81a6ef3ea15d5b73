"""What LR-ASD and Light-ASD say of their encoder before PyTorch is imported."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .windowed.reach import Layer

if TYPE_CHECKING:
    from torch.nn import Module

    from .windowed.network import Network


def layers(reach: int, paths: int) -> list[Layer]:
    """What the temporal convolutions read, by block and path.

    Args:
        reach: How many frames to each side those of one block reach.
        paths: How many paths a block has.
    """
    blocks = [(56**2, 32), (28**2, 64), (14**2, 128)]
    return [Layer(reach, *block) for block in blocks for _ in range(paths)]


def parts(network: Network) -> Sequence[Module]:
    """The modules of the graphs `alone`, `through`, `join` and `end`; see `windowed.exporting`."""
    from .factorised_stream import Alone, Edge, Through

    return Alone(network), Through(network), Edge(network, ends=False), Edge(network, ends=True)
