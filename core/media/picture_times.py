"""When each picture of a video begins, and which one each frame of the grid shows."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from ..types import Float64, Int64
from .container import Media, packets_of, repeats
from .picture import on_grid


def picture_times(media: Media) -> tuple[Float64, Int64]:
    """Find when each picture begins, by the timestamps of the file alone, without decoding.

    Pictures that an edit list hides, and empty packets, which repeat the picture before, do not
    count, nor do pictures without a time; damaged ones do.

    Args:
        media: The video.

    Returns:
        (m,) float64, rising, the seconds from time zero; and (k,) int64, for each frame of the grid
        from 0 on the number of the picture that `core.media.picture.frames` chooses for it.

    Raises:
        InputError: The file has changed.
    """
    with media.picture.opened() as (container, stream):
        stamps = {
            packet.pts * packet.time_base - media.zero
            for packet in media.clock.placed(packets_of(container, stream))
            if packet.pts is not None and not packet.is_discard and not repeats(packet)
        }
    begins = sorted(time for time in stamps if time >= 0)
    if not begins:
        return np.empty(0), np.empty(0, np.int64)
    ends = [*begins[1:], max(begins[-1], Fraction(media.info.duration_s))]
    timed = zip(begins, ends, range(len(begins)), strict=True)
    shown = [number for _, number in on_grid(timed, early_s=media.early_s)]
    return np.array([float(time) for time in begins]), np.array(shown, np.int64)
