"""Has the context score the faces of each shot anew."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..contracts import FaceContext
from ..types import Float32, Heard, Shot, Track
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
    starts = [first for first, _ in shots]
    places_in: list[list[int]] = [[] for _ in shots]
    for place, track in enumerate(found):
        places_in[bisect_right(starts, track.first_frame) - 1].append(place)
    for (first, end), places in zip(shots, places_in, strict=True):
        faces = tuple(found[place] for place in places)
        shot = Shot(first, end, faces, _part(heard, first, end))
        with asked(name):
            answer = context.rescore(shot)
        scores = checked_scores(name, answer, faces, "track")
        for place, one in zip(places, scores, strict=True):
            found[place] = replace(found[place], logits=one.logits)
    return tuple(found)


def _part(heard: Heard | None, first: int, end: int) -> Float32 | None:
    """The probabilities of some grid frames; 0 where nothing was heard any more."""
    if heard is None:
        return None
    part = np.zeros(end - first, np.float32)
    known = heard.probabilities[first - heard.first_frame : end - heard.first_frame]
    part[: len(known)] = known
    return part
