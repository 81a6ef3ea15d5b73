"""Gives voices to people whom they were said to be of, whatever is seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..result import Result
from ..voice import Voice
from .assigning import names_of, off_screen


def joined(result: Result, people: Mapping[int, str], min_s: float) -> Result:
    """A result in which some voices are those of people who are seen in it.

    Args:
        result: The result, with voices.
        people: By place of the voice in `result.voices`: whose it is, as in `names_of`. This is
            taken for certain: the confidence becomes 1.
        min_s: Shortest off-screen speech, in seconds.
    """
    voices = list(result.voices or ())
    if all(voices[place].person == person for place, person in people.items()):
        return result
    owner = names_of(voices, result.tracks)
    for place, person in people.items():
        if voices[place].person != person:
            own = tuple(sorted(number for number, name in owner.items() if name == person))
            voices[place] = _of_person(voices[place], person, own)
    unseen = off_screen(voices, result.tracks, result.shots, min_s)
    return replace(result, voices=tuple(voices), off_screen=unseen)


def _of_person(voice: Voice, person: str, tracks: Sequence[int]) -> Voice:
    return replace(
        voice,
        person=person,
        confidence=1.0,
        tracks=tuple(tracks),
        exceptions=tuple(one for one in voice.exceptions if one[2] != person),
        cannot_be=tuple(other for other in voice.cannot_be if other != person),
    )
