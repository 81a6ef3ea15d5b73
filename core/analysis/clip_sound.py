"""The sound of a clip, with as much around it as its first and last steps need."""

from __future__ import annotations

import numpy as np

from ..media.sound import Hearable
from ..types import SAMPLES_PER_FRAME, SOUND_AFTER, Int16


def clip_sound(sound: Hearable, first: int, stop: int, *, begins: bool) -> tuple[Int16, int, Int16]:
    """Read the sound of a clip.

    Args:
        sound: The sound.
        first: The clip's first grid frame.
        stop: The grid frame after its last one.
        begins: Whether nothing that belongs to it comes before.

    Returns:
        What the attributes `sound`, `sound_before` and `sound_after` of `core.types.Clip` are.
    """
    before = 0 if begins else 1  # one sample
    start = first * SAMPLES_PER_FRAME
    heard = sound.read(start - before, stop * SAMPLES_PER_FRAME + SOUND_AFTER)
    sample, within, after = np.split(heard, [before, len(heard) - SOUND_AFTER])
    return within, int(sample.sum()), after
