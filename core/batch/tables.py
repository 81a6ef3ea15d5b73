"""Puts together who speaks when in all videos of a batch: tables, and one RTTM."""

from __future__ import annotations

import csv
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from ..errors import AsdError
from ..files import whole
from ..result import Result
from ..results import as_cell, turns
from ..rttm_lines import fields, rttm_lines
from ..types import GRID_FPS
from ..voices.assigning import people_of
from .finished_videos import Unread, done_in, none_read, read_each
from .status import records_of

TURNS = "turns.csv"
PEOPLE = "people.csv"
RTTM = "speakers.rttm"
_TURNS_HEAD = ("video", "name", "start_s", "end_s", "duration_s")
_PEOPLE_HEAD = ("video", "name", "turns", "speaking_s", "visible_s")


@dataclass
class Tables:
    """What was written of a batch.

    Attributes:
        files: The files written.
        videos: How many videos are in them.
        turns: How many turns.
        people: How many people, each counted once in each video.
        unread: The videos that are done, but whose results cannot be read.
    """

    files: list[Path]
    videos: int = 0
    turns: int = 0
    people: int = 0
    unread: list[Unread] = field(default_factory=list)


def write_tables(folder: Path, output: Path | None = None) -> Tables:
    """Write who speaks when in all videos that are done, perhaps while the batch runs.

    The results are read from each result.json, one after another. Times are seconds on the clock of
    each video file, as in RTTM. `turns.csv` has a row for each turn of `core.results.turns`;
    `people.csv` one for each name in each video, also of those who never speak; `speakers.rttm` has
    the turns of all videos, each video with a file field of its own.

    Args:
        folder: The output folder of the batch.
        output: The folder to write into; `folder` if not given. Files of these names are replaced.

    Raises:
        InputError: The folder is of no batch, no video is done, or no result can be read.
        OutputError: A manifest cannot be read, or a file cannot be written.
    """
    records, _ = records_of(folder)
    done = done_in(folder, records)
    file_fields = fields(record.name for record in done)
    made = Tables([(output or folder) / name for name in (TURNS, PEOPLE, RTTM)])
    with ExitStack() as opened:
        turns_file, people_file, rttm = (_opened(path, opened) for path in made.files)
        turn_rows, people_rows = (
            csv.writer(file, lineterminator="\n") for file in (turns_file, people_file)
        )
        turn_rows.writerow(_TURNS_HEAD)
        people_rows.writerow(_PEOPLE_HEAD)
        for record, result in read_each(folder, done):
            if isinstance(result, AsdError):
                made.unread.append((record, result))
                continue
            spoken, people = _turns(result), _people(result)
            turn_rows.writerows(spoken)
            people_rows.writerows(people)
            rttm.writelines(rttm_lines(result, file_fields[record.name]))
            made.videos += 1
            made.turns += len(spoken)
            made.people += len(people)
        if not made.videos:
            raise none_read(folder, made.unread)
    return made


def _opened(path: Path, stack: ExitStack) -> TextIO:
    aside = stack.enter_context(whole(path))
    return stack.enter_context(aside.open("w", encoding="utf-8", newline=""))


def _turns(result: Result) -> list[tuple[str, ...]]:
    """The rows of a video, by onset."""
    zero_s = result.video.start_s
    return [
        (
            as_cell(result.video.name),
            as_cell(name),
            f"{zero_s + start_s:.3f}",
            f"{zero_s + end_s:.3f}",
            f"{end_s - start_s:.3f}",
        )
        for start_s, end_s, name in turns(result)
    ]


def _people(result: Result) -> list[tuple[str, ...]]:
    """The rows of a video: those who are seen, by first appearance; then those who are heard.

    Who is seen in several tracks that an identity or a voice joins is one.
    """
    seen = {name: sum(map(len, tracks)) for name, tracks in people_of(result).items()}
    spoken: dict[str, list[float]] = {name: [] for name in seen}
    for start_s, end_s, name in turns(result):
        spoken.setdefault(name, []).append(end_s - start_s)
    return [
        (
            as_cell(result.video.name),
            as_cell(name),
            str(len(lengths_s)),
            f"{sum(lengths_s):.3f}",
            f"{seen.get(name, 0) / GRID_FPS:.3f}",
        )
        for name, lengths_s in spoken.items()
    ]
