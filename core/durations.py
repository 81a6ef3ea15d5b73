"""Times in words."""

from __future__ import annotations


def clock(time_s: float) -> str:
    """A time as m:ss, or as h:mm:ss from an hour on; parts of a second are cut off."""
    minutes, seconds = divmod(int(time_s), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
