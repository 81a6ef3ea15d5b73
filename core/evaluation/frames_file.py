"""frames.csv of an evaluation: a line for each labelled face and moment."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..labels import Judged
from ..results import as_cell
from ..types import Float64
from .evaluation_file import MEND
from .scored import Scored

FRAMES_FILE = "frames.csv"
_COLUMNS = [
    *("person", "time_s", "truth", "score", "probability", "decided", "found"),
    *("face_px", "on_screen"),
]
_READ = ("video", "person", "time_s", "truth", "score", "probability", "decided", "found")
_LINES_AT_ONCE = 50_000


@dataclass(frozen=True, eq=False)
class Frames:
    """The rows of an evaluation as read from its frames.csv; all arrays are (n,).

    Attributes:
        video: str, the video, as written in a cell of the file.
        person: str, the person that the label is about, likewise.
        time_s: float64, seconds from the start of the picture.
        scored: Labels, scores and decisions.
    """

    video: NDArray[np.str_]
    person: NDArray[np.str_]
    time_s: Float64
    scored: Scored

    @property
    def people(self) -> dict[str, NDArray[np.str_]]:
        """By video, in order, the people of its rows, which stand together."""
        begins = np.flatnonzero(self.video[1:] != self.video[:-1]) + 1
        parts = np.split(self.person, begins)
        places = [0, *begins.tolist()]
        return {str(self.video[k]): part for k, part in zip(places, parts, strict=True)}


def write_frames(path: Path, rows: Mapping[str, Judged]) -> None:
    """Write the rows of each video."""
    with path.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(("video", *_COLUMNS))
        for video, judged in rows.items():
            columns = []
            for name in _COLUMNS:
                values = getattr(judged, name)
                columns.append((values.astype(int) if values.dtype == bool else values).tolist())
            lines.writerows(
                (as_cell(video), as_cell(person), *row)
                for person, *row in zip(*columns, strict=True)
            )


def read_frames(path: Path) -> Frames:
    """Read the rows of an evaluation.

    Raises:
        InputError: The file cannot be read, or is not as `write_frames` writes it.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            parts = list(_parts(file))
    except (OSError, ValueError, IndexError, csv.Error) as error:
        raise InputError(f"{path} cannot be read as rows of an evaluation: {error}", MEND) from None
    video, person, time_s, truth, score, probability, decided, found = (
        np.concatenate(column) for column in zip(*parts, strict=True)
    )
    scored = Scored(
        truth == 1,
        score.astype(np.float32),
        probability.astype(np.float32),
        decided == 1,
        found == 1,
    )
    if np.isnan(score).any() or not ((probability >= 0) & (probability <= 1)).all():
        raise InputError(f"{path} is damaged: a score or probability is out of range", MEND)
    return Frames(video, person, time_s, scored)


def _parts(file: Iterator[str]) -> Iterator[list[NDArray[np.generic]]]:
    """The columns of `_READ`, by parts of the file, since lines of text take much memory.

    Raises:
        ValueError: A column is missing, a cell is no number, or there are no lines.
    """
    lines = csv.reader(file)
    head = next(lines, [])
    if missing := [name for name in _READ if name not in head]:
        raise ValueError(f"it has no column {', '.join(missing)}")
    places = [head.index(name) for name in _READ]
    empty = True
    while rows := list(islice(lines, _LINES_AT_ONCE)):
        empty = False
        names = [np.array([row[k] for row in rows], np.str_) for k in places[:2]]
        yield [*names, *(np.array([float(row[k]) for row in rows]) for k in places[2:])]
    if empty:
        raise ValueError("it has no rows")
