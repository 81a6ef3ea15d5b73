"""Writes each turn of each face as a video of its own, with an index."""

from __future__ import annotations

import csv
import logging
from pathlib import Path

from ....core.component import Component, Context
from ....core.files import whole_folder
from ....core.result import Result
from ....core.results import as_cell
from ..source import footage
from .config import ClipsConfig
from .recording import Recorder, Written
from .turns import Turn, turns_of

_log = logging.getLogger(__name__)

FOLDER = "clips"
INDEX = "index.csv"
FILES = f"{FOLDER}/*_[0-9]*.[0-9][0-9][0-9]-[0-9]*.[0-9][0-9][0-9].mp4"
"""What names of turns' files look like."""
COLUMNS = (
    "file",
    "person",
    "track",
    "start_s",
    "end_s",
    "file_start_s",
    "file_end_s",
    "probability",
)


class ClipsWriter:
    """Writes the folder `clips`: a video for each turn, and `index.csv` with a line for each.

    The videos have the source's own pictures and their times, and its sound as AAC. Each begins
    with the picture that the first grid frame of its turn shows.
    """

    def __init__(self, config: ClipsConfig, threads: int | None) -> None:
        self._config = config
        self._threads = threads

    def write(self, result: Result, folder: Path) -> list[Path]:
        """Write the files; see `core.contracts.Writer`."""
        turns, left_out = turns_of(result, self._config)
        if left_out:
            _log.warning(
                "clips: %d turns are left out, the shortest ones: writers.clips.most=%d",
                left_out,
                self._config.most,
            )
        with whole_folder(folder / FOLDER) as aside:
            written = self._record(result, turns, aside) if turns else []
            with (aside / INDEX).open("w", encoding="utf-8", newline="") as file:
                rows = csv.writer(file, lineterminator="\n")
                rows.writerow(COLUMNS)
                rows.writerows(_row(one) for one in written)
        return [folder / FOLDER]

    def _record(self, result: Result, turns: list[Turn], folder: Path) -> list[Written]:
        cuts = {first for first, _ in result.shots}
        with footage(result, self._threads) as source:
            recorder = Recorder(source, turns, cuts, self._config, folder)
            return sorted(recorder.record(), key=lambda one: (one.turn.start_s, one.turn.file))


def _row(written: Written) -> list[str]:
    turn = written.turn
    return [
        turn.file,
        as_cell(turn.person),
        str(turn.track.id),
        f"{turn.start_s:.3f}",
        f"{turn.end_s:.3f}",
        f"{float(written.begin_s):.6f}",
        f"{float(written.end_s):.6f}",
        f"{turn.probability:.4f}",
    ]


def build(config: ClipsConfig, context: Context) -> ClipsWriter:
    """Make the writer."""
    return ClipsWriter(config, context.threads)


CLIPS = Component(
    "writer",
    "clips",
    ClipsConfig,
    build,
    files=(f"{FOLDER}/{INDEX}", FILES),
    needs_video=True,
    about="each turn of each face as a video file, with an index",
)
