"""Who is who while faces are being seen: names for tracks, which stay once they are final."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np

from ..decisions.identities import centre
from ..types import Float32, Float64
from .hops import Hop, HopFace
from .lengths import frames_of

FINAL_S = 2.0
"""A track's name is final once it has been followed for so long, or has ended."""
MOST_PERSONS = 1000
"""So many people without a name are recognised at most; whoever was not seen for longest is
forgotten. People known by name never are."""


@dataclass(frozen=True)
class Naming:
    """A track's name that is new, or final now.

    Attributes:
        track: The number of the track.
        frame: The newest grid frame of it that was embedded.
        name: Who it is.
        final: Whether this name will stay.
    """

    track: int
    frame: int
    name: str
    final: bool


@dataclass(eq=False)
class _Person:
    """Somebody, by the tracks that were theirs and have ended.

    Attributes:
        centres: The sum of the centres of these tracks, and of the portraits.
        members: How many these are.
        seen_to: The grid frame after the last one of these tracks.
        by_name: Whether it is somebody known by name.
    """

    centres: Float64 | float = 0.0
    members: int = 0
    seen_to: int = 0
    by_name: bool = False

    def distance(self, centre: Float64) -> float:
        """The average of the cosine distances to all members; infinity without any."""
        return 1 - float(np.dot(centre, self.centres)) / self.members if self.members else np.inf

    def add(self, centre: Float64, end: int) -> None:
        """Take in a track that has ended."""
        self.centres = self.centres + centre
        self.members += 1
        self.seen_to = max(self.seen_to, end)


@dataclass(eq=False)
class _Followed:
    """A track that is being followed, or has just ended.

    Attributes:
        begin: Its first grid frame.
        end: The grid frame after its last row.
        total: The sum of its embeddings; None before the first.
        frame: The newest grid frame that was embedded.
        name: Who it is, as known.
        final: Whether this will stay.
        ended: Whether it has ended.
    """

    begin: int
    end: int = 0
    total: Float64 | None = None
    frame: int = 0
    name: str | None = None
    final: bool = False
    ended: bool = False

    def take(self, face: HopFace) -> None:
        """Take in what a hop brought."""
        self.end = face.first_frame + len(face.boxes)
        self.ended = face.ended
        if len(face.embedded):
            total = face.embeddings.sum(0, dtype=np.float64)
            self.total = total if self.total is None else self.total + total
            self.frame = int(face.embedded[-1])

    @property
    def centre(self) -> Float64:
        """The centre of its embeddings."""
        return centre(np.atleast_2d(np.asarray(self.total)))


class Who:
    """Names the tracks of a session, each as soon as one of its faces was embedded.

    A track is compared with people known by name, and with those met before, by the average cosine
    distance to their portrait and to their tracks that have ended, as `identify` does. Whoever is
    nearest, within `max_distance`, it is, else somebody new: "person_0", "person_1" and so on.
    Of tracks whose names are not final the nearest choose first. Two faces that are visible in one
    frame are never one person: whoever is in sight already, or was after the track began, is not
    considered.
    """

    def __init__(self, people: Mapping[str, Float32], max_distance: float) -> None:
        """Begin a session.

        Args:
            people: By name: the embeddings (m, d) of a known person.
            max_distance: From 0 to 2.
        """
        self._people = {name: _Person(centre(own), 1, by_name=True) for name, own in people.items()}
        self._max_distance = max_distance
        self._new = (name for name in map("person_{}".format, count()) if name not in people)
        self._tracks: dict[int, _Followed] = {}

    def take(self, hop: Hop, *, flush: bool) -> list[Naming]:
        """Take in a hop, and name the tracks that have been embedded.

        Args:
            hop: The hop.
            flush: Whether all tracks end with it.

        Returns:
            What is new about names, by the number of the track.
        """
        self._tracks = {k: one for k, one in self._tracks.items() if not one.ended}
        for track in hop.dropped:
            self._tracks.pop(track, None)
        for face in hop.faces:
            self._tracks.setdefault(face.track, _Followed(face.begin)).take(face)
        tracks = dict(sorted(self._tracks.items()))
        before = {track: (one.name, one.final) for track, one in tracks.items()}
        for one in tracks.values():
            one.ended |= flush
        self._close(one for one in tracks.values() if one.ended and one.final)
        unsure = [one for one in tracks.values() if one.total is not None and not one.final]
        due = [one for one in unsure if one.ended or hop.end - one.begin >= frames_of(FINAL_S)]
        if due or any(len(face.embedded) for face in hop.faces):
            self._choose([one for one in unsure if one.ended])
            self._close(one for one in unsure if one.ended)
            self._choose([one for one in unsure if not one.ended])
        for one in due:
            one.final = True
        self._forget()
        return [
            Naming(track, one.frame, one.name, one.final)
            for track, one in tracks.items()
            if one.name is not None and before[track] != (one.name, one.final)
        ]

    def _choose(self, tracks: Sequence[_Followed]) -> None:
        """Give these tracks names: the nearest first, and new ones to those who are left."""
        others = [one for one in self._tracks.values() if one not in tracks and not one.ended]
        taken = {one.name for one in others}
        near = [
            (person.distance(own), place, name)
            for place, (one, own) in enumerate((one, one.centre) for one in tracks)
            for name, person in self._people.items()
            if person.seen_to <= one.begin and name not in taken
        ]
        left = dict(enumerate(tracks))
        for distance, place, name in sorted(near):
            if distance <= self._max_distance and place in left and name not in taken:
                left.pop(place).name = name
                taken.add(name)
        for one in left.values():
            if one.name is None or one.name in taken or self._people[one.name].members:
                one.name = next(self._new)
                self._people[one.name] = _Person()

    def _close(self, tracks: Iterable[_Followed]) -> None:
        """Remember whose these tracks were, which have ended."""
        for one in tracks:
            if one.name is not None:
                self._people[one.name].add(one.centre, one.end)

    def _forget(self) -> None:
        """Forget people whom no track shows any more, and those unseen for longest."""
        held = {one.name for one in self._tracks.values() if not one.ended}
        idle = [
            (person.seen_to, name)
            for name, person in self._people.items()
            if not person.by_name and name not in held
        ]
        most = sum(not person.by_name for person in self._people.values()) - MOST_PERSONS
        for place, (seen_to, name) in enumerate(sorted(idle)):
            if place < most or not seen_to:
                del self._people[name]
