"""The visual encoder of LR-ASD and Light-ASD in pieces that together give the vectors of a clip.

Each piece of a clip is either `Alone`, as a window, or goes `Through` from the one before. Between
pieces is handed on what each block's temporal convolutions need of their neighbours: the inputs
near the edge. From these, `Edge` computes the vectors that depend on an edge, in the first blocks
of fewer frames than in the last.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ...core.types import FACE_SIZE_PX
from .factorised import Block, FactorisedBody, VisualLayers
from .windowed.graphs import Part
from .windowed.network import Network


class _Pieces(Part):
    """An encoder whose temporal convolutions see zeros only where a window begins or ends.

    Args:
        network: The network; it is copied.
        begins: The pieces begin where a window begins.
        ends: The pieces end where a window ends.
    """

    def __init__(self, network: Network, begins: bool, ends: bool) -> None:
        super().__init__(network)
        body = self.network.model
        assert isinstance(body, FactorisedBody)
        self.blocks: list[Block] = body.visualEncoder.blocks
        self.sides_px = [FACE_SIZE_PX // 2 // 2**number for number in range(len(self.blocks))]
        for block in self.blocks if not (begins and ends) else ():
            _open(block, begins, ends)

    def by_block(self, contexts: Sequence[Tensor]) -> list[list[Tensor]]:
        """Contexts, one for each path of each block, sorted by block."""
        found = iter(contexts)
        return [[self._cast(next(found)) for _ in range(block.paths)] for block in self.blocks]

    def vectors(self, moments: Tensor, batch: int) -> Tensor:
        """The vectors (B, T, 128) of the last block's moments."""
        return moments.amax(dim=(2, 3)).reshape(batch, -1, moments.shape[1]).float()


class Alone(_Pieces):
    """A piece as a window by itself."""

    def __init__(self, network: Network) -> None:
        super().__init__(network, begins=True, ends=True)

    def forward(self, seen: Tensor) -> tuple[Tensor, ...]:
        """Compute the vectors of a window, and what its neighbours need to be joined to it.

        Args:
            seen: (B, T, 112, 112), faces, normalised.

        Returns:
            `vectors` (B, T, 128); `kept`, for each path of each block the latest inputs of its
            temporal convolutions that do not depend on the edge, (B, 2 reach of the block, pixels,
            C); and as many `coming`, the first of that kind.
        """
        batch = seen.shape[0]
        moments = self._cast(seen).flatten(0, 1).unsqueeze(1)
        kept, coming, beyond = [], [], 0
        for block in self.blocks:
            found = block.across(VisualLayers.pool(moments) if beyond else moments)
            lines = [_timeline(VisualLayers.courses(path, batch)) for path in found]
            for line in lines:
                near = torch.arange(2 * block.reach, device=line.device) + beyond
                last = line.shape[1] - 1
                coming.append(line.index_select(1, near.clamp(max=last)))
                kept.append(line.index_select(1, (last - near.flip(0)).clamp(min=0)))
            moments = _after(block, lines, found[0].shape)
            beyond += block.reach
        return self.vectors(moments, batch), *(x.float() for x in [*kept, *coming])


class Through(_Pieces):
    """A piece that goes on from another."""

    def __init__(self, network: Network) -> None:
        super().__init__(network, begins=False, ends=False)

    def forward(self, before: Tensor, seen: Tensor, *past: Tensor) -> tuple[Tensor, ...]:
        """Compute the vectors that have become certain.

        Args:
            before: (B, t, 112, 112), the last faces of the previous piece, twice as many as the
                first block reaches.
            seen: (B, T, 112, 112), the next faces, normalised.
            past: The `kept` of the previous piece, less that of the first block.

        Returns:
            `vectors` (B, T, 128), of these frames less the encoder's reach; and `kept`.
        """
        batch = seen.shape[0]
        moments = self._cast(torch.cat([before, seen], 1)).flatten(0, 1).unsqueeze(1)
        first, *_ = self.blocks
        nothing = [moments.new_zeros(0)] * first.paths  # its past is computed anew, from `before`
        kept = []
        for block, contexts in zip(self.blocks, self.by_block([*nothing, *past]), strict=True):
            found = block.across(moments if block is first else VisualLayers.pool(moments))
            lines = [_timeline(VisualLayers.courses(path, batch)) for path in found]
            if block is not first:
                pairs = zip(contexts, lines, strict=True)
                lines = [torch.cat([context, line], 1) for context, line in pairs]
            kept += [line[:, -2 * block.reach :] for line in lines]
            moments = _after(block, lines, found[0].shape)
        return self.vectors(moments, batch), *(x.float() for x in kept)


