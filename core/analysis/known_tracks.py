"""Keeps faces apart by the ids that they come with, in place of a tracker."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..errors import PluginError
from ..types import GRID_FPS, Detections, Float64, TrackPiece

MOST_GAP_FRAMES = GRID_FPS
"""A face that is away for longer comes back as another track of the same id."""


class KnownTracks:
    """A tracker that adds each face to the track of its id, and keeps all tracks.

    Gaps of up to `MOST_GAP_FRAMES` grid frames, or from one look of the detector to the next, are
    filled by linear interpolation.

    Args:
        name: The detector in words.
        detect_every: Most frames from one look to the next.

    Attributes:
        ids: By number of the track: its id, until somebody takes it out. One id has a track in
            each shot, and one more after each longer gap.
    """

    def __init__(self, name: str, detect_every: int = 1) -> None:
        self.ids: dict[int, int] = {}
        self._begun = 0
        self._name = name
        self._most_gap = max(MOST_GAP_FRAMES, detect_every)
        self._live: dict[int, tuple[int, int, Float64]] = {}
        """By id: the number of its track, and its last frame and box."""

    def update(self, index: int, found: Detections) -> list[TrackPiece]:
        """Take the faces of the next detected frame; see `core.contracts.Tracker`.

        Raises:
            PluginError: The detector has left the ids out, or gives one twice or below 0.
        """
        ids = [] if not len(found) or found.ids is None else found.ids.tolist()
        if len(ids) != len(found) or len(set(ids)) != len(ids) or min(ids, default=0) < 0:
            raise PluginError(
                f"{self._name} has knows_ids=True, but the ids of {len(found)} faces in frame "
                f"{index} are {ids}"
            )
        gone = [one for one, (_, last, _) in self._live.items() if index - last > self._most_gap]
        pieces = self._end(gone)
        for one, box in zip(ids, found.boxes, strict=True):
            if one in self._live:
                number, last, before = self._live[one]
                part = np.arange(1, index - last + 1)[:, None] / (index - last)
                boxes = before + part * (box - before)
                boxes[-1] = box
                pieces.append(TrackPiece(number, last + 1, boxes))
            else:
                number = self._begun
                self._begun += 1
                self.ids[number] = one
                pieces.append(TrackPiece(number, index, box[None]))
            self._live[one] = number, index, box
        return pieces

    def flush(self) -> list[TrackPiece]:
        """End all tracks; see `core.contracts.Tracker`."""
        return self._end(list(self._live))

    def _end(self, ids: Sequence[int]) -> list[TrackPiece]:
        ended = [self._live.pop(one) for one in ids]
        return [TrackPiece(number, last + 1, np.empty((0, 4)), "kept") for number, last, _ in ended]
