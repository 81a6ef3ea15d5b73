"""Times in words, and the round ones among them."""

from __future__ import annotations

import math

_STEPS_S = (1, 2, 5, 10, 15, 30, *(60 * n for n in (1, 2, 5, 10, 15, 30, 60, 120, 360, 720)))


def clock(time_s: float) -> str:
    """A time as m:ss, or as h:mm:ss from an hour on; parts of a second are cut off."""
    minutes, seconds = divmod(int(time_s), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def round_times(start_s: float, end_s: float, most: float) -> range:
    """Whole seconds at a round distance, in order.

    Args:
        start_s: The first one is not before this.
        end_s: The last one is not after this.
        most: About so many at most.
    """
    least_s = (end_s - start_s) / most
    step_s = next((step for step in _STEPS_S if step >= least_s), _STEPS_S[-1])
    return range(math.ceil(start_s / step_s) * step_s, math.floor(end_s) + 1, step_s)
