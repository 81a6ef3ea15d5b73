"""Hands out grid frames, and leaves out those that the machine is too slow for.

How late a frame is counts from when the last arrived that it had to wait for: the picture after it,
or its sound. A frame that is older than `late_s` holds the picture before it, but for one in so
many: whatever the load, faces are looked for now and then. From a frame on that is older than
`skip_s` all are skipped until one is not late any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from av.video.frame import VideoFrame

from ..pictures import Frame, Picture
from ..types import GRID_FPS, SAMPLES_PER_FRAME
from .live_sound import LiveSound
from .settings import LiveConfig
from .ticks import Counts, Gap, Notice, Tick

MOST_HELD = 4
"""So many frames are left out in a row at most."""


@dataclass(frozen=True, eq=False)
class Shown:
    """A picture of the stream.

    Attributes:
        frame: The decoded frame.
        time: When it begins, in seconds from the first picture.
        at_s: When it arrived, by `time.monotonic`.
    """

    frame: VideoFrame
    time: Fraction
    at_s: float


class HandingOut:
    """Makes ticks of grid frames whose picture and sound have come.

    Args:
        config: Says what is late.
        live: Whether anything may be left out.
        sound: The sound; that of what is handed out can be heard.
        counts: Counts what is handed out, left out and skipped.
        converted: Makes a picture upright.
        clock: The time now, as in `Arrived.at_s`.
    """

    def __init__(
        self,
        config: LiveConfig,
        sound: LiveSound,
        counts: Counts,
        converted: Callable[[VideoFrame], Picture],
        clock: Callable[[], float],
        *,
        live: bool,
    ) -> None:
        self._config = config
        self._live = live
        self._sound = sound
        self._counts = counts
        self._converted = converted
        self._clock = clock
        self._end = 0
        self._skipped = 0
        self._held = 0
        """How many of the last ticks were left out."""
        self._shown: Shown | None = None
        self._picture: Picture | None = None
        """The picture of the last tick of this stretch; None where a stretch begins."""

    def frame(
        self, index: int, shown: Shown, ready_s: float, *, has_sound: bool
    ) -> Iterator[Tick | Gap | Notice]:
        """Hand out a grid frame, unless it is skipped.

        Args:
            index: The grid frame.
            shown: Its picture.
            ready_s: When the last came that it waited for.
            has_sound: Whether sound was to come for it.
        """
        age_s = self._clock() - ready_s if self._live else 0.0
        late = age_s > self._config.late_s
        if age_s > self._config.skip_s or (late and self._skipped):
            self._skipped += 1
            self._counts.skipped += 1
            return
        yield from self._told_of_skipped(ready_s)
        stop = (index + 1) * SAMPLES_PER_FRAME
        came = self._sound.hand_out(stop - SAMPLES_PER_FRAME, stop)
        begins = self._picture is None
        left_out = late and not begins and self._held < MOST_HELD
        self._held = self._held + 1 if left_out else 0
        if self._picture is None or not (left_out or shown is self._shown):
            self._picture, self._shown = self._converted(shown.frame), shown
        self._counts.frames += 1
        self._counts.left_out += left_out
        self._counts.silent += has_sound and came is None
        self._end = index + 1
        # A picture that is held belongs to each of its grid frames at that frame's own time.
        held_s = float(max(Fraction(index, GRID_FPS) - shown.time, Fraction(0)))
        at_s = min(max(shown.at_s + held_s, came or shown.at_s), ready_s)
        yield Tick(Frame(index, self._picture), at_s, begins=begins, left_out=left_out)

    def end_stretch(self, reason: str, at_s: float) -> Iterator[Gap | Notice]:
        """End the stretch, if one has begun, and tell why."""
        yield from self._told_of_skipped(at_s)
        self._counts.breaks += self._picture is not None
        yield self._ended(reason, at_s)

    def finish(self, at_s: float) -> Iterator[Gap | Notice]:
        """Nothing comes any more: tell what was skipped last."""
        yield from self._told_of_skipped(at_s)

    def _told_of_skipped(self, at_s: float) -> Iterator[Gap | Notice]:
        if self._skipped:
            frames = "1 frame" if self._skipped == 1 else f"{self._skipped} frames"
            yield self._ended(f"skipped {frames}: the machine is too slow", at_s)
            self._skipped = 0

    def _ended(self, reason: str, at_s: float) -> Gap | Notice:
        if self._picture is None:
            return Notice(reason, at_s)
        self._picture = self._shown = None
        return Gap(self._end, reason, at_s)
