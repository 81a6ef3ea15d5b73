"""Writes predictions as a CSV in the format of AVA-ActiveSpeaker."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...core.ava_csv import PREDICTION_COLUMNS, SPEAKING_AUDIBLE, timestamp
from ...core.component import Context
from ...core.files import whole
from ...core.result import Result
from ...core.results import as_cell
from ...core.types import GRID_FPS

FILE = "ava.csv"


@dataclass(frozen=True)
class AvaWriterConfig:
    """The `ava` writer has no parameters."""


class AvaWriter:
    """Writes `ava.csv`: a header line, then a row for each face in each frame.

    The video goes by its name, a face by this and its track, as in `clip_0`. Times are those of
    frames, in seconds on the clock of the file; boxes are relative to the picture, clipped to 0..1.
    The score is the probability of speaking: like AVA's own predictions it is within 0..1, and it
    ranks faces like the score, which is all that matters for average precision.
    """

    def write(self, result: Result, folder: Path) -> list[Path]:
        """Write the file; see `core.contracts.Writer`."""
        path = folder / FILE
        with whole(path) as aside, aside.open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file, lineterminator="\n")
            rows.writerow(PREDICTION_COLUMNS)
            rows.writerows(_rows(result))
        return [path]


def _rows(result: Result) -> Iterator[list[str]]:
    name = as_cell(result.video.name)
    width, height = result.video.width, result.video.height
    for track in result.tracks:
        relative = track.boxes / [width, height, width, height]
        boxes = np.clip(relative, 0.0, 1.0) + 0.0  # no -0
        for frame, box, score in zip(track.frames, boxes, track.probabilities, strict=True):
            # Ten digits, as the official script compares boxes with the truth's to 1e-9.
            corners = [f"{value:.10g}" for value in box]
            time_s = result.video.start_s + frame / GRID_FPS
            yield [
                name,
                timestamp(time_s),
                *corners,
                SPEAKING_AUDIBLE,
                f"{name}_{track.id}",
                f"{score:.8g}",
            ]


def build(config: AvaWriterConfig, context: Context) -> AvaWriter:
    """Make the writer."""
    return AvaWriter()
