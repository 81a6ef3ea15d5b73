"""Tells of what is decided, and before that, what it looks like: the events of a hop."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ..types import GRID_FPS, OFF_SCREEN, Float32, Float64
from .events import EventKind, LiveEvent, LiveFace
from .hops import Hop
from .lengths import Bools, frames_of
from .who import Naming

UNTOLD_S = 0.5
"""A face is told of once rows of it are certain, or after so many seconds; what the tracker drops
before was nobody."""
_ORDER: tuple[EventKind, ...] = ("cut", "appeared", "named", "silent", "speaking", "left", "faces")
"""In which order is told what happens at the same time."""


@dataclass(frozen=True, eq=False)
class Seen:
    """What is known of a track after a hop.

    Attributes:
        track: Its number.
        name: Who it is, as far as known.
        begin: Its first grid frame.
        first_frame: The grid frame of the first row here.
        boxes: (n, 4) float64.
        likely: (n,) float32, the probabilities of speaking.
        speaks: (n,) bool, whether it speaks: as decided, or as it looks.
        decided: The grid frames that are decided with this hop.
        sure: Whether there are certain rows of it.
        ended: Whether it has ended.
        closed: Whether it has, and all of it is decided.
        namings: What is new about its name.
    """

    track: int
    name: str
    begin: int
    first_frame: int
    boxes: Float64
    likely: Float32
    speaks: Bools
    decided: range
    sure: bool
    ended: bool
    closed: bool
    namings: tuple[Naming, ...] = ()

    @property
    def stop(self) -> int:
        """The grid frame after the last row."""
        return self.first_frame + len(self.boxes)

    def changed(self) -> int:
        """Since which grid frame it does what it does in the newest, of those not decided."""
        others = np.flatnonzero(self.speaks != self.speaks[-1])
        since = self.first_frame + (int(others[-1]) + 1 if len(others) else 0)
        return max(since, min(self.decided.stop, self.stop - 1))

    def at(self, frame: int) -> int:
        """The row of a grid frame, or the one nearest to it."""
        return min(max(frame - self.first_frame, 0), len(self.boxes) - 1)


@dataclass
class _Told:
    """What was told of a face, or of somebody unseen.

    Attributes:
        appeared: Whether it was told of at all.
        speaking: Whether it was told to speak, certainly or not.
        since: Since which grid frame it was told to.
        certain: Whether it was told to speak, certainly.
        certain_since: Since which grid frame it was told to, certainly.
        namings: What was not told yet about its name.
        seen: The face as it was last.
    """

    appeared: bool = False
    speaking: bool = False
    since: int = 0
    certain: bool = False
    certain_since: int = 0
    namings: list[Naming] = field(default_factory=list)
    seen: Seen | None = None


class Teller:
    """Tells what has changed since the last hop.

    Nothing is told of a track before it has `appeared`, or after it has `left`. It appears with its
    first certain rows; or after `UNTOLD_S` without them, which is not certain: it may turn out to
    be nobody, and then just leaves. It leaves when all of it is decided. What is provisional is
    told of the newest row of each face that has not ended, once a hop at most, and takes nothing
    back that is certain. If a face leaves that was told to speak, but not certainly, then that is
    taken back first. Off-screen speech is told when it is certain.
    """

    def __init__(self) -> None:
        self._faces: dict[int, _Told] = {}
        self._unseen = _Told()
        self._shots = 0

    def tell(
        self,
        hop: Hop,
        seen: Sequence[Seen],
        followed: Collection[int],
        unseen: Bools | None,
        decided: range,
        *,
        flush: bool,
    ) -> tuple[LiveEvent, ...]:
        """The events of a hop, in order of time, kind and track.

        Args:
            hop: The hop.
            seen: The tracks that have rows.
            followed: The numbers of these, and of those that may get rows.
            unseen: Whether somebody unseen speaks in each frame of `decided`; None where it is not
                known.
            decided: The grid frames that are decided with this hop.
            flush: Whether what is not seen has ended with it, too.
        """
        events = [
            LiveEvent("cut", first / GRID_FPS)
            for number, first, _ in hop.shots
            if number >= self._shots
        ]
        self._shots = max([self._shots, *(number + 1 for number, _, _ in hop.shots)])
        for one in seen:
            told = self._faces.setdefault(one.track, _Told())
            told.seen = one
            events += self._of_face(one, told)
        for track in [track for track in self._faces if track not in followed]:
            gone = self._faces[track]
            if gone.seen is not None and gone.appeared:
                events += self._leaves(gone.seen, gone)
            self._faces.pop(track, None)
        if unseen is not None:
            events += self._of_unseen(unseen, decided, flush=flush)
        events.append(self._in_sight(hop, seen))
        order = {kind: place for place, kind in enumerate(_ORDER)}
        return tuple(
            sorted(
                events, key=lambda e: (e.time_s, order[e.event], -1 if e.track is None else e.track)
            )
        )

    def _of_face(self, seen: Seen, told: _Told) -> Iterator[LiveEvent]:
        told.namings += seen.namings
        if not told.appeared:
            if not seen.sure and seen.stop - seen.begin < frames_of(UNTOLD_S):
                return
            told.appeared = True
            yield _event("appeared", seen, seen.begin, certain=seen.sure)
        for naming in told.namings:
            event = _event("named", seen, naming.frame, certain=naming.final)
            yield replace(event, name=naming.name)
        told.namings.clear()
        for frame in seen.decided:
            if seen.speaks[frame - seen.first_frame] != told.certain:
                yield _certainly(seen, told, frame)
        if seen.closed:
            yield from self._leaves(seen, told)
        elif not seen.ended and seen.speaks[-1] != told.speaking:
            yield _perhaps(seen, told, seen.changed())

    def _leaves(self, seen: Seen, told: _Told) -> Iterator[LiveEvent]:
        if told.certain:
            yield _certainly(seen, told, seen.stop)
        elif told.speaking:
            yield _perhaps(seen, told, seen.stop)
        yield _event("left", seen, seen.stop)
        del self._faces[seen.track]

    def _of_unseen(self, unseen: Bools, decided: range, *, flush: bool) -> Iterator[LiveEvent]:
        for frame, speaks in zip(decided, unseen, strict=True):
            if speaks != self._unseen.certain:
                yield _certainly(None, self._unseen, frame)
        if flush and self._unseen.certain:
            yield _certainly(None, self._unseen, decided.stop)

    def _in_sight(self, hop: Hop, seen: Sequence[Seen]) -> LiveEvent:
        faces = tuple(
            LiveFace(
                track=one.track,
                name=one.name,
                box=_box(one, one.stop),
                probability=float(one.likely[-1]),
                speaking=bool(one.speaks[-1]),
                certain=one.stop <= one.decided.stop,
            )
            for one in seen
            if not one.ended and self._faces[one.track].appeared
        )
        certain = all(face.certain for face in faces)
        time_s = max(hop.scored_to - 1, 0) / GRID_FPS
        return LiveEvent("faces", time_s, certain=certain, faces=faces)


def _certainly(seen: Seen | None, told: _Told, frame: int) -> LiveEvent:
    """That a face, or somebody unseen, begins or ceases to speak: for good."""
    since = told.certain_since if told.certain else None
    told.certain = told.speaking = not told.certain
    told.certain_since = told.since = frame
    return _speech(seen, told.certain, frame, since, certain=True)


def _perhaps(seen: Seen, told: _Told, frame: int) -> LiveEvent:
    """The same, as it looks now."""
    since = told.since if told.speaking else None
    told.speaking, told.since = not told.speaking, frame
    return _speech(seen, told.speaking, frame, since, certain=False)


def _speech(
    seen: Seen | None, speaks: bool, frame: int, since: int | None, *, certain: bool
) -> LiveEvent:
    kind: EventKind = "speaking" if speaks else "silent"
    since_s = None if since is None else since / GRID_FPS
    if seen is None:
        time_s = frame / GRID_FPS
        return LiveEvent(kind, time_s, certain, name=OFF_SCREEN, since_s=since_s)
    return replace(_event(kind, seen, frame, certain=certain), since_s=since_s)


def _event(kind: EventKind, seen: Seen, frame: int, *, certain: bool = True) -> LiveEvent:
    return LiveEvent(
        kind,
        frame / GRID_FPS,
        certain,
        seen.track,
        seen.name,
        float(seen.likely[seen.at(frame)]),
        _box(seen, frame),
    )


def _box(seen: Seen, frame: int) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = seen.boxes[seen.at(frame)].tolist()
    return x1, y1, x2, y2
