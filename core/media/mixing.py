"""Mixes several channels to mono so that a voice in any of them is heard.

Stereo is mixed evenly; layouts with named channels are mixed with FFmpeg's weights. Two cases need
care: a voice with opposite signs in left and right cancels out, and of six unnamed channels FFmpeg
takes the fourth for bass and drops it. So stereo and unnamed channels are analysed in blocks of
half a second, each independently, so that a part of a sound is mixed like the whole. Live sound
cannot wait so long: there blocks are as long as a grid frame, so a channel may be left out, or used
alone, for 40 ms where a file's sound has it so for half a second.
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
"""Length of a block of a file's sound."""
_UNNAMED = re.compile(r"(\d+) channels")
"""FFmpeg's name of a layout with unnamed channels."""
_MUCH_QUIETER = 0.1
"""Power relative to the loudest channel below which a mix has lost that channel, and below which an
unnamed channel is left out."""
_AS_LOUD = 0.5
"""If the mix cancels out, the first channel with this part of the loudest one's power is used: the
same one in all blocks if channels are about equally loud."""
_FAINT = 10.0**2
"""Power, for samples up to 32767, below which a block is taken as it is: -70 dB of full scale."""


def unnamed_channels(layout: str) -> int:
    """The number of channels of a layout if they are unnamed and more than two; else 0.

    Args:
        layout: FFmpeg's name of the layout.
    """
    found = _UNNAMED.fullmatch(layout)
    count = int(found[1]) if found else 0
    return count if count > 2 else 0


class Mixer:
    """Converts successive frames of one rate, format and layout to 16 kHz mono.

    Args:
        frame: The first frame.
        first: Where its sound begins, in samples of 16 kHz from time zero.
        notes: Collects notes on how channels were chosen.
        block: Length of a block in samples; blocks begin at multiples of this from time zero.

    Raises:
        InputError: FFmpeg cannot convert so many channels.
    """

    def __init__(
        self, frame: AudioFrame, first: int, notes: Notes, block: int = BLOCK_SAMPLES
    ) -> None:
        count = frame.layout.nb_channels
        self._unnamed = unnamed_channels(frame.layout.name) > 0
        self._count = count
        self._notes = notes
        self._block_samples = block
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
        """Take the next frame, or None at the end; yield the samples now final, (n,) int16."""
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
            wanted = self._block_samples - self._position % self._block_samples
            if not ready or (ready < wanted and not last):
                return
            length = min(ready, wanted)
            channels, self._channels = np.split(self._channels, [length], axis=1)
            mixed, self._mixed = np.split(self._mixed, [length])
            self._position += length
            yield self._block(channels, mixed)

    def _block(self, channels: Int16, mixed: Int16) -> Int16:
        """Mix a block of (c, n) channels; `mixed` (n,) is FFmpeg's mix, if channels are named."""
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
    """Resample to (1, n) int16 arrays; a resampler without state returns None for None."""
    for resampled in resampler.resample(frame):
        if resampled is not None:
            yield resampled.to_ndarray()
