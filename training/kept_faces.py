"""Keeps the faces of videos as they were cut, with their sound, so that any stretch reads fast.

A file has one row for each face and grid frame, as they come in the pass over the video: the clips
of several faces take turns. It may take many gigabytes, and no more than a clip of it is in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ..core.errors import InputError, OutputError
from ..core.types import FACE_SIZE_PX, SAMPLES_PER_FRAME, SOUND_AFTER, Clip, Float32, Int64, Scores

ROW = np.dtype(
    [
        ("face", "u1", (FACE_SIZE_PX, FACE_SIZE_PX)),
        ("sound", "<i2", SAMPLES_PER_FRAME),
        ("before", "<i2"),
        ("after", "<i2", SOUND_AFTER),
    ]
)
"""One face in one grid frame: its crop, the sound meanwhile, the sample before, and the 15 ms
after. Successive rows make a `Clip`, whichever they are."""
_BASE = 1 << 16
"""Numbers of rows are told as two digits of this base, which float32 holds exactly."""


class Recorder:
    """A scorer that writes clips to a file, and answers with the numbers of their rows.

    So the tracks of the pass tell by their logits where their faces are; see `rows_of`, and
    `core.contracts.Scorer`.

    Args:
        file: The file, open for writing, empty.

    Attributes:
        rows: How many rows have been written.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.rows = 0
        self._file = file

    def score(self, clips: Sequence[Clip]) -> list[Scores]:
        """Write clips; return for each frame the number of its row.

        Raises:
            OutputError: The file cannot be written to.
        """
        try:
            return [self._written(clip) for clip in clips]
        except OSError as error:
            raise OutputError(f"Cannot keep faces: {error.strerror or error}") from error

    def _written(self, clip: Clip) -> Scores:
        rows = np.zeros(len(clip), ROW)
        rows["face"] = clip.faces
        rows["sound"] = clip.sound.reshape(len(clip), SAMPLES_PER_FRAME)
        rows["before"][0] = clip.sound_before
        rows["before"][1:] = rows["sound"][:-1, -1]
        rows["after"][:-1] = rows["sound"][1:, :SOUND_AFTER]
        rows["after"][-1] = clip.sound_after
        self._file.write(rows.tobytes())
        numbers = np.arange(self.rows, self.rows + len(clip))
        self.rows += len(clip)
        return Scores(np.stack(np.divmod(numbers, _BASE), 1).astype(np.float32))


def rows_of(logits: Float32) -> Int64:
    """The numbers of rows (n,) that a `Recorder` answered with, (n, 2)."""
    high, low = logits.astype(np.int64).T
    return np.asarray(high * _BASE + low, np.int64)


@dataclass(frozen=True)
class KeptFace:
    """Reads a face from a file that a `Recorder` wrote.

    Attributes:
        path: The file.
        pieces: (first row, number of rows) of its clips, in their order.
    """

    path: Path
    pieces: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, path: Path, rows: Int64) -> KeptFace:
        """The face whose frames are in these rows (n,)."""
        clips = np.split(rows, np.flatnonzero(np.diff(rows) != 1) + 1)
        return cls(path, tuple((int(clip[0]), len(clip)) for clip in clips))

    def clip(self, start: int, stop: int) -> Clip:
        """The frames from `start` to `stop`, end excluded, counted from the face's first.

        Raises:
            InputError: The file is not there any more, or is damaged.
        """
        found, begin = [], 0
        for first, count in self.pieces:
            inside = range(max(start - begin, 0), min(stop - begin, count))
            if inside:
                found.append(self._read(first + inside.start, len(inside)))
            begin += count
        rows = np.concatenate(found) if len(found) > 1 else found[0]
        return Clip(
            np.ascontiguousarray(rows["face"]),
            rows["sound"].ravel().astype(np.int16, copy=False),
            int(rows["before"][0]),
            rows["after"][-1].astype(np.int16),
        )

    def _read(self, row: int, count: int) -> np.ndarray:
        rows = np.empty(0, ROW)
        with suppress(OSError):
            rows = np.fromfile(self.path, ROW, count, offset=row * ROW.itemsize)
        if len(rows) < count:
            raise InputError(
                f"The faces kept in {self.path} are not there any more, or not whole",
                "Start the training again, which cuts them anew",
            )
        return rows
