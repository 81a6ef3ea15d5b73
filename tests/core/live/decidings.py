"""What a decider may say, made by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from asdkit.core.live.decided import Decided, DecidedRows
from asdkit.core.types import Heard


def rows(track: int, first: int, frames: int, **other: Any) -> DecidedRows:
    """Rows of a track that tell which frames they are of: in their boxes, and in their scores."""
    numbers = np.arange(first, first + frames, dtype=np.float64)
    values: dict[str, Any] = {
        "track": track,
        "shot": 0,
        "first_frame": first,
        "boxes": np.stack([numbers, numbers, numbers + 40, numbers + 40], 1),
        "smoothed": np.stack([numbers + 20, numbers + 20, np.full(frames, 20.0)], 1),
        "logits": np.stack([np.zeros(frames), numbers / 1000], 1).astype(np.float32),
        "uncalibrated": np.stack([np.zeros(frames), numbers / 500], 1).astype(np.float32),
        "speaking": numbers % 20 >= 10,
        "name": None,
        "embedded": np.empty(0, np.int64),
        "embeddings": np.empty((0, 0), np.float32),
    }
    return DecidedRows(**{**values, **other})


def decided(
    first: int,
    stop: int,
    *own: DecidedRows,
    shots: Sequence[tuple[int, int, int | None]] = ((0, 0, None),),
    heard: bool = False,
) -> Decided:
    """What a hop decided of these frames; with sound that is speech in every other second."""
    speech = (np.arange(first, stop) // 25) % 2 == 1
    return Decided(
        first,
        stop,
        tuple(shots),
        own,
        speech if heard else None,
        speech if heard else None,
        Heard(first, speech.astype(np.float32)) if heard else None,
        (),
    )
