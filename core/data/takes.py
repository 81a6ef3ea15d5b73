"""Clips of one person, one sentence each: pictures, sound, and when there is speech."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..files import is_litter
from ..labels import Bool
from ..media.formats import VIDEO_SUFFIXES
from ..media.probe import Sound, frames, probe
from ..types import SAMPLES_PER_FRAME, Float64, UInt8

SPEECH_DBFS = -20.0
"""Level that the loudest frames of each take are brought to, in dB below full scale."""
_BELOW_SPEECH_DB = 20.0
"""A frame is speech if it is at most so much quieter than the loud frames."""
_LOUD = 95
"""The level of loud frames: this percentile of all."""
_QUIETEST_DBFS = -60.0
"""Quieter frames are no speech."""
_PAUSE_FRAMES = 5
"""A pause shorter than this, 0.2 s, belongs to the speech around it."""
_SHORTEST_FRAMES = 5
"""Shorter sounds, such as a click, are no speech."""
_LIPS_FRAMES = 5
"""Lips move before and after they are heard: so many silent frames next to speech are no rest."""


@dataclass(frozen=True, eq=False)
class Take:
    """A clip of one person who says one sentence.

    Attributes:
        pictures: (n, height, width, 3) uint8, RGB, at 25 a second.
        sound: (640 n,) float64 from -1 to 1, 16 kHz, its speech at the level of all takes.
        speaking: (n,) bool, where there is speech; True somewhere.
    """

    pictures: UInt8
    sound: Float64
    speaking: Bool

    def __len__(self) -> int:
        return len(self.speaking)

    @property
    def first(self) -> int:
        """The first frame of speech."""
        return int(self.speaking.argmax())

    @property
    def end(self) -> int:
        """The frame after the last one of speech."""
        return len(self) - int(self.speaking[::-1].argmax())

    def before(self, distance: int) -> int:
        """The frame shown so many frames before the take begins.

        The silent frames of its beginning are played back and forth so that they lead up to it.
        """
        return _back_and_forth(distance, self.first - _LIPS_FRAMES)

    def after(self, distance: int) -> int:
        """The frame shown so many frames after the last one: its silent end, back and forth."""
        silent = len(self) - self.end - _LIPS_FRAMES
        return len(self) - 1 - _back_and_forth(distance, silent)


def people_in(folder: Path) -> dict[str, list[Path]]:
    """The clips of each person, by name, in order.

    Clips that lie in a folder of their own within `folder` are of one person, who has its name;
    each other clip is of another person.

    Raises:
        InputError: There is no such folder, or two people have the same name.
    """
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}", "Give the folder of the clips")
    found: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in VIDEO_SUFFIXES or is_litter(path):
            continue
        alone = path.parent == folder
        inside = path.relative_to(folder).parts[0]
        # White space separates the fields of RTTM.
        name = "_".join((path.stem if alone else inside).split())
        if any((other.parent == folder) or alone for other in found[name]):
            raise InputError(f"Two people have the name {name}", "Rename a clip or its folder")
        found[name].append(path)
    return dict(found)


def read_take(path: Path) -> Take:
    """Read a clip.

    Raises:
        InputError: The clip cannot be read, has no sound, or nothing in it is speech.
    """
    media = probe(path)
    pictures = np.stack([frame.picture.rgb() for frame in frames(media)])
    with Sound(media) as sound:
        samples = sound.read(0, SAMPLES_PER_FRAME * len(pictures)) / 32768
    level_db = levels_db(samples)
    speaking = speech(level_db)
    if not speaking.any():
        raise InputError(f"No speech is heard in {path}", "Give clips of people who speak")
    gain = 10 ** ((SPEECH_DBFS - _loud(level_db)) / 20)
    return Take(pictures, samples * gain, speaking)


def levels_db(samples: Float64) -> Float64:
    """The level of each frame, (n,), of (640 n,) samples from -1 to 1, in dB below full scale."""
    power = (samples.reshape(-1, SAMPLES_PER_FRAME) ** 2).mean(1)
    return np.asarray(10 * np.log10(power + 1e-10), np.float64)


def speech(level_db: Sequence[float] | Float64) -> Bool:
    """Which frames of a clip are speech, by their level alone.

    A frame is speech if it is at most 20 dB quieter than the loud ones, the 95th percentile, and
    no quieter than -60 dB of full scale. Pauses under 0.2 s are closed, and what then is shorter
    than 0.2 s is left out.

    Args:
        level_db: (n,) the level of each frame.

    Returns:
        (n,) bool.
    """
    level = np.asarray(level_db, np.float64)
    found = level >= max(_loud(level) - _BELOW_SPEECH_DB, _QUIETEST_DBFS)
    inner = [run for run in runs(~found) if run[0] > 0 and run[1] < len(found)]
    for begin, end in inner:
        found[begin:end] = end - begin < _PAUSE_FRAMES
    for begin, end in runs(found):
        found[begin:end] = end - begin >= _SHORTEST_FRAMES
    return np.asarray(found, np.bool_)


def _loud(level_db: Float64) -> float:
    return float(np.percentile(level_db, _LOUD))


def runs(found: Bool) -> list[tuple[int, int]]:
    """(first, end) of each run of True."""
    edges = np.flatnonzero(np.diff(found, prepend=False, append=False)).tolist()
    return list(zip(edges[::2], edges[1::2], strict=True))


def _back_and_forth(step: int, size: int) -> int:
    """The place after so many steps from 0 up to `size` - 1, down to 0, up again, and so on."""
    most = max(size, 1) - 1
    return most - abs(step % (2 * most) - most) if most else 0
