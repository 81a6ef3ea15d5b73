"""What a live session still needs of what was scored, shown and heard: the last seconds of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from ..types import Float32, Float64, Heard, Int64, Track
from .hops import Hop, HopFace
from .lengths import Bools
from .who import Naming


@dataclass(eq=False)
class Kept:
    """A track, with its rows that are still needed.

    Attributes:
        track: Its number in the session.
        shot: The number of its shot.
        begin: The track's first grid frame.
        source_id: The id that the detector gave it.
        first_frame: The grid frame of the first row here.
        boxes: (n, 4) float64.
        smoothed: (n, 3) float64.
        logits: (n, 2) float32, the scorer's.
        certain_to: The grid frame after the last certain row.
        spoke: (m,) bool, the decisions on the rows that are decided for good, the first ones.
        embedded: Grid frames embedded since rows were handed on.
        embeddings: Their embeddings.
        name: Who it is, as known; None if it is not.
        ended: Whether no row will come any more.
        closed: Whether it ended, and all of it was handed on.
    """

    track: int
    shot: int
    begin: int
    source_id: int | None
    first_frame: int
    boxes: Float64
    smoothed: Float64
    logits: Float32
    certain_to: int
    spoke: Bools = field(default_factory=lambda: np.zeros(0, np.bool_))
    embedded: list[Int64] = field(default_factory=list)
    embeddings: list[Float32] = field(default_factory=list)
    name: str | None = None
    ended: bool = False
    closed: bool = False

    @classmethod
    def of(cls, face: HopFace) -> Kept:
        """A track that is new, without its rows."""
        first = face.first_frame
        boxes, smoothed, logits = face.boxes[:0], face.smoothed[:0], face.logits[:0]
        return cls(
            face.track,
            face.shot,
            face.begin,
            face.source_id,
            first,
            boxes,
            smoothed,
            logits,
            certain_to=first,
        )

    def __len__(self) -> int:
        return len(self.boxes)

    @property
    def stop(self) -> int:
        """The grid frame after the last row."""
        return self.first_frame + len(self)

    @property
    def decided_to(self) -> int:
        """The grid frame after the last row that is decided for good."""
        return self.first_frame + len(self.spoke)

    def ends_by(self, frame: int) -> bool:
        """Whether all rows there will ever be lie before this frame, and are certain."""
        return self.stop < frame or (self.ended and self.stop <= frame)

    def renew(self, face: HopFace) -> None:
        """Put the rows of a hop in the place of the provisional ones before."""
        rows = face.first_frame - self.first_frame
        self.boxes = np.concatenate([self.boxes[:rows], face.boxes])
        self.smoothed = np.concatenate([self.smoothed[:rows], face.smoothed])
        self.logits = np.concatenate([self.logits[:rows], face.logits])
        self.certain_to = face.certain_to
        self.ended = face.ended
        if len(face.embedded):
            self.embedded.append(face.embedded)
            self.embeddings.append(face.embeddings)

    def decide(self, spoke: Bools) -> tuple[Int64, Float32]:
        """Note decisions on the next rows, and hand out what was embedded since the last ones."""
        self.spoke = np.concatenate([self.spoke, spoke])
        frames = np.concatenate([np.empty(0, np.int64), *self.embedded])
        embeddings = self.embeddings or [np.empty((0, 0), np.float32)]
        self.embedded, self.embeddings = [], []
        return frames, np.concatenate(embeddings)

    def keep_certain(self) -> None:
        """Forget the provisional rows, of which a hop brought none anew."""
        self._take(slice(0, self.certain_to - self.first_frame))

    def end(self) -> None:
        """Nothing more comes: what there is, is certain."""
        self.certain_to, self.ended = self.stop, True

    def forget(self, frame: int) -> None:
        """Forget the rows before a grid frame, up to which all is decided."""
        rows = min(frame, self.decided_to) - self.first_frame
        if rows > 0:
            self._take(slice(rows, None))
            self.spoke = self.spoke[rows:]
            self.first_frame += rows

    def _take(self, rows: slice) -> None:
        self.boxes, self.smoothed = self.boxes[rows], self.smoothed[rows]
        self.logits = self.logits[rows]

    def as_track(self) -> Track:
        """Its rows, with the scorer's logits and no decisions."""
        return Track(
            self.track, self.shot, self.first_frame, self.boxes, self.smoothed, self.logits, ()
        )


