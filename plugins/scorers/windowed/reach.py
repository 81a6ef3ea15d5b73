"""What windows share of a visual frontend that sees a few frames to each side."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from . import tensors
from .windows import Int64, PassPlan, Span

_LEAST_REACHES = 8
"""How many reaches a run may be long in any case; so at most a quarter is computed in vain."""
_UNKNOWN = -1


class Reach:
    """Shares the vectors of frames that see the same frames.

    The frontend joins frames by convolutions over time, each of which sees zeros beyond the edges
    of its window. So a vector depends on the frames within reach, and on where edges are if they
    are within reach: amid a window it is that of the whole clip, and near an edge it is that of
    any window with this edge. Runs of frames are chosen that give each vector once. A clip in
    windows of 1 to 6 s takes about two passes instead of six.

    Args:
        reach: How many frames to each side a vector depends on: the sum of half the kernels.
        size: Values of a vector.
    """

    def __init__(self, reach: int, size: int) -> None:
        self._reach = reach
        axes = ("batch", "frames")
        self.seen = tensors.seen("frames", "successive grey faces")
        self.vectors = tensors.vectors(size, "a visual vector for each frame", *axes)
        self.visual = tensors.vectors(size, "the visual vectors of a window's frames", *axes)

    def plan(self, spans: Sequence[Span], batch_frames: int) -> PassPlan:
        """Plan runs that give each distinct vector; see `Sharing.plan`.

        No piece has more than `batch_frames` frames, or eight times the reach if that is more.
        """
        frames = max(end for _, end in spans)
        longest = max(batch_frames, _LEAST_REACHES * self._reach)
        runs = self._runs(spans, frames, longest)
        pieces = list(_pieces(runs, longest))
        rows = np.full(self._table(frames), _UNKNOWN)
        count = 0
        for run in (run for piece in pieces for run in piece):
            rows[self._sights(run[0], run[-1] + 1)] = np.arange(count, count + len(run))
            count += len(run)
        return PassPlan(pieces, [rows[self._sights(*span)] for span in spans])

    def _table(self, frames: int) -> tuple[int, int, int]:
        """Shape of a table with a place for each vector that there can be."""
        return frames, self._reach + 1, self._reach + 1

    def _sights(self, start: int, end: int) -> tuple[Int64, Int64, Int64]:
        """For each frame of a window its number and how many it sees before it and after it."""
        frames = np.arange(start, end)
        before, after = frames - start, end - 1 - frames
        return frames, np.minimum(before, self._reach), np.minimum(after, self._reach)

    def _runs(self, spans: Sequence[Span], frames: int, longest: int) -> Iterator[Span]:
        """Choose runs of frames that together give all vectors of the windows."""
        lacking = np.zeros(self._table(frames), bool)
        for span in spans:
            lacking[self._sights(*span)] = True
        # The windows of the shortest length have most edges, and a pass over the whole clip gives
        # what lies amid all the others.
        shortest = [end for _, end in spans].index(frames) + 1
        for start, end in [*spans[:shortest], (0, frames), *spans[shortest:]]:
            sights = self._sights(start, end)
            for run in self._cover(sights[0][lacking[sights]], (start, end), longest):
                lacking[self._sights(*run)] = False
                yield run

    def _cover(self, frames: Int64, window: Span, longest: int) -> Iterator[Span]:
        """Runs that give the vectors that some frames have in a window."""

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
    """Runs of one length together, as frames (b, t)."""
    by_length: dict[int, list[int]] = defaultdict(list)
    for start, end in runs:
        by_length[end - start].append(start)
    for length, starts in by_length.items():
        at_once = max(1, longest // length)
        for first in range(0, len(starts), at_once):
            yield np.array(starts[first : first + at_once])[:, None] + np.arange(length)
