"""Embeds voices, or takes their vectors from the cache; decisions change what is listened to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from ..analysis.embedder_answers import checked_vectors
from ..analysis.voices import checked_limits
from ..models import Models
from ..provenance import WeightsFile
from ..types import Float32, Int16
from .cache import Cache, Entry


class _Known(NamedTuple):
    """A sound that was embedded.

    Attributes:
        vector: (d,) float32.
        seconds: How long that took.
    """

    vector: Float32
    seconds: float


class KeptVoices:
    """Runs an embedder of voices on those sounds alone that are not cached.

    See `core.contracts.VoiceEmbedder`. What is cached is known by its samples, as the sounds that
    are wanted of a video depend on who was decided to speak.

    Args:
        models: Holds the embedder, which is built only if something is not cached.
        cache: The cache; None to embed everything.
        key: The cache key: the video, its sound and the embedder.

    Attributes:
        min_s: The shortest sound that voices are told apart by, in seconds.
        max_distance: Two voices are one person's up to this cosine distance, from 0 to 2.
        computed: Number of sounds that were embedded in this run.
        seconds: Time of embedding all requested sounds, as measured when each was embedded.
    """

    def __init__(self, models: Models, cache: Cache | None, key: Mapping[str, Any]) -> None:
        self.computed = 0
        self.seconds = 0.0
        self._models = models
        self._cache = cache
        self._key = key
        self._entry = cache.get(key) if cache else None
        self._known: dict[str, _Known] = {}
        """By hash of the sound."""
        if self._entry:
            arrays = self._entry.arrays
            vectors = map(_Known, arrays["vectors"], arrays["seconds"].tolist())
            self._known = dict(zip(arrays["sounds"].tolist(), vectors, strict=True))
            self.min_s: float = self._entry.about["min_s"]
            self.max_distance: float = self._entry.about["max_distance"]
        else:
            limits = checked_limits(models.name("voice"), self._embedder)
            self.min_s, self.max_distance = limits

    @property
    def _embedder(self) -> Any:
        return self._models.part("voice")

    def embed(self, sounds: Sequence[Int16]) -> Float32:
        """Return the vector of each sound, from the cache or from the embedder: (n, d) float32."""
        keys = [sha256(sound.tobytes()).hexdigest() for sound in sounds]
        for key, sound in zip(keys, sounds, strict=True):
            if key not in self._known:
                embedder = self._embedder  # loading it is not embedding
                start = perf_counter()
                answer = embedder.embed([sound])
                spent_s = perf_counter() - start
                vectors = checked_vectors(self._models.name("voice"), answer, 1, None, of="sound")
                self._known[key] = _Known(vectors[0], spent_s)
                self.computed += 1
        self.seconds += sum(self._known[key].seconds for key in keys)
        return np.stack([self._known[key].vector for key in keys])

    def keep(self, peak_bytes: int | None) -> int | None:
        """Store the voices of this run in the cache.

        Args:
            peak_bytes: Peak memory of this run.

        Returns:
            Peak memory of this run and of those that the cache was filled by; None if unknown.

        Raises:
            OutputError: The cache cannot be written to.
        """
        peaks = [peak_bytes if self.computed else None]
        peaks.append(self._entry.about["peak_bytes"] if self._entry else None)
        peak = max((one for one in peaks if one), default=None)
        if self.computed and self._cache:
            about = {
                "min_s": self.min_s,
                "max_distance": self.max_distance,
                "peak_bytes": peak,
                "device": self._models.devices.get("voice"),
            }
            arrays = {
                "sounds": np.array(list(self._known)),
                "vectors": np.stack([one.vector for one in self._known.values()]),
                "seconds": np.array([one.seconds for one in self._known.values()]),
            }
            self._cache.put(self._key, Entry(arrays, about, {"voice": self._weights()}))
        return peak

    def _weights(self) -> tuple[WeightsFile, ...]:
        return self._models.weights.get("voice", ())

    @property
    def origin(self) -> tuple[Mapping[str, tuple[WeightsFile, ...]], Mapping[str, str]]:
        """The embedder's weights files and device, by kind, whether it was run or not."""
        if self._entry and not self.computed:
            device = self._entry.about["device"]
            weights = self._entry.weights
        else:
            device, weights = self._models.devices.get("voice"), {"voice": self._weights()}
        return weights, {"voice": device} if device else {}
