"""Finds the frame rate of a picture, as stated or measured."""

from __future__ import annotations

from fractions import Fraction
from itertools import islice, pairwise
from typing import Any

from ..types import GRID_FPS
from .container import EARLY_S, Source, packets_of

_LEAST_FPS = Fraction(1, 4)
_MOST_FPS = 480
"""Stated rates outside these are replaced by a measurement: DV states 60000, and a jump in the
timestamps gives nearly 0."""
_MEASURED_PACKETS = 100
_MOST_EARLY_S = Fraction(1, 2)


def stated_rate(stream: Any) -> Fraction | None:
    """The frame rate stated in the file; None if it is not plausible."""
    for rate in (stream.average_rate, stream.guessed_rate):
        if rate is not None and _LEAST_FPS <= rate <= _MOST_FPS:
            return Fraction(rate)
    return None


def measured_rate(picture: Source) -> Fraction:
    """The frame rate, measured on the first packets."""
    with picture.opened() as (container, stream):
        packets = islice(packets_of(container, stream), _MEASURED_PACKETS)
        stamps = sorted({packet.pts for packet in packets if packet.pts is not None})
        steps = sorted(after - before for before, after in pairwise(stamps))
        return 1 / (steps[len(steps) // 2] * stream.time_base) if steps else Fraction(GRID_FPS)


def early(rate: Fraction | None) -> Fraction:
    """`Media.early_s`: half a grid step, or half a frame at lower frame rates, up to 0.5 s."""
    return EARLY_S if not rate else min(max(EARLY_S, 1 / Fraction(2 * rate)), _MOST_EARLY_S)
