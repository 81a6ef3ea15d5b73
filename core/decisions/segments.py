"""Turns probabilities into speaking segments."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..arrays import within
from ..types import GRID_FPS, Float32, Spans


@dataclass(frozen=True)
class SegmentsConfig:
    """When a face counts as speaking.

    Attributes:
        on: A segment begins when the probability reaches this, from 0 to 1.
        off: It ends when the probability falls below this, from 0 to `on`.
        min_s: Segments shorter than this many seconds are left out.
    """

    on: float = 0.5
    off: float = 0.35
    min_s: float = 0.2

    def __post_init__(self) -> None:
        if not 0 <= self.off <= self.on <= 1:
            raise ValueError(
                f"off must lie from 0 to on, and on up to 1; got off={self.off} and on={self.on}"
            )
        if self.min_s < 0:
            raise ValueError(f"min_s must not be negative, got {self.min_s}")


@dataclass(frozen=True)
class SpeechConfig(SegmentsConfig):
    """When the sound counts as speech, with voice activity detection.

    Attributes:
        off_screen_min_s: Speech of no visible face counts as off-screen from this many seconds on.
    """

    off_screen_min_s: float = 0.4

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.off_screen_min_s < 0:
            raise ValueError(f"off_screen_min_s must not be negative, got {self.off_screen_min_s}")


def speaking_segments(probabilities: Float32, first_frame: int, config: SegmentsConfig) -> Spans:
    """The segments in which a face speaks, by hysteresis between two thresholds.

    Args:
        probabilities: (n,) from 0 to 1, one per grid frame.
        first_frame: Grid frame of the first probability.
        config: The thresholds.

    Returns:
        (start_s, end_s) of each segment, in order, end excluded.
    """
    spans: list[tuple[int, int]] = []
    start: int | None = None
    for k, p in enumerate(probabilities):
        if start is None and p >= config.on:
            start = k
        elif start is not None and p < config.off:
            spans.append((start, k))
            start = None
    if start is not None:
        spans.append((start, len(probabilities)))
    return _in_seconds(spans, first_frame, config.min_s)


def inside(spans: Spans, time_s: float) -> bool:
    """Whether a time lies in one of the spans, which must be sorted."""
    before = bisect_right(spans, (time_s, math.inf))
    return before > 0 and time_s < spans[before - 1][1]


def mask(spans: Spans, first_frame: int, frames: int) -> NDArray[np.bool_]:
    """Which of `frames` grid frames, from `first_frame` on, lie in spans: (frames,) bool."""
    return within(spans, first_frame, frames, GRID_FPS)


def uncovered(
    spans: Spans, others: Iterable[Spans], first_frame: int, frames: int, min_s: float
) -> Spans:
    """The parts of spans that no other span covers, of `min_s` seconds or more.

    Args:
        spans: The spans; all lie within the frames.
        others: The spans that may cover them.
        first_frame: The first grid frame to consider.
        frames: How many grid frames to consider.
        min_s: Shorter parts are left out.
    """
    left = mask(spans, first_frame, frames)
    for other in others:
        left &= ~mask(other, first_frame, frames)
    return stretches(left, first_frame, min_s)


def stretches(frames: NDArray[np.bool_], first_frame: int, min_s: float) -> Spans:
    """The spans of those grid frames that are true; the inverse of `mask`.

    Args:
        frames: (n,) bool, the grid frames from `first_frame` on.
        first_frame: The first grid frame.
        min_s: Shorter spans are left out.
    """
    edges = np.flatnonzero(np.diff(frames, prepend=False, append=False)).tolist()
    return _in_seconds(list(zip(edges[::2], edges[1::2], strict=True)), first_frame, min_s)


def _in_seconds(spans: list[tuple[int, int]], first_frame: int, min_s: float) -> Spans:
    """Drop spans of frames that are too short, and convert the others to seconds."""
    shortest = min_s * GRID_FPS - 1e-9  # 0.2 s is five frames despite rounding errors
    return tuple(
        ((first_frame + a) / GRID_FPS, (first_frame + b) / GRID_FPS)
        for a, b in spans
        if b - a >= shortest
    )
