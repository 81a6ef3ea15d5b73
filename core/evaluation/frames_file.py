"""frames.csv of an evaluation: a line for each labelled face and moment."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..labels import Judged
from ..results import as_cell
from ..types import Float64, Int64
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
    """The rows of an evaluation as read from its frames.csv.

    Attributes:
        faces: The video and the person of each face, as written in the file.
        face: (n,) int64, the face of each row.
        time_s: (n,) float64, seconds from the start of the picture.
        scored: Labels, scores and decisions, (n,) each.
    """

    faces: tuple[tuple[str, str], ...]
    face: Int64
    time_s: Float64
    scored: Scored


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
    faces: dict[tuple[str, str], int] = {}
    try:
        with path.open(encoding="utf-8", newline="") as file:
            parts = list(_parts(file, faces))
    except (OSError, ValueError, IndexError, csv.Error) as error:
        raise InputError(f"{path} cannot be read as rows of an evaluation: {error}", MEND) from None
    face = np.concatenate([of_rows for of_rows, _ in parts])
    numbers = np.concatenate([numbers for _, numbers in parts])
    time_s, truth, score, probability, decided, found = numbers.T
    if np.isnan(score).any() or not ((probability >= 0) & (probability <= 1)).all():
        raise InputError(f"{path} is damaged: a score or probability is out of range", MEND)
    # Probabilities that rows are ranked by are in float64: in float32 the surest would be equal.
    kept = score.copy(), probability.astype(np.float32)
    return Frames(
        tuple(faces), face, time_s.copy(), Scored(truth == 1, *kept, decided == 1, found == 1)
    )


def _parts(
    file: Iterator[str], faces: dict[tuple[str, str], int]
) -> Iterator[tuple[Int64, Float64]]:
    """The face and the numbers of each row, by parts of the file, since lines take much memory.

    Args:
        file: The lines.
        faces: Filled with the number of each (video, person).

    Raises:
        ValueError: A column is missing, a cell is no number, or there are no lines.
    """
    lines = csv.reader(file)
    head = next(lines, [])
    if missing := [name for name in _READ if name not in head]:
        raise ValueError(f"it has no column {', '.join(missing)}")
    video, person, *places = (head.index(name) for name in _READ)
    empty = True
    while rows := list(islice(lines, _LINES_AT_ONCE)):
        empty = False
        face = [faces.setdefault((row[video], row[person]), len(faces)) for row in rows]
        yield np.array(face), np.array([[float(row[k]) for k in places] for row in rows])
    if empty:
        raise ValueError("it has no rows")
