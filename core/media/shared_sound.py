"""One pass over a file's sound for many files that each hold a part of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator
from fractions import Fraction
from typing import Any

import numpy as np
from av.audio.frame import AudioFrame
from av.container import OutputContainer

from ..types import Float32
from .clock import Clock
from .container import Source
from .decoder import Decoder
from .sound_frames import sound_frames
from .soundtrack import SoundTrack, aac_form, aac_stream, encoded, on_time


class SharedSound:
    """The sound of a file, decoded once, for any number of sound tracks, encoded as AAC.

    What is decoded is kept until `forget` is called. Tracks that overlap are written side by side.

    Args:
        sound: The stream.
        zero: Timestamp in seconds, in its file, from which on sound is wanted.
        clock: The clock of the sound.
        threads: Threads of the decoder; None leaves it to FFmpeg.
    """

    def __init__(
        self, sound: Source, zero: Fraction, clock: Clock, threads: int | None = None
    ) -> None:
        with sound.opened() as (_, stream):
            self._form = aac_form(stream.codec_context)
        decoder = Decoder(sound, threads, clock=clock)
        frames = (frame for _, frame in sound_frames(decoder, zero if zero > 0 else None, zero))
        self._decoded = on_time(frames, zero, self._form)
        self._chunks: deque[tuple[int, Float32]] = deque()
        """What is kept, (channels, n) each, with the sample at which it begins."""
        self._end = 0
        """The sample up to which has been decoded."""
        self._needed = 0

    def track(self, begin_s: Fraction) -> SoundTrack:
        """The sound from a time on, to the end, as a sound track.

        Args:
            begin_s: Seconds after `zero`, no earlier than what was forgotten.
        """
        first = round(begin_s * self._form.rate)

        def add(output: OutputContainer) -> Generator[Any, None, None]:
            return encoded(aac_stream(output, self._form), self._frames(first))

        return add

    def forget(self, before_s: Fraction) -> None:
        """Forget what was heard before a time, in seconds after `zero`."""
        self._needed = round(before_s * self._form.rate)
        while self._chunks and self._chunks[0][0] + self._chunks[0][1].shape[1] <= self._needed:
            self._chunks.popleft()

    def _frames(self, first: int) -> Iterator[AudioFrame]:
        at = first
        while at < self._end or self._decode():
            # The wanted chunk is one of the last: all others wait for tracks that are behind.
            for begin, samples in self._chunks:
                if begin + samples.shape[1] > at:
                    break
            else:  # all of it was forgotten
                at = self._end
                continue
            part = np.ascontiguousarray(samples[:, max(at - begin, 0) :])
            frame = AudioFrame.from_ndarray(part, self._form.sample_format, self._form.layout)
            frame.sample_rate, frame.time_base = self._form.rate, Fraction(1, self._form.rate)
            frame.pts = max(at, begin) - first
            at = begin + samples.shape[1]
            yield frame

    def _decode(self) -> bool:
        """Decode some more; False at the end of the sound."""
        frame = next(self._decoded, None)
        if frame is None:
            return False
        assert frame.pts is not None  # set by the filter graph
        self._chunks.append((frame.pts, np.asarray(frame.to_ndarray(), np.float32)))
        self._end = frame.pts + frame.samples
        self.forget(Fraction(self._needed, self._form.rate))
        return True
