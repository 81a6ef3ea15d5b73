"""The data types that components exchange. Every type checks its shapes on construction.

Conventions, here and everywhere: times are seconds from the start of the picture; frame numbers
count the 25 fps grid; boxes are (x1, y1, x2, y2) in source pixels, float64; in results these are
the stored pixels of the upright picture; colour is RGB uint8.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from .arrays import as_array, checked_boxes, checked_landmarks, probability, within

GRID_FPS = 25
"""Frame rate at which everything is detected, tracked and scored."""
SAMPLE_RATE = 16_000
"""Sample rate of the sound, mono."""
SAMPLES_PER_FRAME = SAMPLE_RATE // GRID_FPS
"""Sound samples per grid frame: frame k has the samples 640 k to 640 (k + 1), end excluded."""
FACE_SIZE_PX = 112
"""Side of the grey face crops that scorers read."""
PORTRAIT_SIZE_PX = 160
"""Side of the coloured face crops that embedders read."""
CLIP_FRAMES = 60 * GRID_FPS
"""Longest clip passed to a scorer, in frames."""
SOUND_AFTER = 240
"""How many samples the last MFCC windows (25 ms, every 10 ms) reach beyond a clip's last frame."""

OFF_SCREEN = "off_screen"
"""The name of whoever speaks without being seen."""

Float64 = NDArray[np.float64]
Float32 = NDArray[np.float32]
UInt8 = NDArray[np.uint8]
Int16 = NDArray[np.int16]
Int64 = NDArray[np.int64]
Spans = tuple[tuple[float, float], ...]
"""(start_s, end_s) of time spans in seconds, in order, ends excluded."""


def spoken_s(spans: Spans) -> float:
    """How long spans are in all, in seconds."""
    return sum(end_s - start_s for start_s, end_s in spans)


@dataclass(frozen=True, eq=False)
class Detections:
    """The faces found in one frame, perhaps none.

    Attributes:
        boxes: (n, 4) float64, finite, x1 <= x2 and y1 <= y2, in pixels of the detector's input.
        scores: (n,) float64, finite, confidence from 0 to 1.
        landmarks: (n, 5, 2) float64, finite: x and y, in the pixels of the boxes, of the eye on
            the picture's left, the eye on its right, the tip of the nose, and the corners of the
            mouth on the left and on the right; None if the detector does not find them.
        ids: (n,) int64, 0 or more, all different: whose face each is, from a detector with an
            attribute `knows_ids` that is True; None from others.
    """

    boxes: Float64
    scores: Float64
    landmarks: Float64 | None = None
    ids: Int64 | None = None

    def __post_init__(self) -> None:
        boxes = checked_boxes("Detections.boxes", self.boxes)
        scores = as_array("Detections.scores", self.scores, np.float64, (len(boxes),))
        if not np.isfinite(scores).all():
            raise ValueError(f"Detections.scores must be finite, but are {scores.tolist()}")
        object.__setattr__(self, "boxes", boxes)
        object.__setattr__(self, "scores", scores)
        if self.landmarks is not None:
            points = checked_landmarks("Detections.landmarks", self.landmarks, len(boxes))
            object.__setattr__(self, "landmarks", points)
        if self.ids is not None:
            ids = as_array("Detections.ids", self.ids, np.int64, (len(boxes),))
            object.__setattr__(self, "ids", ids)

    def of(self, rows: Int64) -> Detections:
        """The faces of these numbers (m,), in their order."""
        points = None if self.landmarks is None else self.landmarks[rows]
        ids = None if self.ids is None else self.ids[rows]
        return Detections(self.boxes[rows], self.scores[rows], points, ids)

    @classmethod
    def none(cls) -> Detections:
        """The detections of a frame without a face."""
        return cls(np.empty((0, 4)), np.empty(0))

    def __len__(self) -> int:
        return len(self.boxes)


Status = Literal["live", "kept", "dropped"]
"""The state of a track after a piece."""


