"""Shared by all trackers: when a track ends, whether it is kept, and its division into pieces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...core.errors import ConfigError
from ...core.types import Float64, Status, TrackPiece


@dataclass(frozen=True)
class TrackerConfig:
    """Parameters that all trackers share; the defaults are the reference's.

    Attributes:
        max_gap_frames: A track ends when its face was last seen more grid frames ago than this.
        min_track_detections: A track counts only with more detections than this, filled frames
            not counted; each stands for the frames up to the next one looked at.
        min_face_px: A track counts only if the larger of its mean width and mean height, in
            source pixels, is more than this.
    """

    max_gap_frames: int = 10
    min_track_detections: int = 10
    min_face_px: float = 1.0

    def __post_init__(self) -> None:
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
        """Number of detections; each also counts for the frames skipped up to the next look."""
        self.frames = 1
        self.size_sum = box[2:] - box[:2]

    def extend(self, index: int, box: Float64) -> TrackPiece:
        step = np.arange(1, index - self.last_frame + 1)[:, None] / (index - self.last_frame)
        boxes = self.last_box + step * (box - self.last_box)
        boxes[-1] = box
        piece = TrackPiece(self.number, self.last_frame + 1, boxes)
        self.detections += 1
        self.last_frame, self.last_box = index, box
        self.frames += len(boxes)
        self.size_sum = self.size_sum + (boxes[:, 2:] - boxes[:, :2]).sum(0)
        return piece


class LiveTracks:
    """The live tracks: a tracker assigns faces to them; filling gaps and ending is done here.

    Args:
        config: The parameters.
        detect_every: Most frames from one look to the next.

    Raises:
        ConfigError: `detect_every` exceeds the longest gap of a track.
    """

    def __init__(self, config: TrackerConfig, detect_every: int) -> None:
        if detect_every > config.max_gap_frames:
            raise ConfigError(
                f"With up to {detect_every} frames from one look to the next (detect_every) a face "
                f"is not seen again within tracker.max_gap_frames={config.max_gap_frames}",
                "Detect more often, or allow longer gaps",
            )
        self._config = config
        self._detect_every = detect_every
        self._last_look: int | None = None
        """The last frame looked at; None at the beginning of a shot."""
        self._live: dict[int, _Live] = {}
        self._next_number = 0

    @property
    def last_boxes(self) -> dict[int, Float64]:
        """By track number, older tracks first: the last box."""
        return {number: track.last_box for number, track in self._live.items()}

    def begin(self, index: int, box: Float64) -> TrackPiece:
        """Begin a track with a face, under a new number."""
        number = self._next_number
        self._next_number += 1
        self._live[number] = _Live(number, index, box)
        return TrackPiece(number, index, box[None])

    def extend(self, number: int, index: int, box: Float64) -> TrackPiece:
        """Add a face to a track; the piece includes the interpolated boxes of the gap before it."""
        return self._live[number].extend(index, box)

    def look(self, index: int) -> list[TrackPiece]:
        """Note that frame `index` is looked at; end the tracks whose last face is too long ago."""
        for track in self._live.values():
            if track.last_frame == self._last_look:
                track.detections += min(index - track.last_frame, self._detect_every) - 1
        self._last_look = index
        gap = self._config.max_gap_frames
        return self._end([t for t in self._live.values() if index - t.last_frame > gap])

    def end(self, numbers: Sequence[int]) -> list[TrackPiece]:
        """End the tracks of these numbers that are still live."""
        return self._end([self._live[number] for number in numbers if number in self._live])

    def end_all(self) -> list[TrackPiece]:
        """End all tracks, at the end of a shot."""
        self._last_look = None
        return self._end(list(self._live.values()))

    def _end(self, tracks: list[_Live]) -> list[TrackPiece]:
        ended = []
        for track in tracks:
            del self._live[track.number]
            long_enough = track.detections > self._config.min_track_detections
            large_enough = max(track.size_sum / track.frames) > self._config.min_face_px
            status: Status = "kept" if long_enough and large_enough else "dropped"
            ended.append(TrackPiece(track.number, track.last_frame + 1, np.empty((0, 4)), status))
        return ended
