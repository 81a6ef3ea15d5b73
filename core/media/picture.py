"""Resamples the picture of a video from any frame rate to the 25 fps grid, frame by frame."""

from __future__ import annotations

import logging
import math
from collections.abc import Generator, Iterable, Iterator
from fractions import Fraction
from typing import Generic, TypeVar

from av.video.frame import VideoFrame

from ..errors import InputError
from ..pictures import Frame
from ..types import GRID_FPS
from .clock import held_until
from .colours import converter
from .container import EARLY_S, Media
from .decoder import Decoder
from .upright import Upright, orientation

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


class Timed:
    """The frames of a picture with their times: an iterable of (start, end, frame).

    Start and end are seconds from time zero. A frame is held until the next one begins; the last
    one for as long as the file says, including empty packets after it, but for at most a minute
    after the sound ends. A frame without a timestamp begins where its predecessor ends; one that
    is not later than its predecessor is left out.

    Attributes:
        end: When the last decoded frame ends; 0 before the first.
    """

    def __init__(self, media: Media, decoder: Decoder, start: Fraction | None) -> None:
        self._media = media
        self._decoder = decoder
        self._start = start
        self.end = Fraction(0)

    def __iter__(self) -> Iterator[tuple[Fraction, Fraction, VideoFrame]]:
        before: tuple[Fraction, VideoFrame] | None = None
        gap = 1 / Fraction(self._media.info.fps)
        for frame in self._decoder.frames(self._start):
            time = self.end
            if frame.pts is not None:
                time = frame.pts * frame.time_base - self._media.zero
            if before is not None:
                if time <= before[0]:
                    self._decoder.skipped += 1
                    continue
                gap = time - before[0]
                yield before[0], time, before[1]
            self.end = time + ((frame.duration or 0) * frame.time_base or gap)
            before = time, frame
        if before is not None:
            last = before[0]
            if self._decoder.repeat is not None:
                begin, length = self._decoder.repeat
                last = max(last, begin - self._media.zero)
                self.end = max(self.end, begin + (length or gap) - self._media.zero)
            self.end = held_until(last, self.end, self._media.sound_end)
            yield before[0], self.end, before[1]


class Grid(Generic[_T]):
    """Chooses a source frame for each point of the 25 fps grid as the frames come; see `on_grid`.

    Args:
        first: The first grid frame; the first source frame must begin at or before it, or show it.
        early_s: See `Media.early_s`.
    """

    def __init__(self, first: int = 0, early_s: Fraction = EARLY_S) -> None:
        self._index = first
        self._early_s = early_s
        self._before: tuple[Fraction, _T] | None = None
        # The last grid frame is only yielded if the picture lasts long enough to round up to it.
        self._waiting: tuple[int, _T] | None = None

    def put(self, time: Fraction, frame: _T) -> Iterator[tuple[int, _T]]:
        """Take the next frame and when it begins; yield (grid frame, frame) that are final now."""
        certain = round(time * GRID_FPS)
        if self._waiting is not None and self._waiting[0] < certain:
            yield self._waiting
            self._waiting = None
        if self._before is not None:
            while self._index <= last_shown(self._before[0], time, self._early_s):
                if self._index < certain:
                    yield self._index, self._before[1]
                else:
                    self._waiting = self._index, self._before[1]
                self._index += 1
        self._before = time, frame

    def finish(self, end: Fraction) -> Iterator[tuple[int, _T]]:
        """Yield those that are left, given when the last frame ends."""
        count = max(1, round(end * GRID_FPS))
        if self._waiting is not None and self._waiting[0] < count:
            yield self._waiting
        if self._before is not None:
            yield from ((k, self._before[1]) for k in range(self._index, count))


def on_grid(
    timed: Iterable[tuple[Fraction, Fraction, _T]], first: int = 0, early_s: Fraction = EARLY_S
) -> Iterator[tuple[int, _T]]:
    """Choose a source frame for each point of the 25 fps grid.

    This is the frame shown at that time, or the next one if it is nearer and begins within
    `early_s`. At a constant frame rate this is the nearest frame, the earlier one of two.

    The number of grid frames is the length of the picture in grid steps, rounded, at least one.

    Args:
        timed: (start, end, frame), in seconds from time zero, rising.
        first: The first grid frame; `timed` must begin at or before it.
        early_s: See `Media.early_s`.

    Yields:
        (grid frame, frame).
    """
    grid: Grid[_T] = Grid(first, early_s)
    picture_end = Fraction(0)
    for time, end, frame in timed:
        picture_end = end
        yield from grid.put(time, frame)
    yield from grid.finish(picture_end)


