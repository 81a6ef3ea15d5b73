"""The check of embedders of voices."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ..core.analysis.embedder_answers import checked_vectors
from ..core.analysis.voices import checked_limits
from ..core.contracts import VoiceEmbedder
from ..core.types import SAMPLE_RATE, Float32, Int16
from .holding import SAME_SCORE, Remembered, asking, hold, hold_length, name_of

_LONGEST_S = 20.0


def check_voice(voice: VoiceEmbedder) -> None:
    """Check that an embedder of voices gives each sound, by itself, a vector of length 1.

    It is given noise, a buzz and silence, of its `min_s` to 20 s, and no sound at all.

    Args:
        voice: The embedder.

    Raises:
        PluginError: It does not keep its contract; see `asdkit.plugin.VoiceEmbedder`.
    """
    name = name_of(voice)
    shortest_s, _ = checked_limits(name, voice)
    returned = Remembered(name)
    sizes: list[int] = []

    def embed(sounds: Sequence[Int16]) -> Float32:
        with asking(name, *sounds):
            answer = voice.embed(sounds)
        vectors = checked_vectors(name, answer, len(sounds), *sizes[:1], of="sound")
        sizes.append(vectors.shape[1])
        returned.add([vectors])
        hold_length(name, vectors)
        return vectors

    shortest = math.ceil(shortest_s * SAMPLE_RATE)
    longest = max(round(_LONGEST_S * SAMPLE_RATE), shortest)
    sounds = [_noise(shortest), _buzz(2 * shortest), np.zeros(shortest, np.int16), _noise(longest)]
    together = embed(sounds)
    embed([])
    for row, sound in zip(together, sounds, strict=True):
        hold(
            np.allclose(row, embed([sound])[0], rtol=0, atol=SAME_SCORE),
            f"{name} embeds a sound otherwise among others than alone",
            "Embed each sound separately, without padding it to the longest, and use no chance",
        )
    returned.check()


def _noise(samples: int) -> Int16:
    return np.random.default_rng(4).normal(0, 3000, samples).astype(np.int16)


def _buzz(samples: int) -> Int16:
    """A tone of 120 Hz with all its overtones, as vocal folds give it."""
    return (np.arange(samples) * 120.0 / SAMPLE_RATE % 1 * 6000 - 3000).astype(np.int16)
