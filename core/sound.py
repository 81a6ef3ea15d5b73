"""The sound of a video: 16 kHz mono on the clock of the picture, read as it is needed."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator
from fractions import Fraction

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

from .container import Decoder, Media
from .types import SAMPLE_RATE, Int16

_LEAP_S = Fraction(4, 100)
"""Timestamps that differ from the count of samples by more are a gap or an overlap."""
_PREROLL_S = Fraction(1, 2)
"""Sound decoded and thrown away after a seek: codecs need some before they are exact."""


class _Run:
    """Sound without a break: one resampler, and the sample its output has come to."""

    def __init__(self, frame: AudioFrame, time: Fraction) -> None:
        self._form = _form(frame)
        self._rate = frame.sample_rate
        self._position = round(time * SAMPLE_RATE)
        self._resampler = AudioResampler("s16", "mono", SAMPLE_RATE)
        self.end = time

    def goes_on_with(self, frame: AudioFrame, time: Fraction) -> bool:
        return _form(frame) == self._form and abs(time - self.end) <= _LEAP_S

    def put(self, frame: AudioFrame | None) -> Iterator[tuple[int, Int16]]:
        """Resample a frame, or with None what is left: pieces (first sample, samples)."""
        if frame is not None:
            self.end += Fraction(frame.samples, self._rate)
        for resampled in self._resampler.resample(frame):
            if resampled is not None:  # a resampler with nothing to do answers None to None
                samples = resampled.to_ndarray()[0]
                yield self._position, samples
                self._position += len(samples)


def _form(frame: AudioFrame) -> tuple[int, str, str]:
    return frame.sample_rate, frame.format.name, frame.layout.name


def _pieces(
    decoder: Decoder, zero: Fraction, start: Fraction
) -> Generator[tuple[int, Int16], None, None]:
    """The sound as pieces (first sample, samples); after a gap, a piece starts later."""
    run: _Run | None = None
    skipped = 0
    seek_to = start - _PREROLL_S
    for frame in decoder.frames(zero + seek_to if seek_to > 0 else None):
        if frame.pts is not None:
            time = frame.pts * frame.time_base - zero
        else:
            time = run.end if run else Fraction(0)
        if run is None or decoder.skipped > skipped or not run.goes_on_with(frame, time):
            if run is not None:
                yield from run.put(None)
            run = _Run(frame, time)
            skipped = decoder.skipped
        yield from run.put(frame)
    if run is not None:
        yield from run.put(None)
    decoder.warn_if_skipped()


class Sound:
    """The sound, read forward; a context manager.

    Sample n is heard n / 16000 s after the first picture is seen, whatever the streams' own
    start times: sound that begins late comes after silence, sound from before the first
    picture is cut, a gap in its timestamps is silence.

    Args:
        media: What to read. Without sound, everything is silence.
        start_s: Seconds from which on sound will be wanted.

    Attributes:
        ended_at: The sample at which the sound ended, once that was reached; None before, and
            where there is no sound at all.
    """

    def __init__(self, media: Media, start_s: float = 0.0) -> None:
        start = Fraction(str(start_s))
        self.ended_at: int | None = None
        self._kept_from = int(start * SAMPLE_RATE)
        self._position = 0
        self._kept: deque[tuple[int, Int16]] = deque()
        self._pieces: Generator[tuple[int, Int16], None, None] | None = None
        if media.sound_path is not None:
            decoder = Decoder(media.sound_path, "audio", clock=media.sound_clock)
            self._pieces = _pieces(decoder, media.sound_zero, start)

    def read(self, first: int, stop: int) -> Int16:
        """Samples `first` to `stop`, silence before time zero and past the end.

        Args:
            first: Sample from time zero, 16000 a second; not before `start_s`, nor before
                what was forgotten.
            stop: The sample after the last one.

        Returns:
            (stop - first,) int16.

        Raises:
            ValueError: The samples were forgotten, or never kept.
        """
        if max(first, 0) < self._kept_from:
            raise ValueError(f"sample {first} is gone: sound is kept from {self._kept_from} on")
        self._decode_to(stop)
        sound = np.zeros(stop - first, np.int16)
        for at, samples in self._kept:
            begin, end = max(first, at), min(stop, at + len(samples))
            if begin < end:
                sound[begin - first : end - first] = samples[begin - at : end - at]
        return sound

    def forget(self, sample: int) -> None:
        """Drop everything before `sample`: it will not be read again."""
        self._kept_from = max(self._kept_from, sample)
        while self._kept and self._kept[0][0] + len(self._kept[0][1]) <= self._kept_from:
            self._kept.popleft()

    def close(self) -> None:
        """Close the file; what was decoded can still be read."""
        if self._pieces is not None:
            self._pieces.close()
            self._pieces = None

    def __enter__(self) -> Sound:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _decode_to(self, stop: int) -> None:
        while self._pieces is not None and self._position < stop:
            piece = next(self._pieces, None)
            if piece is None:
                self.ended_at = self._position
                self.close()
                return
            at, samples = piece
            overlap = max(self._position, self._kept_from) - at
            self._position = max(self._position, at + len(samples))
            if overlap < len(samples):
                self._kept.append((at + max(overlap, 0), samples[max(overlap, 0) :]))
