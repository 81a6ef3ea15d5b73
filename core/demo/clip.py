"""Generates a clip of two people talking in turn, with ground truth of who speaks when.

The people are two portraits that installed packages ship. Their mouths open with the syllables of
a synthetic voice; their heads sway all the time, so that head motion alone reveals nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from ..files import whole
from ..media.encode import Mp4Writer
from ..media.soundtrack import sound_of_samples
from ..result import Result
from ..types import GRID_FPS, SAMPLE_RATE, Float64
from .portraits import HEIGHT, WIDTH, TalkingHead, astronaut, grace_hopper

_FRAMES = 8 * GRID_FPS
_SAMPLES = 8 * SAMPLE_RATE

# In order: silence, the left person, the right person, a pause, both at once, silence.
_LEFT_TURNS_S = ((0.8, 2.8), (5.6, 7.0))
_RIGHT_TURNS_S = ((3.1, 5.0), (6.1, 7.4))
_LEFT_PITCH_HZ, _RIGHT_PITCH_HZ = 150.0, 215.0

_SYLLABLE_S = 0.22
_VOWELS = (
    (850.0, 1300.0, 2800.0, 1.0),
    (580.0, 1950.0, 2900.0, 0.65),
    (340.0, 2500.0, 3200.0, 0.4),
    (500.0, 900.0, 2750.0, 0.7),
    (360.0, 950.0, 2600.0, 0.3),
)
"""Three formants in Hz, near those of Peterson and Barney (1952), and the mouth's opening (0-1)."""
_FORMANT_WIDTH_HZ = 90.0
_VOICE_PEAK = 0.3
_NOISE = 0.0015
"""Root mean square of the background noise; both relative to full scale."""

_SWAY_PX, _SWAY_RAD = 3.0, 0.02
"""Approximate range of a head's shift and tilt."""


@dataclass(frozen=True, eq=False)
class Person:
    """One of the people, and when they speak.

    Attributes:
        region: x1, y1, x2, y2 in pixels: the person's part of the picture.
        speaking: (n,) bool, one per frame.
    """

    region: tuple[int, int, int, int]
    speaking: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class DemoTruth:
    """The ground truth of the clip.

    Attributes:
        frames: Length of the clip in grid frames.
        people: The people from left to right; both are always in view.
    """

    frames: int
    people: tuple[Person, ...]


def make_clip(path: Path) -> DemoTruth:
    """Make the clip: 8 s, 960x540, 25 frames a second, H.264 and AAC.

    Pictures and sound are the same every time, up to differences between encoders.

    Args:
        path: The MP4 file to write.

    Returns:
        Where the people are, and when they speak.

    Raises:
        MissingExtraError: A package that ships a portrait is not installed.
        OutputError: The file cannot be written.
    """
    cast = (
        (grace_hopper(), _LEFT_TURNS_S, _LEFT_PITCH_HZ),
        (astronaut(), _RIGHT_TURNS_S, _RIGHT_PITCH_HZ),
    )
    rng = np.random.default_rng(0)
    sound = rng.normal(0, _NOISE, _SAMPLES)
    pictures, people = [], []
    for k, (portrait, turns_s, pitch_hz) in enumerate(cast):
        syllables = _syllables(turns_s, rng)
        sound += _voice(syllables, pitch_hz, rng)
        head = TalkingHead(portrait)
        pictures.append(map(head.picture, _opening(syllables).tolist(), _sway(rng).tolist()))
        people.append(Person((k * WIDTH, 0, (k + 1) * WIDTH, HEIGHT), _speaking(turns_s)))
    samples = np.rint(sound.clip(-1, 1) * np.iinfo(np.int16).max).astype(np.int16)
    with (
        whole(path) as aside,
        Mp4Writer(aside, GRID_FPS, sound=sound_of_samples(samples)) as video,
    ):
        for k, side_by_side in enumerate(zip(*pictures, strict=True)):
            image = np.hstack(side_by_side)
            video.add(image, Fraction(k, GRID_FPS), Fraction(k + 1, GRID_FPS))
    return DemoTruth(_FRAMES, tuple(people))


def frames_right(result: Result, truth: DemoTruth) -> tuple[int, int]:
    """Count the frames in which a result is right about who speaks.

    A track belongs to the person whose region contains the mean centre of its boxes. A frame of a
    person is right if it lies in a speaking segment exactly if the person speaks. As both are
    always in view, a frame of a person without a track is wrong.

    Args:
        result: The result of a run on the clip, or on a part of it.
        truth: What `make_clip` returned.

    Returns:
        The number of right frames, and of all frames: those of the shots, counted per person.
    """
    seen = np.zeros(truth.frames, bool)
    for first, end in result.shots:
        seen[first:end] = True
    right = 0
    for person in truth.people:
        tracked = np.zeros(truth.frames, bool)
        speaking = np.zeros(truth.frames, bool)
        x1, y1, x2, y2 = person.region
        for track in result.tracks:
            left, top, right_edge, bottom = track.boxes.mean(0)
            if x1 <= (left + right_edge) / 2 < x2 and y1 <= (top + bottom) / 2 < y2:
                tracked[track.frames.start : track.frames.stop] = True
                for start_s, end_s in track.speaking:
                    speaking[round(start_s * GRID_FPS) : round(end_s * GRID_FPS)] = True
        right += int(np.sum(seen & tracked & (speaking == person.speaking)))
    return right, int(seen.sum()) * len(truth.people)


