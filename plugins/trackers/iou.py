"""The reference's greedy tracker, changed to work online and with one-to-one matching."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...core.boxes import iou, pairs
from ...core.component import Context
from ...core.types import Detections, Float64, TrackPiece
from .pieces import LiveTracks, TrackerConfig


@dataclass(frozen=True)
class IouConfig(TrackerConfig):
    """Parameters of the `iou` tracker; the defaults are the reference's.

    Attributes:
        iou_threshold: A face joins a track if its overlap with the track's last face, as
            intersection over union from 0 to 1, is more than this.
    """

    iou_threshold: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.iou_threshold < 1:
            raise ValueError(f"iou_threshold must be from 0 to below 1, got {self.iou_threshold}")


class IouTracker:
    """Adds each face to the track whose last face it overlaps most.

    Faces and tracks are matched greedily by decreasing overlap, each at most once.
    """

    def __init__(self, config: IouConfig, detect_every: int = 1) -> None:
        self._iou_threshold = config.iou_threshold
        self._tracks = LiveTracks(config, detect_every)

    def update(self, index: int, found: Detections) -> list[TrackPiece]:
        """Take the faces of the next detected frame; see `core.contracts.Tracker`."""
        pieces = self._tracks.look(index)
        free = set(range(len(found)))
        for number, face in self._matches(found.boxes):
            pieces.append(self._tracks.extend(number, index, found.boxes[face]))
            free.remove(face)
        return pieces + [self._tracks.begin(index, found.boxes[face]) for face in sorted(free)]

    def end(self, tracks: Sequence[int]) -> list[TrackPiece]:
        """End these tracks; see `core.contracts.Tracker`."""
        return self._tracks.end(tracks)

    def flush(self) -> list[TrackPiece]:
        """End all tracks; see `core.contracts.Tracker`."""
        return self._tracks.end_all()

    def _matches(self, boxes: Float64) -> list[tuple[int, int]]:
        """Matched pairs of a track's number and a face's index."""
        last_boxes = self._tracks.last_boxes
        if not last_boxes or not len(boxes):
            return []
        numbers = list(last_boxes)
        overlap = iou(np.stack(list(last_boxes.values())), boxes)
        least = np.nextafter(self._iou_threshold, 1)  # strictly above the threshold
        return [(numbers[row], face) for row, face in pairs(overlap, least)]


def build(config: IouConfig, context: Context) -> IouTracker:
    """Build the tracker."""
    return IouTracker(config, context.detect_every)
