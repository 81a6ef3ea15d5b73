"""How much the faces' scores say for and against a voice being somebody's.

If a face is seen in a frame, its score has the log odds l of speaking against not speaking. With
even prior odds e**l is also how many times likelier the score is if the face speaks than if it does
not. Now let voice v speak in this frame. If the face is that of v's person, it speaks, unless
there is a pause within the turn, or the turn's boundary is off (PAUSE of the frames). If it is not,
it is silent, unless it moves like one that speaks, or speaks without having a turn (a part m of
the frames). So the score is

    (PAUSE + (1 - PAUSE) e**l) / (1 - m + m e**l)

times likelier if the voice is this person's than if it is not: with m = MISTAKEN 14 times at most
and a third at least, since a still face in somebody's turn says less than a moving one. The
evidence that v belongs to face f,

    E(v, f) = sum over frames in which v speaks and f is seen of
              log(the above) / (n FRAMES_A_PIECE),

is in natural logarithms (nats), above 0 for it and below 0 against it. n is the number of voices
that speak at once: in an overlap a face may well speak with another one. Scores of neighbouring
frames are much alike, so FRAMES_A_PIECE frames count as one independent observation.

Some faces seem to speak whoever is heard: they nod or chew, or the scorer hardly listens. So m is
estimated for each v and f from the turns of the other voices: from the one voice w in whose turns f
seems to speak least, as f may own some of the others,

    m(v, f) = min over w of (MISTAKEN KNOWN + sum of p) / (KNOWN + number of frames),

where p is the probability of speaking in the frames of w that show f, but at least MISTAKEN and at
most MOST_MISTAKEN: all voices seen with f may be f's, of a diarizer that splits voices. It holds
where l > 0; silence always counts with MISTAKEN.

The constants here and in the modules beside are chosen by reason, with a look at three short clips
(docs/voices.md), which are too few to fit any to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..arrays import log_odds
from ..types import GRID_FPS, Float64, Track

PAUSE = 0.3
"""Part of a person's turns in which their face does not speak."""
MISTAKEN = 0.05
"""Part of another person's turns in which a face seems to speak, before anything is known of it."""
MOST_MISTAKEN = 0.25
"""Largest such part that is believed."""
KNOWN = 2 * GRID_FPS
"""So many grid frames of another voice's turns weigh as much as that supposition."""
FRAMES_A_PIECE = GRID_FPS / 2
"""So many grid frames count as one independent observation."""


def frame_evidence(track: Track, mistaken: float) -> Float64:
    """The evidence of each frame of a face that a voice which speaks is theirs.

    Args:
        track: The face with its logits, calibrated.
        mistaken: m of this voice and this face, above 0.

    Returns:
        (n,) float64, in nats.
    """
    odds = np.clip(log_odds(track.logits), -50, 50)
    likelier = np.exp(odds)
    mistakes = np.where(odds > 0, mistaken, MISTAKEN)
    theirs = PAUSE + (1 - PAUSE) * likelier
    not_theirs = 1 - mistakes + mistakes * likelier
    return np.asarray(np.log(theirs / not_theirs) / FRAMES_A_PIECE, np.float64)


@dataclass(frozen=True)
class Evidence:
    """What the scores say of voices and faces.

    Attributes:
        nats: (voices, faces) float64, E(v, f).
        seen: (voices, faces) bool, whether the face is seen while the voice speaks.
        mistaken: (voices, faces) float64, m(v, f).
    """

    nats: Float64
    seen: NDArray[np.bool_]
    mistaken: Float64


def evidence(active: NDArray[np.bool_], faces: Sequence[Sequence[Track]]) -> Evidence:
    """The evidence that voices belong to faces.

    Args:
        active: (voices, frames) bool, in which grid frames each voice speaks, from frame 0 on.
        faces: The tracks of each face, with calibrated logits; all end within these frames.
    """
    weights = active / np.maximum(active.sum(0), 1)
    shape = len(active), len(faces)
    seems, known, nats = np.zeros((3, *shape))
    for column, face in enumerate(faces):
        for track in face:
            part = weights[:, track.frames.start : track.frames.stop]
            seems[:, column] += part @ track.probabilities
            known[:, column] += part.sum(1)
    rate = np.where(known > 0, (MISTAKEN * KNOWN + seems) / (KNOWN + known), np.inf)
    mistaken = np.full(shape, MISTAKEN)
    for v in range(len(active)):
        least = np.delete(rate, v, axis=0).min(0, initial=np.inf)
        mistaken[v] = np.where(
            np.isfinite(least), np.clip(least, MISTAKEN, MOST_MISTAKEN), MISTAKEN
        )
        for column, face in enumerate(faces):
            for track in face:
                part = weights[v, track.frames.start : track.frames.stop]
                if part.any():
                    nats[v, column] += part @ frame_evidence(track, mistaken[v, column])
    return Evidence(nats, known > 0, mistaken)
