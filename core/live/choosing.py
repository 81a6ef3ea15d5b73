"""Chooses who speaks in the frames that are not decided yet, and how far that is settled.

What was decided before is never chosen anew: it is where the choice goes on from.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..decisions.conversation import Chain
from ..decisions.segments import SpeechConfig, mask
from ..decisions.speaking import decide, spoken_in
from ..decisions.turns import INDEPENDENT, OVERLAP, Rules, seated
from ..decisions.viterbi import Search, Speakers
from ..types import Heard, Track
from .kept_rows import Window
from .lengths import Bools, frames_of, waiting

LONGEST_LAG_S = 0.6
"""Where all faces of a shot are decided together: most seconds of certain scores that are waited
for, to see whether they change what came before. It is less wherever no later score can."""
_SURE = 200.0
"""Log odds of what is decided: probabilities of 0 and 1."""
_UNSEEN = -1
"""Somebody unseen, in place of the number of a track."""


@dataclass(frozen=True, eq=False)
class Choice:
    """Who speaks, as far as known.

    Attributes:
        speaks: By the number of a track: (n,) bool, whether it speaks, for however short a time.
        unseen: (m,) bool, whether somebody unseen speaks in the frames from the window's first on,
            for however short a time; None if it is speech while no face speaks.
        settled: Before this grid frame nothing of it will change.
    """

    speaks: dict[int, Bools]
    unseen: Bools | None
    settled: int


def chooser(rules: Rules) -> ByItself | Together:
    """What chooses by these rules."""
    return ByItself(rules) if rules.decisions == INDEPENDENT else Together(rules)


def speech_in(window: Window, config: SpeechConfig) -> Bools:
    """Whether there is speech in the frames that were listened to, from the window's first on."""
    if window.heard is None:
        return np.zeros(0, np.bool_)
    heard = _as_decided(window)
    return mask(spoken_in(heard, config), window.first, len(heard.probabilities))


def speech_known_to(window: Window, config: SpeechConfig) -> float:
    """Before which grid frame it is known where there is speech; infinity without a detector."""
    if window.heard is None:
        return math.inf
    begun = speech_in(window, replace(config, min_s=0.0))
    return window.first + len(begun) - waiting(begun, frames_of(config.min_s))


def _as_decided(window: Window) -> Heard:
    """What was heard, with what is decided as sure as can be."""
    assert window.heard is not None
    sure = window.speech.astype(np.float32)
    return Heard(window.first, np.concatenate([sure, window.heard.probabilities[len(sure) :]]))


class ByItself:
    """Each face by itself, by thresholds, as `core.decisions.speaking.decide` does.

    Whoever speaks at the end of what is certain speaks for good once it has lasted for `min_s`;
    all before is settled.
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._eager = replace(rules.segments, min_s=0.0)

    def choose(self, tracks: Sequence[Track], window: Window, certain: int, stop: int) -> Choice:
        """Choose.

        Args:
            tracks: Those of the window that have rows, with logits that are calibrated.
            window: What is kept, with what is decided.
            certain: Before this grid frame scores are certain, and where there is speech.
            stop: Before this grid frame all is decided.
        """
        faces = []
        for track in tracks:
            spoke = window.tracks[track.id].spoke
            logits = track.logits.copy()
            logits[: len(spoke), 0] = 0
            logits[: len(spoke), 1] = np.where(spoke, _SURE, -_SURE)
            faces.append(replace(track, logits=logits))
        heard = None if window.heard is None else _as_decided(window)
        decision = decide(faces, heard, self._eager, self._rules.speech)
        speaks = {track.id: track.speaking_frames for track in decision.tracks}
        return Choice(speaks, None, max(certain, stop))


class Together:
    """All faces of a shot together, by the model of `core.decisions.conversation`.

    The search goes on from who spoke in the last frame that is decided. A frame is settled where
    all ways on that later frames could choose between go through the same there: it is then what
    the search through the whole shot finds. After `LONGEST_LAG_S` the likeliest is taken.
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._lag = frames_of(LONGEST_LAG_S)
        self._said: dict[int, set[int]] = {}
        """Of the choice before, by frame: the tracks that speak, and `_UNSEEN`."""

    def choose(self, tracks: Sequence[Track], window: Window, certain: int, stop: int) -> Choice:
        """Choose; see `ByItself.choose`."""
        end = max([certain, *(track.frames.stop for track in tracks)])
        self._said = {stop - 1: self._said[stop - 1]} if stop - 1 in self._said else {}
        said: dict[int, set[int]] = {}
        settled = certain
        for number, first, last in window.shots:
            begin, until = max(first, stop - 1), end if last is None else last
            if until > max(begin, stop):
                faces = [t for t in tracks if t.shot == number and t.frames.stop > begin]
                agreed = self._follow(faces, range(begin, until), window.heard, certain, said)
                if last is None or last > certain:
                    settled = min(settled, max(agreed, certain - self._lag))
        self._said = said
        speaks = {}
        for track in tracks:
            spoke = window.tracks[track.id].spoke
            rest = [track.id in said.get(frame, ()) for frame in track.frames[len(spoke) :]]
            speaks[track.id] = np.concatenate([spoke, np.array(rest, np.bool_)])
        nobody = [_UNSEEN in said.get(frame, ()) for frame in range(stop, end)]
        unseen = np.concatenate([window.off_screen, np.array(nobody, np.bool_)])
        return Choice(speaks, unseen, max(settled, stop))

    def _follow(
        self,
        faces: Sequence[Track],
        part: range,
        heard: Heard | None,
        certain: int,
        said: dict[int, set[int]],
    ) -> int:
        """Find who speaks in a part of a shot.

        Args:
            faces: The faces of the shot that are seen in this part.
            part: Its grid frames; of the first it may be decided who speaks.
            heard: The detected speech.
            certain: Before this grid frame scores and sound are certain.
            said: Who speaks in each frame is put here.

        Returns:
            Before this grid frame nothing that comes from `certain` on changes who speaks.
        """
        conversation, begin = self._rules.conversation, part.start
        seats, columns = seated(faces, begin, part.stop, heard, conversation)
        known = None
        if begin in self._said:
            speaks = np.zeros(seats.face.shape[1], np.bool_)
            for face, column in zip(faces, columns, strict=True):
                speaks[column] |= face.id in self._said[begin]
            known = Speakers(speaks, _UNSEEN in self._said[begin])
        pairs = self._rules.decisions == OVERLAP
        chain = Chain(conversation, off_screen=heard is not None, pairs=pairs)
        search = Search(seats, chain, known)
        agreed = certain
        for place, frame in enumerate(part):
            search.step(place)
            if frame + 1 == certain:
                agreed = begin + search.settled()
        path, nobody = search.path()
        numbers = np.array([face.id for face in faces], np.int64)
        for place, frame in enumerate(part):
            said[frame] = set(numbers[seats.face[place, path[place]]].tolist())
            if nobody[place]:
                said[frame].add(_UNSEEN)
        return agreed
