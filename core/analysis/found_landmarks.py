"""Keeps the landmarks that the detector found, until the faces of these frames are embedded."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from ..boxes import iou
from ..landmarks import moved
from ..types import Detections, Float64, TrackPiece

_LEAST_OVERLAP = 0.5
"""Intersection over union from which the box of a track is that of a face the detector found."""


class FoundLandmarks:
    """The landmarks found in the frames that are still needed, in square pixels."""

    def __init__(self) -> None:
        self._found: dict[int, Detections] = {}

    def add(self, found: Iterable[tuple[int, Detections]]) -> None:
        """Note the faces of the frames that the detector looked at last."""
        self._found.update(
            (index, faces)
            for index, faces in found
            if faces.landmarks is not None and len(faces.landmarks)
        )

    def at(self, frame: int, box: Float64) -> Float64 | None:
        """The landmarks of the face that a track has at a box of a frame.

        They are moved with the box, if the tracker changed it.

        Args:
            frame: The grid frame.
            box: (4,) float64.

        Returns:
            (5, 2) float64; None if the detector did not look at this frame, found no landmarks
            in it, or no face near the box.
        """
        faces = self._found.get(frame)
        if faces is None or faces.landmarks is None:
            return None
        overlap = iou(box[None], faces.boxes)[0]
        best = int(overlap.argmax())
        if overlap[best] < _LEAST_OVERLAP:
            return None
        return moved(faces.landmarks[best], faces.boxes[best], box)

    def forget_before(self, index: int) -> None:
        """Free what was found before grid frame `index`."""
        for old in [frame for frame in self._found if frame < index]:
            del self._found[old]


class _Known(NamedTuple):
    frame: int
    box: Float64
    landmarks: Float64


@dataclass
class TrackLandmarks:
    """The landmarks of one track, from about the next frame that is embedded on."""

    _known: deque[_Known] = field(default_factory=deque)

    def add(self, piece: TrackPiece, found: FoundLandmarks) -> None:
        """Note the landmarks of a track's next boxes."""
        for frame, box in enumerate(piece.boxes, piece.first_frame):
            landmarks = found.at(frame, box)
            if landmarks is not None:
                self._known.append(_Known(frame, box, landmarks))

    def near(self, frame: int, box: Float64) -> Float64 | None:
        """The landmarks at a box (4,) of a frame; frames must rise from call to call.

        Returns:
            (5, 2) float64: those of the nearest frame that has some, the earlier one of two,
            moved from its box to this one; None if none has.
        """
        while len(self._known) > 1 and self._known[1].frame <= frame:
            self._known.popleft()
        if not self._known:
            return None
        nearest = min(self._known, key=lambda known: abs(known.frame - frame))
        return moved(nearest.landmarks, nearest.box, box)