class Edge(_Pieces):
    """The frames around the edge of a piece, as far as the encoder reaches.

    Args:
        network: The network.
        ends: A window ends at this edge; else it is within a window, and two pieces are joined.
    """

    def __init__(self, network: Network, ends: bool) -> None:
        super().__init__(network, begins=False, ends=ends)
        self.ends = ends

    def forward(self, *contexts: Tensor) -> Tensor:
        """Compute vectors (B, reach, 128) from `kept`, or (B, 2 reach, 128) with `coming` too."""
        half = len(contexts) if self.ends else len(contexts) // 2
        batch = contexts[0].shape[0]
        before = self.by_block(contexts[:half])
        after = self.by_block(contexts[half:]) if not self.ends else [[] for _ in before]
        moments: Tensor | None = None
        for block, side_px, kept, coming in zip(
            self.blocks, self.sides_px, before, after, strict=True
        ):
            lines = [[line] for line in kept]
            if moments is not None:
                for line, path in zip(lines, block.across(VisualLayers.pool(moments)), strict=True):
                    line.append(_timeline(VisualLayers.courses(path, batch)))
            for line, context in zip(lines, coming, strict=False):
                line.append(context)
            shape = torch.Size((1, block.channels, side_px, side_px))
            moments = _after(block, [torch.cat(line, 1) for line in lines], shape)
        assert moments is not None
        return self.vectors(moments, batch)


class _Sided(nn.Module):
    """A temporal convolution that sees zeros, or leaves out frames, at either end of the time.

    Args:
        convolution: The convolution, which pads nothing by itself.
        before: How many zeros it sees before the first frame; negative to leave out frames.
        after: The same after the last.
    """

    def __init__(self, convolution: nn.Conv2d, before: int, after: int) -> None:
        super().__init__()
        self.convolution = convolution
        self.pads = (0, 0, max(before, 0), max(after, 0))
        self.kept = slice(max(-before, 0), min(after, 0) or None)

    def forward(self, courses: Tensor) -> Tensor:
        padded = nn.functional.pad(courses[:, :, self.kept], self.pads)
        found: Tensor = self.convolution(padded)
        return found


def _open(block: Block, begins: bool, ends: bool) -> None:
    """Have the temporal convolutions of a block see no zeros but where a window begins or ends."""
    for name, child in block.named_children():
        if isinstance(child, nn.Conv2d) and child.kernel_size[1] == 1:
            half = child.kernel_size[0] // 2
            beyond = -block.left_out.get(name, 0)
            child.padding = (0, 0)
            sided = _Sided(child, half if begins else beyond, half if ends else beyond)
            setattr(block, name, sided.eval())


def _timeline(courses: Tensor) -> Tensor:
    """Courses (B, C, T, pixels) as (B, T, pixels, C)."""
    return courses.permute(0, 2, 3, 1)


def _courses(timeline: Tensor) -> Tensor:
    """The inverse of `_timeline`."""
    return timeline.permute(0, 3, 1, 2)


def _after(block: Block, lines: Sequence[Tensor], shape: torch.Size) -> Tensor:
    """The moments after a block's temporal convolutions, with height and width of `shape`."""
    return VisualLayers.moments(block.along([_courses(line) for line in lines]), shape)
