"""A dataset: a folder of videos, each with a CSV beside it of who speaks when."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import asdkit
from asdkit.plugin import InputError, LabelledVideo, Measure

SUFFIX = ".mp4"


@dataclass(frozen=True)
class DatasetConfig:
    """Parameters of the dataset.

    Attributes:
        folder: Holds NAME.mp4, and NAME.csv with the columns person, start_s, end_s.
    """

    folder: str


class FolderOfVideos:
    """Every video of a folder that has a CSV beside it."""

    measure = Measure("diarization_error_rate", higher_is_better=False)

    def __init__(self, config: DatasetConfig) -> None:
        self._folder = Path(config.folder)

    def videos(self) -> Sequence[LabelledVideo]:
        """The videos by name; errors tell which file is wrong."""
        tables = sorted(self._folder.glob("*.csv"))
        if not tables:
            raise InputError(f"{self._folder} holds no NAME.csv", "Give another folder")
        return [
            LabelledVideo(
                table.stem, table.with_suffix(SUFFIX), speakers=self._speakers(table)
            )
            for table in tables
        ]

    def _speakers(self, table: Path) -> dict[str, tuple[tuple[float, float], ...]]:
        """By person: when this person speaks, in seconds."""
        spans: dict[str, list[tuple[float, float]]] = {}
        with table.open(encoding="utf-8", newline="") as rows:
            for number, row in enumerate(csv.DictReader(rows), 2):
                try:
                    span = (float(row["start_s"]), float(row["end_s"]))
                    spans.setdefault(row["person"], []).append(span)
                except (KeyError, TypeError, ValueError) as error:
                    raise InputError(
                        f"{table}, line {number}: {error}",
                        "The columns are person, start_s, end_s",
                    ) from error
        return {person: tuple(sorted(own)) for person, own in spans.items()}


def build(config: DatasetConfig, context: asdkit.Context) -> FolderOfVideos:
    """Make the dataset."""
    return FolderOfVideos(config)
