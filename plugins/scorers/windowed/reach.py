"""Plans the work of a visual frontend whose vectors depend on a few frames to each side."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from . import tensors
from .windows import Int64, PassPlan, Span

_LEAST_REACHES = 8
"""A run may always be so many reaches long; so at most a quarter of its vectors is wasted."""
_UNKNOWN = -1


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
    """

    def __init__(self, reach: int, size: int) -> None:
        self._reach = reach
        axes = ("batch", "frames")
        self.seen = tensors.seen("frames", "successive grey faces")
        self.vectors = tensors.vectors(size, "a visual vector for each frame", *axes)
        self.visual = tensors.vectors(size, "the visual vectors of a window's frames", *axes)

    def plan(self, spans: Sequence[Span], batch_frames: int) -> PassPlan:
        """Plan runs that give each distinct vector; see `Sharing.plan`.

        A piece has at most `batch_frames` frames, or eight times the reach if that is more.
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
        """Shape of a table with an entry for each possible vector; see `_sights`."""
        return frames, self._reach + 1, self._reach + 1

    def _sights(self, start: int, end: int) -> tuple[Int64, Int64, Int64]:
        """Table indices of a window's vectors: frame, and frames in reach before and after."""
        frames = np.arange(start, end)
        before, after = frames - start, end - 1 - frames
        return frames, np.minimum(before, self._reach), np.minimum(after, self._reach)

    def _runs(self, spans: Sequence[Span], frames: int, longest: int) -> Iterator[Span]:
        """Choose runs of frames that together give all vectors of all windows."""
        lacking = np.zeros(self._table(frames), bool)
        for span in spans:
            lacking[self._sights(*span)] = True
        # First the shortest windows, which have the most edges; then the whole clip, which gives
        # all vectors away from the edges of the longer windows.
        shortest = [end for _, end in spans].index(frames) + 1
        for start, end in [*spans[:shortest], (0, frames), *spans[shortest:]]:
            sights = self._sights(start, end)
            for run in self._cover(sights[0][lacking[sights]], (start, end), longest):
                lacking[self._sights(*run)] = False
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
