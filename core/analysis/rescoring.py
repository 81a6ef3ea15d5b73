"""Has the context score the faces of each shot anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..contracts import FaceContext
from ..shots import heard_in, places_by_shot
from ..types import Heard, Shot, Track
from .answers import asked, checked_scores


def in_context(
    tracks: Sequence[Track],
    shots: Sequence[tuple[int, int]],
    heard: Heard | None,
    context: FaceContext | None,
    name: str,
) -> tuple[Track, ...]:
    """The tracks with the logits that a context gives them.

    Args:
        tracks: The faces with the scorer's logits.
        shots: (first, end) grid frames of each shot, end excluded.
        heard: The detected speech; None without voice activity detection.
        context: The context; None leaves the logits as they are.
        name: The context in words.

    Raises:
        PluginError: The context breaks its contract.
    """
    if context is None:
        return tuple(tracks)
    found = list(tracks)
    for (first, end), places in zip(shots, places_by_shot(found, shots), strict=True):
        faces = tuple(found[place] for place in places)
        shot = Shot(first, end, faces, heard_in(heard, first, end))
        with asked(name):
            answer = context.rescore(shot)
        scores = checked_scores(name, answer, faces, "track")
        for place, one in zip(places, scores, strict=True):
            found[place] = replace(found[place], logits=one.logits)
    return tuple(found)
