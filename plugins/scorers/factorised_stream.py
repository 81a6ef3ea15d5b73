"""The visual encoder of LR-ASD and Light-ASD in pieces that give the vectors of a whole clip.

A clip goes through `Through` piece by piece. Between two pieces is carried what each block's
temporal convolutions still need: their latest inputs. Where windows begin or end, `Edge` computes
the few vectors that depend on this, layer by layer no more frames than are needed.
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
        for block in self.blocks:
            _open(block, begins, ends)

    def by_block(self, contexts: Sequence[Tensor]) -> list[list[Tensor]]:
        """Contexts, one for each path of each block, sorted by block."""
        found = iter(contexts)
        return [[self._cast(next(found)) for _ in range(block.paths)] for block in self.blocks]

    def vectors(self, moments: Tensor, batch: int) -> Tensor:
        """The vectors (B, T, 128) of the last block's moments."""
        return moments.amax(dim=(2, 3)).reshape(batch, -1, moments.shape[1]).float()


class Through(_Pieces):
    """The next frames of a clip."""

    def __init__(self, network: Network) -> None:
        super().__init__(network, begins=False, ends=False)

    def forward(self, before: Tensor, seen: Tensor, *past: Tensor) -> tuple[Tensor, ...]:
        """Compute the vectors that have become certain, as far from a window's edges.

        Args:
            before: (B, t, 112, 112), the last faces of the previous piece, twice as many as the
                first block reaches; anything at first.
            seen: (B, T, 112, 112), the next faces, normalised.
            past: What the previous call returned as `kept`, less that of the first block; each
                (B, 2 reach of the block, pixels, C); anything at first.

        Returns:
            `vectors` (B, T, 128), of these frames less the encoder's reach; `kept`, the latest
            inputs of the temporal convolutions of each path of each block; and as many `coming`,
            what these are for a window that begins here.
        """
        batch = seen.shape[0]
        moments = self._cast(torch.cat([before, seen], 1)).flatten(0, 1).unsqueeze(1)
        first = self.blocks[0]
        nothing = [moments.new_zeros(0)] * first.paths  # its past is computed anew, from `before`
        kept, coming, behind = [], [], 0
        for block, contexts in zip(self.blocks, self.by_block([*nothing, *past]), strict=True):
            found = block.across(VisualLayers.pool(moments) if behind else moments)
            lines = [_timeline(VisualLayers.courses(path, batch)) for path in found]
            if block is first:
                coming += [_some(line, 2 * block.reach, 2 * block.reach) for line in lines]
            else:
                coming += [_some(line, 2 * behind, 2 * block.reach) for line in lines]
                pairs = zip(contexts, lines, strict=True)
                lines = [torch.cat([context, line], 1) for context, line in pairs]
            kept += [line[:, -2 * block.reach :] for line in lines]
            courses = block.along([_courses(line) for line in lines])
            moments = VisualLayers.moments(courses, found[0].shape)
            behind += block.reach
        return self.vectors(moments, batch), *(x.float() for x in [*kept, *coming])


class Edge(_Pieces):
    """The first or the last frames of a window, as far as the encoder reaches.

    Args:
        network: The network.
        begins: Its first frames, else its last.
    """

    def __init__(self, network: Network, begins: bool) -> None:
        super().__init__(network, begins=begins, ends=not begins)
        self.begins = begins

    def forward(self, *around: Tensor) -> Tensor:
        """Compute vectors (B, reach, 128) from the `coming` or the `kept` of `Through`."""
        batch = around[0].shape[0]
        moments: Tensor | None = None
        for block, contexts, side_px in zip(
            self.blocks, self.by_block(around), self.sides_px, strict=True
        ):
            lines = contexts
            if moments is not None:
                found = block.across(VisualLayers.pool(moments))
                new = [_timeline(VisualLayers.courses(path, batch)) for path in found]
                pairs = zip(new, contexts, strict=True)
                lines = [torch.cat([x, y] if self.begins else [y, x], 1) for x, y in pairs]
            courses = block.along([_courses(line) for line in lines])
            shape = torch.Size((1, block.channels, side_px, side_px))
            moments = VisualLayers.moments(courses, shape)
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


def _some(timeline: Tensor, first: int, count: int) -> Tensor:
    """Some frames of (B, T, pixels, C); the last one again where there are too few."""
    frames = torch.arange(first, first + count).clamp(max=timeline.shape[1] - 1)
    return timeline.index_select(1, frames)
