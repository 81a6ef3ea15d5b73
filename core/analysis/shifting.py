"""Scores faces with their sound shifted by many amounts, to find the one at which both fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np

from ..contracts import Scorer, ShiftingScorer
from ..errors import PluginError
from ..sync import MOST_FRAMES, SHIFTS, Piece
from ..types import GRID_FPS, SAMPLES_PER_FRAME, SOUND_AFTER, Clip, Float32, Int16, Scores
from .answers import asked, checked_scores
from .attributes import checked_concurrent

AROUND_FRAMES = MOST_FRAMES + 1
"""How many grid frames of sound before and after a clip the shifts need, and a sample before."""
AROUND = AROUND_FRAMES * SAMPLES_PER_FRAME
"""The same in samples."""
_PIECE_FRAMES = 2 * GRID_FPS
"""Pieces of 2 s tell shifts apart best, see docs/input.md: networks forgive more in longer ones."""
_LEAST_FRAMES = GRID_FPS
"""A shorter rest of a clip is left out."""
_AUDIBLE = 100
"""Sound whose largest sample, of 32767, is smaller is not worth a scan."""


def _room() -> list[Piece]:
    return []


@dataclass(frozen=True, eq=False)
class WideClip(Clip):
    """A clip with the sound around it.

    Attributes:
        first_frame: Its first grid frame.
        around: (640 (n + 46),) int16, the sound from 23 frames before the clip to 23 after it.
        pieces: Collects what is found for the pieces of this clip.
    """

    first_frame: int = 0
    around: Int16 = field(default_factory=lambda: np.empty(0, np.int16))
    pieces: list[Piece] = field(default_factory=_room)

    def shifted(self, first: int, end: int, shift: int) -> Clip:
        """Some of its frames, `first` to `end`, with the sound `shift` grid frames later."""
        start, stop = (AROUND + (frame + shift) * SAMPLES_PER_FRAME for frame in (first, end))
        return Clip(
            self.faces[first:end],
            self.around[start:stop],
            int(self.around[start - 1]),
            self.around[stop : stop + SOUND_AFTER],
        )


class ShiftedScorer:
    """Scores clips as a scorer does, and finds out how well their faces fit shifted sounds.

    Args:
        scorer: The scorer, a `ShiftingScorer`.
        name: The scorer in words.

    Raises:
        PluginError: It is not.
    """

    def __init__(self, scorer: Scorer, name: str) -> None:
        self.concurrent = checked_concurrent(name, scorer)
        if not isinstance(scorer, ShiftingScorer):
            raise PluginError(
                f"{name} has no score_shifted, although it says that it can shift the sound",
                "Add this method, or leave out Component.shifts",
            )
        self._scorer, self._shifting = cast("Scorer", scorer), scorer
        self._name = name

    def score(self, clips: Sequence[Clip]) -> list[Scores]:
        """Score clips; of each that is a `WideClip`, also fill in the pieces.

        Raises:
            PluginError: What the scorer answers about shifted sounds breaks its contract.
        """
        scores = self._scorer.score(clips)
        for clip in clips:
            if isinstance(clip, WideClip):
                clip.pieces.extend(self._pieces(clip))
        return scores

    def _pieces(self, clip: WideClip) -> Iterator[Piece]:
        for first in range(0, len(clip), _PIECE_FRAMES):
            end = min(first + _PIECE_FRAMES, len(clip))
            shifted = [clip.shifted(first, end, shift) for shift in SHIFTS]
            loudest = max(int(np.abs(one.sound.astype(np.int32)).max()) for one in shifted)
            if end - first < _LEAST_FRAMES or loudest < _AUDIBLE:
                continue
            with asked(self._name):
                answer = self._shifting.score_shifted(shifted)
            scores = checked_scores(self._name, answer, shifted)
            found = np.array([_agreement(one) for one in scores], np.float32)
            yield Piece(clip.first_frame + first, end - first, found)


def _agreement(scores: Scores) -> float:
    """The sum over frames of log(1 + odds): the log odds where they are high, else about 0."""
    log_odds: Float32 = scores.logits[:, 1] - scores.logits[:, 0]
    return float(np.logaddexp(0, log_odds.astype(np.float64)).sum())


def refuses_sounds(scorer: Scorer) -> bool:
    """Whether a low certainty of this scorer means that a sound fits nobody."""
    return getattr(scorer, "refuses_sounds", False) is True
