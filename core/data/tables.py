"""Writes the lists of a folder of crops: of all labels, and those that published loaders read."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import groupby
from pathlib import Path
from typing import Any

from ..ava_csv import SPEAKING_AUDIBLE, TRUTH_COLUMNS
from ..files import whole
from .parts import Part
from .published import ORIG_COLUMNS, loader_line

ALL = "labels.csv"
VIDEOS = "videos.csv"
LISTS = "csv"
"""The folder of the published lists."""
_VIDEO_COLUMNS = ("video_id", "name", "path", "part", "faces", "labels", "speaking")


def labels_of(part: str) -> str:
    """The file with the labels of one part alone, in the folder of the crops."""
    return f"{LISTS}/{part}_orig.csv"


def write_tables(output: Path, parts: Sequence[Part]) -> tuple[int, int]:
    """Write all lists from the labels of each video.

    They are `ALL`, which the dataset `ava` reads, `VIDEOS`, and in `LISTS` for each part
    PART_orig.csv, the labels, and PART_loader.csv, a line for each face, in the same order.

    Args:
        output: The folder of the crops.
        parts: The videos whose crops are there.

    Returns:
        The numbers of faces and of labels.

    Raises:
        OutputError: A file cannot be written.
    """
    faces = labels = 0
    with ExitStack() as open_files:

        def table(name: str, columns: Sequence[str]) -> Any:
            aside = open_files.enter_context(whole(output / name))
            file = open_files.enter_context(aside.open("w", encoding="utf-8", newline=""))
            rows = csv.writer(file, lineterminator="\n")
            rows.writerow(columns)
            return rows

        every, videos = table(ALL, TRUTH_COLUMNS), table(VIDEOS, _VIDEO_COLUMNS)
        names = sorted({part.part for part in parts})
        orig = {name: table(labels_of(name), ORIG_COLUMNS) for name in names}
        loader = {}
        for name in names:
            aside = open_files.enter_context(whole(output / LISTS / f"{name}_loader.csv"))
            loader[name] = open_files.enter_context(aside.open("w", encoding="utf-8"))
        for number, part in enumerate(parts):
            counts = [0, 0, 0]
            for entity, rows in _of_faces(output / part.labels):
                every.writerows(row[: len(TRUTH_COLUMNS)] for row in rows)
                orig[part.part].writerows(rows)
                speaks = [int(row[6] == SPEAKING_AUDIBLE) for row in rows]
                times = [float(row[1]) for row in rows]
                loader[part.part].write(loader_line(entity, times, speaks, number))
                counts = [counts[0] + 1, counts[1] + len(rows), counts[2] + sum(speaks)]
            videos.writerow(
                [part.id, part.source.name, part.source.path, part.part, *map(str, counts)]
            )
            faces, labels = faces + counts[0], labels + counts[1]
    return faces, labels


def _of_faces(path: Path) -> Iterator[tuple[str, list[list[str]]]]:
    """The name of each face in the labels of a video, with its rows."""
    with path.open(encoding="utf-8", newline="") as file:
        for entity, rows in groupby(csv.reader(file), key=lambda row: row[7]):
            yield entity, list(rows)
