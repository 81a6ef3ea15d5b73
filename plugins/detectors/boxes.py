"""Faces that were found beforehand, read from a file."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...core.components import Context
from ...core.errors import ConfigError, InputError
from ...core.types import Detections, UInt8

_FIELDS = ("frame", "x1", "y1", "x2", "y2", "score")
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
    """Answers with the boxes of a file; frames it does not name have none."""

    looks = False

    def __init__(self, faces: dict[int, Detections]) -> None:
        self._faces = faces

    def detect(self, frames: UInt8, indices: Sequence[int]) -> list[Detections]:
        """Look the frames up; see `core.contracts.Detector`.

        Raises:
            ConfigError: A picture is no frame of the video.
        """
        if min(indices, default=0) < 0:
            raise ConfigError(
                "detector=boxes knows the faces of the video alone, not those of portraits",
                "With identities=FOLDER choose a detector that looks, such as detector=mtcnn",
            )
        return [self._faces.get(index, Detections.none()) for index in indices]


def read_boxes(path: Path) -> dict[int, Detections]:
    """The faces of each frame that the file names.

    Raises:
        InputError: The file cannot be read or is of another form.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        rows = _json_rows(text) if text.lstrip().startswith("[") else _csv_rows(text)
        faces: dict[int, list[list[float]]] = {}
        for frame, values in rows:
            faces.setdefault(frame, []).append(_box(frame, values))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise InputError(f"Cannot use the boxes in {path}: {error}", _HINT) from error
    arrays = {frame: np.array(rows) for frame, rows in faces.items()}
    return {frame: Detections(array[:, :4], array[:, 4]) for frame, array in arrays.items()}


def _box(frame: int, values: Sequence[Any]) -> list[float]:
    """The five numbers of a face, checked."""
    if frame < 0:
        raise ValueError(f"it names the frame {frame}, but frames count from 0")
    numbers = [float(value) for value in values]
    if len(numbers) != len(_FIELDS) - 1:
        raise ValueError(f"frame {frame} has a face of {len(numbers)} numbers, not 5")
    x1, y1, x2, y2, _ = numbers
    if not (np.isfinite(numbers).all() and x1 < x2 and y1 < y2):
        raise ValueError(f"frame {frame} has the box {numbers}, which encloses nothing")
    return numbers


def _json_rows(text: str) -> list[tuple[int, Sequence[Any]]]:
    return [(frame, row) for frame, rows in enumerate(json.loads(text)) for row in rows]


def _csv_rows(text: str) -> list[tuple[int, Sequence[Any]]]:
    lines = [line for line in text.splitlines() if line.strip()]
    if lines and not lines[0].strip().lower().startswith("frame"):
        lines.insert(0, ",".join(_FIELDS))
    reader = csv.DictReader(lines, skipinitialspace=True)
    missing = set(_FIELDS) - set(reader.fieldnames or ())
    if missing:
        raise ValueError(f"the columns {', '.join(sorted(missing))} are missing")
    return [(int(row["frame"]), [row[name] for name in _FIELDS[1:]]) for row in reader]


def build(config: BoxesConfig, context: Context) -> BoxesDetector:
    """Read the boxes and make the detector."""
    return BoxesDetector(read_boxes(Path(config.path)))
