"""What is decided of a hop: events, and what the results are made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..types import Float32, Float64, Heard, Int64
from .events import LiveEvent


@dataclass(frozen=True, eq=False)
class DecidedRows:
    """Rows of a track that are decided for good.

    Attributes:
        track: The number of the track in the session.
        shot: The number of its shot.
        first_frame: The grid frame of the first row.
        boxes: (n, 4) float64.
        smoothed: (n, 3) float64.
        logits: (n, 2) float32, in context and calibrated.
        uncalibrated: (n, 2) float32, in context, not calibrated.
        speaking: (n,) bool.
        name: Who it is, as known now: a name, or person_N; None without an embedder.
        embedded: (m,) int64, grid frames embedded since the rows before.
        embeddings: (m, d) float32.
        ended: Whether these are the track's last rows; there may be none.
        source_id: The id that the detector gave it.
    """

    track: int
    shot: int
    first_frame: int
    boxes: Float64
    smoothed: Float64
    logits: Float32
    uncalibrated: Float32
    speaking: NDArray[np.bool_]
    name: str | None
    embedded: Int64
    embeddings: Float32
    ended: bool = False
    source_id: int | None = None


@dataclass(frozen=True, eq=False)
class Decided:
    """What is decided of a hop.

    Attributes:
        first: The grid frame from which on this is decided: `stop` of the hop before.
        stop: Before this grid frame all is decided for good. It never decreases.
        shots: As in `core.live.hops.Hop`.
        rows: Of each track those rows between `first` and `stop`.
        speech: (stop - first,) bool, whether the sound is speech; None without voice activity
            detection.
        off_screen: (stop - first,) bool, whether it is nobody's who is seen; None likewise.
        heard: The detected speech from `first` to `stop`; None likewise.
        events: What is to be told, in order, without delays.
    """

    first: int
    stop: int
    shots: tuple[tuple[int, int, int | None], ...]
    rows: tuple[DecidedRows, ...]
    speech: NDArray[np.bool_] | None
    off_screen: NDArray[np.bool_] | None
    heard: Heard | None
    events: tuple[LiveEvent, ...]
