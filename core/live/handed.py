"""A live input that is fed from Python, picture by picture and block by block."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from ..errors import InputError
from ..types import UInt8
from .arrivals import Arrived, Broken
from .timeline import Delay, seconds
from .waiting import MOST_BYTES, Waiting

_PICTURE = "(height, width, 3) of uint8, RGB"
_SOUND = "(n,) or (n, channels) of int16 or float32"
_FORMATS = {"int16": "s16", "float32": "flt"}
_LAYOUTS = {1: "mono", 2: "stereo"}
_RATES = (1_000, 768_000)
_LATEST_S = 1e12
"""No clock of seconds shows more: since 1970 it is less than 2e9."""
_LATE_S = 0.5
"""Sound that is timed by counting is timed anew if it comes so much later than it was counted."""
_OFF_S = 0.05
"""It is moved once its clock is off by more, against the time at which it comes."""


class LiveFeed:
    """Pictures and sound handed over from Python, as the source of a live session.

    The methods may be called from any thread, but for one kind of data from one at a time. Arrays
    are copied. If too much waits, the oldest pictures are left out; with `live=False` nothing is,
    and the methods wait instead, so they must then be called in another thread than the session's.
    Sound and pictures go side by side: what is ten seconds ahead of the pictures is lost. A feed is
    for one session.

    Args:
        name: What it is called in the results.
        fps: The frame rate, as far as it is known.
        sound: Whether sound will be handed over; if not, the session needs `allow_silent=True`.
        live: Whether it arrives at its own pace.
        stall_s: A live feed counts as stalled if no picture comes for so long.

    Attributes:
        size: (width, height) of the latest picture; None before the first.
        pixel_aspect: 1.

    Example:
        >>> feed = LiveFeed("camera", sound=False)
        >>> threading.Thread(target=grab, args=(feed,)).start()  # calls feed.picture(image)
        >>> for event in asdkit.live(feed, allow_silent=True):
        ...     print(event)
    """

    pixel_aspect = 1.0

    def __init__(
        self,
        name: str = "feed",
        *,
        fps: float = 25.0,
        sound: bool = True,
        live: bool = True,
        stall_s: float = 2.0,
    ) -> None:
        if not re.search(r"\w", name):
            raise InputError(f"A LiveFeed cannot be called {name!r}", "Give it a name with letters")
        if not 0 < fps <= 1000:
            raise InputError(f"fps of a LiveFeed must be above 0 and up to 1000, got {fps:g}")
        self.name, self.fps, self.live, self.has_sound = name, float(fps), live, sound
        self.size: tuple[int, int] | None = None
        self._waiting = Waiting(stall_s, keep_all=not live, most_bytes=MOST_BYTES)
        self._clock: Callable[[], float] = time.monotonic
        self._ended = False
        self._pictures = 0
        self._sound_end: Fraction | None = None if live else Fraction(0)
        self._delay = Delay()
        """How much later the sound comes than it was counted."""
        self._claimed = False
        self._lock = threading.Lock()

    @property
    def closed(self) -> bool:
        """Whether the session is over: what is still handed over is ignored."""
        return self._waiting.closed

    @property
    def left_out(self) -> int:
        """How many frames waited so long that they were left out."""
        return self._waiting.left_out

    def picture(self, image: UInt8, time_s: float | None = None) -> None:
        """Hand over a picture.

        Args:
            image: (height, width, 3) uint8, RGB, upright.
            time_s: When it was taken, in seconds on a clock that it shares with the sound; the
                time of this call if not given, or, with `live=False`, counted by `fps`.

        Raises:
            InputError: It is no such picture, or the feed has ended.
        """
        self._check(time_s)
        image = np.asarray(image)
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
            raise InputError(f"A picture is {_PICTURE}, got {_described(image)}")
        try:
            frame = VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
        except av.FFmpegError as error:
            raise InputError(f"A picture is too large: {_described(image)}") from error
        with self._lock:
            now_s = self._clock()
            if time_s is not None:
                time = _exact(time_s)
            elif self.live:
                time = _exact(now_s)
            else:
                time = self._pictures / Fraction(self.fps).limit_denominator(1001)
            self._pictures += 1
            size, before = (frame.width, frame.height), self.size
            self.size = size
        if before not in (None, size):
            self._waiting.put(Broken(f"changed its size to {size[0]}x{size[1]}", now_s))
        self._waiting.put(Arrived(frame, time, now_s))

    def sound(self, samples: NDArray[Any], rate: int, time_s: float | None = None) -> None:
        """Hand over a block of sound.

        Args:
            samples: (n,) or (n, channels), int16, or float32 from -1 to 1.
            rate: Samples a second.
            time_s: When its first sample was taken; see `picture`. If not given, it goes on where
                the block before ended, the first one being timed by this call.

        Raises:
            InputError: It is no such sound, or the feed has ended or has no sound.
        """
        self._check(time_s)
        if not self.has_sound:
            raise InputError("This LiveFeed was made without sound", "Make it with sound=True")
        samples = np.asarray(samples)
        name = _FORMATS.get(samples.dtype.name)
        if name is None or samples.ndim not in (1, 2):
            raise InputError(f"Sound is {_SOUND}, got {_described(samples)}")
        if rate not in range(_RATES[0], _RATES[1] + 1):
            raise InputError(f"The rate of sound is from {_RATES[0]} to {_RATES[1]}, got {rate}")
        channels = 1 if samples.ndim == 1 else samples.shape[1]
        if not 1 <= channels <= 64:
            raise InputError(f"Sound has 1 to 64 channels, got {_described(samples)}")
        if not len(samples):
            return
        layout = _LAYOUTS.get(channels, f"{channels} channels")
        packed = np.ascontiguousarray(samples, samples.dtype.name).reshape(1, -1)
        frame = AudioFrame.from_ndarray(packed, format=name, layout=layout)
        frame.sample_rate = int(rate)
        length = Fraction(len(samples), int(rate))
        with self._lock:
            now_s = self._clock()
            begin = self._counted(length, now_s) if time_s is None else _exact(time_s)
            self._sound_end = begin + length
        self._waiting.put(Arrived(frame, begin, now_s))

    def end(self) -> None:
        """Nothing more will be handed over: the session ends after what there is."""
        self._ended = True
        self._waiting.end()

    def __iter__(self) -> Iterator[Arrived | Broken | None]:
        return iter(self._waiting)

    def close(self) -> None:
        """Let go of everything; see `closed`."""
        self._waiting.close()

    def claim(self) -> None:
        """Take it for a session, which closes it in the end.

        Raises:
            InputError: Another session has taken it.
        """
        with self._lock:
            if self._claimed or self.closed:
                what = "was another session's, which is over" if self.closed else "has a session"
                raise InputError(f"The LiveFeed {self.name} {what}", "Make a new one")
            self._claimed = True

    def release(self) -> None:
        """Close it, unless a session has taken it."""
        with self._lock:
            if not self._claimed:
                self.close()

    def _counted(self, length: Fraction, now_s: float) -> Fraction:
        """When a block of sound begins that comes now: where the one before it ended.

        No block comes before its end, and of several one comes soon after it, so a sound card whose
        clock is not that of the pictures is noticed.
        """
        begin = self._sound_end
        if begin is not None and not self.live:
            return begin
        if begin is None or now_s - float(begin + length) > _LATE_S:
            self._delay = Delay()
            return _exact(now_s) - length
        off_s = self._delay.take(now_s - float(begin + length), now_s)
        if abs(off_s) > _OFF_S:
            self._delay = Delay()
            begin += seconds(off_s)
        return begin

    def _check(self, time_s: float | None) -> None:
        if self._ended:
            raise InputError("This LiveFeed has ended", "Hand nothing over after end()")
        if time_s is not None and not abs(time_s) <= _LATEST_S:
            raise InputError(f"time_s must be a number of seconds, got {time_s}")


def _exact(time_s: float) -> Fraction:
    """Seconds to the microsecond."""
    return Fraction(round(time_s * 1_000_000), 1_000_000)


def _described(array: NDArray[Any]) -> str:
    return f"{array.shape} of {array.dtype}"
