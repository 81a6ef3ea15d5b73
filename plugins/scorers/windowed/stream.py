"""Computes the visual vectors of a clip piece by piece, as few as its windows share.

A network whose sharing is `Reach` is a sequence of layers, each of which reaches a few frames to
either side. Away from a window's edges all windows share what a layer computes. So a clip passes
once through the graph `through`, which keeps what its layers still need of the previous piece;
where windows begin or end, the graphs `begin` and `end` compute the few frames that differ, in the
first layers fewer than in the last. A clip in windows of 1 to 6 s takes about 1.4 passes where
whole runs of frames take 2.2, and memory for one piece whatever its length.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from ....core.types import Float32, UInt8
from ...support.onnx import OnnxSession
from .reach import Reach
from .windows import Int64, Span, pictures

_EDGE_COST = 2 / 3
"""What the vectors at an edge cost, in frames for each frame of reach: layers before the last
compute fewer."""


class Piece(NamedTuple):
    """Frames that pass at once.

    Attributes:
        start: The first of them.
        end: One past the last.
        begins: Windows begin at `start`.
        ends: Windows end at `end`.
    """

    start: int
    end: int
    begins: bool
    ends: bool


class StreamPlan(NamedTuple):
    """The work for a clip.

    Attributes:
        stream: The pieces of the clip in their order. Their vectors are numbered consecutively:
            for each piece those of its frames less the reach, of its beginning, and of its end.
        rest: The frontend's batches for all other vectors, as in `PassPlan`.
        rows: For each window, the vector numbers of its frames.
    """

    stream: list[Piece]
    rest: list[Int64]
    rows: list[Int64]


def plan(reach: Reach, spans: Sequence[Span], batch_frames: int) -> StreamPlan:
    """Plan the cheaper of two ways: a stream, with whole runs for what it lacks, or runs alone.

    Args:
        reach: How the windows share vectors.
        spans: The windows, as `windows.cut` gives them.
        batch_frames: How many frames a piece may have; those where windows begin have at least
            twice the reach.
    """
    plain = reach.plan(spans, batch_frames)
    rows = reach.no_rows(spans)
    stream = list(_pieces(reach, spans, batch_frames))
    count = 0
    for piece in stream:
        count = _number(reach, rows, piece, count)
    rest = reach.complete(rows, count, spans, batch_frames)
    edges = sum(piece.begins + piece.ends for piece in stream)
    cost = len(rows) + edges * _EDGE_COST * reach.frames + _size(rest)
    if cost >= _size(plain.pieces):
        return StreamPlan([], *plain)
    return StreamPlan(stream, rest, [rows[reach.sights(*span)] for span in spans])


def _size(pieces: Sequence[Int64]) -> int:
    return sum(piece.size for piece in pieces)


def _pieces(reach: Reach, spans: Sequence[Span], batch_frames: int) -> Iterator[Piece]:
    """Cut a clip where windows begin or end, and in between so that pieces are short enough.

    An edge too close to the one before, or to the clip's end, is passed over.
    """
    least = 2 * reach.frames
    starts, ends = ({span[side] for span in spans} for side in (0, 1))
    frames = max(ends)
    cuts = [0]
    for edge in sorted((starts | ends) - {0, frames}):
        if edge - cuts[-1] >= least:
            cuts.append(edge)
    for cut, after in zip(cuts, [*cuts[1:], frames], strict=True):
        for start in range(cut, after, max(batch_frames, least)):
            end = min(start + max(batch_frames, least), after)
            begins = start == cut and start in starts and end - start >= least
            yield Piece(start, end, begins, end == after and end in ends and end >= least)


def _number(reach: Reach, rows: Int64, piece: Piece, count: int) -> int:
    """Note the row numbers of a piece's vectors, which begin with `count`; returns the next."""
    r = reach.frames
    frames = np.arange(piece.start, piece.end) - r
    numbers = count + np.arange(len(frames))
    inner = (frames >= r) & (frames < len(rows) - r)
    rows[frames[inner], r, r] = numbers[inner]
    count += len(frames)
    near = np.arange(r)
    if piece.begins:
        rows[piece.start + near, near, r] = count + near
        count += r
    if piece.ends:
        rows[piece.end - r + near, r, r - 1 - near] = count + near
        count += r
    return count


class Stream:
    """Runs the graphs of a bundle that compute visual vectors.

    Args:
        reach: How the windows share vectors.
        through: The graph for the pieces of a clip.
        begin: The graph for the beginnings of windows.
        end: The graph for their ends.
    """

    def __init__(
        self, reach: Reach, through: OnnxSession, begin: OnnxSession, end: OnnxSession
    ) -> None:
        self._reach, self._through, self._begin, self._end = reach, through, begin, end

    def vectors(self, faces: UInt8, pieces: Sequence[Piece]) -> Iterator[Float32]:
        """Compute vectors (n, V) in the order of their numbers, from (n, 112, 112) faces."""
        reach = self._reach
        past = {
            tensor.name: np.zeros(tensor.sized({"batch": 1}), np.float32) for tensor in reach.past
        }
        earlier = int(reach.before.shape[1])
        for piece in pieces:
            frames = np.arange(piece.start - earlier, piece.end).clip(0)
            seen = pictures(faces, frames[None])
            inputs = {reach.before.name: seen[:, :earlier], reach.seen.name: seen[:, earlier:]}
            found = self._through.run_all({**inputs, **past})
            kept = {tensor.name: found[tensor.name] for tensor in reach.kept}
            past = {
                name: kept[name.replace("past", "kept")]
                for name in (tensor.name for tensor in reach.past)
            }
            yield found[reach.vectors.name][0]
            if piece.begins:
                coming = {tensor.name: found[tensor.name] for tensor in reach.coming}
                yield self._begin.run(coming)[0]
            if piece.ends:
                yield self._end.run(kept)[0]
