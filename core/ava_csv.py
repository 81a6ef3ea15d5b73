"""The CSV files of AVA-ActiveSpeaker: a row for each face in each labelled frame."""

from __future__ import annotations

import csv
import math
from array import array
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from sys import intern

import numpy as np
from numpy.typing import NDArray

from .errors import InputError
from .files import same_form
from .named_files import open_file
from .types import Float64, Int64

SPEAKING_AUDIBLE = "SPEAKING_AUDIBLE"
"""The label of a face that speaks and is heard; the only one allowed in predictions."""
SPEAKING_NOT_AUDIBLE = "SPEAKING_NOT_AUDIBLE"
NOT_SPEAKING = "NOT_SPEAKING"
LABELS = (NOT_SPEAKING, SPEAKING_AUDIBLE, SPEAKING_NOT_AUDIBLE)
"""The labels allowed in ground truth."""

BOX_COLUMNS = ("entity_box_x1", "entity_box_y1", "entity_box_x2", "entity_box_y2")
TRUTH_COLUMNS = ("video_id", "frame_timestamp", *BOX_COLUMNS, "label", "entity_id")
"""The columns of ground truth, in their order in files without a header line."""
PREDICTION_COLUMNS = (*TRUTH_COLUMNS, "score")
"""The columns of predictions."""
_LARGEST = 1e8
"""Largest number accepted as a time in seconds or a position in a picture."""
_LONGEST_NAME = 1000
"""Most characters of a name: in an array of strings, each takes as much memory as the longest."""
_TEXTS = ("video_id", "label", "entity_id")


@dataclass(frozen=True, eq=False)
class AvaRows:
    """The n rows of a file, in its order.

    Attributes:
        line: (n,) int64, the line of the file, from 1.
        video_id: (n,) str.
        time_s: (n,) float64, seconds on the clock of the file, or less if the file begins later.
        boxes: (n, 4) float64, x1, y1, x2, y2 relative to the picture, 0 to 1.
        label: (n,) str, one of `LABELS`.
        entity_id: (n,) str, the face track.
    """

    line: Int64
    video_id: NDArray[np.str_]
    time_s: Float64
    boxes: Float64
    label: NDArray[np.str_]
    entity_id: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.line)


def read_ava_truth(path: Path) -> AvaRows:
    """Read ground truth, with or without a header line; other columns are ignored.

    Raises:
        InputError: The file cannot be read, has no row, lacks a column, or a value is invalid.
    """
    return _read(path, TRUTH_COLUMNS, LABELS)[0]


def read_ava_predictions(path: Path) -> tuple[AvaRows, Float64]:
    """Read predictions, which have a header line, and their (n,) float64 scores.

    Raises:
        InputError: The file cannot be read, has no row, lacks a column, a value is invalid, or a
            label is not SPEAKING_AUDIBLE.
    """
    return _read(path, PREDICTION_COLUMNS, (SPEAKING_AUDIBLE,))


def timestamp(seconds: float) -> str:
    """A time in seconds as such files have it: two decimals, or three if the third is not 0."""
    return f"{seconds:.3f}".removesuffix("0")


def _read(path: Path, columns: Sequence[str], labels: Collection[str]) -> tuple[AvaRows, Float64]:
    """Read the rows, and their scores if `columns` includes them."""
    lines = array("q")
    numbers = {name: array("d") for name in columns if name not in _TEXTS}
    texts: dict[str, list[str]] = {name: [] for name in _TEXTS}
    where: dict[str, int] = {}
    try:
        with open_file(path) as whole, TextIOWrapper(whole, "utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            for row in filter(None, reader):
                if not where:
                    where = _places(path, row, columns)
                    if row[where["label"]] == "label":
                        continue
                here = f"{path}, line {reader.line_num}"
                if len(row) <= max(where.values()):
                    raise InputError(
                        f"{here} has {len(row)} values, too few for the columns "
                        f"{', '.join(columns)}",
                        "Write the line whole or leave it out",
                    )
                for name, values in numbers.items():
                    values.append(_number(here, name, row[where[name]]))
                for name, words in texts.items():
                    words.append(_name(here, name, row[where[name]]))
                _check_label(here, texts["label"][-1], labels)
                lines.append(reader.line_num)
    except OSError as error:
        raise InputError(
            f"{path} cannot be read: {error.strerror}", "Check its name and permissions"
        ) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            f"{path} is not a CSV in UTF-8: {error}", f"Its columns must be {', '.join(columns)}"
        ) from error
    if not lines:
        raise InputError(f"{path} has no row", f"Its columns must be {', '.join(columns)}")
    rows = AvaRows(
        np.array(lines, np.int64),
        np.array(texts["video_id"]),
        np.array(numbers["frame_timestamp"]),
        np.stack([np.array(numbers[name]) for name in BOX_COLUMNS], 1),
        np.array(texts["label"]),
        np.array(texts["entity_id"]),
    )
    return rows, np.array(numbers.get("score", ()), np.float64)


def _places(path: Path, first: Sequence[str], columns: Sequence[str]) -> dict[str, int]:
    """The index of each column, from the first row: a header or, in ground truth only, data."""
    if "label" in first:
        if missing := [name for name in columns if name not in first]:
            raise InputError(
                f"{path} has no column {', '.join(missing)}; it has {', '.join(first)}",
                f"Its columns must be {', '.join(columns)}",
            )
        return {name: first.index(name) for name in columns}
    if tuple(columns) == PREDICTION_COLUMNS or len(first) < len(columns):
        raise InputError(
            f"{path} has no header line; it begins with {','.join(first)[:80]}",
            f"Let it begin with the line {','.join(columns)}",
        )
    return {name: k for k, name in enumerate(columns)}


def _name(here: str, column: str, text: str) -> str:
    """A name in its normal form.

    Raises:
        InputError: It is too long.
    """
    name = intern(same_form(text))
    if len(name) > _LONGEST_NAME:
        raise InputError(
            f"{here} has {len(name)} characters as {column}", f"Names may have {_LONGEST_NAME}"
        )
    return name


def _check_label(here: str, label: str, labels: Collection[str]) -> None:
    if label not in labels:
        raise InputError(
            f"{here} has the label {label[:40]!r}; it must be {' or '.join(labels)}",
            "Rows without a label must be left out, and those of predictions stand "
            f"for {SPEAKING_AUDIBLE}",
        )


def _number(here: str, name: str, text: str) -> float:
    """Parse a value of a row; only scores may be infinite or of any size."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if math.isnan(value) or (abs(value) > _LARGEST and name != "score"):
        raise InputError(
            f"{here} has {text[:40]!r} as {name}, which must be a number",
            "A face without a score ranks last with -inf" if name == "score" else "",
        )
    return value