def _speaking(turns_s: Sequence[tuple[float, float]]) -> NDArray[np.bool_]:
    """Whether the middle of each frame lies in one of the turns."""
    middle_s = (np.arange(_FRAMES) + 0.5) / GRID_FPS
    turns = [(start_s <= middle_s) & (middle_s < end_s) for start_s, end_s in turns_s]
    return np.asarray(np.any(turns, axis=0), np.bool_)


@dataclass(frozen=True)
class _Syllable:
    start_s: float
    end_s: float
    vowel: int
    loudness: float


def _syllables(turns_s: Sequence[tuple[float, float]], rng: np.random.Generator) -> list[_Syllable]:
    """Syllables of varying length, vowel and loudness that fill the turns, about 4.5 a second."""
    syllables = []
    for start_s, end_s in turns_s:
        lengths = rng.uniform(0.75, 1.25, round((end_s - start_s) / _SYLLABLE_S))
        edges = start_s + np.append(0, np.cumsum(lengths)) * (end_s - start_s) / lengths.sum()
        for a, b in pairwise(edges.tolist()):
            vowel, loudness = rng.integers(len(_VOWELS)), rng.uniform(0.6, 1)
            syllables.append(_Syllable(a, b, int(vowel), float(loudness)))
    return syllables


def _swell(syllable: _Syllable, time_s: Float64) -> Float64:
    """A curve that rises from 0 to 1 and falls again during a syllable."""
    phase = (time_s - syllable.start_s) / (syllable.end_s - syllable.start_s)
    return np.asarray(np.sin(np.pi * phase.clip(0, 1)), np.float64)


def _opening(syllables: Sequence[_Syllable]) -> Float64:
    """How far the mouth is open in each frame, (n,) from 0 to 1."""
    time_s = np.arange(_FRAMES) / GRID_FPS
    parts = [_VOWELS[s.vowel][-1] * s.loudness * _swell(s, time_s) for s in syllables]
    return np.asarray(np.sum(parts, axis=0), np.float64)


def _voice(syllables: Sequence[_Syllable], pitch_hz: float, rng: np.random.Generator) -> Float64:
    """Glottal pulses and breath noise, filtered by three formants: (n,) from -1 to 1."""
    time_s = np.arange(_SAMPLES) / SAMPLE_RATE
    # The pitch falls within each second, as in phrases, with some vibrato.
    pitch = pitch_hz * (1.1 - 0.2 * (time_s % 1) + 0.01 * np.sin(2 * np.pi * 5 * time_s))
    pulses = np.diff(np.floor(np.cumsum(pitch) / SAMPLE_RATE), prepend=0)
    source = lfilter([1], [1, -0.95], pulses) + rng.normal(0, 0.02, _SAMPLES)
    voice = np.zeros(_SAMPLES)
    for syllable in syllables:
        part = slice(round(syllable.start_s * SAMPLE_RATE), round(syllable.end_s * SAMPLE_RATE))
        sound = source[part]
        for formant_hz in _VOWELS[syllable.vowel][:-1]:
            radius = np.exp(-np.pi * _FORMANT_WIDTH_HZ / SAMPLE_RATE)
            angle = 2 * np.pi * formant_hz / SAMPLE_RATE
            denominator = [1, -2 * radius * np.cos(angle), radius**2]
            sound = lfilter([sum(denominator)], denominator, sound)
        swell = _swell(syllable, time_s[part])
        voice[part] = syllable.loudness * swell * sound / np.abs(sound).max()
    return _VOICE_PEAK * voice


def _sway(rng: np.random.Generator) -> Float64:
    """Slow, continuous head motion: shift right, shift down and rotation, (n, 3)."""
    time_s = np.arange(_FRAMES)[:, None, None] / GRID_FPS
    rate_hz, phase = rng.uniform(0.15, 0.6, (3, 3)), rng.uniform(0, 2 * np.pi, (3, 3))
    waves = np.sin(2 * np.pi * rate_hz * time_s + phase).sum(2) / np.sqrt(3)
    return np.asarray(waves * (_SWAY_PX, _SWAY_PX / 2, _SWAY_RAD), np.float64)
