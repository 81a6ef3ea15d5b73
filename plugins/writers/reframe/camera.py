"""Moves a crop smoothly: it rests while it can, and its speed and acceleration are limited."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ....core.types import GRID_FPS, Float64


@dataclass(frozen=True)
class Motion:
    """How a camera may move.

    Attributes:
        dead_zone: How far what it follows may go to either side before it moves.
        speed: The most that it moves in a second, in the same unit.
        ease_s: Seconds in which it comes from rest to full speed.
    """

    dead_zone: float
    speed: float
    ease_s: float


def followed(wanted: Float64, motion: Motion) -> Float64:
    """A smooth path that follows a wanted one, coordinate by coordinate.

    First the path as near to the wanted one as the limit of speed v allows: the mean of the least
    path above it and the greatest below it that keep the limit (McShane 1934, "Extension of range
    of functions"),

        max over s of (wanted(s) - v |t - s|)  and  min over s of (wanted(s) + v |t - s|).

    A fast move so begins before its cause, and half of it is over when that happens. Then a rest
    wherever what is followed stays in the dead zone: the path is pushed along by the zone's edges,
    forward in time and backward, and the mean of both is taken. At last it is averaged over
    `ease_s`. All of this keeps within the range of what is wanted.

    Args:
        wanted: (n,) where the camera should be in each grid frame, n at least 1.
        motion: The limits.

    Returns:
        (n,) float64, which changes by at most v / 25 from frame to frame, that change by at most
        2 v / 25 / m, m being the frames of `ease_s`. Constant if what is wanted stays within twice
        the dead zone. Never beyond what is wanted.
    """
    from scipy.ndimage import uniform_filter1d  # slow to import, and most runs need no path

    step = motion.speed / GRID_FPS
    within = _limited(wanted, step)
    forward = _pushed(within, motion.dead_zone)
    backward = _pushed(within[::-1], motion.dead_zone)[::-1]
    length = easing_frames(motion)
    eased = uniform_filter1d((forward + backward) / 2, length, mode="nearest")
    # The running sum of the filter drifts by rounding errors.
    return np.asarray(np.clip(eased, wanted.min(), wanted.max()), np.float64)


def easing_frames(motion: Motion) -> int:
    """Over how many grid frames a path is averaged: an odd number, so that it is not shifted."""
    return 2 * round(motion.ease_s * GRID_FPS / 2) + 1


def _limited(wanted: Float64, step: float) -> Float64:
    """The path nearest to the wanted one that changes by at most `step` from frame to frame."""
    ramp = step * np.arange(len(wanted))
    below = np.maximum(
        np.maximum.accumulate(wanted + ramp) - ramp,
        (np.maximum.accumulate((wanted - ramp)[::-1]) + ramp[::-1])[::-1],
    )
    above = np.minimum(
        np.minimum.accumulate(wanted - ramp) + ramp,
        (np.minimum.accumulate((wanted + ramp)[::-1]) - ramp[::-1])[::-1],
    )
    return np.asarray((below + above) / 2, np.float64)


def _pushed(path: Float64, zone: float) -> Float64:
    """A path that rests while the given one is within `zone` of it, else is pushed by its edge."""
    at = _first_rest(path, zone)
    found = np.empty_like(path)
    for frame, value in enumerate(path.tolist()):
        at = min(max(at, value - zone), value + zone)
        found[frame] = at
    return found


def _first_rest(path: Float64, zone: float) -> float:
    """Where to rest first: in the middle of the whole path if it is within the zone of that.

    Else in the middle of its beginning, as far as that is within half the zone.
    """
    lowest, highest = np.minimum.accumulate(path), np.maximum.accumulate(path)
    spread = highest - lowest
    last = -1 if spread[-1] <= 2 * zone else int(np.count_nonzero(spread <= zone)) - 1
    return float(lowest[last] + highest[last]) / 2
