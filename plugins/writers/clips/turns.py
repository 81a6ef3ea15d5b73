"""Which turns are written, and what their files are called."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count

from ....core.files import same_form
from ....core.result import Result
from ....core.results import printable
from ....core.types import GRID_FPS, Track
from ....core.voices.assigning import names_of
from .config import ClipsConfig

_UNSAFE = re.compile(r"[^\w.-]+")
_LONGEST_NAME = 60
"""Letters of a person's name in that of a file: within the limits of all file systems."""
_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class Turn:
    """A turn to write.

    Attributes:
        track: Whose it is.
        person: Their name.
        start_s: When it begins, in seconds from the first picture.
        end_s: When it ends.
        first: First grid frame of its file.
        end: The grid frame after the last one of its file.
        file: The name of its file.
    """

    track: Track
    person: str
    start_s: float
    end_s: float
    first: int
    end: int
    file: str

    @property
    def probability(self) -> float:
        """The mean probability that the face speaks in the turn."""
        first, end = (round(time_s * GRID_FPS) for time_s in (self.start_s, self.end_s))
        begin = self.track.first_frame
        return float(self.track.probabilities[max(first - begin, 0) : end - begin].mean())


def turns_of(result: Result, config: ClipsConfig) -> tuple[list[Turn], int]:
    """The turns to write, by the first frame of their files, and how many are left out by `most`.

    Args:
        result: The result.
        config: The writer's parameters.
    """
    spans = [
        (track, start_s, end_s)
        for track in result.tracks
        for start_s, end_s in track.speaking
        if end_s - start_s >= config.least_s - _ROUNDING
    ]
    ranked = sorted(spans, key=lambda span: span[1] - span[2])  # the longest first
    names = names_of(result.voices or (), result.tracks)
    around = round(config.around_s * GRID_FPS)
    taken: set[str] = set()
    found = []
    for track, start_s, end_s in sorted(ranked[: config.most], key=lambda span: span[1:]):
        begin, end = (round(time_s * GRID_FPS) for time_s in (start_s, end_s))
        first, last = _around(result.shots, track, begin)
        if config.picture == "face":
            first, last = max(first, track.first_frame), min(last, track.frames.stop)
        file = _file_name(names[track.id], start_s, end_s, taken)
        span = max(first, begin - around), min(last, end + around)
        found.append(Turn(track, names[track.id], start_s, end_s, *span, file))
    left_out = len(ranked) - len(found)
    return sorted(found, key=lambda turn: turn.first), left_out


def _around(shots: Sequence[tuple[int, int]], track: Track, frame: int) -> tuple[int, int]:
    """The shot of a frame; the frames of its track where no shot holds it."""
    within = (shot for shot in shots if shot[0] <= frame < shot[1])
    return next(within, (track.first_frame, track.frames.stop))


def _file_name(person: str, start_s: float, end_s: float, taken: set[str]) -> str:
    """A file name that every system takes, unlike all in `taken`, to which it is added.

    Letters of all scripts stay. Case does not tell names apart, as it does not on all systems.
    """
    name = _UNSAFE.sub("_", same_form(printable(person)))[:_LONGEST_NAME].lstrip(".-") or "face"
    times = f"{start_s:08.3f}-{end_s:08.3f}"
    stem = next(stem for stem in _numbered(name, times) if stem.casefold() not in taken)
    taken.add(stem.casefold())
    return f"{stem}.mp4"


def _numbered(name: str, times: str) -> Iterable[str]:
    yield f"{name}_{times}"
    yield from (f"{name}_{number}_{times}" for number in count(2))
