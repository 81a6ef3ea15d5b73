"""Clips of one person each, who says a tone, with silence around it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from synth import numbered, write_video

WIDTH, HEIGHT = 96, 64
FRAMES, FIRST, END = 50, 15, 35
"""Frames of a clip, the first one of speech and the one after the last."""
NAMES = ["ann", "bob", "cleo", "dan", "eve"]
TONE_HZ = dict(zip(NAMES, (500, 750, 1000, 1250, 1500), strict=True))  # whole periods in a frame


def tone(hz: float, amplitude: float = 0.3) -> np.ndarray:
    """(32000,) int16: silence, a tone in the frames that speak, silence."""
    sound = np.zeros(FRAMES * 640)
    part = np.arange((END - FIRST) * 640) / 16_000
    sound[FIRST * 640 : END * 640] = amplitude * np.sin(2 * np.pi * hz * part)
    return np.round(sound * 32767).astype(np.int16)


def write_clip(path: Path, person: int, size=(WIDTH, HEIGHT), **changes) -> None:
    """A clip whose pictures have the number of the person and, in the low bits, of the frame."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sound = tone(TONE_HZ[NAMES[person]], **changes)
    write_video(
        path,
        frames=FRAMES,
        size=size,
        image=lambda k, width, height: numbered(256 * person + k, width, height),
        sounds=[(0.0, sound)],
        sound_rate=16_000,
    )
