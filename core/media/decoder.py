"""Decodes one stream of a file; skips and counts damaged parts."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av

from ..notes import Notes
from .clock import Clock
from .container import _LEANING, Source, packets_of, pixel_limit, repeats, too_large

_SEEK_BACK_S = (0, 2, 8, 32)
"""How far before the wanted time to seek; tried in turn until a frame comes early enough."""


class Decoder:
    """Decodes one stream of a file; skips and counts damaged parts.

    Args:
        source: The stream.
        threads: Threads of the decoder; None leaves it to FFmpeg.
        notes: Collects notes on damaged and skipped parts.
        clock: The clock of the stream.

    Attributes:
        skipped: Number of packets and frames left out so far.
        damaged: Times of packets and frames that FFmpeg flags as damaged but decodes.
        repeated: Number of empty packets so far; each repeats the previous frame.
        repeat: Timestamp and duration in seconds of the last empty packet; None before the first.
    """

    def __init__(
        self,
        source: Source,
        threads: int | None = None,
        notes: Notes | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._source = source
        self._threads = threads
        self._notes = notes or Notes()
        self._clock = clock or Clock()
        self.skipped = 0
        self.damaged: set[Fraction] = set()
        self.repeated = 0
        self.repeat: tuple[Fraction, Fraction] | None = None
        self._start: Fraction | None = None

    def frames(self, start: Fraction | None = None) -> Iterator[Any]:
        """The decoded frames, in order of presentation.

        Args:
            start: Timestamp in seconds. Decoding begins at a frame at or before `start`, not
                necessarily the last such frame; at the beginning with None, or if the file
                cannot be searched.

        Yields:
            `av.VideoFrame` or `av.AudioFrame`.

        Raises:
            InputError: The file has changed, or its pictures become too large.
        """
        self._start = start
        for frame in self._from(start):
            self._note_damage(frame)
            yield frame

    def _from(self, start: Fraction | None) -> Iterator[Any]:
        if start is not None:
            # The first frames in decoding order may not be those shown first.
            for back_s in _SEEK_BACK_S[self._clock.in_decoding_order :]:
                frames = self._clock.shown(self._run(start - back_s))
                head = next(frames, None)
                if head is not None and _begins(head) <= start:
                    self.skipped = 0  # undecodable packets after a seek are not damage
                    yield head
                    yield from frames
                    return
        self.skipped = self.repeated = 0
        self.repeat = None
        yield from self._clock.shown(self._run(None))

    def _note_damage(self, part: Any) -> None:
        if part.is_corrupt and part.pts is not None:
            time = Fraction(part.pts * part.time_base)
            if self._start is None or time >= self._start:  # earlier frames are not shown
                self.damaged.add(time)

    def warn_if_skipped(self) -> None:
        """Add notes if parts were skipped or are damaged."""
        what = "picture" if self._source.kind == "video" else "sound"
        if self.skipped:
            self._notes.add(
                f"{self._source.path}: skipped {_parts(self.skipped, 'damaged or misplaced')} "
                f"of the {what}"
            )
        if self.damaged:
            self._notes.add(
                f"{self._source.path}: used {_parts(len(self.damaged), 'damaged')} of the {what}, "
                "as far as could be decoded"
            )

    def _run(self, seek_to: Fraction | None) -> Iterator[Any]:
        with self._source.opened() as (container, stream):
            context = stream.codec_context
            context.options = pixel_limit(self._source.max_pixels)
            stream.thread_type = "AUTO"
            context.thread_count = self._threads or 0
            if seek_to is not None:
                try:
                    time = self._clock.in_file(seek_to)
                    container.seek(math.floor(time / stream.time_base), stream=stream)
                except av.FFmpegError:
                    return
            for packet in self._clock.placed(packets_of(container, stream)):
                self._note_damage(packet)
                is_repeat = repeats(packet)
                try:
                    # FFmpeg takes a packet without data for the end of the stream.
                    frames = [] if is_repeat else stream.decode(packet)
                except av.FFmpegError:
                    self.skipped += 1
                    if stream.type == "video":
                        self._refuse_if_large(context)
                    continue
                if is_repeat:
                    self._note_repeat(packet)
                for frame in frames:
                    if stream.type == "video":
                        self._refuse_if_large(frame)
                    yield frame

    def _note_repeat(self, packet: Any) -> None:
        stamp = packet.dts if packet.pts is None else packet.pts
        length = (packet.duration or 0) * packet.time_base
        self.repeat = stamp * packet.time_base, length
        self.repeated += 1

    def _refuse_if_large(self, picture: Any) -> None:
        most = self._source.max_pixels
        if picture.width * picture.height > most:
            raise too_large(self._source.path, picture.width, picture.height, most)


def _begins(frame: Any) -> Fraction | float:
    """Timestamp in seconds of a frame with which decoding can begin; infinity for other frames."""
    if frame.pts is None or getattr(frame, "pict_type", None) in _LEANING:
        return math.inf
    return Fraction(frame.pts * frame.time_base)


def _parts(count: int, how: str) -> str:
    """A number of parts of a file, in words."""
    return f"{count} {how} part" if count == 1 else f"{count} {how} parts"
