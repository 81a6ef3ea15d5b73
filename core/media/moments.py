"""Reads the pictures of a video that are shown at given times, at its own frame rate."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from av.video.frame import VideoFrame

from ..errors import InputError
from ..pictures import Picture
from ..types import Float64
from .colours import converter
from .container import Media
from .decoder import Decoder
from .picture import Timed
from .upright import Upright


def pictures_at(media: Media, time_s: Float64) -> Iterator[Picture]:
    """The picture nearest to each time, upright; of two equally near ones the later.

    That is the one that OpenCV seeks in a video of constant frame rate (CAP_PROP_POS_MSEC).

    Args:
        media: What to read.
        time_s: (n,) rising, in seconds from the first picture, to the microsecond.

    Yields:
        A picture for each time: the first one for times before it, the last one for later times.

    Raises:
        InputError: Nothing of the picture can be decoded from there on.
    """
    upright = Upright(
        (media.info.width, media.info.height), media.reading.rotate, converter(media.transfer)
    )
    times = [Fraction(round(time * 1_000_000), 1_000_000) for time in time_s.tolist()]
    first = max(times[0] - 1 / Fraction(media.info.fps), Fraction(0))
    decoder = Decoder(media.picture, None, media.notes, media.clock)
    shown: tuple[Fraction, VideoFrame] | None = None
    place = 0
    for begin, _, frame in Timed(media, decoder, media.zero + first if first else None):
        while shown and place < len(times) and times[place] - shown[0] < begin - times[place]:
            yield upright.picture(shown[1])
            place += 1
        if place == len(times):
            return
        shown = begin, frame
    if shown is None:
        raise InputError(
            f"{media.info.path} has no picture from {float(first):.2f} s on",
            "Check that it plays in a video player",
        )
    for _ in times[place:]:
        yield upright.picture(shown[1])
