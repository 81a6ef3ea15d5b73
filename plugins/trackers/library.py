"""Trackers of roboflow's package `trackers`, which predict the next position of each face.

The library only decides which face belongs to which track: boxes are the detector's, and filling
gaps and ending tracks is done as in every tracker (`pieces`).
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
    """Tracks faces with a tracker of the library.

    Args:
        library: The library's tracker, its clock set to one tick per grid frame.
        detections: The library's type for the detections of a frame.
        tracks: Holds the live tracks.
        start_score: Confidence from 0 to 1 from which the library begins a track.
    """

    def __init__(
        self, library: Any, detections: Any, tracks: LiveTracks, start_score: float
    ) -> None:
        self._library = library
        self._detections = detections
        self._tracks = tracks
        self._start_score = start_score

    def update(self, index: int, found: Detections) -> list[TrackPiece]:
        """Take the faces of the next detected frame; see `core.contracts.Tracker`."""
        pieces = self._tracks.look(index)
        # Rows may return in another order, or not at all, hence the face index. With the timestamp,
        # predictions are right over any number of skipped frames.
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
        # The library assigns an id at a track's second detection; we announce tracks at the first,
        # so we set its id here. Its new tracks are in the order of their faces.
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
    """Build the ByteTrack tracker."""
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
    """Build the OC-SORT tracker; only the detector's own confidence threshold applies."""
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
    """Build the C-BIoU tracker."""
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
    """Build one of the library's trackers with its specific options.

    Raises:
        MissingExtraError: The library is not installed.
        ConfigError: `detect_every` exceeds the longest gap of a track.
    """
    try:
        import supervision
        import trackers
    except ImportError as error:
        raise MissingExtraError(f"tracker={name}", "trackers", "trackers", "tracker=iou") from error
    library = getattr(trackers, library_class)(
        # One tick of the library's clock is a grid frame; the buffer for lost tracks is in
        # thirtieths of a tick.
        frame_rate=1.0,
        lost_track_buffer=30 * config.max_gap_frames,
        minimum_consecutive_frames=1,
        **options,
    )
    tracks = LiveTracks(config, context.detect_every)
    return LibraryTracker(library, supervision.Detections, tracks, start_score)
