"""A face that a live pass follows, with what no hop has given for good."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice

import numpy as np

from ..analysis.live_track import CroppedTrack
from ..analysis.square_pixels import Square
from ..contracts import FollowedByScorer
from ..types import Float32, Float64, Status, TrackPiece, UInt8
from .hops import HopFace

_SURE_AFTER = 10
"""Of a face that was seen in no more frames no row is certain: trackers drop such ones as chance
finds, unless they are told otherwise."""


@dataclass
class FollowedFace(CroppedTrack):
    """A face that a live pass follows, with what no hop has given for good.

    Attributes:
        shot_start: The first grid frame of its shot.
        number: Its number in the session; None until a hop has told of it.
        status: Whether its tracker follows it, or has ended it.
        given: Before this grid frame all its rows have been given as certain.
        seen: In how many frames it was seen, at least: filled gaps do not count.
        scorer: What its scorer remembers of it, if it does.
        scored_to: The grid frame up to which that was shown it.
    """

    shot_start: int = 0
    number: int | None = None
    status: Status = "live"
    given: int = field(init=False)
    seen: int = 0
    scorer: FollowedByScorer | None = None
    scored_to: int = field(init=False)
    _boxes: deque[Float64] = field(default_factory=deque)
    """From `given` on."""
    _smoothed: deque[Float64] = field(default_factory=deque)
    """From `given` to `next_crop`."""
    _faces: deque[UInt8] = field(default_factory=deque)
    """The last crops, up to `next_crop`."""

    def __post_init__(self) -> None:
        self.given = self.scored_to = self.first_frame

    @property
    def sure(self) -> bool:
        """Whether its tracker will hardly drop it any more."""
        return self.status == "kept" or self.seen > _SURE_AFTER

    @property
    def place(self) -> tuple[int, float]:
        """What new faces are numbered by: when they came, and their left side."""
        return self.first_frame, float(self._boxes[0][0])

    @property
    def crops_from(self) -> int:
        """The grid frame of its first crop that is kept."""
        return self.next_crop - len(self._faces)

    @property
    def has_rows(self) -> bool:
        """Whether it has rows that no hop has given as certain."""
        return self.given < self.next_crop

    def follow(self, piece: TrackPiece, most_apart: int) -> None:
        """Take the next boxes; `most_apart` frames are between two looks at most."""
        self._boxes.extend(piece.boxes)
        self.seen += min(len(piece.boxes), most_apart)
        self.status = piece.status

    def put(self, smoothed: Float64, crop: UInt8) -> None:
        """Take the next crop, (112, 112), and its smoothed place, (3,)."""
        self._smoothed.append(smoothed)
        self._faces.append(crop)

    def crops(self, first: int, stop: int) -> UInt8:
        """The crops of grid frames, (stop - first, 112, 112)."""
        begin = self.crops_from
        return np.stack(list(islice(self._faces, first - begin, stop - begin)))

    def certain_to(self, lookahead: int) -> int:
        """Before this grid frame its rows are certain, if they are once `lookahead` are behind."""
        if self.status == "kept":
            return self.next_crop
        return max(self.given, self.next_crop - lookahead) if self.sure else self.given

    def give(self, logits: Float32, certain_to: int, square: Square) -> HopFace:
        """Give the rows that no hop has given as certain; those before `certain_to` are now.

        Args:
            logits: (n, 2) float32, those of these rows.
            certain_to: A grid frame.
            square: Converts what is in square pixels.
        """
        assert self.number is not None
        rows = self.next_crop - self.given
        certain = min(max(certain_to - self.given, 0), rows)
        first, vectors = self.given, self.embedded.vectors
        told = HopFace(
            track=self.number,
            shot=self.shot,
            begin=self.first_frame,
            first_frame=first,
            boxes=square.stored_boxes(_rows(islice(self._boxes, rows), 4)),
            smoothed=square.stored_smoothed(_rows(self._smoothed, 3)),
            logits=logits,
            certain=certain,
            embedded=np.array(self.embedded.frames, np.int64),
            embeddings=np.stack(vectors) if vectors else np.empty((0, 0), np.float32),
            ended=self.status == "kept" and certain == rows,
            source_id=self.source_id,
        )
        for _ in range(certain):
            self._boxes.popleft()
            self._smoothed.popleft()
        self.given += certain
        self.embedded.frames.clear()
        self.embedded.vectors.clear()
        return told

    def forget(self, context: int) -> None:
        """Free the crops that no score is computed from any more."""
        needed = min(self.given, self.next_crop - context)
        while self._faces and self.crops_from < needed:
            self._faces.popleft()


def _rows(values: Iterable[Float64], width: int) -> Float64:
    return np.array(list(values), np.float64).reshape(-1, width)
