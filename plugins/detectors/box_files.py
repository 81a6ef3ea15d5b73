"""The forms of files that hold faces found beforehand, told apart by their content."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from typing import Any, Literal

import numpy as np

from ...core.named_files import parse_json, shown

FIELDS = ("frame", "x1", "y1", "x2", "y2", "score")
"""The columns of CSV."""
_IDS = ("id", "track")
"""The column of CSV that holds ids, if there is one, has one of these names."""
_MOT_FIELDS = ("frame", "id", "left", "top", "width", "height", "conf")
"""The first columns of MOTChallenge's form, https://motchallenge.net/instructions."""
_RESULT = "asdkit.result/"
"""How the schema of a result begins."""

Form = Literal["json", "csv", "result", "mot"]
Face = tuple[str, int, int | None, list[float]]
"""A face: its place in the file for errors, its frame from 0, its id, and x1, y1, x2, y2, score."""


def faces_of(text: str) -> tuple[Form, Iterator[Face]]:
    """The form of a file, and its faces, which are checked while they are taken.

    Rows of seven numbers or more without a line of names above are MOTChallenge's; of these, rows
    whose conf is 0 are left out, as its rules have it.

    Raises:
        ValueError: The file has no such form; the message has the place, and what was expected.
    """
    begin = text.lstrip()[:1]
    if begin == "[":
        return "json", _json_faces(parse_json(text))
    if begin == "{":
        return "result", _result_faces(parse_json(text))
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if not lines:
        raise ValueError("it is empty")
    first = lines[0][1].split(",")
    if len(first) >= len(_MOT_FIELDS) and not _is_header(lines):
        return "mot", _mot_faces(lines)
    return "csv", _csv_faces(lines)


def _json_faces(frames: Any) -> Iterator[Face]:
    for frame, rows in enumerate(frames):
        if not isinstance(rows, list):
            raise ValueError(f"frame {frame} is no list of faces")  # noqa: TRY004 - said of a file
        for row in rows:
            yield f"frame {frame}", frame, None, _box(f"frame {frame}", row)


def _result_faces(result: dict[str, Any]) -> Iterator[Face]:
    schema = result.get("schema")
    if not isinstance(schema, str) or not schema.startswith(_RESULT):
        raise ValueError(f"its schema is {shown(schema)}, not that of a result.json, {_RESULT}2")
    tracks = result.get("tracks")
    if not isinstance(tracks, list):
        raise ValueError("it has no list of tracks")  # noqa: TRY004
    for order, track in enumerate(tracks):
        place = f"tracks[{order}]"
        if not isinstance(track, dict) or not isinstance(track.get("boxes"), list):
            raise ValueError(f"{place} has no list of boxes")  # noqa: TRY004
        first = _number(place, "first_frame", track.get("first_frame"))
        number = _number(place, "id", track.get("source_id", track.get("id")))
        for frame, row in enumerate(track["boxes"], first):
            here = f"{place}, frame {frame}"
            yield here, frame, number, _box(here, [*row, 1.0] if isinstance(row, list) else row)


def _mot_faces(lines: list[tuple[int, str]]) -> Iterator[Face]:
    for line, cells in _cells(lines):
        place = f"line {line}"
        if len(cells) < len(_MOT_FIELDS):
            raise ValueError(
                f"{place} has {len(cells)} numbers, not {', '.join(_MOT_FIELDS)} as the others"
            )
        frame = _number(place, "frame", cells[0], least=1) - 1
        number = _number(place, "id", cells[1], least=-1)
        left, top, width, height, conf = _floats(place, cells[2 : len(_MOT_FIELDS)])
        if conf == 0:
            continue
        box = _box(place, [left, top, left + width, top + height, conf])
        yield place, frame, None if number < 0 else number, box


def _csv_faces(lines: list[tuple[int, str]]) -> Iterator[Face]:
    names = list(FIELDS)
    if _is_header(lines):
        ((_, names), *_), lines = list(_cells(lines[:1])), lines[1:]
        names = [name.lower() for name in names]
    if missing := set(FIELDS).difference(names):
        raise ValueError(f"the columns {', '.join(sorted(missing))} are missing")
    column = next((name for name in _IDS if name in names), None)
    for line, cells in _cells(lines):
        place = f"line {line}"
        row = dict(zip(names, cells, strict=False))
        frame = _number(place, "frame", row.get("frame", ""))
        number = None if column is None else _number(place, column, row.get(column, ""))
        yield place, frame, number, _box(place, [row.get(name) for name in FIELDS[1:]])


def _is_header(lines: list[tuple[int, str]]) -> bool:
    """Whether the first line holds names of columns."""
    return lines[0][1].strip().lower().startswith(("frame", *FIELDS[1:], *_IDS))


def _cells(lines: list[tuple[int, str]]) -> Iterator[tuple[int, list[str]]]:
    """The number and the cells of each line."""
    reader = csv.reader((line for _, line in lines), skipinitialspace=True)
    for cells in reader:
        yield lines[reader.line_num - 1][0], [cell.strip() for cell in cells]


def _number(place: str, what: str, value: Any, least: int = 0) -> int:
    """A whole number of up to nine digits, `least` or more; a file may write it as 3.0."""
    match = re.fullmatch(r"(-?\d{1,9})(\.0*)?", str(value))
    if isinstance(value, bool) or match is None or int(match[1]) < least:
        raise ValueError(
            f"{place} has {shown(value)} as {what}, where a whole number from {least} on was "
            "expected"
        )
    return int(match[1])


def _floats(place: str, values: list[Any]) -> list[float]:
    try:
        return [float(value) for value in values]
    except (ValueError, TypeError) as error:
        raise ValueError(f"{place} has a face with something else than numbers") from error


def _box(place: str, values: Any) -> list[float]:
    """Check and convert the five numbers of a face."""
    if not isinstance(values, list):
        raise ValueError(f"{place} holds a face that is no list")  # noqa: TRY004 - said of a file
    numbers = _floats(place, values)
    if len(numbers) != len(FIELDS) - 1:
        raise ValueError(f"{place} has a face of {len(numbers)} numbers, not 5")
    x1, y1, x2, y2, _ = numbers
    if not (np.isfinite(numbers).all() and x1 < x2 and y1 < y2):
        raise ValueError(f"{place} has the box {numbers}, which encloses nothing")
    return numbers
