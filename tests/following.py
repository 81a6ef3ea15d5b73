"""Runs a tracker over given boxes, and holds what comes out against the contract."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from asdkit.core.component import Context
from asdkit.core.contracts import Tracker
from asdkit.core.registry import registry
from asdkit.core.types import Detections, TrackPiece

Row = Sequence[float]
"""A face: x1, y1, x2, y2 and its confidence."""


def detections(rows: Iterable[Row]) -> Detections:
    array = np.array(list(rows), float).reshape(-1, 5)
    return Detections(array[:, :4], array[:, 4])


def make(name: str, detect_every: int = 1, **parameters: Any) -> Tracker:
    component = registry().find("tracker", name)
    return component.build(component.config(**parameters), Context(detect_every=detect_every))


@dataclass
class Followed:
    """A track: where each box was seen, what lies between, and whether it counts."""

    number: int
    first_frame: int
    boxes: np.ndarray
    seen: list[int]
    status: str = "live"

    @property
    def span(self) -> tuple[int, int]:
        """First and last frame."""
        return self.first_frame, self.first_frame + len(self.boxes) - 1


def follow(tracker: Tracker, frames: Mapping[int, Sequence[Row]]) -> list[Followed]:
    """The tracks of one shot, in the order of their numbers; what is in `frames` was looked at."""
    tracks: dict[int, Followed] = {}
    for index, rows in frames.items():
        pieces = tracker.update(index, detections(rows))
        live = [piece for piece in pieces if piece.status == "live"]
        placed = Counter(tuple(piece.boxes[-1]) for piece in live)
        assert not placed - Counter(tuple(map(float, row[:4])) for row in rows), "a face, twice"
        for piece in pieces:
            _take(tracks, piece, index)
    for piece in tracker.flush():
        _take(tracks, piece, None)
    for track in tracks.values():
        assert track.status in ("kept", "dropped")
        at = np.array(track.seen) - track.first_frame
        filled = [np.interp(range(len(track.boxes)), at, side) for side in track.boxes[at].T]
        np.testing.assert_allclose(track.boxes, np.stack(filled, 1), atol=1e-9)
    assert not tracker.flush()
    return [tracks[number] for number in sorted(tracks)]


def _take(tracks: dict[int, Followed], piece: TrackPiece, index: int | None) -> None:
    """Add a piece to its track; `index` is the frame just looked at, None at the end."""
    if piece.status != "live":
        assert not len(piece.boxes)
    if piece.track not in tracks:
        assert (piece.first_frame, len(piece.boxes)) == (index, 1), "not told of at once"
        tracks[piece.track] = Followed(piece.track, index, piece.boxes, [index])
        return
    track = tracks[piece.track]
    assert track.status == "live"
    assert piece.first_frame == track.first_frame + len(track.boxes)
    track.boxes = np.concatenate([track.boxes, piece.boxes])
    track.status = piece.status
    if piece.status == "live":
        assert track.span[1] == index
        track.seen.append(index)
