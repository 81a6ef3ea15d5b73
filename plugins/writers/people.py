"""What writers that draw lanes have in common."""

from __future__ import annotations

from collections.abc import Callable

from ...core.result import Result
from ...core.results import known_off_screen, voice_names
from ...core.types import GRID_FPS, Spans


def unseen_voices(result: Result, show: Callable[[str], str] = str) -> dict[str, Spans]:
    """By name: when each voice of a diarization speaks that is nobody's who was seen.

    Without a diarization: when those known by their voice speak off screen.

    Args:
        result: The result.
        show: From a name in the result to the one that is shown.
    """
    if result.voices is None:
        return known_off_screen(result, show)
    people = {track.name for track in result.tracks}
    names = voice_names(result.voices, people)
    return {
        show(names[voice.name]): tuple((a, b) for a, b, person in voice.parts() if person is None)
        for voice in result.voices
        if voice.person is None
    }


def frames_of(result: Result) -> tuple[int, int]:
    """The first processed grid frame, and one past the last."""
    pieces = [*result.shots, *((track.frames.start, track.frames.stop) for track in result.tracks)]
    if not pieces:
        return 0, max(1, round(result.video.duration_s * GRID_FPS))
    return min(first for first, _ in pieces), max(end for _, end in pieces)
