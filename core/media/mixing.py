"""One channel made of several, so that a voice that is in any of them is heard.

Stereo is mixed evenly, and layouts with named places by the weights of FFmpeg. Both fail where
nobody says what channels are: a voice that is in left and right with opposite signs cancels out,
and of six unnamed channels FFmpeg takes the fourth for bass and leaves it out. So these are looked
at in blocks of half a second, each by itself: a part of a sound is mixed as the whole is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

from ..errors import InputError
from ..notes import Notes
from ..types import SAMPLE_RATE, Int16

BLOCK_SAMPLES = SAMPLE_RATE // 2
"""What is decided at once; blocks begin at multiples of this from time zero."""
_UNNAMED = re.compile(r"(\d+) channels")
"""What FFmpeg calls a layout of which it knows only how many channels it has."""
_MUCH_QUIETER = 0.1
"""A mix whose power is less than this part of a channel's has lost it; such a channel is none."""
_AS_LOUD = 0.5
"""Of channels within this part of the loudest one's power the first is taken: it stays the same
where they are alike."""
_FAINT = 10.0**2
"""Power, of samples up to 32767, below which nothing is worth looking at: -70 dB of full scale."""


def unnamed_channels(layout: str) -> int:
    """How many channels a layout has if it names none of them, and they are more than two; else 0.

    Args:
        layout: The name that FFmpeg gives it.
    """
    found = _UNNAMED.fullmatch(layout)
    count = int(found[1]) if found else 0
    return count if count > 2 else 0


class Mixer:
    """Makes 16 kHz mono of frames of one form that follow each other.

    Args:
        frame: The first one.
        first: Where its sound begins, in samples of 16 kHz from time zero.
        notes: Where it is said that channels were chosen.

    Raises:
        InputError: There are more channels than can be told apart.
    """

    def __init__(self, frame: AudioFrame, first: int, notes: Notes) -> None:
        count = frame.layout.nb_channels
        self._unnamed = unnamed_channels(frame.layout.name) > 0
        self._count = count
        self._notes = notes
        self._to_mono = AudioResampler("s16", "mono", SAMPLE_RATE)
        self._to_all: AudioResampler | None = None
        if count == 2 or self._unnamed:
            # One plane of all channels: PyAV cannot read more than eight planes.
            self._to_all = AudioResampler("s16", frame.layout, SAMPLE_RATE)
        self._position = first
        self._mixed = np.empty(0, np.int16)
        self._channels = np.empty((count, 0), np.int16)
        if self._unnamed:
            notes.add(
                f"The file does not say what the {count} channels of its sound are: those in which "
                "there is sound are mixed evenly"
            )

    def put(self, frame: AudioFrame | None) -> Iterator[Int16]:
        """Take the next frame, or with None what is left: (n,) int16, what is certain now."""
        try:
            if self._to_all is None:
                yield from (samples[0] for samples in _resampled(self._to_mono, frame))
                return
            for samples in _resampled(self._to_all, frame):
                channels = samples.reshape(-1, self._count).T
                self._channels = np.concatenate([self._channels, channels], axis=1)
            if not self._unnamed:
                for samples in _resampled(self._to_mono, frame):
                    self._mixed = np.concatenate([self._mixed, samples[0]])
        except av.FFmpegError as error:
            raise InputError(
                f"Sound of {self._count} channels cannot be made mono: {error.strerror}",
                "Convert it to mono or stereo, and name it as sound=FILE",
            ) from error
        yield from self._blocks(last=frame is None)

    def _blocks(self, *, last: bool) -> Iterator[Int16]:
        while True:
            ready = self._channels.shape[1] if self._unnamed else len(self._mixed)
            wanted = BLOCK_SAMPLES - self._position % BLOCK_SAMPLES
            if not ready or (ready < wanted and not last):
                return
            length = min(ready, wanted)
            channels, self._channels = np.split(self._channels, [length], axis=1)
            mixed, self._mixed = np.split(self._mixed, [length])
            self._position += length
            yield self._block(channels, mixed)

    def _block(self, channels: Int16, mixed: Int16) -> Int16:
        """What is heard of (c, n) channels and, where the mix is not of unnamed ones, (n,) it."""
        power = np.var(channels, axis=1, dtype=np.float32)
        loudest = power.max()
        if self._unnamed:
            used = power >= _MUCH_QUIETER * loudest
            mixed = np.rint(channels[used].mean(axis=0, dtype=np.float32)).astype(np.int16)
        if loudest < _FAINT or np.var(mixed, dtype=np.float32) >= _MUCH_QUIETER * loudest:
            return mixed
        if not self._unnamed:
            self._notes.add(
                "Left and right of the sound have opposite signs and cancel each other out when "
                "they are mixed: where they do, one of them is used alone"
            )
        heard: Int16 = channels[int(np.argmax(power >= _AS_LOUD * loudest))]
        return heard


def _resampled(resampler: AudioResampler, frame: AudioFrame | None) -> Iterator[Any]:
    """(1, n) int16 arrays; a resampler with nothing to do answers None to None."""
    for resampled in resampler.resample(frame):
        if resampled is not None:
            yield resampled.to_ndarray()
