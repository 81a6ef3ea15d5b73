"""Fingerprints of faces and videos, by which copies are found, even if they were coded again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ..types import Float64, Int16, Int64, UInt8

SEEN_AT = (0.25, 0.5, 0.75)
"""Where in a face's labels its looks are taken, as parts of their number."""
_HEARD_PARTS = 32
_SHORTEST = 13
"""Faces with fewer labels, half a second, are not compared: too much looks alike."""
_MOST_BITS = 18
"""Of 192 bits of looks so many may differ in a copy."""
_MOST_BITS_UNHEARD = 4
"""The same, where no level of the sound tells two faces apart."""
_LEAST_CORRELATION = 0.98
_EVEN = 0.05
"""Standard deviation of the level, in powers of ten, below which it tells nothing."""
_BITS = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).sum(1)


@dataclass(frozen=True, eq=False)
class FacePrint:
    """The fingerprint of a face.

    Attributes:
        video: The name of the video.
        face: The person.
        first_s: The time of its first label, in seconds from the first picture.
        labels: How many labels it has.
        looks: (24,) uint8, the bits of three pictures: whether each of 8 x 8 fields is brighter
            than the one to its left (a difference hash).
        level: (32,) float64, the level of its sound over time, mean 0 and length 1; zeros for
            silence, or a level that hardly changes.
    """

    video: str
    face: str
    first_s: float
    labels: int
    looks: UInt8
    level: Float64


Pair = tuple[FacePrint, FacePrint]


def looks_of(picture: UInt8) -> UInt8:
    """(8,) uint8, the bits of a grey picture, of any size."""
    small = cv2.resize(picture, (9, 8), interpolation=cv2.INTER_AREA).astype(np.int16)
    return np.packbits(small[:, 1:] > small[:, :-1])


def level_of(sound: Int16) -> Float64:
    """`FacePrint.level` of samples."""
    parts = np.array_split(sound.astype(np.float64), _HEARD_PARTS)
    power = np.array([np.square(part).mean() if len(part) else 0.0 for part in parts])
    level = np.log10(power + 1.0)
    level -= level.mean()
    even = float(level.std()) < _EVEN
    return np.zeros(_HEARD_PARTS) if even else level / float(np.linalg.norm(level))


def copies(prints: Sequence[FacePrint], others: Sequence[FacePrint] = ()) -> Iterator[Pair]:
    """Pairs of faces, of two videos each, that are copies of each other.

    Their numbers of labels differ by one at most, at most 18 of the 192 bits of their looks differ,
    and their levels correlate by 0.98 or more; where there is no level, 4 bits may differ.

    Args:
        prints: The faces.
        others: If given, pairs are of one of the first and one of these.
    """
    found = [one for one in (*prints, *others) if one.labels >= _SHORTEST]
    theirs = {id(one) for one in others}
    found.sort(key=lambda one: one.labels)
    lengths = np.array([one.labels for one in found])
    looks = np.stack([one.looks for one in found]) if found else np.empty((0, 24), np.uint8)
    levels = np.stack([one.level for one in found]) if found else np.empty((0, _HEARD_PARTS))
    for k, one in enumerate(found):
        end = int(np.searchsorted(lengths, one.labels + 1, side="right"))
        apart = _BITS[looks[k + 1 : end] ^ one.looks].sum(1)
        alike = _alike(apart, levels[k + 1 : end], one.level)
        for other in (found[k + 1 + int(n)] for n in np.flatnonzero(alike)):
            mixed = (id(one) in theirs) != (id(other) in theirs)
            if mixed if others else other.video != one.video:
                yield (other, one) if id(one) in theirs else (one, other)


def _alike(apart: Int64, levels: Float64, level: Float64) -> NDArray[np.bool_]:
    """(n,) bool, which faces are copies of one: by differing bits of looks, and levels."""
    heard = levels.any(1) & level.any()
    unheard = ~levels.any(1) & ~level.any() & (apart <= _MOST_BITS_UNHEARD)
    same = heard & (apart <= _MOST_BITS) & (levels @ level >= _LEAST_CORRELATION)
    return np.asarray(same | unheard, np.bool_)