class Window:
    """The tracks, shots and speech of the last seconds.

    Attributes:
        tracks: By number, those with rows here.
        shots: (number, first, end) of those with frames here; `end` is None while one goes on.
        heard: The detected speech; 0 where a stream was interrupted. None without voice activity
            detection.
        speech: (m,) bool, whether the frames from `first` on that are decided are speech.
        off_screen: (m,) bool, whether they are off-screen speech.
        first: Nothing before this grid frame is kept.
    """

    def __init__(self) -> None:
        self.tracks: dict[int, Kept] = {}
        self.shots: list[tuple[int, int, int | None]] = []
        self.heard: Heard | None = None
        self.speech = self.off_screen = np.zeros(0, np.bool_)
        self.first = 0

    def take(self, hop: Hop) -> None:
        """Take in a hop."""
        for track in hop.dropped:
            self.tracks.pop(track, None)
        brought = set()
        for face in hop.faces:
            brought.add(face.track)
            self.tracks.setdefault(face.track, Kept.of(face)).renew(face)
        for kept in self.tracks.values():
            if kept.track not in brought:
                kept.keep_certain()
        self.tracks = {k: kept for k, kept in self.tracks.items() if len(kept) or not kept.ended}
        known = {number: (number, first, end) for number, first, end in self.shots}
        known.update((shot[0], shot) for shot in hop.shots)
        self.shots = [known[number] for number in sorted(known)]
        if hop.heard is not None:
            self._hear(hop.heard)

    def _hear(self, heard: Heard) -> None:
        if self.heard is None:
            self.heard = Heard(self.first, np.empty(0, np.float32))
        known = self.heard.probabilities
        missing = heard.first_frame - self.first - len(known)
        silence = np.zeros(max(missing, 0), np.float32)
        self.heard = Heard(self.first, np.concatenate([known, silence, heard.probabilities]))

    def end(self) -> None:
        """Nothing more comes of what is there."""
        for kept in self.tracks.values():
            kept.end()
        self.tracks = {k: kept for k, kept in self.tracks.items() if len(kept)}

    def name(self, namings: Iterable[Naming]) -> None:
        """Give tracks names."""
        for naming in namings:
            if naming.track in self.tracks:
                self.tracks[naming.track].name = naming.name

    def decide(self, speech: Bools, off_screen: Bools) -> None:
        """Note what is decided of the next frames; see the attributes."""
        self.speech = np.concatenate([self.speech, speech])
        self.off_screen = np.concatenate([self.off_screen, off_screen])

    def forget(self, frame: int) -> None:
        """Forget what lies before a grid frame, up to which all is decided."""
        rows = max(frame - self.first, 0)
        self.speech, self.off_screen = self.speech[rows:], self.off_screen[rows:]
        self.first += rows
        for kept in self.tracks.values():
            kept.forget(self.first)
        self.tracks = {k: kept for k, kept in self.tracks.items() if len(kept) or not kept.closed}
        self.shots = [shot for shot in self.shots if shot[2] is None or shot[2] > self.first]
        if self.heard is not None:
            self.heard = Heard(self.first, self.heard.probabilities[rows:])

    def shots_to(self, stop: int) -> list[tuple[int, int]]:
        """(first, end) of what is kept of each shot; the last goes on up to `stop`."""
        cut = [
            (max(first, self.first), stop if end is None else end) for _, first, end in self.shots
        ]
        return [(first, end) for first, end in cut if first < end]
