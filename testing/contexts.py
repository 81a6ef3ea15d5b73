"""The check of contexts."""

from __future__ import annotations

import numpy as np

from ..core.analysis.answers import checked_scores
from ..core.analysis.crops import centre_and_half_size
from ..core.contracts import FaceContext
from ..core.types import Float32, Scores, Shot, Track
from .holding import Remembered, asking, hold, name_of

_FIRST_FRAMES = (0, 300)
"""First grid frame of the shots: of a whole video, and of a later shot."""
_FRAMES = 40
_SPANS = (((0, 40),), ((0, 40), (10, 25)), ((0, 15), (15, 40)), ((5, 6), (0, 40), (39, 40)), ())
"""For each shot: the frames of its faces, counted from its first one."""


def check_context(context: FaceContext) -> None:
    """Check that a context gives each face of any shot a finite score for each of its frames.

    It is given shots with one face, with several that come and go, and with none; with voice
    activity and without.

    Args:
        context: The context.

    Raises:
        PluginError: It does not keep its contract; see `asdkit.plugin.FaceContext`.
    """
    name = name_of(context)
    returned = Remembered(name)

    def rescored(shot: Shot) -> list[Scores]:
        arrays = [array for track in shot.tracks for array in (track.boxes, track.logits)]
        heard = [] if shot.heard is None else [shot.heard]
        with asking(name, *arrays, *heard):
            answer = context.rescore(shot)
        scores = checked_scores(name, answer, shot.tracks, "track")
        returned.add([one.logits for one in scores])
        return scores

    shots = [
        _shot(first, spans, heard)
        for first in _FIRST_FRAMES
        for spans in _SPANS
        for heard in (None, np.linspace(0, 1, _FRAMES, dtype=np.float32))
    ]
    before = [rescored(shot) for shot in shots]
    for shot, earlier in zip(shots, before, strict=True):
        hold(
            all(
                np.array_equal(one.logits, other.logits)
                for one, other in zip(earlier, rescored(shot), strict=True)
            ),
            f"{name} scores a shot otherwise that it has scored before, but one context serves all "
            "videos",
            "Keep nothing from one call to the next, and use no chance",
        )
    returned.check()


def _shot(first: int, spans: tuple[tuple[int, int], ...], heard: Float32 | None) -> Shot:
    """A shot with faces beside each other, of random scores."""
    tracks = [
        _track(number, first + begin, end - begin) for number, (begin, end) in enumerate(spans)
    ]
    return Shot(first, first + _FRAMES, tuple(tracks), heard)


def _track(number: int, first_frame: int, frames: int) -> Track:
    left = 100.0 * number
    boxes = np.tile([left, 20.0, left + 60, 80.0], (frames, 1))
    logits = np.random.default_rng(number).normal(0, 2, (frames, 2)).astype(np.float32)
    return Track(number, 0, first_frame, boxes, centre_and_half_size(boxes), logits, ())
