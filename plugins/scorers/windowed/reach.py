"""Plans the work of a visual frontend whose vectors depend on a few frames to each side."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ....core.exportable import Tensor
from . import tensors
from .windows import Int64, PassPlan, Span

_LEAST_REACHES = 8
"""A run may always be so many reaches long; so at most a quarter of its vectors is wasted."""
_UNKNOWN = -1


class Layer(NamedTuple):
    """What temporal convolutions read, one after another.

    Attributes:
        reach: How many frames they reach to each side.
        pixels: Pixels of their pictures.
        channels: Channels of their pictures.
    """

    reach: int
    pixels: int
    channels: int


class Contract(NamedTuple):
    """The inputs and the outputs of a graph, in their order."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]


class Reach:
    """Shares vectors between windows where they depend on the same frames and edges.

    The frontend's temporal convolutions read zeros beyond a window's edges. So a vector depends on
    the frames within reach, and on the window's edges within reach. Away from a window's edges the
    vector equals the one computed over the whole clip; near an edge it equals that of any window
    sharing the edge. `plan` chooses runs of frames that together give each distinct vector; a clip
    in windows of 1 to 6 s takes about two passes instead of six.

    Args:
        reach: How many frames to each side a vector depends on: the sum of the half kernel sizes.
        size: Values per vector.
        layers: The inputs of its temporal convolutions, without repeats: for each by how many
            frames it reaches to each side, how many pixels, how many channels; those that see the
            faces' own frames first.

    Attributes:
        frames: The reach.
        before: Faces of the previous piece of a clip, an input of the graph `through`; see
            `stream`.
        past: What is handed on from one piece of a clip to the next, as inputs of that graph.
        kept: The same as outputs, preceded by what `before` stands for; inputs of the graphs
            `join` and `end`.
        coming: What is handed back from a piece to the one before, inputs of the graph `join`.
        joined: The output of the graph `join`.
        ended: The output of the graph `end`.
        graphs: The graphs that `stream.Stream` runs, by name, in the order of `Model.parts`.
    """

    def __init__(self, reach: int, size: int, layers: Sequence[Layer]) -> None:
        self.frames = self._reach = reach
        axes = ("batch", "frames")
        first = 2 * layers[0].reach
        self.before = tensors.seen(first, "the grey faces before these", "before")
        inputs = "inputs of a temporal convolution: frames, pixels, channels"
        kept, coming = (
            [
                tensors.context(f"{name}_{number}", (2 * r, pixels, channels), meaning)
                for number, (r, pixels, channels) in enumerate(layers)
            ]
            for name, meaning in (
                ("kept", f"the latest {inputs}, that no edge of a window is within reach of"),
                ("coming", f"the first {inputs}, that no edge of a window is within reach of"),
            )
        )
        self.kept, self.coming = tuple(kept), tuple(coming)
        self.past = tuple(
            replace(tensor, name=tensor.name.replace("kept", "past"))
            for tensor, layer in zip(kept, layers, strict=True)
            if layer.pixels < layers[0].pixels
        )
        self.ended = Tensor(
            "visual", ("batch", reach, size), "the vectors of a window's last frames", 0, 2
        )
        self.joined = Tensor(
            "visual", ("batch", 2 * reach, size), "the vectors of the frames around an edge", 0, 2
        )
        self.seen = tensors.seen("frames", "successive grey faces")
        self.vectors = tensors.vectors(size, "a visual vector for each frame", *axes)
        self.visual = tensors.vectors(size, "the visual vectors of a window's frames", *axes)
        self.graphs = {
            "alone": Contract((self.seen,), (self.vectors, *kept, *coming)),
            "through": Contract((self.before, self.seen, *self.past), (self.vectors, *kept)),
            "join": Contract((*kept, *coming), (self.joined,)),
            "end": Contract((*kept,), (self.ended,)),
        }

    def plan(self, spans: Sequence[Span], batch_frames: int) -> PassPlan:
        """Plan runs that give each distinct vector; see `Sharing.plan`.

        A piece has at most `batch_frames` frames, or eight times the reach if that is more.
        """
        rows = self.no_rows(spans)
        pieces = self.complete(rows, 0, spans, batch_frames)
        return PassPlan(pieces, [rows[self.sights(*span)] for span in spans])

    def no_rows(self, spans: Sequence[Span]) -> Int64:
        """A table for the row number of each possible vector, see `sights`, still without any."""
        return np.full((max(end for _, end in spans), self._reach + 1, self._reach + 1), _UNKNOWN)

    def complete(
        self, rows: Int64, count: int, spans: Sequence[Span], batch_frames: int
    ) -> list[Int64]:
        """Plan runs that give the vectors that have no row yet, and number these from `count` on.

        Returns:
            The pieces; see `plan`.
        """
        longest = max(batch_frames, _LEAST_REACHES * self._reach)
        pieces = list(_pieces(self._runs(rows, spans, longest), longest))
        for run in (run for piece in pieces for run in piece):
            rows[self.sights(run[0], run[-1] + 1)] = np.arange(count, count + len(run))
            count += len(run)
        return pieces

    def sights(self, start: int, end: int) -> tuple[Int64, Int64, Int64]:
        """Table indices of a window's vectors: frame, and frames in reach before and after."""
        frames = np.arange(start, end)
        before, after = frames - start, end - 1 - frames
        return frames, np.minimum(before, self._reach), np.minimum(after, self._reach)

    def _runs(self, rows: Int64, spans: Sequence[Span], longest: int) -> Iterator[Span]:
        """Choose runs of frames that together give all vectors that windows need and have not."""
        lacking = np.zeros(rows.shape, bool)
        for span in spans:
            sights = self.sights(*span)
            lacking[sights] = rows[sights] == _UNKNOWN
        frames = len(rows)
        # First the shortest windows, which have the most edges; then the whole clip, which gives
        # all vectors away from the edges of the longer windows.
        shortest = [end for _, end in spans].index(frames) + 1
        for start, end in [*spans[:shortest], (0, frames), *spans[shortest:]]:
            sights = self.sights(start, end)
            for run in self._cover(sights[0][lacking[sights]], (start, end), longest):
                lacking[self.sights(*run)] = False
                yield run

    def _cover(self, frames: Int64, window: Span, longest: int) -> Iterator[Span]:
        """Runs within a window that give the vectors of some of its frames."""

        def run(first: int, last: int) -> Span:
            return max(first - self._reach, window[0]), min(last + self._reach + 1, window[1])

        group: list[int] = []
        for frame in frames.tolist():
            if group:
                start, end = run(group[0], frame)
                if frame - group[-1] > 2 * self._reach or end - start > longest:
                    yield run(group[0], group[-1])
                    group = []
            group.append(frame)
        if group:
            yield run(group[0], group[-1])


def _pieces(runs: Iterable[Span], longest: int) -> Iterator[Int64]:
    """Batch runs of equal length, as frame numbers (b, t)."""
    by_length: dict[int, list[int]] = defaultdict(list)
    for start, end in runs:
        by_length[end - start].append(start)
    for length, starts in by_length.items():
        at_once = max(1, longest // length)
        for first in range(0, len(starts), at_once):
            yield np.array(starts[first : first + at_once])[:, None] + np.arange(length)
