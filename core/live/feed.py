"""From what arrives of a stream to the 25 fps grid with its sound."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame

from ..errors import InputError
from ..media.colours import converter
from ..media.container import Reading, too_large
from ..media.picture import Grid
from ..media.rates import early
from ..media.upright import Upright, orientation
from ..notes import Notes
from ..pictures import Picture
from ..types import GRID_FPS, SAMPLE_RATE, SAMPLES_PER_FRAME
from .arrivals import Arrived, Broken, Input
from .hearing import Hearing
from .leaving_out import HandingOut, Shown
from .live_sound import LiveSound
from .settings import LiveConfig
from .ticks import Counts, Gap, Notice, Tick
from .timeline import HOLD_S, PictureClock

SOUND_LAG_S = 1
"""Sound that lags the picture by more, on the clock of the stream, is lost: silence is taken."""
_BACK_LAG_S = Fraction(1, 2)
"""It is back once it lags by less than this."""
_MOST_WAITING = 256
"""More grid frames and breaks than this do not wait for sound."""
_TURN_S = 0.25
"""None comes at least so often while nothing else does."""

_Given = Tick | Gap | Notice | None


@dataclass(frozen=True)
class _Due:
    """A grid frame whose picture is known."""

    index: int
    shown: Shown


@dataclass(frozen=True)
class _End:
    """The end of a stretch; see `Gap`."""

    reason: str
    at_s: float


class Feed:
    """The pictures of a stream on the 25 fps grid, each once its sound has come; an iterator.

    Time zero is the first picture. As long as the stream goes on, grid frames and sound are those
    that `core.media.picture.frames` and `core.media.sound.Sound` give for a file of the same
    content; stereo is mixed in shorter blocks. A picture is held for half a second at most; where
    none comes for longer, where the stream breaks or its clock jumps, a stretch ends with a `Gap`,
    and the next one begins as much later as time has passed. Pictures of another size are fitted
    into the size of the first. None comes four times a second while nothing else does. When the
    input ends, or fails, all that came is handed out first.

    Args:
        source: What arrives.
        config: Says what is late.
        reading: `rotate` and `max_pixels` are followed.
        notes: Collects notes on the sound.
        clock: The time now, as in `Arrived.at_s`.

    Attributes:
        sound: The sound of the grid frames that were handed out.
        counts: What was counted so far.

    Raises:
        InputError: The input fails, or a picture has too many pixels.
    """

    def __init__(
        self,
        source: Input,
        config: LiveConfig,
        reading: Reading | None = None,
        notes: Notes | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        fps = Fraction(source.fps).limit_denominator(1001)
        self.sound = LiveSound()
        self.counts = Counts()
        self._source, self._now = source, clock
        self._reading = reading or Reading()
        self._clock = PictureClock(fps, live=source.live)
        self._early = early(fps)
        self._hearing = Hearing(self._clock, self.sound, notes or Notes(), live=source.live)
        self._handing = HandingOut(
            config, self.sound, self.counts, self._converted, clock, live=source.live
        )
        self._upright: Upright | None = None
        self._grid: Grid[Shown] | None = None
        """The grid of this stretch; None before its first picture."""
        self._begun = Fraction(0)
        """When this stretch began."""
        self._next = 0
        """The grid frame after the last one whose picture is known."""
        self._last: Shown | None = None
        self._waiting: deque[_Due | _End | Notice] = deque()
        self._lost = False
        """Whether the sound is lost."""
        self._at_s = 0.0
        """When the last arrived."""
        self._given = self._all()

    def __iter__(self) -> Iterator[_Given]:
        return self

    def __next__(self) -> _Given:
        return next(self._given)

    def _all(self) -> Iterator[_Given]:
        turn_s: float | None = None
        try:
            for item in self._source:
                gave = item is None
                if item is None:
                    yield None
                else:
                    self._at_s = item.at_s
                    for given in self._taken(item):
                        yield given
                        gave = True
                if not gave and turn_s is not None and self._at_s - turn_s >= _TURN_S:
                    yield None
                    gave = True
                if gave or turn_s is None:
                    turn_s = self._at_s
        except InputError:
            yield from self._flushed()
            raise
        yield from self._flushed()

    def _flushed(self) -> Iterator[_Given]:
        self._at_s = max(self._at_s, self._now())  # it was the end that they waited for
        self._finish_grid(self._clock.end)
        self._hearing.finish()
        yield from self._ready(all_of_it=True)
        yield from self._handing.finish(self._at_s)

    def _taken(self, item: Arrived | Broken) -> Iterator[_Given]:
        if isinstance(item, Broken):
            self._clock.interrupt()
            if item.ends_stretch:
                self._finish_grid(self._clock.end)
                self._hearing.finish()
                self._waiting.append(_End(item.reason, item.at_s))
            else:
                self._waiting.append(Notice(item.reason, item.at_s))
            yield from self._ready(all_of_it=item.ends_stretch)
            return
        if isinstance(item.frame, AudioFrame):
            self._hearing.put(item)
        else:
            self._see(item, item.frame)
            self._hearing.place()
        yield from self._listened()
        yield from self._ready(all_of_it=len(self._waiting) > _MOST_WAITING)

    def _see(self, arrived: Arrived, frame: VideoFrame) -> None:
        """Take a picture."""
        self.counts.pictures += 1
        self._check(frame)
        lost, self.counts.lost = self.counts.lost, self._source.left_out
        before, hold_to = self._last, self._clock.time + self._clock.hold
        end = self._clock.end
        placed = self._clock.place(arrived, self._hearing.heard_to)
        if placed is None:
            return
        if before is not None and self._grid is not None:
            passed = placed.time - before.time
            reason = None
            if placed.jump is not None:
                reason = f"jumped in time by {float(placed.jump):+.1f} s"
            elif placed.time > hold_to and self.counts.lost > lost:
                reason = f"skipped {float(passed):.1f} s: the machine is too slow"
            elif placed.time > hold_to:
                reason = f"sent no picture for {float(passed):.1f} s"
            elif _size(frame) != _size(before.frame):
                reason = f"changed its size to {frame.width}x{frame.height}"
            if reason is not None:
                if placed.jump is None or not self._source.live or passed > HOLD_S:
                    self._finish_grid(min(end, placed.time))
                    self._waiting.append(_End(reason, arrived.at_s))
                else:
                    self._waiting.append(Notice(reason, arrived.at_s))
        if self._grid is None:
            first = max(self._next, math.ceil(placed.time * GRID_FPS - Fraction(1, 2)))
            self._grid = Grid(first, self._early)
            self._begun = placed.time
        self._last = Shown(frame, placed.time, arrived.at_s)
        self._wait(self._grid.put(placed.time, self._last))

    def _check(self, frame: VideoFrame) -> None:
        most = self._reading.max_pixels
        if frame.width * frame.height > most:
            raise too_large(self._source.name, frame.width, frame.height, most)
        if self._upright is None:
            turn = orientation(frame, self._reading.rotate)
            # PyAV does not tell the transfer characteristics of a frame in all versions.
            transfer = getattr(frame, "color_trc", 2)
            size = turn.size(frame.width, frame.height)
            self._upright = Upright(size, self._reading.rotate, converter(transfer))

    def _converted(self, frame: VideoFrame) -> Picture:
        assert self._upright is not None
        return self._upright.picture(frame)

    def _finish_grid(self, end: Fraction) -> None:
        if self._grid is not None:
            self._wait(self._grid.finish(end))
            self._grid = None

    def _wait(self, due: Iterator[tuple[int, Shown]]) -> None:
        for index, shown in due:
            self._waiting.append(_Due(index, shown))
            self._next = index + 1

    @property
    def _has_sound(self) -> bool:
        return self._source.has_sound or self._hearing.begun

    def _listened(self) -> Iterator[Notice]:
        """Tell if the sound is lost, or is back."""
        if not self._has_sound or not self._clock.begun:
            return
        newest, reached = self._clock.time, Fraction(self.sound.reached, SAMPLE_RATE)
        if not self._lost and newest - max(reached, self._begun) > SOUND_LAG_S:
            self._lost = True
            yield Notice("brings no sound: silence stands for it", self._at_s)
        elif self._lost and newest - reached < _BACK_LAG_S:
            self._lost = False
            yield Notice("brings sound again", self._at_s)

    def _ready(self, *, all_of_it: bool) -> Iterator[Tick | Gap | Notice]:
        """Hand out what waits as far as its sound has come, or will not come."""
        while self._waiting:
            head = self._waiting[0]
            if isinstance(head, _Due):
                stop = (head.index + 1) * SAMPLES_PER_FRAME
                waits = self._has_sound and not self._lost and self.sound.reached < stop
                if waits and not all_of_it:
                    return
                self._waiting.popleft()
                yield from self._handing.frame(
                    head.index, head.shown, self._at_s, has_sound=self._has_sound
                )
                continue
            self._waiting.popleft()
            if isinstance(head, _End):
                yield from self._handing.end_stretch(head.reason, head.at_s)
            else:
                yield head


def _size(frame: VideoFrame) -> tuple[int, int]:
    return frame.width, frame.height
