"""A tracker of one person: the largest face is followed, all others are left out."""

from __future__ import annotations

from dataclasses import dataclass

import asdkit
import numpy as np
from asdkit.plugin import iou
from numpy.typing import NDArray


@dataclass(frozen=True)
class TrackerConfig:
    """Parameters of the tracker.

    Attributes:
        max_gap_frames: A face that is gone for more grid frames than this has ended.
    """

    max_gap_frames: int = 10

    def __post_init__(self) -> None:
        if self.max_gap_frames < 0:
            raise ValueError(
                f"max_gap_frames must not be negative, got {self.max_gap_frames}"
            )


class LargestFace:
    """Goes on with the face that overlaps the last one; begins with the largest."""

    def __init__(self, most_apart: int) -> None:
        self._most_apart = most_apart
        self._number = -1
        self._last: tuple[int, NDArray[np.float64]] | None = None

    def update(self, index: int, found: asdkit.Detections) -> list[asdkit.TrackPiece]:
        """The faces of the next frame that was looked at; other frames are filled."""
        pieces = []
        if self._last and index - self._last[0] > self._most_apart:
            pieces += self.flush()
        box = self._next(found.boxes)
        if self._last and box is not None:
            pieces.append(self._piece(self._last[0] + 1, self._up_to(index, box)))
            self._last = (index, box)
        elif self._last is None and len(found):
            self._number += 1
            self._last = (index, self._largest(found.boxes))
            pieces.append(self._piece(index, self._last[1][None]))
        return pieces

    def flush(self) -> list[asdkit.TrackPiece]:
        """The shot ends, and the track with it."""
        if self._last is None:
            return []
        index, self._last = self._last[0], None
        return [asdkit.TrackPiece(self._number, index + 1, np.empty((0, 4)), "kept")]

    def _next(self, boxes: NDArray[np.float64]) -> NDArray[np.float64] | None:
        """The box that the face has moved to, if there is one."""
        if self._last is None or not len(boxes):
            return None
        overlap = iou(self._last[1][None], boxes)[0]
        best = int(overlap.argmax())
        return boxes[best] if overlap[best] > 0.3 else None

    def _largest(self, boxes: NDArray[np.float64]) -> NDArray[np.float64]:
        area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
        largest: NDArray[np.float64] = boxes[int(area.argmax())]
        return largest

    def _up_to(self, index: int, box: NDArray[np.float64]) -> NDArray[np.float64]:
        """A box for each frame since the last one, in a straight line."""
        assert self._last
        steps = np.linspace(0, 1, index - self._last[0] + 1)[1:, None]
        return self._last[1] + steps * (box - self._last[1])

    def _piece(self, first: int, boxes: NDArray[np.float64]) -> asdkit.TrackPiece:
        return asdkit.TrackPiece(self._number, first, boxes)


def build(config: TrackerConfig, context: asdkit.Context) -> LargestFace:
    """Make the tracker, anew for each video."""
    return LargestFace(config.max_gap_frames + context.detect_every)
