"""Assigns the voices of a diarization to the people who are seen speaking with them."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..decisions.segments import mask, stretches
from ..result import Result
from ..types import GRID_FPS, Float64, Spans, Track
from ..voice import Voice
from .evidence import evidence, frame_evidence
from .exceptions import exceptions
from .linking import SPLIT, Person, least, linked

AGAINST = 3.0
"""Evidence, in nats, from which on a voice cannot be somebody's: 20 to 1."""
JITTER_S = 0.6
"""Voices of one person overlap at most so long, as boundaries are off by 0.3 s each."""
_JITTER_PART = 0.1
"""Or for this part of the shorter one, as boundaries are many."""

Shots = Sequence[tuple[int, int]]


def with_voices(result: Result, turns: Mapping[str, Spans] | None, min_s: float) -> Result:
    """A result with the voices of a diarization, and what they tell of off-screen speech.

    Args:
        result: The result, with decisions and, if there are any, identities.
        turns: By name of the voice: when it speaks, in seconds from the start of the picture; None
            leaves the result as it is.
        min_s: Shortest off-screen speech, in seconds.
    """
    if turns is None:
        return result
    voices = assigned(turns, result.tracks, result.shots)
    unseen = off_screen(voices, result.tracks, result.shots, min_s)
    return replace(result, voices=voices, off_screen=unseen)


def assigned(
    turns: Mapping[str, Spans], tracks: Sequence[Track], shots: Shots
) -> tuple[Voice, ...]:
    """Say whose each voice is.

    A person is an identity. Without identities each track is somebody by itself at first, and a
    voice chooses in each shot anew between those seen there; so a voice can join tracks that are
    never seen together, and the person is named after the first of them. `evidence.evidence` tells
    what is weighed, `linking.linked` how, and `exceptions.exceptions` which parts of turns go to
    somebody else.

    The confidence that voice v is person p's is that against the best other explanation,

        1 / (1 + exp(max(least(v), E(v, q) - c(q)) - E(v, p))),

    with the greatest E(v, q) - c(q) of the other people; c(q) is `linking.SPLIT` if q has another
    voice, else 0. `linking.least` stands for nobody seen, also where p is nobody.

    Args:
        turns: By name of the voice: when it speaks, in seconds from the start of the picture.
        tracks: The faces, with calibrated logits, and identities if there are any.
        shots: (first, end) grid frames of each shot, end excluded; turns are cut to these.
    """
    if not shots:
        return ()
    first, frames = shots[0][0], shots[-1][1]
    heard = {
        name: _within(spans, first / GRID_FPS, frames / GRID_FPS) for name, spans in turns.items()
    }
    heard = {name: spans for name, spans in heard.items() if spans}
    if not heard:
        return ()
    return _Assignment(heard, tracks, shots).voices()


def off_screen(
    voices: Iterable[Voice], tracks: Sequence[Track], shots: Shots, min_s: float
) -> Spans:
    """When a voice is heard and no visible face speaks.

    A visible face speaks where it is decided so, and where a voice is heard that goes to its
    person. So a voice that goes to somebody whose face is seen is not off screen, and one that goes
    to somebody who is not, or to nobody, is until a visible face speaks at the same time.

    Args:
        voices: The assigned voices.
        tracks: The faces, with decisions and identities.
        shots: (first, end) grid frames of each shot.
        min_s: Shorter parts are left out.
    """
    frames = shots[-1][1] if shots else 0
    voices = tuple(voices)
    owner = names_of(voices, tracks)
    turns: dict[str | None, list[tuple[float, float]]] = defaultdict(list)
    for voice in voices:
        for start_s, end_s, whose in voice.parts():
            turns[whose].append((start_s, end_s))
    heard = {whose: mask(tuple(own), 0, frames) for whose, own in turns.items()}
    found = np.any(list(heard.values()), axis=0) if heard else np.zeros(frames, np.bool_)
    for track in tracks:
        found &= ~mask(track.speaking, 0, frames)
        if (own := heard.get(owner[track.id])) is not None:
            seen = slice(track.frames.start, track.frames.stop)
            found[seen] &= ~own[seen]
    return stretches(found, 0, min_s)


def names_of(voices: Iterable[Voice], tracks: Iterable[Track]) -> dict[int, str]:
    """By number of the track: whose it is, one name for all tracks that a voice joins."""
    names = {track.id: track.name for track in tracks}
    for voice in voices:
        if voice.person is not None:
            names |= dict.fromkeys(voice.tracks, voice.person)
    return names


def people_of(result: Result) -> dict[str, list[Track]]:
    """The tracks of each person, by first appearance; what nothing joins is one by itself."""
    names = names_of(result.voices or (), result.tracks)
    people: dict[str, list[Track]] = {}
    for track in sorted(result.tracks, key=lambda track: track.first_frame):
        people.setdefault(names[track.id], []).append(track)
    return people


def _within(spans: Spans, start_s: float, end_s: float) -> Spans:
    cut = ((round(max(a, start_s), 6), round(min(b, end_s), 6)) for a, b in spans)
    return tuple((a, b) for a, b in cut if a < b)


