"""Who is seen where in a shot, and who speaks there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ....core.decisions.segments import mask
from ....core.types import Float64, Track

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Person:
    """A person in a shot of n grid frames.

    Attributes:
        name: Their name.
        boxes: (n, 4) float64, the face; NaN where it is not visible.
        speaking: (n,) bool.
        tracks: The numbers of the tracks that are theirs in this shot.
    """

    name: str
    boxes: Float64
    speaking: Mask
    tracks: tuple[int, ...] = ()
    visible: Mask = field(init=False)
    area: float = field(init=False)
    """Mean area of the face in square pixels."""
    x: float = field(init=False)
    """Mean place of the face from the left, in pixels."""

    def __post_init__(self) -> None:
        visible = ~np.isnan(self.boxes[:, 0])
        x1, y1, x2, y2 = self.boxes[visible].T
        object.__setattr__(self, "visible", visible)
        object.__setattr__(self, "area", float(((x2 - x1) * (y2 - y1)).mean()))
        object.__setattr__(self, "x", float((x1 + x2).mean() / 2))


def people_of(
    tracks: Iterable[Track], names: Mapping[int, str], first: int, end: int
) -> list[Person]:
    """The people of a shot, each visible in one frame or more; from left to right.

    Tracks of one name are one person; where two of them are visible at once, the larger face is.

    Args:
        tracks: The tracks of the video.
        names: By number of the track: whose it is.
        first: First grid frame of the shot.
        end: The grid frame after its last one.
    """
    boxes: dict[str, Float64] = {}
    speaking: dict[str, Mask] = {}
    own: dict[str, list[int]] = {}
    for track in tracks:
        begin, stop = max(track.first_frame, first), min(track.frames.stop, end)
        if begin >= stop:
            continue
        name = names[track.id]
        seen = boxes.setdefault(name, np.full((end - first, 4), np.nan))
        spoken = speaking.setdefault(name, np.zeros(end - first, np.bool_))
        new = track.boxes[begin - track.first_frame : stop - track.first_frame]
        place = slice(begin - first, stop - first)
        larger = ~(_areas(seen[place]) >= _areas(new))  # true where nothing was seen yet
        seen[place][larger] = new[larger]
        spoken[place] |= mask(track.speaking, begin, stop - begin)
        own.setdefault(name, []).append(track.id)
    found = [Person(name, boxes[name], speaking[name], tuple(own[name])) for name in boxes]
    return sorted(found, key=lambda person: person.x)


def _areas(boxes: Float64) -> Float64:
    x1, y1, x2, y2 = boxes.T
    return np.asarray((x2 - x1) * (y2 - y1), np.float64)