def last_shown(begin: Fraction, following: Fraction, early_s: Fraction) -> int:
    """The last grid frame that shows a source frame and not yet the following one; see `on_grid`.

    Args:
        begin: When the source frame begins, in seconds from time zero.
        following: When the following one begins.
        early_s: See `Media.early_s`.
    """
    nearer = math.floor((begin + following) * GRID_FPS / 2)
    return max(nearer, math.ceil((following - early_s) * GRID_FPS) - 1)


def first_frame_at(time_s: float) -> int:
    """The first grid frame at or after a time, computed exactly from its decimal notation."""
    return math.ceil(Fraction(str(time_s)) * GRID_FPS)


def upright_pixel_aspect(
    frame: VideoFrame, stored: Fraction | None, rotate: str = "auto"
) -> Fraction:
    """Width of a pixel over its height in the upright picture, from that of the stored one."""
    aspect = stored or Fraction(1)
    return 1 / aspect if orientation(frame, rotate).transposed else aspect


def frames(
    media: Media, start_s: float = 0.0, end_s: float | None = None, threads: int | None = None
) -> Generator[Frame, None, None]:
    """The picture on the 25 fps grid, upright, all frames of the video's size.

    Grid frame k is the source frame shown at k / 25 s after the first picture, by presentation
    timestamps, or the next one if it is nearer and begins within `media.early_s`. At a constant
    frame rate this is the nearest frame, the earlier one of two. The picture ends with its last
    frame's own duration (see `Timed`). A part has exactly the same frames as the whole. High
    dynamic range is tone mapped to standard range.

    Args:
        media: What to read.
        start_s: Seconds at which the part begins; its first frame is ceil(25 start_s).
        end_s: Seconds at which the part ends; its last frame is before ceil(25 end_s). None, or
            a time past the end, reads to the end.
        threads: Threads of the decoder; None leaves it to FFmpeg.

    Returns:
        An iterator that holds only a few source frames at a time.

    Raises:
        InputError: No frame lies between `start_s` and `end_s`.
    """
    if not 0 <= start_s < math.inf:
        raise InputError(f"start_s must be 0 or more seconds, but is {start_s}")
    first = first_frame_at(start_s)
    stop = None if end_s is None or end_s == math.inf else first_frame_at(end_s)
    if stop is not None and stop <= first:
        raise InputError(
            f"end_s={end_s} must be later than start_s={start_s}, by 1/{GRID_FPS} s or more"
        )
    return _frames(media, first, stop, threads)


def _frames(
    media: Media, first: int, stop: int | None, threads: int | None
) -> Generator[Frame, None, None]:
    decoder = Decoder(media.picture, threads, media.notes, media.clock)
    start = media.zero + Fraction(first, GRID_FPS) if first else None
    timed = Timed(media, decoder, start)
    upright = Upright(
        (media.info.width, media.info.height),
        media.reading.rotate,
        converter(media.transfer),
    )
    index = None
    shown: VideoFrame | None = None
    for index, frame in on_grid(timed, first, media.early_s):
        if frame is not shown:
            picture, shown = upright.picture(frame), frame
        yield Frame(index, picture)
        if index + 1 == stop:
            break
    if index is None:
        raise InputError(
            f"{media.info.path} has no picture from {first / GRID_FPS:g} s on: "
            f"it lasts {float(timed.end):.2f} s",
            "Choose an earlier start_s",
        )
    decoder.warn_if_skipped()
    if decoder.repeated:
        media.notes.add(
            f"{media.info.path}: {decoder.repeated} packets of the picture are empty: the picture "
            "before is held"
        )
    if index + 1 != stop and timed.end < media.info.duration_s - 1:
        _log.warning(
            "%s: nothing of the picture can be read between %.2f s and its end at %.2f s",
            media.info.path,
            timed.end,
            media.info.duration_s,
        )
