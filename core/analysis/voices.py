"""Embeds voices: reads what is wanted of the sound, once, from its beginning to its end."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Real

import numpy as np

from ..contracts import VoiceEmbedder
from ..errors import PluginError
from ..media.sound import Hearable
from ..progress import Progress, Stopwatch, silent
from ..types import SAMPLE_RATE, Float32, Int16, Spans
from .answers import asked
from .embedder_answers import checked_vectors


def checked_limits(name: str, voice: VoiceEmbedder) -> tuple[float, float]:
    """The `min_s` and `max_distance` of an embedder of voices.

    Args:
        name: The embedder in words.
        voice: The embedder.

    Raises:
        PluginError: One is missing, or out of its range.
    """
    with asked(name):
        min_s, max_distance = (getattr(voice, key, None) for key in ("min_s", "max_distance"))
    if not isinstance(min_s, Real) or not math.isfinite(min_s) or min_s <= 0:
        raise PluginError(
            f"{name} has min_s={min_s!r}, which is no number of seconds above 0",
            "Let min_s be the shortest sound by which it tells voices apart",
        )
    if not isinstance(max_distance, Real) or not abs(float(max_distance) - 1) <= 1:
        raise PluginError(
            f"{name} has max_distance={max_distance!r}, which is no cosine distance from 0 to 2",
            "Let max_distance be how far apart two sounds of one voice may be",
        )
    return float(min_s), float(max_distance)


def voices_in(
    sound: Hearable,
    wanted: Sequence[Spans],
    voice: VoiceEmbedder,
    watch: Stopwatch,
    name: str = "The embedder of voices",
    *,
    progress: Progress = silent,
) -> list[Float32 | None]:
    """Embed voices, each from all its spans put together.

    Memory holds the sound of those voices whose spans have begun and not ended.

    Args:
        sound: The sound, of which nothing has been forgotten.
        wanted: For each voice: when it speaks. No two spans of all overlap.
        voice: The embedder.
        watch: Times the stages "sound" and "voice".
        name: The embedder in words.
        progress: Called before each span is read.

    Returns:
        For each voice: its vector (d,), or None if its spans are shorter than `min_s` in all, or
        hold no sound.

    Raises:
        PluginError: The embedder breaks its contract.
    """
    shortest, _ = checked_limits(name, voice)
    spans = sorted(
        (*(round(time_s * SAMPLE_RATE) for time_s in span), number)
        for number, own in enumerate(wanted)
        for span in own
    )
    left = [len(own) for own in wanted]
    pieces: dict[int, list[Int16]] = {}
    found: list[Float32 | None] = [None] * len(wanted)
    length: int | None = None
    for done, (first, stop, number) in enumerate(spans):
        progress("hearing voices", done, len(spans))
        sound.forget(first)
        with watch("sound"):
            pieces.setdefault(number, []).append(sound.read(first, stop))
        left[number] -= 1
        if left[number]:
            continue
        whole = np.concatenate(pieces.pop(number))
        if len(whole) < math.ceil(shortest * SAMPLE_RATE) or not whole.any():
            continue
        with watch("voice"), asked(name):
            answer = voice.embed([whole])
        vectors = checked_vectors(name, answer, 1, length, of="sound")
        found[number], length = vectors[0], vectors.shape[1]
    return found
