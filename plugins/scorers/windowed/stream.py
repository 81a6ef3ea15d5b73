"""Computes the visual vectors of a clip piece by piece, as few as its windows share.

A network whose sharing is `Reach` is a sequence of layers, each of which reaches a few frames to
either side. Away from a window's edges all windows share what a layer computes. So a clip is cut
where windows begin or end. Each piece is computed as a window by itself; around the edge of two
pieces the few frames are computed again that differ in windows that go on, in the first layers
fewer than in the last. Where windows are long, pieces go on from one another instead. A clip in
windows of 1 to 6 s takes about 1.4 passes where whole runs of frames take 2.2, and memory for one
piece whatever its length.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, Protocol

import numpy as np

from ....core.exportable import Tensor
from ....core.types import GRID_FPS, Float32, UInt8
from .reach import Reach
from .windows import Int64, Span, pictures

_EDGE_COST = 2 / 3
"""What vectors at an edge cost, in whole passes: layers before the last compute fewer frames."""


class Piece(NamedTuple):
    """Frames that pass at once.

    Attributes:
        start: The first of them.
        end: One past the last.
        goes_on: It goes on from the piece before; else it is a window by itself.
        joins: Windows go on from the piece before all the same.
        ends: It goes on from the piece before, and windows end at `end`.
    """

    start: int
    end: int
    goes_on: bool
    joins: bool
    ends: bool


class StreamPlan(NamedTuple):
    """The work for a clip.

    Attributes:
        stream: The pieces of the clip in their order. Their vectors are numbered consecutively:
            for each piece those of its frames, less the reach where it goes on; those around its
            start, if it joins; and those of a window's end.
        rest: The frontend's batches for all other vectors, as in `PassPlan`.
        rows: For each window, the vector numbers of its frames.
    """

    stream: list[Piece]
    rest: list[Int64]
    rows: list[Int64]


def plan(reach: Reach, spans: Sequence[Span], batch_frames: int) -> StreamPlan:
    """Plan the cheaper of two ways: pieces, with whole runs for what they lack, or runs alone.

    Args:
        reach: How the windows share vectors.
        spans: The windows, as `windows.cut` gives them.
        batch_frames: How many frames a piece may have; or twice the reach if that is more. None
            has more than a second: longer ones take more memory, and no less time.
    """
    plain = reach.plan(spans, batch_frames)
    rows = reach.no_rows(spans)
    stream = list(_pieces(reach, spans, batch_frames))
    count = 0
    for piece in stream:
        count = _number(reach, rows, piece, count)
    rest = reach.complete(rows, count, spans, batch_frames)
    edges = sum(2 * piece.joins + piece.ends for piece in stream)
    if len(rows) + edges * _EDGE_COST * reach.frames + _size(rest) >= _size(plain.pieces):
        return StreamPlan([], *plain)
    return StreamPlan(stream, rest, [rows[reach.sights(*span)] for span in spans])


def _size(pieces: Sequence[Int64]) -> int:
    return sum(piece.size for piece in pieces)


def _pieces(reach: Reach, spans: Sequence[Span], batch_frames: int) -> Iterator[Piece]:
    """Cut a clip where windows begin or end, and in between so that pieces are short enough.

    An edge too close to the one before is passed over; the last part may be shorter.
    """
    least = 2 * reach.frames
    longest = max(min(batch_frames, GRID_FPS), least)
    ends = {end for _, end in spans}
    frames = max(ends)
    cuts = [0]
    for edge in sorted({edge for span in spans for edge in span} - {0, frames}):
        if edge - cuts[-1] >= least:
            cuts.append(edge)
    for cut, after in pairwise([*cuts, frames]):
        is_new = after - cut >= least or cut == 0
        crossed = any(start < cut < end for start, end in spans)
        for start in range(cut, after, longest):
            end, goes_on = min(start + longest, after), not (is_new and start == cut)
            yield Piece(
                start, end, goes_on, crossed and start == cut and not goes_on,
                goes_on and end == after and end in ends,
            )  # fmt: skip


def _number(reach: Reach, rows: Int64, piece: Piece, count: int) -> int:
    """Note the row numbers of a piece's vectors, which begin with `count`; returns the next."""
    r, (start, end, *_) = reach.frames, piece

    def note(first: int, last: int, before: int | None, after: int | None) -> None:
        """Number frames whose window begins at `before` and ends at `after`, or is far longer."""
        nonlocal count
        frames = np.arange(first, last)
        numbers = count + np.arange(len(frames))
        count += len(frames)
        lead = np.full(len(frames), r) if before is None else np.minimum(frames - before, r)
        rest = np.full(len(frames), r) if after is None else np.minimum(after - 1 - frames, r)
        known = (frames >= lead) & (frames + rest < len(rows))
        rows[frames[known], lead[known], rest[known]] = numbers[known]

    if piece.goes_on:
        note(start - r, end - r, None, None)
    else:
        note(start, end, start, end)
    if piece.joins:
        note(start - r, start + r, None, None)
    if piece.ends:
        note(end - r, end, None, end)
    return count


