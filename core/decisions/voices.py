"""Decides whose speech to listen to, and whose voice is whose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from ..types import GRID_FPS, Float32, Int64, Spans, Track
from .identities import centre, identify
from .segments import mask, stretches

_LONGEST_S = 20.0
"""So much of a voice is listened to at most."""
_SHORTEST_S = 0.2
"""Shorter pieces of speech are left out: most of what is heard there are the edges."""


def alone(tracks: Sequence[Track]) -> list[Spans]:
    """When each face speaks while no other does; several faces at once are no clear voice."""
    speaking = [mask(track.speaking, track.first_frame, len(track)) for track in tracks]
    voices: Int64 = np.zeros(max((track.frames.stop for track in tracks), default=0), np.int64)
    for track, frames in zip(tracks, speaking, strict=True):
        voices[track.first_frame : track.frames.stop] += frames
    return [
        stretches(
            frames & (voices[track.first_frame : track.frames.stop] == 1),
            track.first_frame,
            _SHORTEST_S,
        )
        for track, frames in zip(tracks, speaking, strict=True)
    ]


def sample(spans: Spans) -> Spans:
    """What to listen to: the longest spans, in order of time, 20 s in all; the last one is cut."""
    left = round(_LONGEST_S * GRID_FPS)
    taken = []
    for start_s, end_s in sorted(spans, key=lambda span: span[0] - span[1]):
        frames = min(round((end_s - start_s) * GRID_FPS), left)
        if frames:
            taken.append((start_s, start_s + frames / GRID_FPS))
        left -= frames
    return tuple(sorted(taken))


def identified_by_voice(
    tracks: Sequence[Track], voices: Sequence[Float32 | None], max_distance: float
) -> tuple[Track, ...]:
    """Give the tracks of one voice, across shots, the same identity, as `identify` does by faces.

    Args:
        tracks: The tracks, without identities.
        voices: For each track: its voice (d,), or None if it was not heard for long enough; such
            tracks get no identity.
        max_distance: Voices this close on average are one person's: cosine distance, 0 to 2.
    """
    known = {n: voice for n, voice in enumerate(voices) if voice is not None}
    one = np.zeros(1, np.int64)
    heard = [replace(tracks[n], embedded=one, embeddings=v[None]) for n, v in known.items()]
    if not heard:
        return tuple(tracks)
    names = {track.id: track.identity for track in identify(heard, {}, max_distance)}
    return tuple(replace(track, identity=names.get(track.id)) for track in tracks)


def voices_by_name(tracks: Sequence[Track], voices: Sequence[Float32 | None]) -> dict[str, Float32]:
    """By `Track.name`: the mean voice (d,) of the tracks with this name that were heard."""
    heard: dict[str, list[Float32]] = {}
    for track, voice in zip(tracks, voices, strict=True):
        if voice is not None:
            heard.setdefault(track.name, []).append(voice)
    return {name: centre(np.stack(own)).astype(np.float32) for name, own in heard.items()}


def whose(voice: Float32 | None, people: Mapping[str, Float32], max_distance: float) -> str | None:
    """The name of the person whose voice is closest; None if nobody's is close enough.

    Args:
        voice: (d,), of length 1; None for one that was not heard for long enough.
        people: By name: a voice (d,).
        max_distance: The largest cosine distance, from 0 to 2, at which they are one person's.
    """
    if voice is None or not people:
        return None
    distances = {name: 1 - float(voice @ own) for name, own in people.items()}
    name = min(distances, key=lambda one: distances[one])
    return name if distances[name] <= max_distance else None
