"""Runs the voice activity detector on the sound as it is decoded."""

from __future__ import annotations

import math

import numpy as np

from ..contracts import Vad
from ..media.sound import Hearable
from ..progress import Stopwatch
from ..types import GRID_FPS, SAMPLES_PER_FRAME, Float32, Heard
from .answers import asked, checked_heard, checked_memory_s

PIECE_FRAMES = 100
"""Grid frames per call of the detector: four seconds."""
STEP_FRAMES = 4
"""The `Vad` contract: all pieces but the last are multiples of so many frames."""
_NAME = "The voice activity detector"


def frames_before(vad: Vad | None, first_frame: int, name: str = _NAME) -> int:
    """How many grid frames before `first_frame` a detector must hear first.

    Its `memory_s`, rounded up to whole steps: so its output for a part of a sound equals that
    for the whole.

    Args:
        vad: The detector; None for none.
        first_frame: The first grid frame whose speech is wanted.
        name: The detector in words.

    Raises:
        PluginError: Its `memory_s` is not a number of seconds.
    """
    memory_s = checked_memory_s(name, vad)
    if not memory_s:
        return 0
    earliest = first_frame - math.ceil(memory_s * GRID_FPS)
    return first_frame - max(earliest // STEP_FRAMES * STEP_FRAMES, 0)


class Listener:
    """Passes the sound to a voice activity detector, piece by piece.

    Args:
        vad: The detector.
        sound: The sound.
        watch: Times the stages "sound" and "listen".
        first_frame: The first grid frame whose speech is wanted.
        name: The detector in words.
        before: How many grid frames before that the detector hears first; see `frames_before`.
        piece_frames: Grid frames per call of the detector, a multiple of four.

    Attributes:
        next_frame: The first grid frame that the detector has not heard.
    """

    def __init__(
        self,
        vad: Vad,
        sound: Hearable,
        watch: Stopwatch,
        first_frame: int,
        name: str = _NAME,
        *,
        before: int = 0,
        piece_frames: int = PIECE_FRAMES,
    ) -> None:
        self._before = before
        self._first_frame = first_frame
        self._piece_frames = piece_frames
        self.next_frame = first_frame - before
        self._vad = vad
        self._sound = sound
        self._watch = watch
        self._name = name
        self._heard: list[Float32] = []

    def hear(self, end: int) -> None:
        """Process all whole pieces before grid frame `end`.

        Raises:
            PluginError: The detector breaks its contract.
        """
        while end - self.next_frame >= self._piece_frames:
            self._piece(self._piece_frames)

    def finish(self, end: int) -> Heard:
        """Process the rest up to grid frame `end`, and return what `take` does."""
        self.hear(end)
        if end > self.next_frame:
            self._piece(end - self.next_frame)
        return self.take()

    def take(self) -> Heard:
        """The detector's output that was not taken before."""
        heard = np.concatenate([*self._heard, np.empty(0, np.float32)])
        before, during = np.split(heard, [self._before])
        taken = Heard(self._first_frame, during, before)
        self._heard, self._before, self._first_frame = [], 0, self.next_frame
        return taken

    def _piece(self, frames: int) -> None:
        first = self.next_frame * SAMPLES_PER_FRAME
        with self._watch("sound"):
            sound = self._sound.read(first, first + frames * SAMPLES_PER_FRAME)
        with self._watch("listen"), asked(self._name):
            answer = self._vad.speech(sound)
        heard = checked_heard(self._name, answer, frames)
        self._heard.append(heard)
        self.next_frame += frames
