"""Converts the tracks and scores of a video to a cache entry and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..sync import Piece
from ..types import Heard, Track
from ..viewing import Seen
from .cache import Arrays, Entry

_PER_TRACK = ("boxes", "smoothed", "logits", "embedded", "embeddings")


def entry_of(seen: Seen, about: Mapping[str, Any], weights: Mapping[str, Any]) -> Entry:
    """The cache entry for what a pass has seen."""
    more = {
        "heard_from": seen.heard.first_frame if seen.heard else None,
        "tracks": [[track.shot, track.first_frame] for track in seen.tracks],
        "identity_distance": seen.identity_distance,
        "refuses_sounds": seen.refuses_sounds,
    }
    return Entry(_packed(seen), {**about, **more}, dict(weights))


def _packed(seen: Seen) -> Arrays:
    """The arrays of an entry; `entry_of` adds the plain values."""
    arrays = {
        f"{name}_{track.id}": getattr(track, name) for track in seen.tracks for name in _PER_TRACK
    }
    arrays["shots"] = np.array(seen.shots, np.int64).reshape(-1, 2)
    if seen.heard:
        arrays["heard"] = seen.heard.probabilities
    for number, pieces in enumerate(seen.pieces):
        arrays[f"pieces_{number}"] = np.array([p.first_frame for p in pieces], np.int64)
        for k, piece in enumerate(pieces):
            arrays[f"agreement_{number}_{k}"] = piece.agreement
    return arrays


def seen_of(entry: Entry) -> Seen:
    """Restore what a pass has seen from a cache entry."""
    arrays, about = entry.arrays, entry.about
    tracks, pieces = [], []
    for number, (shot, first) in enumerate(about["tracks"]):
        own: dict[str, Any] = {name: arrays[f"{name}_{number}"] for name in _PER_TRACK}
        tracks.append(Track(id=number, shot=shot, first_frame=first, speaking=(), **own))
        firsts = arrays.get(f"pieces_{number}", np.empty(0, np.int64)).tolist()
        pieces.append(
            tuple(Piece(f, arrays[f"agreement_{number}_{k}"]) for k, f in enumerate(firsts))
        )
    heard = Heard(about["heard_from"], arrays["heard"]) if "heard" in arrays else None
    shots = tuple((first, end) for first, end in arrays["shots"].tolist())
    distance, refuses = about["identity_distance"], about["refuses_sounds"]
    return Seen(shots, tuple(tracks), heard, distance, tuple(pieces), refuses)
