"""Frames that wait between the threads that bring them and the one that takes them."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from threading import Condition

from av.video.frame import VideoFrame

from .arrivals import Arrived, Broken

MOST_BYTES = 256 << 20
"""Decoded pictures and sound that may wait: 2.7 s of 1080p at 30 frames a second."""
_YIELDED_S = 0.2
"""After so long without anything, whoever iterates gets None."""


class Waiting:
    """Frames in order of arrival, limited in bytes; says when the picture stalls and comes back.

    A stall is told in its place among the frames: at once to whoever has taken all pictures, and
    otherwise before those that came after it, so that a slow user is told the same.

    If too much waits, the oldest picture is left out, and sound once there are no pictures; a
    picture comes much later than `LiveConfig.skip_s` by then. Breaks are always kept.

    Args:
        stall_s: The stream counts as stalled if no picture comes for so long; infinity for never.
        keep_all: Leave nothing out: `put` waits instead, and nothing counts as stalled.
        most_bytes: How much may wait.
        clock: Tells the time, as `time.monotonic`.

    Attributes:
        left_out: How many frames were left out.
    """

    def __init__(
        self,
        stall_s: float = math.inf,
        *,
        keep_all: bool = False,
        most_bytes: int = MOST_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stall_s = math.inf if keep_all else stall_s
        self._keep_all, self._most, self._clock = keep_all, most_bytes, clock
        self._changed = Condition()
        self._items: deque[tuple[Arrived | Broken, int]] = deque()
        self._bytes = 0
        self._pictures = 0
        self._latest_s = clock()
        self._begun = False
        """Whether there was a picture."""
        self._newest_s = -math.inf
        self._stalled = self._away = False
        self._ended = self._closed = False
        self._error: Exception | None = None
        self.left_out = 0

    @property
    def closed(self) -> bool:
        """Whether nobody will take anything any more."""
        return self._closed

    def put(self, item: Arrived | Broken) -> None:
        """Add what came; from any thread."""
        with self._changed:
            if isinstance(item, Arrived):
                self._note_return(item)
            size = _bytes_of(item)
            while self._keep_all and self._items and self._bytes + size > self._most:
                if self._closed:
                    return
                self._changed.wait(_YIELDED_S)
            self._append(item, size)
            while self._bytes > self._most and len(self._items) > 1:
                if not self._leave_out():
                    break
            self._changed.notify_all()

    def break_off(self, reason: str) -> None:
        """Add that the stream is away; when its next frame comes, it has come back."""
        with self._changed:
            self._away = True
            self._append(Broken(reason, self._clock()), 0)
            self._changed.notify_all()

    def end(self, error: Exception | None = None) -> None:
        """Nothing will be added any more; an error is raised where it would have come next."""
        with self._changed:
            self._ended, self._error = True, error
            self._changed.notify_all()

    def close(self) -> None:
        """Let go of all that waits; nothing will be taken any more."""
        with self._changed:
            self._ended = self._closed = True
            self._items.clear()
            self._bytes = self._pictures = 0
            self._changed.notify_all()

    def __iter__(self) -> Iterator[Arrived | Broken | None]:
        """What was added, as it comes; see `core.live.arrivals.Input`."""
        while True:
            with self._changed:
                if not self._items and not self._ended:
                    self._changed.wait(_YIELDED_S)
                item = self._next()
                if item is None and self._ended:
                    if self._error is not None and not self._closed:
                        raise self._error
                    return
            yield item
            del item

    def _next(self) -> Arrived | Broken | None:
        if not (self._pictures or self._ended) and self._stalls():
            self._stalled = True
            return Broken(self._stall, self._clock())
        if not self._items:
            return None
        item, size = self._items.popleft()
        self._bytes -= size
        self._pictures -= _is_picture(item)
        self._changed.notify_all()
        return item

    def _stalls(self) -> bool:
        """Whether it stalls, and nobody was told yet."""
        told = self._stalled or self._away
        return not told and self._clock() - self._latest_s >= self._stall_s

    @property
    def _stall(self) -> str:
        return f"stalled: no picture came for {self._stall_s:.1f} s"

    def _note_return(self, item: Arrived) -> None:
        if _is_picture(item) and self._begun and self._stalls():
            self._stalled = True
            self._append(Broken(self._stall, self._latest_s + self._stall_s), 0)
        returned = self._away and not item.stream
        if _is_picture(item) or returned:
            self._latest_s = self._clock()
            self._begun = True
        if (self._stalled and _is_picture(item)) or returned:
            self._stalled = self._away = False
            self._append(Broken("came back", item.at_s, ends_stretch=False), 0)

    def _append(self, item: Arrived | Broken, size: int) -> None:
        if not self._closed:
            if item.at_s < self._newest_s:  # another thread was quicker
                item = replace(item, at_s=self._newest_s)
            self._newest_s = item.at_s
            self._items.append((item, size))
            self._bytes += size
            self._pictures += _is_picture(item)

    def _leave_out(self) -> bool:
        """Leave out the oldest picture, or else the oldest sound; False if there is neither."""
        for wanted in (_is_picture, _is_frame):
            for place, (item, size) in enumerate(self._items):
                if wanted(item):
                    del self._items[place]
                    self._bytes -= size
                    self._pictures -= _is_picture(item)
                    self.left_out += 1
                    return True
        return False


def _is_frame(item: Arrived | Broken) -> bool:
    return isinstance(item, Arrived)


def _is_picture(item: Arrived | Broken) -> bool:
    return isinstance(item, Arrived) and isinstance(item.frame, VideoFrame)


def _bytes_of(item: Arrived | Broken) -> int:
    if not isinstance(item, Arrived):
        return 0
    frame = item.frame
    if isinstance(frame, VideoFrame):
        return frame.width * frame.height * frame.format.padded_bits_per_pixel // 8
    return frame.samples * len(frame.layout.channels) * frame.format.bytes
