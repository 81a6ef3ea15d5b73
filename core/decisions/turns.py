"""Decides who speaks when, by thresholds or by a model of how people take turns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..arrays import log_odds
from ..shots import heard_in, places_by_shot
from ..types import Float64, Heard, Track
from .conversation import RANKED_FRAMES, Chain, ConversationConfig
from .segments import SegmentsConfig, SpeechConfig, stretches
from .speaking import Decision, decide, spoken_in
from .viterbi import Seats, viterbi

INDEPENDENT, EXCLUSIVE, OVERLAP = "independent", "exclusive", "overlap"
DECISIONS = (INDEPENDENT, EXCLUSIVE, OVERLAP)
"""The values of the option `decisions`."""


@dataclass(frozen=True)
class Rules:
    """How it is decided who speaks.

    Attributes:
        decisions: One of `DECISIONS`: each face by itself, or all faces of a shot together, of
            which one speaks at a time, or two at most.
        segments: When a face counts as speaking. If all faces are decided together, only `min_s`
            is used: shorter segments are left out, and are nobody's.
        speech: When the sound counts as speech. If all faces are decided together, it decides on
            `Decision.speech` alone, and how long off-screen speech must last.
        conversation: How people take turns, if all faces are decided together.
    """

    decisions: str
    segments: SegmentsConfig
    speech: SpeechConfig
    conversation: ConversationConfig


def decide_by(
    rules: Rules,
    tracks: Sequence[Track],
    shots: Sequence[tuple[int, int]],
    heard: Heard | None,
) -> Decision:
    """Decide who speaks when.

    Args:
        rules: How.
        tracks: The tracks with their scores, which should be calibrated.
        shots: (first, end) grid frames of each shot, end excluded.
        heard: The detected speech; None without voice activity detection.
    """
    segments, speech, conversation = rules.segments, rules.speech, rules.conversation
    if rules.decisions == INDEPENDENT:
        return decide(tracks, heard, segments, speech)
    chain = Chain(conversation, off_screen=heard is not None, pairs=rules.decisions == OVERLAP)
    end = max((stop for _, stop in shots), default=0)
    off_screen = np.zeros(end, np.bool_)
    decided = list(tracks)
    for (first, stop), places in zip(shots, places_by_shot(tracks, shots), strict=True):
        faces = [tracks[place] for place in places]
        seats, columns = seated(faces, first, stop, heard, conversation)
        speaks, off_screen[first:stop] = viterbi(seats, chain)
        for place, track, column in zip(places, faces, columns, strict=True):
            frames = slice(track.first_frame - first, track.frames.stop - first)
            spans = stretches(speaks[frames, column], track.first_frame, segments.min_s)
            decided[place] = replace(track, speaking=spans)
    if heard is None:
        return Decision(tuple(decided), None, None)
    return Decision(
        tuple(decided), spoken_in(heard, speech), stretches(off_screen, 0, speech.off_screen_min_s)
    )


def seated(
    faces: Sequence[Track], first: int, end: int, heard: Heard | None, config: ConversationConfig
) -> tuple[Seats, list[int]]:
    """The faces of a shot, or of a part of it, by seat, and the seat of each.

    Args:
        faces: The faces; each is seen in the part, and perhaps before.
        first: The first grid frame of the part.
        end: The grid frame after its last one, in which no face is seen.
        heard: The detected speech; None without voice activity detection.
        config: How people take turns.
    """
    columns = _columns(faces)
    shape = end - first, max(columns, default=-1) + 1
    face = np.full(shape, -1, np.int64)
    evidence, ranked = np.full((2, *shape), -np.inf)
    for number, (track, column) in enumerate(zip(faces, columns, strict=True)):
        frames = slice(max(track.first_frame - first, 0), track.frames.stop - first)
        rows = slice(max(first - track.first_frame, 0), None)
        odds = log_odds(track.logits)
        face[frames, column] = number
        evidence[frames, column] = config.evidence(odds)[rows]
        ranked[frames, column] = _running_mean(odds, RANKED_FRAMES)[rows]
    likely = heard_in(heard, first, end)
    voice = np.zeros(shape[0]) if likely is None else config.heard(likely)
    return Seats(face, evidence, ranked, voice), columns


def _columns(faces: Sequence[Track]) -> list[int]:
    """A seat for each face, of as few as are visible at once."""
    free_from: list[int] = []
    columns = [0] * len(faces)
    for number in sorted(range(len(faces)), key=lambda k: faces[k].first_frame):
        frames = faces[number].frames
        free = (k for k, stop in enumerate(free_from) if stop <= frames.start)
        column = next(free, len(free_from))
        free_from[column : column + 1] = [frames.stop]
        columns[number] = column
    return columns


def _running_mean(values: Float64, reach: int) -> Float64:
    """The mean of those up to `reach` places away, of those there are: (n,) like `values`."""
    window = np.ones(2 * reach + 1)
    counted: NDArray[np.float64] = np.convolve(np.ones(len(values)), window)
    summed: NDArray[np.float64] = np.convolve(values, window)
    return (summed / counted)[reach : reach + len(values)]
