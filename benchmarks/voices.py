"""How far apart the voices of one person and of several are, by length of speech.

python -m benchmarks.voices FILE FILE ... [name=NAME]

Each file holds the speech of one person, another in each file. Of each file the speech is taken,
from its first loud frame to the last, and cut into pieces of each length; what is left over, and
files with less than two pieces, count in comparisons of different people alone.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import asdkit
from asdkit.core.media.probe import Sound, probe
from asdkit.core.types import SAMPLE_RATE, SAMPLES_PER_FRAME, Float64, Int16

LENGTHS_S = (0.5, 0.75, 1.0, 10.0)
"""Lengths of the pieces; a file that is shorter gives one piece, all its speech."""
QUIET = 1 / 200
"""Frames with less power than this part of the loudest frame's are no speech, at both ends."""


def speech_of(path: str) -> Int16:
    """The speech of a file, without the silence before and after it."""
    media = probe(Path(path))
    with Sound(media) as sound:
        samples = sound.read(0, int(media.info.duration_s * SAMPLE_RATE))
    frames = samples[: len(samples) // SAMPLES_PER_FRAME * SAMPLES_PER_FRAME]
    power = np.square(frames.reshape(-1, SAMPLES_PER_FRAME).astype(np.float64)).mean(1)
    (loud,) = np.nonzero(power > power.max() * QUIET)
    return samples[loud[0] * SAMPLES_PER_FRAME : (loud[-1] + 1) * SAMPLES_PER_FRAME]


def distances(files: Sequence[str], length_s: float, name: str) -> tuple[Float64, Float64]:
    """The cosine distances of pieces of one person, and those of different people."""
    voice = asdkit.load("voice", name, device="cpu")
    pieces: list[Int16] = []
    people: list[int] = []
    for person, path in enumerate(files):
        speech = speech_of(path)
        samples = min(round(length_s * SAMPLE_RATE), len(speech))
        own = [speech[k : k + samples] for k in range(0, len(speech) - samples + 1, samples)]
        pieces += own
        people += [person] * len(own)
    vectors = voice.embed(pieces)
    pairs = np.triu_indices(len(pieces), 1)
    apart = (1 - vectors @ vectors.T)[pairs].astype(np.float64)
    same = np.equal.outer(people, people)[pairs]
    return apart[same], apart[~same]


def main(words: Sequence[str]) -> None:
    """Print a row for each length: the pairs, and their distances."""
    files = [word for word in words if not word.startswith("name=")]
    (name,) = [word.removeprefix("name=") for word in words if word not in files] or ["campplus"]
    limit = asdkit.load("voice", name, device="cpu").max_distance
    print(f"Limit: {limit}. Of one person, and of different people: pairs; distance at the least,")
    print("in the median, at the most; share of the pairs within the limit.")
    for length_s in LENGTHS_S:
        same, others = distances(files, length_s, name)
        print(f"| {length_s} | {row(same, limit)} | {row(others, limit)} |")


def row(apart: Float64, limit: float) -> str:
    """The cells of a table for the distances of pairs, perhaps none."""
    if not len(apart):
        return "0 | - | -"
    shown = ", ".join(f"{value:.2f}" for value in np.quantile(apart, [0, 0.5, 1]))
    return f"{len(apart)} | {shown} | {np.mean(apart <= limit):.2f}"


if __name__ == "__main__":
    main(sys.argv[1:])
