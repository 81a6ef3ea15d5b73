"""What a stream comes to on the 25 fps grid."""

from __future__ import annotations

from dataclasses import dataclass

from ..pictures import Frame


@dataclass(frozen=True, eq=False)
class Tick:
    """A frame of the grid, whose sound has come, too.

    Attributes:
        frame: The frame. Its index counts from the first picture of the session on, and rises; it
            leaps where the stream was interrupted.
        at_s: When the last came that belongs to it, picture or sound, by `time.monotonic`.
        begins: Whether a stretch begins with it: the first frame, and the first after a gap.
        left_out: Whether its own picture was left out, as the machine is too slow; it holds the
            picture before it, the very same object.
    """

    frame: Frame
    at_s: float
    begins: bool = False
    left_out: bool = False


@dataclass(frozen=True)
class Gap:
    """The end of a stretch: nothing is known of the grid frames up to the next tick.

    Attributes:
        end: The grid frame after the last tick.
        reason: As in `core.live.arrivals.Broken`.
        at_s: When it was noticed, by `time.monotonic`.
    """

    end: int
    reason: str
    at_s: float


@dataclass(frozen=True)
class Notice:
    """Something to tell that ends no stretch.

    Attributes:
        reason: As in `core.live.arrivals.Broken`.
        at_s: When it was noticed, by `time.monotonic`.
    """

    reason: str
    at_s: float


@dataclass
class Counts:
    """What was counted so far, of pictures and grid frames.

    Attributes:
        pictures: Pictures that arrived.
        lost: Pictures, and pieces of sound, that were thrown away before, as too much waited.
        frames: Grid frames handed out.
        left_out: Of these, frames whose picture was left out; see `LiveConfig.late_s`.
        skipped: Grid frames that were skipped; see `LiveConfig.skip_s`.
        silent: Grid frames whose sound never came although the source has sound; silence was taken.
        breaks: How often the stream was interrupted.
    """

    pictures: int = 0
    lost: int = 0
    frames: int = 0
    left_out: int = 0
    skipped: int = 0
    silent: int = 0
    breaks: int = 0
