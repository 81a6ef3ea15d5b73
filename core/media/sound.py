"""The sound of a video as 16 kHz mono on the clock of the picture, decoded on demand."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator
from fractions import Fraction
from typing import Protocol

import numpy as np
from av.audio.frame import AudioFrame

from ..notes import Notes
from ..types import SAMPLE_RATE, Int16
from .container import Media
from .decoder import Decoder
from .mixing import BLOCK_SAMPLES, Mixer
from .sound_frames import LEAP_S, form_of, sound_frames

_PREROLL_S = Fraction(1, 2)
"""Sound decoded and discarded after a seek: decoders need it before their output is exact."""
_SILENT = 2
"""Largest sample, of 32767, that counts as silence: codecs turn silence into such noise."""


class Hearable(Protocol):
    """16 kHz mono sound on the clock of the picture, read forward and forgotten."""

    def read(self, first: int, stop: int) -> Int16:
        """Read the samples from `first` up to `stop`, (stop - first,) int16.

        Silence stands before time zero, in gaps, and past the end.
        """
        ...

    def forget(self, sample: int) -> None:
        """Free the samples before `sample`; they cannot be read again."""
        ...


class _Run:
    """A run of continuous sound: its mixer, and the position of the next sample."""

    def __init__(self, frame: AudioFrame, time: Fraction, notes: Notes, block: int) -> None:
        self._form = form_of(frame)
        self._rate = frame.sample_rate
        self._position = round(time * SAMPLE_RATE)
        self._mixer = Mixer(frame, self._position, notes, block)
        self._end = time

    def goes_on_with(self, frame: AudioFrame, time: Fraction) -> bool:
        return form_of(frame) == self._form and abs(time - self._end) <= LEAP_S

    def put(self, frame: AudioFrame | None) -> Iterator[tuple[int, Int16]]:
        """Take a frame, or None at the end; yield pieces (first sample, samples)."""
        if frame is not None:
            self._end += Fraction(frame.samples, self._rate)
        for samples in self._mixer.put(frame):
            yield self._position, samples
            self._position += len(samples)


class Pieces:
    """Makes pieces (first sample, samples) of frames with their times; gaps are left out.

    Args:
        notes: Collects notes on how channels were chosen.
        block: See `Mixer`.
    """

    def __init__(self, notes: Notes, block: int = BLOCK_SAMPLES) -> None:
        self._notes = notes
        self._block = block
        self._run: _Run | None = None

    def put(self, frame: AudioFrame, time: Fraction) -> Iterator[tuple[int, Int16]]:
        """Take a frame that begins `time` seconds after time zero; yield what is final."""
        if self._run is None or not self._run.goes_on_with(frame, time):
            yield from self.finish()
            self._run = _Run(frame, time, self._notes, self._block)
        yield from self._run.put(frame)

    def finish(self) -> Iterator[tuple[int, Int16]]:
        """Yield what is left; what comes next is not joined to what came before."""
        if self._run is not None:
            yield from self._run.put(None)
            self._run = None


def _pieces(
    decoder: Decoder, zero: Fraction, wanted: Fraction, notes: Notes
) -> Generator[tuple[int, Int16], None, None]:
    """Decode the sound as pieces (first sample, samples), with gaps between them left out."""
    pieces = Pieces(notes)
    skipped = 0
    block_s = Fraction(BLOCK_SAMPLES, SAMPLE_RATE)
    seek_to = wanted // block_s * block_s - _PREROLL_S
    start = zero + seek_to if seek_to > 0 else None
    for timestamp, frame in sound_frames(decoder, start, zero, notes):
        if decoder.skipped > skipped:
            yield from pieces.finish()
        skipped = decoder.skipped
        yield from pieces.put(frame, timestamp - zero)
    yield from pieces.finish()
    decoder.warn_if_skipped()


def _end(piece: tuple[int, Int16]) -> int:
    return piece[0] + len(piece[1])


class Kept:
    """Pieces of sound that can be read until they are forgotten; silence where there is none.

    Args:
        first: The first sample that can be read.
    """

    def __init__(self, first: int = 0) -> None:
        self._first = first
        self._pieces: deque[tuple[int, Int16]] = deque()

    def put(self, at: int, samples: Int16) -> None:
        """Keep the samples from `at` on, later than those before, as far as they can be read."""
        skipped = max(self._first - at, 0)
        if skipped < len(samples):
            self._pieces.append((at + skipped, samples[skipped:]))

    def read(self, first: int, stop: int) -> Int16:
        """See `Hearable`.

        Raises:
            ValueError: `first` lies before the samples that are kept.
        """
        if max(first, 0) < self._first:
            raise ValueError(f"sample {first} is gone: sound is kept from {self._first} on")
        sound = np.zeros(stop - first, np.int16)
        for at, samples in self._pieces:
            begin, end = max(first, at), min(stop, at + len(samples))
            if begin < end:
                sound[begin - first : end - first] = samples[begin - at : end - at]
        return sound

    def forget(self, sample: int) -> None:
        """See `Hearable`."""
        self._first = max(self._first, sample)
        while self._pieces and _end(self._pieces[0]) <= self._first:
            self._pieces.popleft()

    def __len__(self) -> int:
        """How many samples are kept."""
        return sum(len(samples) for _, samples in self._pieces)


class Sound:
    """The sound, read forward; a context manager.

    Sample n is at n / 16000 s after the first picture, whatever the streams' start times: silence
    precedes sound that begins late, sound before the first picture is cut, and a gap in the
    timestamps becomes silence.

    Args:
        media: The video. Without sound, all samples are silence.
        start_s: Seconds from which sound is wanted.
        before_s: How many seconds before `start_s` can be read, too.
        threads: Threads of the decoder; None leaves it to FFmpeg.

    Attributes:
        ended_at: The sample at which the sound ended, once it is reached; None before, and
            without sound.
    """

    def __init__(
        self,
        media: Media,
        start_s: float = 0.0,
        before_s: float = 0.0,
        threads: int | None = None,
    ) -> None:
        wanted = Fraction(str(start_s))
        start = max(wanted - Fraction(str(before_s)), Fraction(0))
        self.ended_at: int | None = None
        self._first_wanted = int(wanted * SAMPLE_RATE)
        self._first_heard: int | None = None
        """The first sample from `start_s` on that is not silence, once it is decoded."""
        self._kept = Kept(int(start * SAMPLE_RATE))
        self._position = 0
        self._pieces: Generator[tuple[int, Int16], None, None] | None = None
        if media.sound is not None:
            decoder = Decoder(media.sound, threads, media.notes, media.sound_clock)
            self._pieces = _pieces(decoder, media.sound_zero, start, media.notes)

    def read(self, first: int, stop: int) -> Int16:
        """Read the samples from `first` up to `stop`; silence before time zero and past the end.

        Args:
            first: Sample number from time zero, 16000 a second; not before `start_s - before_s`,
                nor before the sample passed to `forget`.
            stop: The sample after the last one.

        Returns:
            (stop - first,) int16.

        Raises:
            ValueError: `first` lies before the samples that are kept.
        """
        self._decode_to(stop)
        return self._kept.read(first, stop)

    def forget(self, sample: int) -> None:
        """Free the samples before `sample`; they cannot be read again."""
        self._kept.forget(sample)

    def is_silent(self, stop: int) -> bool:
        """Whether all samples from `start_s` up to sample `stop` are silence.

        Samples not read so far are decoded for this, and freed.
        """
        while self._first_heard is None and self._pieces is not None and self._position < stop:
            self._decode_to(self._position + 1)
            self.forget(min(self._position, stop))
        return self._first_heard is None or self._first_heard >= stop

    def close(self) -> None:
        """Close the file; samples decoded so far can still be read."""
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
            overlap = max(self._position - at, 0)
            self._position = max(self._position, at + len(samples))
            self._listen(at, samples)
            self._kept.put(at + overlap, samples[overlap:])

    def _listen(self, at: int, samples: Int16) -> None:
        """Note the first sample that is not silence, if it is among these, which begin at `at`."""
        if self._first_heard is None and at + len(samples) > self._first_wanted:
            skipped = max(self._first_wanted - at, 0)
            loud = np.abs(samples[skipped:].astype(np.int32)) > _SILENT
            if loud.any():
                self._first_heard = at + skipped + int(loud.argmax())
