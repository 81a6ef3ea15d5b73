"""Who is visible at a time, and who speaks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..results import turns
from ..types import GRID_FPS, Track
from ..voices.assigning import names_of

if TYPE_CHECKING:
    from ..result import Result

_ROUNDING = 1e-6
"""So many grid frames before its time a frame counts: 0.28 s times 25 may fall short of 7."""


@dataclass(frozen=True)
class VisibleFace:
    """A face in one frame.

    Attributes:
        track: Its track.
        name: Who it is, as in RTTM: the identity, or "track_0" and so on.
        box: x1, y1, x2, y2 in stored pixels of the upright picture.
        probability: The probability of speaking, from 0 to 1.
        speaking: Whether it was decided that it speaks.
    """

    track: Track
    name: str
    box: tuple[float, float, float, float]
    probability: float
    speaking: bool


@dataclass(frozen=True)
class Moment:
    """What a result tells of one point in time.

    Attributes:
        time_s: The time, in seconds from the start of the picture.
        frame: The grid frame that lasts at this time.
        faces: Who is visible, by first frame of their tracks.
        speakers: The names of those who speak, seen or not, in the order in which they began; as
            in RTTM.
    """

    time_s: float
    frame: int
    faces: tuple[VisibleFace, ...]
    speakers: tuple[str, ...]


def moment(result: Result, time_s: float) -> Moment:
    """See `Result.at`."""
    if not math.isfinite(time_s):
        raise ValueError(f"time_s must be a finite number of seconds, got {time_s}")
    frame = math.floor(time_s * GRID_FPS + _ROUNDING)
    names = names_of(result.voices or (), result.tracks)
    faces = []
    for track in result.tracks:
        if frame not in track.frames:
            continue
        place = frame - track.first_frame
        x1, y1, x2, y2 = track.boxes[place].tolist()
        faces.append(
            VisibleFace(
                track,
                names[track.id],
                (x1, y1, x2, y2),
                float(track.probabilities[place]),
                bool(track.speaking_frames[place]),
            )
        )
    now_s = time_s + _ROUNDING / GRID_FPS
    speakers = [name for start_s, end_s, name in turns(result) if start_s <= now_s < end_s]
    return Moment(time_s, frame, tuple(faces), tuple(dict.fromkeys(speakers)))
