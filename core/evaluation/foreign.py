"""What becomes of faces with the sound of another video: who speaks, and whether the sound fits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..decisions.segments import mask
from ..result import Result
from ..sync import Fit

SPEAKING = "foreign_sound_speaking"
"""The fraction of faces decided as speaking when scored with the sound of another video."""
OWN_FITS, FOREIGN_FITS = "own_sound_fits", "foreign_sound_fits"
"""The fractions of videos whose own sound, and with which a foreign sound, is said to fit."""
OWN_REFUSED, FOREIGN_REFUSED = "own_sound_refused", "foreign_sound_refused"
"""The same of sounds that are said to fit nobody."""


class Sounds:
    """Counts what is found with the videos' own sounds and with foreign ones."""

    def __init__(self) -> None:
        self._frames = 0
        self._speaking = 0
        self._own: list[Fit] = []
        self._foreign: list[Fit] = []

    def add(self, own: Result, foreign: Result | None) -> dict[str, Any]:
        """Add a video.

        Args:
            own: Its result.
            foreign: Its result with the sound of another video, if there is one.

        Returns:
            For the table of videos, `own_sound` and `foreign_sound`: whether these fit the lips, as
            `core.sync.Fit` tells; each only if that was measured.
        """
        found = {}
        if own.sync:
            self._own.append(own.sync.whole)
            found["own_sound"] = own.sync.whole.to_json()
        if foreign:
            for track in foreign.tracks:
                self._frames += len(track)
                self._speaking += int(mask(track.speaking, track.first_frame, len(track)).sum())
            if foreign.sync:
                self._foreign.append(foreign.sync.whole)
                found["foreign_sound"] = foreign.sync.whole.to_json()
        return found

    def speaking(self) -> dict[str, Any]:
        """The metrics of who speaks with foreign sound.

        Returns:
            - foreign_sound_speaking: the fraction of faces, counted per frame, that are decided as
              speaking, from 0 to 1; None if there are none.
            - foreign_sound_frames: the number of faces, counted per frame.
        """
        share = self._speaking / self._frames if self._frames else None
        return {SPEAKING: share, "foreign_sound_frames": self._frames}

    def fitting(self, *, foreign: bool) -> dict[str, float | None]:
        """The metrics of whether sounds fit the lips.

        Args:
            foreign: Whether there were to be foreign sounds.

        Returns:
            - own_sound_fits, own_sound_refused: the fractions of videos, from 0 to 1, whose own
              sound is said to fit, and to fit nobody; of the rest it is unknown. None if it was
              measured for no video.
            - foreign_sound_fits, foreign_sound_refused: the same with the sound of another video.
        """
        found = {OWN_FITS: _share("yes", self._own), OWN_REFUSED: _share("no", self._own)}
        if foreign:
            found[FOREIGN_FITS] = _share("yes", self._foreign)
            found[FOREIGN_REFUSED] = _share("no", self._foreign)
        return found


def _share(answer: str, fits: Sequence[Fit]) -> float | None:
    return sum(fit.fits == answer for fit in fits) / len(fits) if fits else None
