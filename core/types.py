"""The data that components exchange. Every type checks its shapes when it is made.

Conventions, here and everywhere: time is seconds from the start of the picture; frame numbers
count the 25 fps grid; boxes are (x1, y1, x2, y2) in source pixels, float64, in results those that
are stored, turned upright; colour is RGB uint8.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from .arrays import as_array, checked_boxes

GRID_FPS = 25
"""Frames a second on which everything is detected, tracked and scored."""
SAMPLE_RATE = 16_000
"""Samples a second of the sound, mono."""
SAMPLES_PER_FRAME = SAMPLE_RATE // GRID_FPS
"""Sound samples of one grid frame: frame k is heard in samples 640 k to 640 (k + 1)."""
FACE_SIZE_PX = 112
"""Side of the grey face crops that scorers read."""
PORTRAIT_SIZE_PX = 160
"""Side of the coloured face crops that embedders read."""
CLIP_FRAMES = 60 * GRID_FPS
"""Longest clip handed to a scorer, in frames."""
SOUND_AFTER = 240
"""Samples after a clip's last frame that its last MFCC windows (25 ms, every 10 ms) reach into."""

OFF_SCREEN = "off_screen"
"""The name of whoever speaks without being seen."""

Float64 = NDArray[np.float64]
Float32 = NDArray[np.float32]
UInt8 = NDArray[np.uint8]
Int16 = NDArray[np.int16]
Int64 = NDArray[np.int64]
Spans = tuple[tuple[float, float], ...]
"""(start_s, end_s) of stretches of time in seconds, in order, ends excluded."""


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture of the 25 fps grid.

    Attributes:
        index: Grid frame number; the picture nearest to `index / 25` seconds.
        image: (height, width, 3) uint8, RGB, upright; not to be written to. Where a picture is held
            it is the very same array as in the frame before.
    """

    index: int
    image: UInt8

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "image", as_array("Frame.image", self.image, np.uint8, (None, None, 3))
        )


@dataclass(frozen=True, eq=False)
class Detections:
    """The faces found in one frame; none is a valid answer.

    Attributes:
        boxes: (n, 4) float64, finite, x1 <= x2 and y1 <= y2, in pixels of the picture looked at.
        scores: (n,) float64, finite, confidence from 0 to 1.
    """

    boxes: Float64
    scores: Float64

    def __post_init__(self) -> None:
        boxes = checked_boxes("Detections.boxes", self.boxes)
        scores = as_array("Detections.scores", self.scores, np.float64, (len(boxes),))
        if not np.isfinite(scores).all():
            raise ValueError(f"Detections.scores must be finite, but are {scores.tolist()}")
        object.__setattr__(self, "boxes", boxes)
        object.__setattr__(self, "scores", scores)

    @classmethod
    def none(cls) -> Detections:
        """The detections of a frame without a face."""
        return cls(np.empty((0, 4)), np.empty(0))

    def __len__(self) -> int:
        return len(self.boxes)


Status = Literal["live", "kept", "dropped"]
"""What becomes of a track after a piece."""


@dataclass(frozen=True, eq=False)
class TrackPiece:
    """The next boxes of a track, as soon as they are certain.

    A tracker hands a track out in pieces, so that a face can be cropped while its frames are
    still at hand. The pieces of one track follow each other without a gap or an overlap; the
    last one (which may hold no box) says whether the track counts.

    Attributes:
        track: The tracker's number for this track.
        first_frame: Grid frame of the first box.
        boxes: (n, 4) float64, finite and in order, one box per grid frame, gaps filled.
        status: "live" while the track may go on, "kept" or "dropped" in its last piece.
    """

    track: int
    first_frame: int
    boxes: Float64
    status: Status = "live"

    def __post_init__(self) -> None:
        object.__setattr__(self, "boxes", checked_boxes("TrackPiece.boxes", self.boxes))
        if self.status not in get_args(Status):
            raise ValueError(
                f"TrackPiece.status must be one of {', '.join(get_args(Status))}, "
                f"but is {self.status!r}"
            )


def _silence(samples: int) -> Int16:
    return np.zeros(samples, np.int16)


@dataclass(frozen=True, eq=False)
class Clip:
    """What a scorer reads: up to a minute of one face and of the sound it is seen with.

    Attributes:
        faces: (n, 112, 112) uint8, grey, one crop per grid frame.
        sound: (640 n,) int16, 16 kHz mono, the sound of those frames.
        sound_before: The one sample before `sound`, for pre-emphasis; 0 where a track starts.
        sound_after: (240,) int16, the 15 ms after `sound`, silence where there is none.
    """

    faces: UInt8
    sound: Int16
    sound_before: int = 0
    sound_after: Int16 = field(default_factory=lambda: _silence(SOUND_AFTER))

    def __post_init__(self) -> None:
        side = FACE_SIZE_PX
        faces = as_array("Clip.faces", self.faces, np.uint8, (None, side, side))
        if not len(faces):
            raise ValueError("Clip.faces must hold at least one frame")
        samples = SAMPLES_PER_FRAME * len(faces)
        object.__setattr__(self, "faces", faces)
        object.__setattr__(self, "sound", as_array("Clip.sound", self.sound, np.int16, (samples,)))
        object.__setattr__(
            self,
            "sound_after",
            as_array("Clip.sound_after", self.sound_after, np.int16, (SOUND_AFTER,)),
        )

    def __len__(self) -> int:
        return len(self.faces)


def probability(logits: Float32) -> Float32:
    """The softmax of (n, 2) logits, class 1: (n,) float32 from 0 to 1."""
    difference = logits[:, 0].astype(np.float64) - logits[:, 1]
    return (1.0 / (1.0 + np.exp(np.clip(difference, -700, 700)))).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Scores:
    """A scorer's answer for one clip.

    Attributes:
        logits: (n, 2) float32, one row per frame: not speaking, speaking.
    """

    logits: Float32

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "logits", as_array("Scores.logits", self.logits, np.float32, (None, 2))
        )
        if not np.isfinite(self.logits).all():
            raise ValueError("Scores.logits must be finite")

    @property
    def score(self) -> Float32:
        """(n,) float32, the class-1 logit, unbounded, as in the reference."""
        return self.logits[:, 1]

    @property
    def probability(self) -> Float32:
        """(n,) float32 from 0 to 1, the softmax of both logits."""
        return probability(self.logits)

    def __len__(self) -> int:
        return len(self.logits)


@dataclass(frozen=True, eq=False)
class Track:
    """A face followed through one shot, with its scores.

    Attributes:
        id: Number of the track in its result, from 0, by first frame and then left to right.
        shot: Index of its shot.
        first_frame: Grid frame of the first box.
        boxes: (n, 4) float64, one per grid frame.
        smoothed: (n, 3) float64, centre x, centre y and half size the crops were made with; where
            pixels are not square the centre is in stored ones and the half size in square ones.
        logits: (n, 2) float32, one row per frame: not speaking, speaking.
        speaking: When this face speaks.
        embedded: (m,) int64, the grid frames whose face was embedded; none without an embedder.
        embeddings: (m, d) float32, the embedder's vectors of these, each of length 1.
        identity: Who this is: a name, or "person_0" and so on; None without an embedder.
    """

    id: int
    shot: int
    first_frame: int
    boxes: Float64
    smoothed: Float64
    logits: Float32
    speaking: Spans
    embedded: Int64 = field(default_factory=lambda: np.empty(0, np.int64))
    embeddings: Float32 = field(default_factory=lambda: np.empty((0, 0), np.float32))
    identity: str | None = None

    def __post_init__(self) -> None:
        boxes = as_array("Track.boxes", self.boxes, np.float64, (None, 4))
        n = len(boxes)
        object.__setattr__(self, "boxes", boxes)
        object.__setattr__(
            self, "smoothed", as_array("Track.smoothed", self.smoothed, np.float64, (n, 3))
        )
        object.__setattr__(
            self, "logits", as_array("Track.logits", self.logits, np.float32, (n, 2))
        )
        embeddings = as_array("Track.embeddings", self.embeddings, np.float32, (None, None))
        embedded = as_array("Track.embedded", self.embedded, np.int64, (len(embeddings),))
        object.__setattr__(self, "embeddings", embeddings)
        object.__setattr__(self, "embedded", embedded)

    def __len__(self) -> int:
        return len(self.boxes)

    @property
    def scores(self) -> Float32:
        """(n,) float32, the class-1 logit of each frame."""
        return self.logits[:, 1]

    @property
    def probabilities(self) -> Float32:
        """(n,) float32 from 0 to 1, the probability of speaking in each frame."""
        return probability(self.logits)

    @property
    def frames(self) -> range:
        """The grid frames of this track."""
        return range(self.first_frame, self.first_frame + len(self))

    @property
    def name(self) -> str:
        """Who this is, in words: the identity, or "track_0" and so on."""
        return f"track_{self.id}" if self.identity is None else self.identity


@dataclass(frozen=True)
class VideoInfo:
    """What is known of a video.

    Attributes:
        path: The file.
        duration_s: Length of the picture in seconds.
        width: Width in pixels, after rotation.
        height: Height in pixels, after rotation.
        fps: Mean frame rate of the source.
        has_sound: Whether sound was found, in the file or beside it.
        start_s: When the first picture, time zero, is shown on the clock of the file, which
            begins with its first stream: what to add to a time to meet what players and audio
            tools show; 0 or more.
        pixel_aspect: Width of a pixel over its height, after rotation.
        notes: What was chosen or left out of the file, and what can hardly be true of the result,
            a sentence each.
    """

    path: Path
    duration_s: float
    width: int
    height: int
    fps: float
    has_sound: bool
    start_s: float = 0.0
    pixel_aspect: float = 1.0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Result:
    """Everything a run found out.

    Attributes:
        video: The source.
        shots: (first, end) grid frames of each shot, end excluded.
        tracks: The faces, by first frame.
        settings: Every option of the run, as plain values.
        timings_s: Seconds spent in each stage.
        speech: When the sound is speech, from whomever; None without voice activity detection.
        off_screen: When there is speech, but of no visible face; None as for `speech`.
        sound_path: The file the sound came from; None where there was none.
        folder: Where the files were written; None if nothing was written.
        files: The files written.
        provenance: What it comes from beside the settings: versions, devices, files of weights.
    """

    video: VideoInfo
    shots: tuple[tuple[int, int], ...]
    tracks: tuple[Track, ...]
    settings: Mapping[str, Any]
    timings_s: Mapping[str, float]
    speech: Spans | None = None
    off_screen: Spans | None = None
    sound_path: Path | None = None
    folder: Path | None = None
    files: tuple[Path, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)


def log_odds(logits: Float32) -> Float64:
    """How likely each row speaks, before it is made a probability: (n,) from (n, 2) logits."""
    return np.subtract(logits[:, 1], logits[:, 0], dtype=np.float64)


@dataclass(frozen=True)
class Heard:
    """What a voice activity detector said.

    Attributes:
        first_frame: The first grid frame.
        probabilities: (n,) float32 from 0 to 1, one per grid frame from there on.
        before: (m,) float32, those of the grid frames before, where a part was looked at: speech
            that goes on has begun there.
    """

    first_frame: int
    probabilities: Float32
    before: Float32 = field(default_factory=lambda: np.empty(0, np.float32))
