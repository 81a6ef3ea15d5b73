"""The check of voice activity detectors."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ..core.analysis.answers import checked_heard, checked_memory_s
from ..core.contracts import Vad
from ..core.samples import noise_sound
from ..core.types import GRID_FPS, SAMPLES_PER_FRAME, Float32, Int16
from .holding import Remembered, asking, hold, made, name_of

_FRAMES = 203
"""Length of the test sound, no multiple of four."""
_SAME = 1e-3
_SAME_AFTER_MEMORY = 0.1
"""Allowed difference where sound before `memory_s` was not heard."""
_LATER = 40
"""Frame in which a part of the sound begins."""


def check_vad(make: Callable[[], Vad]) -> None:
    """Check that a voice activity detector answers for each frame, however the sound is divided.

    It hears noise with pauses, silence, the loudest sound, a frame alone, and nothing.

    Args:
        make: Builds a new detector.

    Raises:
        PluginError: It does not keep its contract; see `asdkit.plugin.Vad`.
    """
    sound = _speechlike(_FRAMES)
    answers = [_heard(made(make), sound, step) for step in (100, 4, _FRAMES)]
    name = name_of(made(make))
    hold(
        all(np.allclose(answers[0], other, rtol=0, atol=_SAME) for other in answers),
        f"{name} answers otherwise where the same sound is divided otherwise",
        "Keep in the instance what the next piece needs of the sound before",
    )
    for other in (np.zeros_like(sound), _loudest(_FRAMES), sound[: SAMPLES_PER_FRAME * 3]):
        _heard(made(make), other, 100)
    for frames in (1, 0):
        _heard(made(make), sound[: SAMPLES_PER_FRAME * frames], 4)
    _check_memory(make)


def _heard(vad: Vad, sound: Int16, step: int) -> Float32:
    """What a detector says of a sound, in pieces of so many frames."""
    name = name_of(vad)
    returned = Remembered(name)
    heard = [np.empty(0, np.float32)]
    for first in range(0, max(len(sound), 1), step * SAMPLES_PER_FRAME):
        piece = sound[first : first + step * SAMPLES_PER_FRAME]
        with asking(name, piece):
            said = vad.speech(piece)
        answer = checked_heard(name, said, len(piece) // SAMPLES_PER_FRAME)
        returned.add([np.asarray(said)])
        heard.append(answer)
    returned.check()
    return np.concatenate(heard)


def _check_memory(make: Callable[[], Vad]) -> None:
    """After `memory_s` of sound, what came before it does not matter."""
    vad = made(make)
    name = name_of(vad)
    memory_s = checked_memory_s(name, vad)
    if not memory_s:
        return
    frames = math.ceil(memory_s * GRID_FPS)
    sound = _speechlike(_LATER + frames + _FRAMES)
    whole = _heard(vad, sound, 100)[_LATER + frames :]
    part = _heard(made(make), sound[_LATER * SAMPLES_PER_FRAME :], 100)[frames:]
    hold(
        np.allclose(whole, part, rtol=0, atol=_SAME_AFTER_MEMORY),
        f"{name} says by memory_s={memory_s} that it needs no earlier sound than that, but answers "
        f"otherwise by {abs(whole - part).max():.2f} where it has not heard it",
        "State the time after which the output is the same",
    )


def _speechlike(frames: int) -> Int16:
    """Noise with a pause of 10 frames after each 15."""
    sound = noise_sound(SAMPLES_PER_FRAME * frames, seed=3)
    quiet = np.arange(frames) % 25 >= 15
    sound.reshape(frames, SAMPLES_PER_FRAME)[quiet] //= 256
    return sound


def _loudest(frames: int) -> Int16:
    """A square wave at full scale."""
    half = np.repeat(np.array([32767, -32768], np.int16), 40)
    return np.resize(half, SAMPLES_PER_FRAME * frames)
