"""Faces that are known beforehand: from arrays of the user, or from a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from .arrays import as_array
from .errors import ConfigError, InputError
from .types import Detections, Float64, Int64, UInt8

FaceClock = Literal["grid", "source"]
"""What the frames of known faces count: the 25 fps grid, or the pictures of the source."""
MOST_BETWEEN_S = 1.0
"""Between two boxes of one id at most so many seconds apart, boxes are interpolated."""


@dataclass(frozen=True, eq=False)
class Boxes:
    """Faces found beforehand, for `asdkit.run` and `asdkit.Pipeline`; one row for each box.

    With `ids`, the boxes of one id are one face: asdkit does not follow faces itself, and every
    track has its id as `Track.source_id`. Without them, the run's tracker follows the faces.

    Attributes:
        frames: (n,) int64, 0 or more, in any order: the frame of each box.
        boxes: (n, 4) float64: x1, y1, x2, y2 in stored pixels of the upright picture, x1 < x2 and
            y1 < y2.
        scores: (n,) float64, the confidence in each box from 0 to 1; by default 1.
        ids: (n,) int64, 0 or more: whose face it is. At most one box of an id is in a frame.
        clock: "grid": the frames count the 25 fps grid, as in results. "source": they count the
            pictures of the video as they are stored, by their time, from 0.

    Raises:
        InputError: A shape or a value is another one.

    Example:
        >>> boxes = asdkit.Boxes([0, 1], [[10, 20, 60, 80], [11, 20, 61, 80]], ids=[7, 7])
        >>> asdkit.run("clip.mp4", boxes=boxes, writers=[]).tracks[0].source_id
        7
    """

    frames: Int64
    boxes: Float64
    scores: Float64 | None = None
    ids: Int64 | None = None
    clock: FaceClock = "grid"

    def __post_init__(self) -> None:
        if self.clock not in get_args(FaceClock):
            raise InputError(
                f"Boxes.clock must be one of {', '.join(get_args(FaceClock))}, got {self.clock!r}"
            )
        frames = _whole_numbers("Boxes.frames", self.frames, None)
        count = len(frames)
        boxes = _floats("Boxes.boxes", self.boxes, (count, 4))
        scores = self.scores
        scores = np.ones(count) if scores is None else _floats("Boxes.scores", scores, (count,))
        ids = None if self.ids is None else _whole_numbers("Boxes.ids", self.ids, count)
        wrong = ~(boxes[:, :2] < boxes[:, 2:]).all(1)
        if wrong.any():
            raise InputError(
                f"Boxes.boxes[{wrong.argmax()}] is {boxes[wrong][0].tolist()}, which encloses "
                "nothing",
                "Boxes are x1, y1, x2, y2 in pixels, with x1 < x2 and y1 < y2",
            )
        # By id and frame, so that the boxes of an id follow each other; rows of a frame keep their
        # order where there are no ids.
        order = np.lexsort((frames,) if ids is None else (frames, ids))
        for name, value in zip(
            ("frames", "boxes", "scores", "ids"), (frames, boxes, scores, ids), strict=True
        ):
            object.__setattr__(self, name, None if value is None else value[order])
        self._check_once()

    def _check_once(self) -> None:
        if self.ids is None or not len(self):
            return
        again = (np.diff(self.ids) == 0) & (np.diff(self.frames) == 0)
        if again.any():
            row = int(again.argmax())
            raise InputError(
                f"Boxes has two boxes of the id {self.ids[row]} in frame {self.frames[row]}",
                "One id is one face: give each face its own, or leave ids out",
            )

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def confidence(self) -> Float64:
        """(n,) float64: `scores`."""
        assert self.scores is not None
        return self.scores

    def about(self) -> dict[str, Any]:
        """What a result says of its origin: how many boxes, their clock and their SHA-256."""
        arrays = (self.frames, self.boxes, self.scores, self.ids)
        digest = sha256(self.clock.encode())
        for array in arrays:
            digest.update(b"-" if array is None else np.ascontiguousarray(array).tobytes())
        return {"boxes": len(self), "clock": self.clock, "sha256": digest.hexdigest()}

    def on_grid(self, times_s: Float64, shown: Int64) -> Boxes:
        """The faces of each frame of the grid: those of the picture that it shows.

        A picture without a box of an id takes it, interpolated linearly by time, from the id's
        boxes before and after, if these are at most `MOST_BETWEEN_S` apart. Without ids, a picture
        without boxes has those of the last one with some that is skipped since the grid frame
        before.

        Args:
            times_s: (m,) float64, rising: when each picture of the source begins, in seconds from
                the first one.
            shown: (k,) int64, never falling: for each frame of the grid the picture that it shows.
        """
        if self.clock == "grid":
            return self
        inside = self.frames < len(times_s)
        if self.ids is None:
            return self._nearest(inside, shown)
        own = np.flatnonzero(inside)
        values = np.column_stack([self.boxes, self.confidence])
        found = [
            (self.ids[rows[0]], *_moved(self.frames[rows], values[rows], times_s, shown))
            for rows in np.split(own, np.flatnonzero(np.diff(self.ids[own])) + 1)
            if len(rows)
        ]
        moved = np.concatenate([np.empty((0, 5)), *(rows for _, _, rows in found)])
        frames = np.concatenate([_NO_NUMBERS, *(known for _, known, _ in found)])
        ids = np.repeat([one for one, *_ in found], [len(known) for _, known, _ in found])
        return Boxes(frames, moved[:, :4], moved[:, 4], ids)

    def _nearest(self, inside: NDArray[np.bool_], shown: Int64) -> Boxes:
        pictures, number = np.unique(shown, return_inverse=True)
        known = np.unique(self.frames[inside])
        # By picture shown: the last one with boxes up to it, and after the one shown before.
        last = np.append(-1, known)[np.searchsorted(known, pictures, side="right")]
        at = np.where(last > np.append(-1, pictures[:-1]), last, -1)[number]
        begin, end = (np.searchsorted(self.frames, at, side) for side in ("left", "right"))
        rows = [np.arange(*own) for own in zip(begin, end, strict=True)]
        frames = np.repeat(np.arange(len(shown)), end - begin)
        own = np.concatenate([_NO_NUMBERS, *rows])
        return Boxes(frames, self.boxes[own], self.confidence[own])


_NO_NUMBERS = np.empty(0, np.int64)


def _moved(frames: Int64, values: Float64, times_s: Float64, shown: Int64) -> tuple[Int64, Float64]:
    """Where the face of one id is on the grid: the frames, and a row of box and score for each."""
    first, stop = np.searchsorted(shown, frames[0]), np.searchsorted(shown, frames[-1], "right")
    own_s, wanted_s = times_s[frames], times_s[shown[first:stop]]
    after = np.searchsorted(own_s, wanted_s)
    before = np.searchsorted(own_s, wanted_s, side="right") - 1
    length = own_s[after] - own_s[before]  # 0 where the picture has a box
    (known,) = np.nonzero(length <= MOST_BETWEEN_S)
    before, after, length = before[known], after[known], length[known]
    part = (wanted_s[known] - own_s[before]) / np.where(length > 0, length, 1.0)
    rows = values[before] + part[:, None] * (values[after] - values[before])
    return known + first, rows


class KnownFaces:
    """A detector that looks up faces that are known beforehand.

    Args:
        boxes: The faces, on either clock; on the source's, see `on_grid`.

    Attributes:
        knows_ids: Whether the faces have ids.
    """

    looks = False

    def __init__(self, boxes: Boxes) -> None:
        self.knows_ids = boxes.ids is not None
        self.boxes = boxes
        order = np.argsort(boxes.frames, kind="stable")
        self._rows = order
        self._frames = boxes.frames[order]

    @property
    def clock(self) -> FaceClock:
        """What the frames count; the detector is asked on the grid alone."""
        return self.boxes.clock

    def on_grid(self, times_s: Float64, shown: Int64) -> KnownFaces:
        """The same faces on the grid of one video; see `Boxes.on_grid`."""
        return KnownFaces(self.boxes.on_grid(times_s, shown))

    def detect(self, frames: UInt8, indices: Sequence[int]) -> list[Detections]:
        """Look up the faces of the frames; see `core.contracts.Detector`.

        Raises:
            ConfigError: A picture is not a frame of the video, or the faces are not on the grid.
        """
        if self.clock != "grid":
            raise ConfigError(
                "detector.clock=source needs the times of the video's pictures, which only a run "
                "looks for",
                "Here give boxes of the 25 fps frames, with detector.clock=grid",
            )
        if min(indices, default=0) < 0:
            raise ConfigError(
                "detector=boxes knows the faces of the video alone, not those of portraits",
                "With identities=FOLDER choose a detector that looks, such as detector=mtcnn",
            )
        return [self._faces(index) for index in indices]

    def _faces(self, index: int) -> Detections:
        begin, end = (int(np.searchsorted(self._frames, index, side)) for side in ("left", "right"))
        rows = self._rows[begin:end]
        boxes = self.boxes
        ids = None if boxes.ids is None else boxes.ids[rows]
        return Detections(boxes.boxes[rows], boxes.confidence[rows], ids=ids)


def _whole_numbers(what: str, value: Any, count: int | None) -> Int64:
    """Convert numbers to (n,) int64, 0 or more."""
    try:
        array = as_array(what, value, None, (count,))
    except ValueError as error:
        raise InputError(
            f"{what} cannot be used: {error}", "Give one number for each box"
        ) from error
    fits = array.dtype.kind in "iuf" or not len(array)
    if not fits or not ((array >= 0) & (array < 2**53) & (array % 1 == 0)).all():
        raise InputError(f"{what} must be whole numbers from 0 on, got {_wrong(array, fits=fits)}")
    whole: Int64 = array.astype(np.int64)
    return whole


def _wrong(array: NDArray[Any], *, fits: bool) -> Any:
    """An item that is no whole number."""
    return array[~((array >= 0) & (array < 2**53) & (array % 1 == 0))][0] if fits else array[0]


def _floats(what: str, value: Any, shape: tuple[int | None, ...]) -> Float64:
    try:
        array: Float64 = as_array(what, value, np.float64, shape)
    except (ValueError, TypeError) as error:
        raise InputError(f"{what} cannot be used: {error}", "Give one row for each box") from error
    if not np.isfinite(array).all():
        raise InputError(f"{what} must be finite, but one is {array[~np.isfinite(array)][0]}")
    return array
