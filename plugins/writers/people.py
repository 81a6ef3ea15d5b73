"""The people of a result, as writers that draw lanes show them."""

from __future__ import annotations

from ...core.result import Result
from ...core.results import voice_names
from ...core.types import GRID_FPS, Spans, Track
from ...core.voices.assigning import names_of

Person = tuple[str, list[Track]]
"""A name and the tracks."""


def people_of(result: Result) -> list[Person]:
    """The people, by first appearance; a track that nothing joins to others is one by itself."""
    names = names_of(result.voices or (), result.tracks)
    people: dict[str, list[Track]] = {}
    for track in sorted(result.tracks, key=lambda track: track.first_frame):
        people.setdefault(names[track.id], []).append(track)
    return list(people.items())


def unseen_voices(result: Result) -> dict[str, Spans]:
    """By name: when each voice of a diarization speaks that is nobody's who was seen."""
    people = {track.name for track in result.tracks}
    names = voice_names(result.voices or (), people)
    return {
        names[voice.name]: tuple((a, b) for a, b, person in voice.parts() if person is None)
        for voice in result.voices or ()
        if voice.person is None
    }


def frames_of(result: Result) -> tuple[int, int]:
    """The first processed grid frame, and one past the last."""
    pieces = [*result.shots, *((track.frames.start, track.frames.stop) for track in result.tracks)]
    if not pieces:
        return 0, max(1, round(result.video.duration_s * GRID_FPS))
    return min(first for first, _ in pieces), max(end for _, end in pieces)