class _Assignment:
    """The assignment for one video.

    Args:
        turns: By name of the voice: its turns, none of them empty.
        tracks: The faces.
        shots: The shots.
    """

    def __init__(self, turns: Mapping[str, Spans], tracks: Sequence[Track], shots: Shots) -> None:
        self._turns = turns
        self._cuts = [first for first, _ in shots]
        frames = shots[-1][1]
        self._active = np.array([mask(spans, 0, frames) for spans in turns.values()])
        self._faces = _faces(tracks)
        self._evidence = evidence(self._active, self._faces)
        self._people = self._linked(tracks)
        parts = [sorted(person.faces) for person in self._people]
        self._nats = _summed(self._evidence.nats, parts)
        self._seen = _summed(self._evidence.seen, parts) > 0
        self._names = [self._faces[faces[0]][0].name for faces in parts]
        self._in_shot: dict[int, list[tuple[int, int, Track]]] = defaultdict(list)
        of_face = {face: person for person, faces in enumerate(parts) for face in faces}
        for face, own in enumerate(self._faces):
            for track in own:
                shot = self._in_shot[self._shot_of(track.first_frame)]
                shot.append((of_face[face], face, track))

    def _linked(self, tracks: Sequence[Track]) -> list[Person]:
        """The people, with those that have no voice, by first appearance."""
        known = any(track.identity is not None for track in tracks)
        scenes: dict[int, list[int]] = defaultdict(list)
        for number, face in enumerate(self._faces):
            scenes[0 if known else self._shot_of(face[0].first_frame)].append(number)

        def together(f: int, g: int) -> bool:
            one, two = self._faces[f][0].frames, self._faces[g][0].frames
            return f != g and (known or max(one.start, two.start) < min(one.stop, two.stop))

        found = linked(
            self._evidence.nats, self._evidence.seen, list(scenes.values()), together, self._overlap
        )
        seen = {face for person in found for face in person.faces}
        none = frozenset[int]()
        others = [Person(none, frozenset({n})) for n in range(len(self._faces)) if n not in seen]
        return sorted([*found, *others], key=lambda person: min(person.faces))

    def _overlap(self, v: int, w: int) -> bool:
        """Whether two voices are heard at once for too long to be one person's."""
        one, two = self._active[v], self._active[w]
        most = max(JITTER_S * GRID_FPS, _JITTER_PART * min(one.sum(), two.sum()))
        return v != w and bool((one & two).sum() > most)

    def _shot_of(self, frame: int) -> int:
        return bisect_right(self._cuts, frame) - 1

    def voices(self) -> tuple[Voice, ...]:
        """The voices, in the order given."""
        return tuple(
            self._voice(number, name, turns)
            for number, (name, turns) in enumerate(self._turns.items())
        )

    def _voice(self, v: int, name: str, turns: Spans) -> Voice:
        owner = next((p for p, person in enumerate(self._people) if v in person.voices), None)
        own = self._nats[v]
        split = np.array([SPLIT if person.voices - {v} else 0.0 for person in self._people])
        rivals = [own[p] - split[p] for p in range(len(own)) if self._seen[v, p] and p != owner]
        nobody = float(least(self._seen[[v]])[0, 0])
        best = max(rivals, default=-math.inf)
        margin = nobody - best if owner is None else own[owner] - max(nobody, best)
        given = exceptions(turns, partial(self._faces_for, v, owner), self._cuts)
        faces = () if owner is None else sorted(self._people[owner].faces)
        return Voice(
            name=name,
            turns=turns,
            person=None if owner is None else self._names[owner],
            confidence=float(1 / (1 + math.exp(-min(max(margin, -500.0), 500.0)))),
            tracks=tuple(sorted(track.id for face in faces for track in self._faces[face])),
            exceptions=tuple((a, b, self._names[p]) for a, b, p in given),
            cannot_be=tuple(
                who
                for p, who in enumerate(self._names)
                if p != owner and self._seen[v, p] and own[p] <= -AGAINST
            ),
        )

    def _faces_for(
        self, v: int, owner: int | None, first: int, end: int
    ) -> tuple[Float64, dict[int, Float64]]:
        """The evidence of the owner of a voice, and of others, in some frames of a shot."""
        nobody = np.full(end - first, np.nan)
        found: dict[int, Float64] = defaultdict(nobody.copy)
        for person, face, track in self._in_shot[self._shot_of(first)]:
            begin, stop = max(first, track.frames.start), min(end, track.frames.stop)
            if begin < stop:
                part = frame_evidence(track, self._evidence.mistaken[v, face])
                place = found[person][begin - first : stop - first]
                np.fmax(place, part[begin - track.first_frame :][: len(place)], out=place)
        own = nobody if owner is None else found.pop(owner, nobody)
        for person, seen in found.items():
            for voice in self._people[person].voices:
                seen[self._active[voice, first:end]] = np.nan  # their own voice explains the face
        return own, found


def _faces(tracks: Sequence[Track]) -> list[list[Track]]:
    """The tracks of each identity, by first appearance; without identities each by itself."""
    found: dict[str, list[Track]] = defaultdict(list)
    for track in sorted(tracks, key=lambda track: (track.first_frame, track.id)):
        found[track.name].append(track)
    return list(found.values())


def _summed(values: NDArray[Any], columns: Sequence[Sequence[int]]) -> Float64:
    """(rows, n) float64: the sums of some columns for each of n."""
    found = np.zeros((len(values), len(columns)))
    for place, numbers in enumerate(columns):
        found[:, place] = values[:, numbers].sum(1)
    return found
