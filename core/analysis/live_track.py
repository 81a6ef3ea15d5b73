"""The state of a track that may go on: what is to be cropped, its crops, and its scores so far."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from ..sync import Piece
from ..types import FACE_SIZE_PX, Float32, Float64, UInt8
from .crops import Smoother
from .embedding import Embedded


def room_for_faces(frames: int = 0) -> UInt8:
    """One array for all crops of a clip, which also avoids fragmenting the heap."""
    return np.empty((frames, FACE_SIZE_PX, FACE_SIZE_PX), np.uint8)


@dataclass
class CroppedTrack:
    """As much of a track that may go on as `core.analysis.in_sight` needs to crop it."""

    shot: int
    first_frame: int
    source_id: int | None = None
    smoother: Smoother = field(default_factory=Smoother)
    uncropped: deque[Float64] = field(default_factory=deque)
    """The boxes of frames not cropped yet."""
    embedded: Embedded = field(default_factory=Embedded)
    cropped: int = 0
    """Number of frames cropped so far."""

    @property
    def next_crop(self) -> int:
        """The first frame not cropped yet."""
        return self.first_frame + self.cropped


@dataclass
class LiveTrack(CroppedTrack):
    """The state of a track that may go on, in a pass that scores it a clip at a time."""

    boxes: list[Float64] = field(default_factory=list)
    smoothed: list[Float64] = field(default_factory=list)
    logits: list[Float32] = field(default_factory=list)
    pieces: list[Piece] = field(default_factory=list)
    """Pieces scored with shifted sound."""
    faces: UInt8 = field(default_factory=room_for_faces)
    """Crops of the current clip, then unused space."""
    gathered: int = 0
    """Number of crops in `faces`."""

    @property
    def clip_start(self) -> int:
        """The first frame of the current clip."""
        return self.next_crop - self.gathered
