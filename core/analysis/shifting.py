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

_MOST_EARLY_S = 0.2
AROUND_FRAMES = MOST_FRAMES + int(_MOST_EARLY_S * GRID_FPS) + 1
"""How many grid frames of sound before and after a clip the shifts need, and a sample before."""
AROUND = AROUND_FRAMES * SAMPLES_PER_FRAME
"""The same in samples."""
_LEAST_FRAMES = GRID_FPS
"""A shorter clip is left out."""
_AUDIBLE = 100
"""Sound whose largest sample, of 32767, is smaller is not worth a scan."""


def _room() -> list[Piece]:
    return []


@dataclass(frozen=True, eq=False)
class WideClip(Clip):
    """A clip with the sound around it.

    Attributes:
        first_frame: Its first grid frame.
        around: (640 (n + 56),) int16, the sound from 28 frames before the clip to 28 after it.
        pieces: Collects what is found for this clip.
    """

    first_frame: int = 0
    around: Int16 = field(default_factory=lambda: np.empty(0, np.int16))
    pieces: list[Piece] = field(default_factory=_room)

    def shifted(self, samples: int) -> Clip:
        """The same faces with the sound so many samples later."""
        start = AROUND + samples
        stop = start + len(self) * SAMPLES_PER_FRAME
        return Clip(
            self.faces,
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
        early = round(sound_early_s(self._scorer) * GRID_FPS * SAMPLES_PER_FRAME)
        self._shifts = [shift * SAMPLES_PER_FRAME - early for shift in SHIFTS]
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
        loudest = int(np.abs(clip.around.astype(np.int32)).max())
        if len(clip) < _LEAST_FRAMES or loudest < _AUDIBLE:
            return
        shifted = [clip.shifted(samples) for samples in self._shifts]
        with asked(self._name):
            answer = self._shifting.score_shifted(shifted)
        scores = checked_scores(self._name, answer, shifted)
        yield Piece(clip.first_frame, np.stack([_agreement(one) for one in scores]))


def _agreement(scores: Scores) -> Float32:
    """(n,) float32: log(1 + odds), which is the log odds where they are high, else about 0."""
    log_odds = (scores.logits[:, 1] - scores.logits[:, 0]).astype(np.float64)
    return np.logaddexp(0, log_odds).astype(np.float32)


def refuses_sounds(scorer: Scorer) -> bool:
    """Whether a low certainty of this scorer means that a sound fits nobody."""
    return getattr(scorer, "refuses_sounds", False) is True


def sound_early_s(scorer: Scorer) -> float:
    """How much earlier than in step this scorer likes sound best, from -0.2 to 0.2 s."""
    early_s = float(getattr(scorer, "sound_early_s", 0.0))
    return min(max(early_s, -_MOST_EARLY_S), _MOST_EARLY_S)
