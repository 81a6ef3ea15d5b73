"""What a live session tells: who appears, who speaks, what happens to the stream."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args

EVENTS_SCHEMA = "asdkit.live/1"
"""Name and version of the form of the JSON lines."""

EventKind = Literal[
    "begun",
    "appeared",
    "left",
    "named",
    "speaking",
    "silent",
    "cut",
    "interrupted",
    "note",
    "faces",
    "status",
    "written",
    "ended",
]
KINDS: tuple[str, ...] = get_args(EventKind)
MEASURED = ("begun", "status", "written", "note", "interrupted")
"""Kinds that depend on the time of day and the speed of the machine; all others are the same for
the same frames and hops."""


@dataclass(frozen=True)
class LiveFace:
    """A face at one moment.

    Attributes:
        track: The number of its track.
        name: Who it is, as far as known: a name, "person_0" and so on, or "track_0" without an
            embedder.
        box: (x1, y1, x2, y2) in stored pixels of the upright picture.
        probability: That it speaks, from 0 to 1.
        speaking: Whether it counts as speaking.
        certain: Whether both are certain.
    """

    track: int
    name: str
    box: tuple[float, float, float, float]
    probability: float
    speaking: bool
    certain: bool


@dataclass(frozen=True, repr=False)
class LiveEvent:
    """Something that a live session tells; `asd live` prints it as a line of JSON.

    Attributes:
        event: What it is:
            begun: first of all; `about` says how it was begun;
            appeared, left: a face came into sight, or is not followed any more;
            named: who a face is, or that it is somebody else than was said before;
            speaking, silent: a face, or with `track` None somebody who is not seen, began or
            ceased to speak at `time_s`. Certain ones of one track alternate, and are never taken
            back. Provisional ones come earlier, and only where they change what was told last;
            cut: a shot begins;
            interrupted: the stream stalled, broke off, came back or changed; `reason` says what;
            note: something was chosen or left out; `reason` says what;
            faces: all faces at `time_s`, every hop;
            status: measurements, in `about`, once a second;
            written: a part of the results was written, `about` says where;
            ended: last of all.
        time_s: The time that it tells of, in seconds from the first picture of the session.
        certain: Whether it will never be taken back.
        track: The number of the face's track; None for events of no face.
        name: Who it is, as in `LiveFace`; "off_screen" for somebody who is not seen.
        probability: That the face spoke at that time, from 0 to 1; None for events of no face.
        box: Where the face was at that time, in stored pixels; None for events of no face.
        since_s: For silent: when it had begun to speak.
        reason: What happened, in words.
        faces: For faces: those in sight.
        about: For begun, status, written and ended: more, as plain values. For a note of the server
            to a slow client: how many events were `lost`.
        delay_s: Seconds from the arrival of the frame of `time_s` to this event, measured; None
            where there is nothing to measure. It is not compared.
    """

    event: EventKind
    time_s: float
    certain: bool = True
    track: int | None = None
    name: str | None = None
    probability: float | None = None
    box: tuple[float, float, float, float] | None = None
    since_s: float | None = None
    reason: str | None = None
    faces: tuple[LiveFace, ...] | None = None
    about: Mapping[str, Any] | None = None
    delay_s: float | None = field(default=None, compare=False)

    def __repr__(self) -> str:
        """What it tells, without what means nothing for it."""
        told = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        given = (f"{name}={value!r}" for name, value in told.items() if value is not None)
        return f"LiveEvent({', '.join(given)})"
