"""A detector that reads faces found beforehand from a file."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...core.component import Context
from ...core.errors import ConfigError, InputError
from ...core.files import expanded
from ...core.named_files import parse_json, read_text_file
from ...core.types import Detections, UInt8

_FIELDS = ("frame", "x1", "y1", "x2", "y2", "score")
_MOST_BYTES = 1 << 30
_HINT = (
    "It should be JSON, a list over the 25 fps frames of lists of [x1, y1, x2, y2, score], "
    f"or CSV with the columns {','.join(_FIELDS)}; boxes in pixels, frames from 0"
)


@dataclass(frozen=True)
class BoxesConfig:
    """Parameters of the `boxes` detector.

    Attributes:
        path: JSON: for each 25 fps frame a list of [x1, y1, x2, y2, score]. CSV: the columns
            frame, x1, y1, x2, y2, score, the frame counted at 25 fps from 0. Pixels of the
            upright source picture.
    """

    path: str = "???"


class BoxesDetector:
    """Returns the boxes of a file; frames not in the file have no faces."""

    looks = False

    def __init__(self, faces: dict[int, Detections]) -> None:
        self._faces = faces

    def detect(self, frames: UInt8, indices: Sequence[int]) -> list[Detections]:
        """Look up the faces of the frames; see `core.contracts.Detector`.

        Raises:
            ConfigError: A picture is not a frame of the video.
        """
        if min(indices, default=0) < 0:
            raise ConfigError(
                "detector=boxes knows the faces of the video alone, not those of portraits",
                "With identities=FOLDER choose a detector that looks, such as detector=mtcnn",
            )
        return [self._faces.get(index, Detections.none()) for index in indices]


def read_boxes(path: Path) -> dict[int, Detections]:
    """Read a file of boxes: by frame, its faces.

    Raises:
        InputError: The file cannot be read or is invalid.
    """
    faces: dict[int, list[list[float]]] = {}
    try:
        text = read_text_file(path, _MOST_BYTES)
        rows = _json_rows(text) if text.lstrip().startswith("[") else _csv_rows(text)
        for place, frame, values in rows:
            faces.setdefault(frame, []).append(_box(place, values))
    except OSError as error:
        raise InputError(f"Cannot use the boxes in {path}: {error.strerror}", _HINT) from error
    except (ValueError, csv.Error) as error:
        raise InputError(f"Cannot use the boxes in {path}: {error}", _HINT) from error
    arrays = {frame: np.array(rows) for frame, rows in faces.items()}
    return {frame: Detections(array[:, :4], array[:, 4]) for frame, array in arrays.items()}


def _box(place: str, values: Any) -> list[float]:
    """Check and convert the five numbers of a face."""
    if not isinstance(values, list):
        raise ValueError(f"{place} holds a face that is no list")  # noqa: TRY004 - said of a file
    try:
        numbers = [float(value) for value in values]
    except (ValueError, TypeError) as error:
        raise ValueError(f"{place} has a face with something else than numbers") from error
    if len(numbers) != len(_FIELDS) - 1:
        raise ValueError(f"{place} has a face of {len(numbers)} numbers, not 5")
    x1, y1, x2, y2, _ = numbers
    if not (np.isfinite(numbers).all() and x1 < x2 and y1 < y2):
        raise ValueError(f"{place} has the box {numbers}, which encloses nothing")
    return numbers


def _json_rows(text: str) -> Iterator[tuple[str, int, Any]]:
    """Yield each face of a JSON file: its place for errors, its frame, and its raw values."""
    for frame, rows in enumerate(parse_json(text)):
        if not isinstance(rows, list):
            raise ValueError(f"frame {frame} is no list of faces")  # noqa: TRY004
        for row in rows:
            yield f"frame {frame}", frame, row


def _csv_rows(text: str) -> Iterator[tuple[str, int, Any]]:
    """Yield each face of a CSV file: its place for errors, its frame, and its raw values."""
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if lines and not lines[0][1].strip().lower().startswith("frame"):
        lines.insert(0, (0, ",".join(_FIELDS)))
    reader = csv.reader((line for _, line in lines), skipinitialspace=True)
    columns = [name.strip() for name in next(reader, [])]
    if missing := set(_FIELDS).difference(columns):
        raise ValueError(f"the columns {', '.join(sorted(missing))} are missing")
    for cells in reader:
        place = f"line {lines[reader.line_num - 1][0]}"
        row = dict(zip(columns, cells, strict=False))
        frame = row.get("frame", "")
        if not re.fullmatch(r"\s*\d{1,9}\s*", frame):
            raise ValueError(f"{place} names the frame {frame[:20]!r}, but frames count from 0")
        yield place, int(frame), [row.get(name) for name in _FIELDS[1:]]


def build(config: BoxesConfig, context: Context) -> BoxesDetector:
    """Read the boxes and build the detector."""
    return BoxesDetector(read_boxes(expanded(config.path)))
