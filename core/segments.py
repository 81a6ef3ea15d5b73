"""From probabilities to speaking segments."""

from __future__ import annotations

from dataclasses import dataclass

from .types import GRID_FPS, Float32


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


def speaking_segments(
    probabilities: Float32, first_frame: int, config: SegmentsConfig
) -> tuple[tuple[float, float], ...]:
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
    shortest = config.min_s * GRID_FPS - 1e-9  # 0.2 s is five frames, whatever floats make of it
    return tuple(
        ((first_frame + a) / GRID_FPS, (first_frame + b) / GRID_FPS)
        for a, b in spans
        if b - a >= shortest
    )
