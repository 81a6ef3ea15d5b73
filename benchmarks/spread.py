"""Ratios of what was measured in turns, with their spread."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple


class Spread(NamedTuple):
    """The median of some values, and their range."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """The spread of at least one value."""
        return cls(median(values), min(values), max(values))

    def __str__(self) -> str:
        return f"{self.median:.3f} ({self.low:.3f} to {self.high:.3f})"


def ratios(old: Sequence[float], new: Sequence[float]) -> Spread:
    """The spread of new over old, round by round.

    The two of a round were measured one right after the other, so a change of the machine's pace
    between rounds does not count.
    """
    return Spread.of([n / o for o, n in zip(old, new, strict=True)])
