"""Listens for speech while the sound is at hand."""

from __future__ import annotations

import numpy as np

from .contracts import Vad
from .errors import PluginError
from .progress import Stopwatch
from .sound import Sound
from .types import SAMPLES_PER_FRAME, Float32

_PIECE_FRAMES = 100
"""Grid frames heard at once: four seconds."""


class Listener:
    """Hands the sound to a voice activity detector, piece by piece.

    Args:
        vad: The detector.
        sound: The sound.
        watch: Measures the stage.
        first_frame: The grid frame to begin at.

    Attributes:
        first_frame: The grid frame it began at.
        next_frame: The first grid frame that it has not heard.
    """

    def __init__(self, vad: Vad, sound: Sound, watch: Stopwatch, first_frame: int) -> None:
        self.first_frame = self.next_frame = first_frame
        self._vad = vad
        self._sound = sound
        self._watch = watch
        self._heard: list[Float32] = []

    def hear(self, end: int) -> None:
        """Listen up to grid frame `end`, as far as that makes whole pieces."""
        while end - self.next_frame >= _PIECE_FRAMES:
            self._piece(_PIECE_FRAMES)

    def finish(self, end: int) -> Float32:
        """Listen to the rest, up to grid frame `end`.

        Returns:
            (end - first_frame,) float32 from 0 to 1, how likely somebody speaks in each frame.
        """
        self.hear(end)
        if end > self.next_frame:
            self._piece(end - self.next_frame)
        return np.concatenate([*self._heard, np.empty(0, np.float32)])

    def _piece(self, frames: int) -> None:
        first = self.next_frame * SAMPLES_PER_FRAME
        with self._watch("sound"):
            sound = self._sound.read(first, first + frames * SAMPLES_PER_FRAME)
        with self._watch("listen"):
            heard = np.asarray(self._vad.speech(sound), np.float32)
        if heard.shape != (frames,) or not np.isfinite(heard).all():
            raise PluginError(
                f"The voice activity detector did not answer with one finite number for each of "
                f"{frames} frames, but with shape {heard.shape}"
            )
        self._heard.append(heard)
        self.next_frame += frames
