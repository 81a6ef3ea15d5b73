"""Trackers of roboflow's package `trackers`: they foresee where each face will be next.

The library decides which face belongs to which track, and nothing else: boxes are the
detector's, gaps are filled and ends are judged as in every tracker (`pieces`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...core.component import Context
from ...core.errors import MissingExtraError
from ...core.types import Detections, TrackPiece
from .pieces import LiveTracks, TrackerConfig


@dataclass(frozen=True)
class LibraryConfig(TrackerConfig):
    """Parameters that the library's trackers share.

    Attributes:
        iou_threshold: A face joins a track only if its overlap with where the track's face is
            expected, as intersection over union above 0 to 1, is at least this.
    """

    iou_threshold: float = 0.2

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.iou_threshold <= 1:
            raise ValueError(f"iou_threshold must be above 0, up to 1, got {self.iou_threshold}")


@dataclass(frozen=True)
class ByteTrackConfig(LibraryConfig):
    """Parameters of the `bytetrack` tracker (Zhang et al., ECCV 2022).

    Attributes:
        sure_score: Faces of this confidence, from 0 to 1, are matched first and may begin a
            track; fainter ones only carry a track on, and are left out where there is none. It
            matters where the detector's own threshold is lower.
    """

    sure_score: float = 0.6

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.sure_score <= 1:
            raise ValueError(f"sure_score must be from 0 to 1, got {self.sure_score}")


@dataclass(frozen=True)
class OcSortConfig(LibraryConfig):
    """Parameters of the `ocsort` tracker (Cao et al., CVPR 2023).

    Attributes:
        direction_weight: How much a face that keeps a track's direction is preferred, on the
            scale of the overlap; 0 for not at all.
    """

    direction_weight: float = 0.2

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.direction_weight < 0:
            raise ValueError(f"direction_weight must not be negative, got {self.direction_weight}")


@dataclass(frozen=True)
class CBiouConfig(ByteTrackConfig):
    """Parameters of the `cbiou` tracker (Yang et al., WACV 2023).

    Its overlap is that of grown boxes, times the confidence of the face. For faint faces the
    library's own, stricter figures hold.

    Attributes:
        grow_ratio: Boxes grow by this part of their width and height on each side before their
            overlap is taken; 0 for not at all.
    """

    grow_ratio: float = 0.3

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.grow_ratio < 0:
            raise ValueError(f"grow_ratio must not be negative, got {self.grow_ratio}")


class LibraryTracker:
    """Follows faces with a tracker of the library.

    Args:
        library: The library's tracker, its clock set to one tick per grid frame.
        detections: The library's type for what was found in a frame.
        tracks: Where the tracks are kept.
        start_score: Confidence from 0 to 1 that a face needs for the library to begin a track.
    """

    def __init__(
        self, library: Any, detections: Any, tracks: LiveTracks, start_score: float
    ) -> None:
        self._library = library
        self._detections = detections
        self._tracks = tracks
        self._start_score = start_score

    def update(self, index: int, found: Detections) -> list[TrackPiece]:
        """Take the faces of the next frame looked at; see `core.contracts.Tracker`."""
        pieces = self._tracks.end_lost(index)
        # Rows come back in another order, or not at all. The time makes what is foreseen right
        # over any number of frames left out.
        rows = self._detections(
            xyxy=found.boxes, confidence=found.scores, data={"face": np.arange(len(found))}
        )
        told = self._library.update(rows, timestamp=float(index))
        numbers = dict(zip(told.data.get("face", ()), told.tracker_id, strict=True))
        starting = []
        for face in range(len(found)):
            number = int(numbers.get(face, -1))
            if number >= 0:
                pieces.append(self._tracks.extend(number, index, found.boxes[face]))
            elif found.scores[face] >= self._start_score:
                starting.append(face)
        # The library numbers a track with its second face; ours are told of with the first. So
        # its new tracks, which come in the order of their faces, get our numbers here.
        new = [track for track in self._library.tracks if track.tracker_id < 0]
        for track, face in zip(new, starting, strict=True):
            piece = self._tracks.begin(index, found.boxes[face])
            track.tracker_id = piece.track
            pieces.append(piece)
        return pieces

    def end(self, tracks: Sequence[int]) -> list[TrackPiece]:
        """End these tracks; see `core.contracts.Tracker`."""
        ended = set(tracks)
        self._library.tracks = [t for t in self._library.tracks if t.tracker_id not in ended]
        return self._tracks.end(tracks)

    def flush(self) -> list[TrackPiece]:
        """End all tracks; see `core.contracts.Tracker`."""
        self._library.reset()
        return self._tracks.end_all()


def build_bytetrack(config: ByteTrackConfig, context: Context) -> LibraryTracker:
    """Make the ByteTrack tracker."""
    return _build(
        "bytetrack",
        "ByteTrackTracker",
        config,
        context,
        start_score=config.sure_score,
        minimum_iou_threshold=config.iou_threshold,
        high_conf_det_threshold=config.sure_score,
        track_activation_threshold=config.sure_score,
    )


def build_ocsort(config: OcSortConfig, context: Context) -> LibraryTracker:
    """Make the OC-SORT tracker; how sure a face must be is left to the detector."""
    return _build(
        "ocsort",
        "OCSORTTracker",
        config,
        context,
        start_score=0.0,
        minimum_iou_threshold=config.iou_threshold,
        high_conf_det_threshold=0.0,
        direction_consistency_weight=config.direction_weight,
    )


def build_cbiou(config: CBiouConfig, context: Context) -> LibraryTracker:
    """Make the C-BIoU tracker."""
    return _build(
        "cbiou",
        "CBIoUTracker",
        config,
        context,
        start_score=config.sure_score,
        minimum_iou_threshold_first_assoc=config.iou_threshold,
        high_conf_det_threshold=config.sure_score,
        track_activation_threshold=config.sure_score,
        instant_first_frame_activation=False,
        buffer_ratio_first=config.grow_ratio,
    )


def _build(
    name: str,
    library_class: str,
    config: LibraryConfig,
    context: Context,
    *,
    start_score: float,
    **options: Any,
) -> LibraryTracker:
    """Make one of the library's trackers, with options of its own.

    Raises:
        MissingExtraError: The library is not installed.
        ConfigError: Faces are looked for too seldom.
    """
    try:
        import supervision
        import trackers
    except ImportError as error:
        raise MissingExtraError(f"tracker={name}", "trackers", "trackers", "tracker=iou") from error
    library = getattr(trackers, library_class)(
        # One tick of its clock is a grid frame, and it counts its patience with a lost track in
        # thirtieths of a tick.
        frame_rate=1.0,
        lost_track_buffer=30 * config.max_gap_frames,
        minimum_consecutive_frames=1,
        **options,
    )
    tracks = LiveTracks(config, context.detect_every)
    return LibraryTracker(library, supervision.Detections, tracks, start_score)