class Graph(Protocol):
    """Runs one of the graphs, with ONNX Runtime (`OnnxSession`) or PyTorch (`TorchGraph`).

    Inputs are given by name: a float32 array each, or what `run_on` of one of them returned.
    """

    def run(self, inputs: Mapping[str, Any]) -> Float32:
        """Run the graph; return its first output."""
        ...

    def run_on(self, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        """Run the graph; return all outputs by name, each where the next graph reads it.

        `numpy()` of the first is an array.
        """
        ...


class Stream:
    """Runs the graphs that compute visual vectors piece by piece.

    Args:
        reach: How the windows share vectors.
        alone: The graph for a piece by itself.
        through: The graph for a piece that goes on from the one before.
        join: The graph for the frames around the edge of two pieces.
        end: The graph for the last frames of a window whose last piece went on.
    """

    def __init__(
        self,
        reach: Reach,
        alone: Graph,
        through: Graph,
        join: Graph,
        end: Graph,
    ) -> None:
        self.reach = reach
        self.earlier = int(reach.before.shape[1])
        self._alone, self._through, self._join, self._end = alone, through, join, end

    def vectors(self, faces: UInt8, pieces: Sequence[Piece]) -> Iterator[Float32]:
        """Compute vectors (n, V) in the order of their numbers, from (n, 112, 112) faces."""
        reach = self.reach
        found: Mapping[str, Any] = {}
        for piece in pieces:
            kept = _values(found, reach.kept)
            if piece.goes_on:
                found = self.go_on(faces[piece.start - self.earlier : piece.end], found)
            else:
                found = self.begin(faces[piece.start : piece.end])
            yield found[reach.vectors.name].numpy()[0]
            if piece.joins:
                yield self._join.run({**kept, **_values(found, reach.coming)})[0]
            if piece.ends:
                yield self.at_end(found)

    def begin(self, faces: UInt8) -> Mapping[str, Any]:
        """Run a piece (n, 112, 112) by itself; return what the graph gives."""
        return self._alone.run_on({self.reach.seen.name: _whole(faces)})

    def go_on(self, faces: UInt8, found: Mapping[str, Any]) -> Mapping[str, Any]:
        """Run a piece that goes on from the one that gave `found`; return what the graph gives.

        Args:
            faces: (earlier + n, 112, 112), the last faces of that one and those of the piece.
            found: What it gave.
        """
        seen, kept = _whole(faces), _values(found, self.reach.kept)
        inputs = {
            self.reach.before.name: seen[:, : self.earlier],
            self.reach.seen.name: seen[:, self.earlier :],
        }
        past = {
            tensor.name: kept[tensor.name.replace("past", "kept")] for tensor in self.reach.past
        }
        return self._through.run_on({**inputs, **past})

    def at_end(self, found: Mapping[str, Any]) -> Float32:
        """The vectors (reach, V) of the last frames, of a window that ends with the piece."""
        vectors: Float32 = self._end.run(_values(found, self.reach.kept))[0]
        return vectors


def _whole(faces: UInt8) -> Float32:
    return pictures(faces, np.arange(len(faces))[None])


def _values(found: Mapping[str, Any], tensors: Sequence[Tensor]) -> dict[str, Any]:
    return {tensor.name: found[tensor.name] for tensor in tensors if tensor.name in found}
