"""A model over time of who speaks in a shot: a hidden Markov model of turns and pauses.

In each grid frame, which lasts d = 0.04 s, one of these holds:

- silence: nobody speaks;
- face i: a visible face speaks, and it alone;
- off-screen: somebody unseen speaks. Only with voice activity detection, as nothing else tells
  this from silence;
- pair i, j: two visible faces speak at once. Only with `decisions=overlap`. In frames with more
  than eight faces (`PAIRED`) these are pairs of the eight with the highest log odds, averaged over
  the frames of the face that are at most 0.48 s away; of equals, of those that come first.

What is next depends on what holds now, in frames with n visible faces (`Chain`):

- silence ends with probability d / pause_s; then somebody unseen speaks with probability
  u = `unseen`, and each face with (1 - u) / n;
- a face's turn ends with d / turn_s; then there is silence with probability 1/2, else somebody
  unseen speaks with u, and each other face with (1 - u) / (n - 1);
- off-screen speech ends with d / off_screen_s; then there is silence with 1/2, and each face
  speaks with 1 / (2 n);
- somebody joins a face that speaks with d / join_s: each other face with d / join_s / (n - 1);
- two faces at once end with d / overlap_s; then each of the two goes on alone with 1/2.

So lengths are geometric, with these means, before anything is seen or heard. Where nobody else is
there to speak, silence takes these parts, or off-screen speech those of the faces (n = 0). If a
speaking face goes out of sight, its turn ends there; of two, the other one goes on. A shot begins
in silence with probability 1/2, else with off-screen speech or a single face as after silence.

What is seen and heard in a frame speaks for each of these by a log likelihood ratio against
silence:

- face i: w (l_i - logit(neutral) + e(v)), where l_i are its calibrated log odds;
- pair i, j: w (l_i + l_j - 2 logit(neutral) + e(v));
- off-screen: w e(v);
- e(v) = log(((1 - m) v + m (1 - v)) / (f v + (1 - f) (1 - v))), where v is the probability of
  voice activity detection, m = `vad_misses` and f = `vad_false_alarms`; 0 without it. So silence
  that it is sure of says no more than log(m / (1 - f)), and speech no more than log((1 - m) / f);
- w = d / evidence_s, at most 1, as neighbouring frames tell nearly the same.

The most likely sequence of the whole shot is found by the algorithm of Viterbi, see `viterbi`
(Rabiner 1989, "A Tutorial on Hidden Markov Models and Selected Applications in Speech
Recognition", section III B). Shots are independent of each other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import numpy as np

from ..types import GRID_FPS, Float32, Float64

PAIRED = 8
"""Of how many of the likeliest faces of a frame pairs are considered."""
RANKED_FRAMES = 12
"""For that choice log odds are averaged over the frames up to so many away."""
SHORTEST_S = 0.2
"""The smallest mean length of anything in the model."""
_FRAME_S = 1 / GRID_FPS


@dataclass(frozen=True)
class ConversationConfig:
    """How people take turns, for `decisions=exclusive` and `overlap`.

    Attributes:
        turn_s: Mean length of a turn of a visible face, in seconds.
        pause_s: Mean length of silence, in seconds.
        off_screen_s: Mean length of a turn of somebody unseen, in seconds.
        overlap_s: Mean time that two speak at once, in seconds; for overlap alone.
        join_s: Mean time of speech until somebody else joins in, in seconds; for overlap alone.
        unseen: The fraction of turns that somebody unseen takes while faces are visible, between
            0 and 1; needs voice activity detection.
        neutral: A face whose probability is this speaks neither for nor against its speaking;
            between 0 and 1.
        evidence_s: So many seconds of frames count as one independent observation, as neighbouring
            frames are much alike. More makes who speaks change less often.
        vad_misses: How often voice activity detection takes speech for something else, such as
            music; between 0 and 1. More trusts its silence less.
        vad_false_alarms: How often it takes something else for speech; between 0 and 1.
    """

    turn_s: float = 2.0
    pause_s: float = 1.0
    off_screen_s: float = 2.0
    overlap_s: float = 0.5
    join_s: float = 20.0
    unseen: float = 0.1
    neutral: float = 0.55
    evidence_s: float = 0.16
    vad_misses: float = 0.2
    vad_false_alarms: float = 0.05

    def __post_init__(self) -> None:
        for entry in fields(self):
            value = getattr(self, entry.name)
            if entry.name == "evidence_s":
                if not 0 < value < math.inf:
                    raise ValueError(f"evidence_s must be more than 0 and finite, got {value}")
            elif entry.name.endswith("_s"):
                if not SHORTEST_S <= value < math.inf:
                    raise ValueError(
                        f"{entry.name} must be at least {SHORTEST_S} and finite, got {value}"
                    )
            elif not 0 < value < 1:
                raise ValueError(f"{entry.name} must be between 0 and 1, got {value}")

    @property
    def weight(self) -> float:
        """How much a frame counts of an independent observation, up to 1."""
        return min(1.0, _FRAME_S / self.evidence_s)

    def evidence(self, log_odds: Float64) -> Float64:
        """What a face's log odds say for its speaking: weighted log likelihood ratios."""
        return self.weight * (log_odds - math.log(self.neutral / (1 - self.neutral)))

    def heard(self, likely: Float32) -> Float64:
        """What the probabilities of speech say for it: weighted log likelihood ratios."""
        v = likely.astype(np.float64)
        m, f = self.vad_misses, self.vad_false_alarms
        ratio = ((1 - m) * v + m * (1 - v)) / (f * v + (1 - f) * (1 - v))
        return np.asarray(self.weight * np.log(ratio), np.float64)


@dataclass(frozen=True)
class Chain:
    """The log probabilities of what comes next; see the module's docstring.

    Attributes:
        config: How people take turns.
        off_screen: Whether somebody unseen may speak.
        pairs: Whether two faces may speak at once.
    """

    config: ConversationConfig
    off_screen: bool
    pairs: bool

    def ends(self, mean_s: float) -> float:
        """That something of this mean length ends after a frame."""
        return math.log(_FRAME_S / mean_s)

    def goes_on(self, mean_s: float) -> float:
        """That it does not."""
        return math.log1p(-_FRAME_S / mean_s)

    def face_goes_on(self, others: int) -> float:
        """That a face goes on alone, with so many other faces visible."""
        leaves = _FRAME_S / self.config.turn_s
        joined = _FRAME_S / self.config.join_s if self.pairs and others else 0.0
        return math.log1p(-leaves - joined)

    def face(self, faces: int, *, unseen: bool = True) -> float:
        """That one of so many faces is who speaks next; -inf if there are none.

        Args:
            faces: How many there are to choose from.
            unseen: Whether somebody unseen is, too.
        """
        seen = 1 - self.config.unseen if self.off_screen and unseen else 1.0
        return math.log(seen / faces) if faces else -math.inf

    def unseen(self, faces: int) -> float:
        """That somebody unseen is who speaks next, with so many faces to choose from."""
        if not self.off_screen:
            return -math.inf
        return math.log(self.config.unseen) if faces else 0.0

    def silence(self, faces: int, *, unseen: bool = True) -> float:
        """That silence follows on speech, and nobody of those there are to choose from."""
        return math.log(0.5) if self.speaks(faces, unseen=unseen) else 0.0

    def speaks(self, faces: int, *, unseen: bool = True) -> bool:
        """Whether there is anybody to choose from."""
        return bool(faces) or (self.off_screen and unseen)
