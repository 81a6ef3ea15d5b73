"""Writes the faces as MOTChallenge does, for tools that follow objects and for annotators."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from ...core.component import Context
from ...core.files import whole
from ...core.result import Result
from ...core.types import Track

FILE = "mot.txt"
_LEAST_CONF = 1e-6
"""Readers leave out lines whose conf is 0."""


@dataclass(frozen=True)
class MotConfig:
    """The `mot` writer has no parameters."""


class MotWriter:
    """Writes `mot.txt`: a line for each face in each frame, by frame and id.

    The fields are those of MOTChallenge's results, https://motchallenge.net/instructions: frame,
    id, bb_left, bb_top, bb_width, bb_height, conf, -1, -1, -1. Frames count from 1 on the grid of
    25 a second, the first being that of the first picture; ids are those that the faces were given,
    else those of result.json, plus one. Boxes are in stored pixels of the upright picture, counted
    from 0 at its corner. The conf is the probability of speaking, at least 0.000001.
    """

    def write(self, result: Result, folder: Path) -> list[Path]:
        """Write the file; see `core.contracts.Writer`."""
        path = folder / FILE
        with whole(path) as aside, aside.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(line for _, _, line in sorted(_lines(result)))
        return [path]


def _lines(result: Result) -> Iterator[tuple[int, int, str]]:
    """The lines, each after its frame and id."""
    ids = ids_of(result.tracks)
    for track in result.tracks:
        number = ids[track.id]
        faces = zip(track.frames, track.boxes, track.probabilities, strict=True)
        for frame, (x1, y1, x2, y2), probability in faces:
            box = f"{x1:.3f},{y1:.3f},{x2 - x1:.3f},{y2 - y1:.3f}"
            conf = max(float(probability), _LEAST_CONF)
            yield frame, number, f"{frame + 1},{number},{box},{conf:.6f},-1,-1,-1\n"


def ids_of(tracks: Sequence[Track]) -> dict[int, int]:
    """By number of the track: its id in the file, 1 or more, as MOTChallenge counts from 1.

    Ids that faces were given stay. A face that was given 0, and a track that was given none, has
    the track's number plus one; if that is another's, the next number that is nobody's.
    """
    taken = {track.source_id for track in tracks if track.source_id}
    found: dict[int, int] = {}
    of_zero: int | None = None
    for track in tracks:
        number = of_zero if track.source_id == 0 else track.source_id
        if number is None:
            number = next(free for free in count(track.id + 1) if free not in taken)
            taken.add(number)
        if track.source_id == 0:
            of_zero = number
        found[track.id] = number
    return found


def build(config: MotConfig, context: Context) -> MotWriter:
    """Make the writer."""
    return MotWriter()
