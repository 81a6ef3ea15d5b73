"""A detector that reads faces found beforehand from a file."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ...core.component import Context
from ...core.errors import ConfigError, InputError
from ...core.files import expanded
from ...core.known_faces import Boxes, FaceClock, KnownFaces
from ...core.named_files import read_text_file
from .box_files import FIELDS, Face, Form, faces_of

_CLOCKS = ("auto", "grid", "source")
_MOST_BYTES = 1 << 30
_HINT = (
    "It should be JSON, a list over the 25 fps frames of lists of [x1, y1, x2, y2, score], "
    f"CSV with the columns {','.join(FIELDS)} and perhaps id, boxes in pixels, frames from 0, "
    "a result.json, or MOTChallenge's frame,id,left,top,width,height,conf, frames from 1"
)


@dataclass(frozen=True)
class BoxesConfig:
    """Parameters of the `boxes` detector.

    Attributes:
        path: JSON, for each frame a list of [x1, y1, x2, y2, score]; CSV with the columns frame,
            x1, y1, x2, y2, score and perhaps id or track, frames from 0; asdkit's result.json; or
            MOTChallenge's frame, id, left, top, width, height, conf, frames from 1. Pixels of the
            upright source picture.
        clock: What the frames count: grid, 25 a second; source, the pictures of the video; auto,
            the pictures for MOTChallenge's form, the grid for all others.
        ids: Whether faces that have an id in the file keep it; else the tracker follows them.
    """

    path: str = "???"
    clock: str = field(default="auto", metadata={"values": _CLOCKS})
    ids: bool = True

    def __post_init__(self) -> None:
        if self.clock not in _CLOCKS:
            raise ValueError(f"clock must be {', '.join(_CLOCKS)}, got {self.clock!r}")


def read_boxes(path: Path, clock: str = "auto", *, ids: bool = True) -> Boxes:
    """Read a file of boxes.

    Args:
        path: The file.
        clock: See `BoxesConfig`.
        ids: Whether to keep the ids, if there are some.

    Raises:
        InputError: The file cannot be read or is invalid.
        ConfigError: The frames of the file cannot count what `clock` says.
    """
    try:
        form, faces = faces_of(read_text_file(path, _MOST_BYTES))
        return _boxes(faces, _clock_of(path, form, clock), ids=ids)
    except OSError as error:
        raise InputError(f"Cannot use the boxes in {path}: {error.strerror}", _HINT) from error
    except (ValueError, csv.Error) as error:
        raise InputError(f"Cannot use the boxes in {path}: {error}", _HINT) from error


def _clock_of(path: Path, form: Form, clock: str) -> FaceClock:
    if form == "result" and clock == "source":
        raise ConfigError(
            f"detector.clock=source cannot be: {path} is a result of asdkit, whose frames are "
            "those of the 25 fps grid",
            "Leave detector.clock out",
        )
    if clock == "auto":
        return "source" if form == "mot" else "grid"
    return "source" if clock == "source" else "grid"


def _boxes(faces: Iterable[Face], clock: FaceClock, *, ids: bool) -> Boxes:
    """Gather faces; all of them must have an id, or none."""
    frames: list[int] = []
    values: list[list[float]] = []
    numbers: list[int] = []
    taken: set[tuple[int, int]] = set()
    for place, frame, number, box in faces:
        frames.append(frame)
        values.append(box)
        if number is not None:
            numbers.append(number)
        if number is not None and (frame, number) in taken:
            raise ValueError(f"{place} has the id {number} a second time in one frame")
        if len(numbers) not in (0, len(frames)):
            raise ValueError(
                f"{place} has {'no' if number is None else 'an'} id, unlike the others"
            )
        if number is not None:
            taken.add((frame, number))
    rows = np.array(values, np.float64).reshape(-1, 5)
    return Boxes(
        np.array(frames, np.int64),
        rows[:, :4],
        rows[:, 4],
        np.array(numbers, np.int64) if ids and numbers else None,
        clock,
    )


def build(config: BoxesConfig, context: Context) -> KnownFaces:
    """Read the boxes and build the detector."""
    return KnownFaces(read_boxes(expanded(config.path), config.clock, ids=config.ids))
