"""Scores clips as the mean over windows of several lengths."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ....core.analysis.features import MFCC_STEPS_PER_FRAME, mfcc
from ....core.types import Clip, Float32, Scores, UInt8
from .windows import Int64, Span, cut

WINDOW_FRAMES_PER_FACE = 32
"""A frame takes megabytes in the visual frontend but 70 kB or less in a window of up to 60 s, so
this many times `batch_frames` go through the windows at once."""


class Runtime(Protocol):
    """What computes the network; see `TorchRuntime`.

    Attributes:
        device: "cpu" or "cuda:N".
        window_frames: How many frames the windows handed to `logits` may have in all, if it is
            more than one window.
    """

    device: str
    window_frames: int

    def look(self, faces: UInt8, spans: Sequence[Span]) -> tuple[NDArray[Any], list[Int64]]:
        """What windows see: rows for (n, 112, 112) faces, and those of each window's frames."""

    def logits(self, visual: NDArray[Any], mfcc: Float32) -> Float32:
        """(k, T, ...) of these rows and (k, 4 T, 13) MFCC to logits (k, T, 2)."""


class _Window(NamedTuple):
    """A window of one of the clips.

    Attributes:
        clip: The number of the clip.
        start: Its first frame.
        end: One past its last frame.
        times: How many of the window lengths have this very window.
        rows: (end - start,) what its frames look like, as rows of the clip's.
    """

    clip: int
    start: int
    end: int
    times: int
    rows: Int64


class WindowedScorer:
    """Scores clips with a network that looks at windows.

    The numbers are those of running the network over each window by itself; what several windows
    share is computed once.

    Args:
        runtime: The network, on its device.
        window_seconds: The lengths of the windows.
    """

    def __init__(self, runtime: Runtime, window_seconds: Sequence[int]) -> None:
        self._runtime = runtime
        self._window_seconds = window_seconds

    @property
    def device(self) -> str:
        """Where it computes: "cpu" or "cuda:N"."""
        return self._runtime.device

    def score(self, clips: Sequence[Clip]) -> list[Scores]:
        """Score clips of any length; clips do not influence each other.

        Returns:
            One `Scores` per clip, the mean of the logits over the window lengths.
        """
        totals = [np.zeros((len(clip), 2), np.float32) for clip in clips]
        vectors: list[NDArray[Any]] = []
        sounds = [mfcc(clip) for clip in clips]
        by_length: dict[int, list[_Window]] = defaultdict(list)
        for number, clip in enumerate(clips):
            spans = cut(len(clip), self._window_seconds)
            found, rows = self._runtime.look(clip.faces, list(spans))
            vectors.append(found)
            for ((start, end), times), mine in zip(spans.items(), rows, strict=True):
                by_length[end - start].append(_Window(number, start, end, times, mine))
        for length, windows in by_length.items():
            at_once = max(1, self._runtime.window_frames // length)
            for first in range(0, len(windows), at_once):
                batch = windows[first : first + at_once]
                logits = self._runtime.logits(
                    np.stack([vectors[window.clip][window.rows] for window in batch]),
                    np.stack([_steps(sounds[window.clip], window) for window in batch]),
                )
                for window, found in zip(batch, logits, strict=True):
                    totals[window.clip][window.start : window.end] += window.times * found
        return [Scores(total / np.float32(len(self._window_seconds))) for total in totals]


def _steps(sound: Float32, window: _Window) -> Float32:
    """The MFCC steps of a window."""
    return sound[MFCC_STEPS_PER_FRAME * window.start : MFCC_STEPS_PER_FRAME * window.end]
