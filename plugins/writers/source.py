"""One pass over the source of a result, for writers that show its pictures with its sound."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from fractions import Fraction
from functools import partial
from itertools import chain

from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter

from ...core.cores import cores
from ...core.errors import InputError
from ...core.media.ahead import ahead
from ...core.media.container import Media
from ...core.media.decoder import Decoder
from ...core.media.encode import Look
from ...core.media.of_result import media_of
from ...core.media.picture import Timed
from ...core.media.planes import FORMAT, copy, is_planar
from ...core.media.soundtrack import SoundTrack, sound_of_file
from ...core.media.upright import Upright, orientation
from ...core.progress import report
from ...core.result import Result
from ...core.types import GRID_FPS

_LEAST_SHOWN_S = Fraction(1, 2 * GRID_FPS)
"""A picture that begins before the wanted part is included if it lasts so long within it."""
_MOST_AHEAD = 4
"""How many decoded pictures may wait for who uses them."""

Stored = tuple[Fraction, Fraction, VideoFrame]
"""When a picture begins and ends, in seconds from time zero, and the picture as it is stored."""


@contextmanager
def footage(result: Result, threads: int | None) -> Iterator[Footage]:
    """Open the video of a result, cut to the run's part.

    Args:
        result: The result.
        threads: Threads of the decoder; None leaves it to FFmpeg. Unless it is one, pictures are
            decoded beside the caller.

    Raises:
        InputError: The video cannot be read, or has no picture in the run's part.
    """
    media = media_of(result)
    start_s = _exact(result.settings.get("start_s")) or Fraction(0)
    end_s = _exact(result.settings.get("end_s"))
    pictures = _pictures(media, start_s, end_s, threads)
    if (threads or cores()) > 1:
        pictures = ahead(pictures, _MOST_AHEAD)
    with closing(pictures):
        first = next(pictures, None)
        if first is None:
            raise InputError(f"{media.info.path} has no picture from {float(start_s):g} s on")
        yield Footage(media, first, pictures, end_s, threads)


class Footage:
    """The pictures of a video, or of a part of it: an iterable, once, that reports its progress.

    Args:
        media: The video.
        first: Its first picture.
        others: The pictures after it.
        end_s: Where the part ends, in seconds from time zero; None for the end of the video.
        threads: Threads of a decoder or encoder; None leaves it to FFmpeg.

    Attributes:
        media: The video, as the run has probed it, or probed anew for a result without a run.
        zero: When the first picture begins, in seconds from time zero.
        look: Colours and pixel shape of the upright pictures.
        ticks_per_s: Resolution of the times.
        threads: As given.
    """

    def __init__(
        self,
        media: Media,
        first: Stored,
        others: Iterable[Stored],
        end_s: Fraction | None,
        threads: int | None,
    ) -> None:
        self.media = media
        self.zero = first[0]
        self._end_s = end_s
        self.threads = threads
        self._copies = _Copies(media, first[2])
        self._pictures = chain([first], others)
        self.look = self._copies.look
        self.ticks_per_s = self._copies.ticks_per_s

    def __iter__(self) -> Iterator[Stored]:
        until_s = self.media.info.duration_s
        until_s = until_s if self._end_s is None else min(float(self._end_s), until_s)
        frames = round((until_s - float(self.zero)) * GRID_FPS)
        for begin, end, frame in self._pictures:
            report(round((begin - self.zero) * GRID_FPS), frames)
            yield begin, end, frame

    def upright(self, frame: VideoFrame) -> VideoFrame:
        """An upright copy of a stored picture, that may be drawn on, until the next call.

        It is in the planes that the encoder takes, of even size: in a picture of odd size the last
        row or column is repeated.
        """
        return self._copies.upright(frame)

    def sound(self) -> SoundTrack | None:
        """The sound from the first picture on; None without sound."""
        media = self.media
        if media.sound is None:
            return None
        length = None if self._end_s is None else self._end_s - self.zero
        begin = media.sound_zero + self.zero
        return sound_of_file(media.sound, begin, length, media.sound_clock, self.threads)


def _exact(seconds: float | None) -> Fraction | None:
    """A time as the exact value of its decimal notation; None if it is None or infinite."""
    return None if seconds is None or seconds == math.inf else Fraction(str(seconds))


def _pictures(
    media: Media, start_s: Fraction, end_s: Fraction | None, threads: int | None
) -> Generator[Stored, None, None]:
    """The pictures shown between `start_s` and `end_s`."""
    decoder = Decoder(media.picture, threads, clock=media.clock)
    timed = Timed(media, decoder, media.zero + start_s if start_s else None)
    least_s = _LEAST_SHOWN_S if end_s is None else min(_LEAST_SHOWN_S, (end_s - start_s) / 2)
    for begin, shown_until, frame in timed:
        end = shown_until
        if end_s is not None:
            end = min(end, end_s)
            if begin >= end_s:
                return
        if begin >= start_s or end - start_s >= least_s:
            yield max(begin, start_s), end, frame


class _Copies:
    """Copies the frames of a video to upright ones that the encoder takes, without tone mapping.

    What the encoder takes as it is stored is not converted; all else is, by way of RGB.

    Args:
        media: The video.
        first: The first wanted frame.
    """

    def __init__(self, media: Media, first: VideoFrame) -> None:
        with media.picture.opened() as (_, stream):
            look = Look.of(stream)
            self.ticks_per_s: int = stream.time_base.denominator
        rotate = media.reading.rotate
        self.look = look.on_its_side() if orientation(first, rotate).transposed else look
        self._size = media.info.width, media.info.height
        self._rotate = rotate
        self._reformatter = VideoReformatter()
        convert = partial(look.rgb, reformatter=VideoReformatter())
        self._rgb = Upright(self._size, rotate, convert)
        self._copy: VideoFrame | None = None

    def upright(self, frame: VideoFrame) -> VideoFrame:
        """See `Footage.upright`."""
        turn = orientation(frame, self._rotate)
        if not is_planar(frame) or turn.size(frame.width, frame.height) != self._size:
            return self.look.coded(self._rgb(frame), self._reformatter)
        if self._copy is None:
            self._copy = VideoFrame(*self._size, FORMAT)
        copy(frame, turn, self._copy)
        return self._copy
