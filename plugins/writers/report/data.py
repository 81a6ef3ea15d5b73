"""Makes the data of a report: all that the page shows, as plain values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePath
from typing import Any

from ....core.result import Result
from ....core.results import off_screen_turns, printable, turns
from ....core.shown_names import shown_names
from ....core.types import GRID_FPS, OFF_SCREEN, Spans, Track
from ....core.voices.assigning import people_of
from ..people import frames_of, unseen_voices
from .packing import STEPS, packed
from .video import Playable

_PLACES = 3
"""Decimals of times in seconds."""


def report_data(
    result: Result, videos: Sequence[Playable], thumbnails: Mapping[int, str]
) -> dict[str, Any]:
    """All that the page shows, as plain values.

    Times are seconds from the first picture, frames those of the 25 fps grid. A turn names a person
    by number, a voice of nobody seen by name, and anybody else off screen by None.

    Args:
        result: The result.
        videos: The videos that the page may play, the best first.
        thumbnails: By id of the track: a picture of the face as a data URI.
    """
    show = shown_names(result)
    people = list(people_of(result).items())
    places = {name: place for place, (name, _) in enumerate(people)}
    places |= {track.name: place for place, (_, own) in enumerate(people) for track in own}
    longer_side_px = max(result.video.width, result.video.height)
    return {
        "video": {
            "name": printable(result.video.name),
            "width": result.video.width,
            "height": result.video.height,
            "pixel_aspect": result.video.pixel_aspect,
            "start_s": result.video.start_s,
            "longer_side_px": longer_side_px,
            "sources": [video._asdict() for video in videos],
        },
        "grid_fps": GRID_FPS,
        "steps": STEPS,
        "frames": list(frames_of(result)),
        "shots": [[int(first), int(end)] for first, end in result.shots],
        "people": [
            {
                "known": any(track.identity is not None for track in own),
                "label": show(name),
                "keys": list(dict.fromkeys(printable(track.name) for track in own)),
                "tracks": [_track(track, longer_side_px, thumbnails) for track in own],
            }
            for name, own in people
        ],
        "voices": [
            {"name": name, "spans": _spans(spans)}
            for name, spans in unseen_voices(result, show).items()
        ],
        "speech": None if result.speech is None else _spans(result.speech),
        "off_screen": _off_screen(result, places, show),
        "turns": [
            [round(start_s, _PLACES), round(end_s, _PLACES), _who(name, places, show)]
            for start_s, end_s, name in turns(result)
        ],
        "notes": [printable(note) for note in result.video.notes],
        "about": _about(result),
    }


def _track(track: Track, longer_side_px: int, thumbnails: Mapping[int, str]) -> dict[str, Any]:
    return {
        "id": int(track.id),
        "first": int(track.first_frame),
        "length": len(track),
        "packed": packed(track, longer_side_px),
        "speaking": _spans(track.speaking),
        "thumbnail": thumbnails.get(track.id),
    }


def _off_screen(
    result: Result, places: Mapping[str, int], show: Callable[[str], str]
) -> list[list[Any]] | None:
    if result.off_screen is None:
        return None
    return [
        [round(start_s, _PLACES), round(end_s, _PLACES), _who(name or OFF_SCREEN, places, show)]
        for (start_s, end_s), name in off_screen_turns(result)
    ]


def _who(name: str, places: Mapping[str, int], show: Callable[[str], str]) -> int | str | None:
    if name in places:
        return places[name]
    return None if name == OFF_SCREEN else show(name)


def _spans(spans: Spans) -> list[list[float]]:
    return [[round(start_s, _PLACES), round(end_s, _PLACES)] for start_s, end_s in spans]


def _about(result: Result) -> list[list[str]]:
    """What was looked at and by what: pairs of a heading and a text."""
    video = result.video
    said = [
        ["Video", printable(str(video.path))],
        ["Picture", f"{video.width} x {video.height}, {video.fps:g} fps, {video.duration_s:.2f} s"],
    ]
    for kind in ("detector", "scorer", "embedder", "vad", "voice"):
        chosen = result.settings.get(kind)
        name = chosen.get("name") if isinstance(chosen, Mapping) else chosen
        if isinstance(name, (str, PurePath)):
            said.append([kind.capitalize(), printable(str(name))])
    versions = result.provenance.get("versions", {})
    if isinstance(versions, Mapping) and "asdkit" in versions:
        said.append(["asdkit", printable(str(versions["asdkit"]))])
    return said
