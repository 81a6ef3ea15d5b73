"""How faces are scored and decided while they are still being seen."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..types import CLIP_FRAMES, GRID_FPS

REAL, FAST = "real", "fast"
PACES = (REAL, FAST)
"""The values of the option `pace`."""
_LIMITS_S = {
    "hop_s": (1 / GRID_FPS, 10.0),
    "context_s": (0.4, CLIP_FRAMES / GRID_FPS),
    "lookahead_s": (0.0, 10.0),
    "memory_s": (1.0, 600.0),
    "late_s": (0.1, 60.0),
    "skip_s": (0.2, 600.0),
    "stall_s": (0.5, 600.0),
}


@dataclass(frozen=True)
class LiveConfig:
    """How faces are scored and decided while they are still being seen.

    All seconds are rounded to grid frames of 1/25 s. What a hop computes depends on nothing but
    the frames and the sound before it, so the same frames give the same numbers on every machine.

    Attributes:
        hop_s: The faces in sight are scored anew every so many seconds.
        context_s: How much of a face, and of its sound, a score is computed from: the longest
            stretch before the newest frame that the scorer is given. Longer takes more time.
        lookahead_s: A score is certain, and never computed anew, once so many seconds after its
            frame have been seen; before, it is provisional.
        memory_s: A context sees so many seconds of certain scores of a shot, and the provisional
            ones after them. Who speaks is decided from all scores there were.
        late_s: If the machine is too slow and a frame has waited longer than this, it is left out:
            the picture before it is held, no face is looked for in it, and of the hops that are due
            at such frames every other one is left out, too. One frame in five is looked at all the
            same.
        skip_s: If a frame has waited longer than this all the same, all that waits is skipped: the
            shot ends, as at a cut.
        stall_s: If nothing comes for so long, the stream counts as stalled, and the shot ends.
        reconnect_s: For how long a stream that broke off is tried to be opened again; null tries
            for ever, 0 not at all. A file or a pipe has ended when it ends.
        part_s: Results are written every so many seconds, each part into a folder of its own, so
            that memory stays the same for days; null writes one result at the end.
    """

    hop_s: float = 0.2
    context_s: float = 1.6
    lookahead_s: float = 0.12
    memory_s: float = 20.0
    late_s: float = 0.5
    skip_s: float = 3.0
    stall_s: float = 2.0
    reconnect_s: float | None = None
    part_s: float | None = 60.0

    def __post_init__(self) -> None:
        for name, (least, most) in _LIMITS_S.items():
            value = getattr(self, name)
            if not least <= value <= most:
                raise ValueError(f"{name} must be from {least:g} to {most:g}, got {value:g}")
        if self.reconnect_s is not None and self.reconnect_s < 0:
            raise ValueError(f"reconnect_s must not be negative, got {self.reconnect_s:g}")
        if self.part_s is not None and not 1 <= self.part_s < math.inf:
            raise ValueError(f"part_s must be at least 1, or null, got {self.part_s:g}")
        if self.hop_s + self.lookahead_s >= self.context_s:
            raise ValueError(
                f"context_s={self.context_s:g} must be longer than hop_s={self.hop_s:g} and "
                f"lookahead_s={self.lookahead_s:g} together"
            )
        if self.skip_s <= self.late_s:
            raise ValueError(f"skip_s={self.skip_s:g} must be longer than late_s={self.late_s:g}")

    def frames(self, name: str) -> int:
        """An option in seconds as a number of grid frames."""
        seconds: float = getattr(self, name)
        return round(seconds * GRID_FPS)
