"""A writer of a table for spreadsheets: who speaks from when to when."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import asdkit
from asdkit.plugin import whole

FILE = "centre.csv"


@dataclass(frozen=True)
class CsvConfig:
    """Parameters of the writer.

    Attributes:
        decimals: Digits after the point of each time in seconds.
    """

    decimals: int = 2

    def __post_init__(self) -> None:
        if self.decimals < 0:
            raise ValueError(f"decimals must not be negative, got {self.decimals}")


class CsvWriter:
    """Writes a line for each time that a face speaks."""

    def __init__(self, config: CsvConfig) -> None:
        self._decimals = config.decimals

    def write(self, result: asdkit.Result, folder: Path) -> list[Path]:
        """Write into the folder; the file appears only when it is whole."""
        path = folder / FILE
        with whole(path) as aside, aside.open("w", encoding="utf-8", newline="") as out:
            table = csv.writer(out)
            table.writerow(["track", "start_s", "end_s"])
            for track in result.tracks:
                for span in track.speaking:
                    times = [f"{time_s:.{self._decimals}f}" for time_s in span]
                    table.writerow([track.id, *times])
        return [path]


def build(config: CsvConfig, context: asdkit.Context) -> CsvWriter:
    """Make the writer."""
    return CsvWriter(config)
