"""How far apart the voices of one person and of several are, by length of speech.

python -m benchmarks.voices FILE FILE ... [silence=kept]

Each file holds the speech of one person, another in each file. Of each file the speech is taken,
from its first loud frame to the last (with `silence=kept` all), and cut into equal parts. A row
says, of pairs of parts of one person and of different people, how many there are, their least,
median and greatest cosine distance, and the share within `voice.max_distance`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import asdkit
from asdkit.core.contracts import VoiceEmbedder
from asdkit.core.media.probe import Sound, probe
from asdkit.core.types import SAMPLE_RATE, SAMPLES_PER_FRAME, Float64, Int16

PARTS = (1, 2, 3, 4)
"""Into how many parts each person's speech is cut."""
QUIET = 1 / 200
"""Frames with less power than this part of the loudest frame's are no speech, at both ends."""


def speech_of(path: str, *, silence: bool) -> Int16:
    """The speech of a file, with or without the silence before and after it."""
    media = probe(Path(path))
    with Sound(media) as sound:
        samples = sound.read(0, int(media.info.duration_s * SAMPLE_RATE))
    if silence:
        return samples
    frames = samples[: len(samples) // SAMPLES_PER_FRAME * SAMPLES_PER_FRAME]
    power = np.square(frames.reshape(-1, SAMPLES_PER_FRAME).astype(np.float64)).mean(1)
    (loud,) = np.nonzero(power > power.max() * QUIET)
    return samples[loud[0] * SAMPLES_PER_FRAME : (loud[-1] + 1) * SAMPLES_PER_FRAME]


def compared(speech: Sequence[Int16], parts: int, voice: VoiceEmbedder) -> str:
    """A row of the table: each person's speech cut into equal parts, all compared with all."""
    pieces = [piece for own in speech for piece in np.array_split(own, parts)]
    vectors = voice.embed(pieces)
    person = np.arange(len(pieces)) // parts
    pairs = np.triu_indices(len(pieces), 1)
    apart = (1 - vectors @ vectors.T)[pairs].astype(np.float64)
    same = (person[:, None] == person)[pairs]
    seconds = np.array([len(piece) for piece in pieces]) / SAMPLE_RATE
    length = f"{parts} | {seconds.min():.1f} to {seconds.max():.1f}"
    cells = (cell(part, voice.max_distance) for part in (apart[same], apart[~same]))
    return f"| {length} | {' | '.join(cells)} |"


def cell(apart: Float64, limit: float) -> str:
    """The distances of pairs, perhaps none: least, median, greatest, and share within the limit."""
    if not len(apart):
        return "no pairs"
    shown = ", ".join(f"{value:.2f}" for value in np.quantile(apart, [0, 0.5, 1]))
    return f"{len(apart)} pairs: {shown}; {np.mean(apart <= limit):.2f}"


def main(words: Sequence[str]) -> None:
    """Print a row for each number of parts."""
    voice = asdkit.load("voice", "campplus", device="cpu")
    silence = "silence=kept" in words
    speech = [speech_of(path, silence=silence) for path in words if path != "silence=kept"]
    print("| parts | seconds | one person | different people |")
    print("| --- | --- | --- | --- |")
    for parts in PARTS:
        print(compared(speech, parts, voice))


if __name__ == "__main__":
    main(sys.argv[1:])
