"""Measures on the first part of a video how late its sound is, before the whole of it is run."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .decisions.in_step import fit_of
from .notes import Notes
from .sync import Fit, Piece

STRETCH_S = 30.0
"""How many seconds are looked at before the offset is asked for, and again if it is not known."""
LEAST_MOVED_S = 0.3
"""Where less than a stretch is looked at, a smaller offset is left alone: what a few seconds of
speech tell may be as wrong as that (docs/input.md)."""
MOST_STRETCHES = 4
"""After so many stretches without an answer the sound is left as it is."""


class Aside(Notes):
    """Notes of a first look: nobody reads them, as the run itself will note the same."""

    def add(self, sentence: str) -> None:
        """Leave a sentence out."""


def measured(
    look: Callable[[float, float], Sequence[Sequence[Piece]]],
    start_s: float,
    end_s: float,
    *,
    can_refuse: bool,
) -> Fit:
    """Whether the sound fits the lips, from as much of a video as that takes.

    Args:
        look: Passes over the part of the video between two times in seconds; returns for each track
            its pieces, scored with shifted sound.
        start_s: Where the run begins.
        end_s: Where it ends.
        can_refuse: See `core.decisions.in_step.fit_of`.

    Returns:
        What all stretches together tell: the first that lets the sound fit is the last one.
    """
    pieces: list[Piece] = []
    fit = Fit()
    for number in range(MOST_STRETCHES):
        begin_s = start_s + number * STRETCH_S
        if begin_s >= end_s or fit.fits == "yes":
            break
        for track in look(begin_s, min(begin_s + STRETCH_S, end_s)):
            pieces += track
        fit = fit_of(pieces, can_refuse=can_refuse)
    return fit


def moved_by(fit: Fit, looked_s: float) -> float:
    """By how many seconds to move a sound to an earlier time; negative to a later one.

    Args:
        fit: What was measured.
        looked_s: How many seconds there were to look at.
    """
    if fit.offset_s is None or not fit.is_out_of_step:
        return 0.0
    if looked_s < STRETCH_S and abs(fit.offset_s) < LEAST_MOVED_S:
        return 0.0
    return fit.offset_s
