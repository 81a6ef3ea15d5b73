"""What a hop of the live pass comes to: new scores of the faces in sight."""

from __future__ import annotations

from dataclasses import dataclass

from ..types import Float32, Float64, Heard, Int64


@dataclass(frozen=True, eq=False)
class HopFace:
    """The rows of a track that a hop scored: certain ones that no hop gave before, then others.

    Attributes:
        track: Its number in the session, from 0, in order of appearance; never used again.
        shot: The number of its shot in the session, from 0.
        begin: The track's first grid frame.
        first_frame: The grid frame of the first row here; the one after the last certain row of the
            hop before.
        boxes: (n, 4) float64, in stored pixels.
        smoothed: (n, 3) float64, as in `core.types.Track`.
        logits: (n, 2) float32, the scorer's, before contexts and calibration.
        certain: How many rows are certain, the first ones; no later hop has them. The others come
            again in the next hop, scored anew.
        embedded: (m,) int64, the grid frames embedded since the last hop.
        embeddings: (m, d) float32, their embeddings.
        ended: Whether the track has ended: all its rows are certain, and none will come.
        source_id: The id that the detector gave it, if it knows ids.
    """

    track: int
    shot: int
    begin: int
    first_frame: int
    boxes: Float64
    smoothed: Float64
    logits: Float32
    certain: int
    embedded: Int64
    embeddings: Float32
    ended: bool = False
    source_id: int | None = None

    @property
    def certain_to(self) -> int:
        """The grid frame after its last certain row."""
        return self.first_frame + self.certain


@dataclass(frozen=True, eq=False)
class Hop:
    """The scores of a moment.

    Attributes:
        end: The grid frame after the last one that was taken.
        certain_to: Before this grid frame all is certain: no later hop brings rows of it, of any
            face, or another shot. It never decreases.
        scored_to: Faces are scored up to this grid frame, provisionally from `certain_to` on.
        shots: (number, first, end) of the shots that are new, or have ended, since the last hop,
            and of the current one; `end` is None while a shot goes on.
        faces: The tracks that have rows here, or have ended since the last hop.
        dropped: The tracks that the tracker dropped since the last hop, being too short or small;
            no hop gave certain rows of them.
        heard: The detected speech of the grid frames since the last hop; None without voice
            activity detection.
    """

    end: int
    certain_to: int
    scored_to: int
    shots: tuple[tuple[int, int, int | None], ...]
    faces: tuple[HopFace, ...]
    dropped: tuple[int, ...] = ()
    heard: Heard | None = None
