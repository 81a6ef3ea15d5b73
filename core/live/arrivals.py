"""What comes in from a stream: decoded pictures and sound, in order of arrival, and breaks.

An input is anything that can be iterated for these, once, and closed: a file, a device or an
address opened by FFmpeg, or frames handed over from Python. What comes of them is made in
`core.live.feed`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame


@dataclass(frozen=True, eq=False)
class Arrived:
    """A decoded frame.

    Attributes:
        frame: A picture, or sound.
        time_s: Its timestamp in seconds on the clock of its stream, which may jump; None if it has
            none.
        at_s: When it arrived, by `time.monotonic`. It never decreases.
        stream: The clock it is timed on: 0 for the picture and the sound of one source, 1 for
            sound of another source (`sound=`), whose clock has nothing to do with that.
    """

    frame: VideoFrame | AudioFrame
    time_s: Fraction | None
    at_s: float
    stream: int = 0


@dataclass(frozen=True)
class Broken:
    """The stream stalled or broke off; what comes next may be timed anew.

    Attributes:
        reason: In a few words that go on after "the stream", such as "stalled: nothing came for
            2.0 s", "broke off: Connection reset by peer", "came back", "changed its size to
            640x480". It names no password and no whole address.
        at_s: When that was noticed, by `time.monotonic`.
        ends_stretch: Whether the shot ends with it.
    """

    reason: str
    at_s: float
    ends_stretch: bool = True


class Input(Protocol):
    """Where pictures and sound come from.

    Attributes:
        name: What it is called in files and in the page: a file's name without suffix, or the
            kind and the host of an address, without user, password and query.
        live: Whether it arrives at its own pace, so that whoever is late has to leave out frames;
            False for `pace=fast`.
        has_sound: Whether it has sound, as far as is known when it is opened.
        fps: The frame rate, as far as is known; 25 otherwise.
        pixel_aspect: Width of a pixel over its height.
        size: (width, height) of the upright pictures, as far as is known; None before the first.
    """

    name: str
    live: bool
    has_sound: bool
    fps: float
    pixel_aspect: float
    size: tuple[int, int] | None

    @property
    def left_out(self) -> int:
        """How many frames waited so long that they were thrown away, so far."""
        ...

    def __iter__(self) -> Iterator[Arrived | Broken | None]:
        """Pictures and sound as they arrive, and breaks, until the input has ended.

        A live input yields None at least four times a second while nothing comes, so that whoever
        iterates can do other things.

        Raises:
            InputError: The input cannot be read, or not any more; what came before stands.
        """
        ...

    def close(self) -> None:
        """End it, from any thread: iterating ends soon. May be called more than once."""
        ...