@dataclass(frozen=True, eq=False)
class TrackPiece:
    """The next boxes of a track, as soon as they are final.

    A tracker returns a track in pieces, so that faces can be cropped while their frames are still
    in memory. The pieces of one track follow each other without gap or overlap; the last one
    (which may be empty) says whether the track is kept.

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


@dataclass(frozen=True, eq=False)
class Clip:
    """The input of a scorer: up to a minute of one face with the simultaneous sound.

    Attributes:
        faces: (n, 112, 112) uint8, grey, one crop per grid frame.
        sound: (640 n,) int16, 16 kHz mono, the sound of those frames.
        sound_before: The sample before `sound`, for pre-emphasis; 0 at the start of a track.
        sound_after: (240,) int16, the 15 ms after `sound`; silence beyond the end.
    """

    faces: UInt8
    sound: Int16
    sound_before: int = 0
    sound_after: Int16 = field(default_factory=lambda: np.zeros(SOUND_AFTER, np.int16))

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


@dataclass(frozen=True, eq=False)
class Scores:
    """A scorer's output for one clip.

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


@dataclass(frozen=True, eq=False, repr=False)
class Track:
    """A face tracked through one shot, with its scores.

    Attributes:
        id: Number of the track in its result, from 0, by first frame and then left to right.
        shot: Index of its shot.
        first_frame: Grid frame of the first box.
        boxes: (n, 4) float64, one per grid frame.
        smoothed: (n, 3) float64, the centre x, centre y and half size used for the crops; the
            centre is in stored pixels, the half size in square pixels.
        logits: (n, 2) float32, one row per frame: not speaking, speaking.
        speaking: When this face speaks.
        embedded: (m,) int64, the grid frames whose face was embedded; none without an embedder.
        embeddings: (m, d) float32, the embeddings of these faces, each of length 1.
        identity: Who this is: a name, or "person_0" and so on; None without an embedder, of faces
            or of voices, and for a face whose voice was not heard long enough.
        uncalibrated: (n, 2) float32, the logits as they were before a calibration changed them;
            None where they are not known, as in results that older versions wrote.
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
    uncalibrated: Float32 | None = None
    source_id: int | None = None

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
        if self.uncalibrated is not None:
            before = as_array("Track.uncalibrated", self.uncalibrated, np.float32, (n, 2))
            object.__setattr__(self, "uncalibrated", before)

    def __repr__(self) -> str:
        first_s, last_s = (frame / GRID_FPS for frame in (self.first_frame, self.frames.stop))
        return (
            f"<Track {self.id}: {self.name}, seen from {first_s:.2f} to {last_s:.2f} s, "
            f"speaks for {spoken_s(self.speaking):.2f} s>"
        )

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
    def speaking_frames(self) -> NDArray[np.bool_]:
        """(n,) bool, whether it speaks in each frame, by `speaking`."""
        return within(self.speaking, self.first_frame, len(self), GRID_FPS)

    @property
    def frames(self) -> range:
        """The grid frames of this track."""
        return range(self.first_frame, self.first_frame + len(self))

    @property
    def name(self) -> str:
        """Who this is, in words: the identity, or "track_" with the id given or the track's."""
        number = self.id if self.source_id is None else self.source_id
        return f"track_{number}" if self.identity is None else self.identity


@dataclass(frozen=True, eq=False)
class Shot:
    """The faces of one shot, with what was heard meanwhile.

    Attributes:
        first_frame: Its first grid frame.
        end: The grid frame after its last one.
        tracks: Its faces, by first frame, with the scorer's logits and no decisions.
        heard: (end - first_frame,) float32 from 0 to 1, how likely somebody speaks, visible or
            not; None without voice activity detection.
    """

    first_frame: int
    end: int
    tracks: tuple[Track, ...]
    heard: Float32 | None = None


@dataclass(frozen=True)
class Heard:
    """The output of a voice activity detector.

    Attributes:
        first_frame: The first grid frame.
        probabilities: (n,) float32 from 0 to 1, one per grid frame from there on.
        before: (m,) float32, the probabilities of the grid frames before, if a part of a video was
            processed, so that speech which began earlier is recognised.
    """

    first_frame: int
    probabilities: Float32
    before: Float32 = field(default_factory=lambda: np.empty(0, np.float32))
