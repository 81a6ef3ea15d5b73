"""The reference's greedy tracker, made online and one to one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ...core.components import Context
from ...core.errors import ConfigError
from ...core.types import Detections, Float64, TrackPiece


@dataclass(frozen=True)
class IouConfig:
    """Parameters of the `iou` tracker; the defaults are the reference's.

    Attributes:
        iou_threshold: A face joins a track if its overlap with the track's last face, as
            intersection over union from 0 to 1, is more than this.
        max_gap_frames: A track ends when its face was last seen more grid frames ago than this.
        min_track_detections: A track counts only with more detections than this, filled frames
            not counted; with `detect_every=k` each detection stands for k.
        min_face_px: A track counts only if the larger of its mean width and mean height, in
            source pixels, is more than this.
    """

    iou_threshold: float = 0.5
    max_gap_frames: int = 10
    min_track_detections: int = 10
    min_face_px: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.iou_threshold < 1:
            raise ValueError(f"iou_threshold must be from 0 to below 1, got {self.iou_threshold}")
        if self.max_gap_frames < 1:
            raise ValueError(f"max_gap_frames must be at least 1, got {self.max_gap_frames}")
        for name in ("min_track_detections", "min_face_px"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative, got {getattr(self, name)}")


class _Live:
    """A track that may go on."""

    def __init__(self, number: int, index: int, box: Float64) -> None:
        self.number = number
        self.last_frame = index
        self.last_box = box
        self.detections = 1
        self.frames = 1
        self.size_sum = box[2:] - box[:2]

    def extend(self, index: int, box: Float64) -> TrackPiece:
        """Take the next face in; the piece holds it and the gap before it, interpolated."""
        step = np.arange(1, index - self.last_frame + 1)[:, None] / (index - self.last_frame)
        boxes = self.last_box + step * (box - self.last_box)
        boxes[-1] = box
        piece = TrackPiece(self.number, self.last_frame + 1, boxes)
        self.last_frame, self.last_box = index, box
        self.detections += 1
        self.frames += len(boxes)
        self.size_sum = self.size_sum + (boxes[:, 2:] - boxes[:, :2]).sum(0)
        return piece


class IouTracker:
    """Joins each face to the track whose last face it overlaps most.

    The pairs of a frame are matched from the greatest overlap down, each face and each track at
    most once. Gaps are filled by linear interpolation.
    """

    def __init__(self, config: IouConfig, detect_every: int = 1) -> None:
        self._config = config
        self._detect_every = detect_every
        self._live: list[_Live] = []
        self._next_number = 0

    def update(self, index: int, found: Detections) -> list[TrackPiece]:
        """Take the faces of the next frame looked at; see `core.contracts.Tracker`."""
        pieces = self._end(
            [t for t in self._live if index - t.last_frame > self._config.max_gap_frames]
        )
        free = set(range(len(found)))
        for track, face in self._matches(found.boxes):
            pieces.append(track.extend(index, found.boxes[face]))
            free.remove(face)
        for face in sorted(free):
            box = found.boxes[face]
            self._live.append(_Live(self._next_number, index, box))
            pieces.append(TrackPiece(self._next_number, index, box[None]))
            self._next_number += 1
        return pieces

    def flush(self) -> list[TrackPiece]:
        """End all tracks; see `core.contracts.Tracker`."""
        return self._end(list(self._live))

    def _matches(self, boxes: Float64) -> list[tuple[_Live, int]]:
        """Pairs of track and face, each of them in one pair at most."""
        if not self._live or not len(boxes):
            return []
        overlap = iou(np.stack([track.last_box for track in self._live]), boxes)
        # A stable sort: of equal overlaps the older track and the earlier face come first.
        order = np.argsort(-overlap, axis=None, kind="stable")
        pairs, tracks, faces = [], set(), set()
        for row, column in zip(*np.unravel_index(order, overlap.shape), strict=True):
            if overlap[row, column] <= self._config.iou_threshold:
                break
            if row not in tracks and column not in faces:
                tracks.add(row)
                faces.add(column)
                pairs.append((self._live[row], int(column)))
        return pairs

    def _end(self, tracks: list[_Live]) -> list[TrackPiece]:
        ended = []
        for track in tracks:
            self._live.remove(track)
            seen_frames = track.detections * self._detect_every
            long_enough = seen_frames > self._config.min_track_detections
            large_enough = max(track.size_sum / track.frames) > self._config.min_face_px
            status: Literal["kept", "dropped"] = (
                "kept" if long_enough and large_enough else "dropped"
            )
            ended.append(TrackPiece(track.number, track.last_frame + 1, np.empty((0, 4)), status))
        return ended


def iou(a: Float64, b: Float64) -> Float64:
    """Intersection over union of boxes (n, 4) and (m, 4): (n, m), from 0 to 1."""
    top_left = np.maximum(a[:, None, :2], b[None, :, :2])
    bottom_right = np.minimum(a[:, None, 2:], b[None, :, 2:])
    common = np.clip(bottom_right - top_left, 0, None).prod(2)
    area_a = (a[:, 2:] - a[:, :2]).prod(1)
    area_b = (b[:, 2:] - b[:, :2]).prod(1)
    union = area_a[:, None] + area_b[None] - common
    ratio: Float64 = np.divide(common, union, out=np.zeros_like(common), where=union > 0)
    return ratio


def build(config: IouConfig, context: Context) -> IouTracker:
    """Make the tracker."""
    if context.detect_every > config.max_gap_frames:
        raise ConfigError(
            f"With detect_every={context.detect_every} a face is never seen again within "
            f"tracker.max_gap_frames={config.max_gap_frames}",
            "Detect more often, or allow longer gaps",
        )
    return IouTracker(config, context.detect_every)
