"""Cleans decoded sound: gives every frame a timestamp, and every sample a finite value."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

from ..notes import Notes
from .decoder import Decoder

LEAP_S = Fraction(4, 100)
"""Timestamps that differ from the count of samples by more are a gap or an overlap."""
_LOUDEST = 1000.0
"""Floating-point samples beyond this, where 1 is full scale, are damage."""
_FEW_PLANES = 7
"""Number of planes up to which PyAV reads a frame safely; more channels are packed first."""


def sound_frames(
    decoder: Decoder, start: Fraction | None, begins: Fraction, notes: Notes | None = None
) -> Iterator[tuple[Fraction, AudioFrame]]:
    """The decoded frames of a sound, in order, each with its time; see `Decoder.frames`.

    A frame without a timestamp begins where its predecessor ends. NaN samples become silence,
    infinite ones full scale.

    Args:
        decoder: Decodes the sound.
        start: Timestamp in seconds from which sound is wanted; None for all.
        begins: Timestamp in seconds of the first frame if it has none.
        notes: Collects a note if samples are not finite.

    Yields:
        (timestamp in seconds, frame); the frame's `pts` is the same time.
    """
    end = begins
    base: Fraction | None = None
    for frame in decoder.frames(start):
        if not frame.samples:
            continue
        clean = finite(frame)
        if clean is not frame and notes is not None:
            notes.add("The sound holds samples that are no numbers: they are left out")
        if frame.pts is None:
            clean.time_base = base or Fraction(1, frame.sample_rate)
            clean.pts = round(end / clean.time_base)
        base = Fraction(clean.time_base)
        time = clean.pts * base
        end = time + Fraction(frame.samples, frame.sample_rate)
        yield time, clean


def finite(frame: Any) -> Any:
    """The frame itself, or a cleaned copy if it holds samples that are NaN or far too large."""
    if not frame.format.name.startswith(("flt", "dbl")):
        return frame
    readable = frame
    if frame.format.is_planar and frame.layout.nb_channels > _FEW_PLANES:
        packed = AudioResampler(frame.format.packed.name, frame.layout, frame.sample_rate)
        (readable,) = packed.resample(frame)
    samples = readable.to_ndarray()
    if np.abs(samples).max() <= _LOUDEST:
        return frame
    mended = np.nan_to_num(samples, nan=0.0, posinf=1.0, neginf=-1.0)
    made = AudioFrame.from_ndarray(
        mended.clip(-_LOUDEST, _LOUDEST), readable.format.name, frame.layout.name
    )
    made.sample_rate, made.pts = frame.sample_rate, frame.pts
    if frame.time_base is not None:
        made.time_base = frame.time_base
    return made


def form_of(frame: AudioFrame) -> tuple[int, str, str]:
    """Sample rate, sample format and channel layout; between frames that differ all begins anew."""
    return frame.sample_rate, frame.format.name, frame.layout.name
