"""Reads shots from a file written by PySceneDetect's `list-scenes`."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from ...core.component import Context
from ...core.errors import InputError
from ...core.files import expanded
from ...core.named_files import read_text_file
from ...core.types import GRID_FPS, UInt8

_HEADER = ("Scene Number", "Start Frame", "Start Timecode", "Start Time (seconds)")
_LATEST_S = 1e7
"""Latest accepted start of a shot, about four months."""
_TIMECODE = re.compile(r"(\d+):(\d+):(\d+(?:\.\d+)?)")


@dataclass(frozen=True)
class SceneListConfig:
    """Parameters of the `csv` cutter.

    Attributes:
        path: The CSV file.
    """

    path: str = "???"


class SceneListCutter:
    """Cuts at the starts in the list; those after the end of the video are ignored."""

    looks = False
    concurrent = True

    def __init__(self, starts_s: list[float]) -> None:
        # The grid frame nearest to the start; of two equally near ones the earlier.
        self._starts = {ceil(start * GRID_FPS - 0.5) for start in starts_s}

    def starts_shot(self, frame: UInt8, index: int) -> bool:
        """Whether a shot of the list begins here; see `core.contracts.Cutter`."""
        return index in self._starts


def read_starts(path: Path) -> list[float]:
    """Read the starts of shots, in seconds, from a list-scenes file.

    The line of timecodes and the header line may both be missing. The column of seconds is used;
    if it is missing, the timecode, whose seconds may be rounded up to 60.000.

    Raises:
        InputError: The file cannot be read or is not such a list.
    """
    hint = "It should be the CSV that PySceneDetect's list-scenes writes"
    try:
        lines = read_text_file(path).splitlines()
        rows = [(number, row) for number, row in enumerate(csv.reader(lines), 1) if any(row)]
    except OSError as error:
        raise InputError(f"Cannot read the scene list {path}: {error.strerror}", hint) from error
    except (ValueError, csv.Error) as error:
        raise InputError(f"Cannot read the scene list {path}: {error}", hint) from error
    columns: tuple[str, ...] = _HEADER
    starts = []
    for number, row in rows:
        if row[0].startswith("Timecode List") or _TIMECODE.fullmatch(row[0]):
            continue  # this line repeats all cuts
        if "Start Timecode" in row or "Start Time (seconds)" in row:
            columns = tuple(name.strip() for name in row)
            continue
        cells = dict(zip(columns, (cell.strip() for cell in row), strict=False))
        start = _seconds(cells.get("Start Time (seconds)", ""), cells.get("Start Timecode", ""))
        if start is None:
            raise InputError(f"Line {number} of the scene list {path} holds no start time", hint)
        starts.append(start)
    if not starts:
        raise InputError(f"The scene list {path} names no shot", hint)
    return starts


def _seconds(seconds: str, timecode: str) -> float | None:
    """The start in seconds, from 0 to `_LATEST_S`; None if neither cell is valid."""
    try:
        start = float(seconds)
    except ValueError:
        match = _TIMECODE.fullmatch(timecode)
        if not match:
            return None
        hours, minutes, rest = map(float, match.groups())
        start = hours * 3600 + minutes * 60 + rest
    return start if 0 <= start <= _LATEST_S else None


def build(config: SceneListConfig, context: Context) -> SceneListCutter:
    """Read the list and build the cutter."""
    return SceneListCutter(read_starts(expanded(config.path)))
