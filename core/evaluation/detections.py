"""Caches detections between runs, so that each detector runs only once on a video."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from typing import Any

import numpy as np

from ..contracts import ScalingDetector
from ..errors import PluginError
from ..kept_answers import detections, landmarks_array
from ..models import Models
from ..types import Detections, UInt8
from .cache import Cache, Entry, LastEntry


class KeptDetections:
    """Runs a detector only on frames without cached detections; see `core.contracts.Detector`.

    Args:
        models: Holds the detector, which is built only if a frame is not cached.
        cache: The cache.
        key: The cache key: the video and the detector.

    Attributes:
        computed: Number of frames detected in this run.
        seconds: Detection time of all requested frames, as measured when each was detected.
        peak_bytes: Peak memory of the earlier runs that filled the cache; 0 without any.
    """

    def __init__(self, models: Models, cache: Cache | LastEntry, key: Mapping[str, Any]) -> None:
        self.computed = 0
        self.seconds = 0.0
        self.peak_bytes = 0
        self._side: int | None = None
        self._models = models
        self._cache = cache
        self._key = key
        self._known: dict[int, tuple[Detections, float]] = {}
        """By frame: its faces, and the seconds that detection took."""
        self._entry = cache.get(key)
        if self._entry:
            self._known = _unpacked(self._entry)
            self.peak_bytes = self._entry.about["peak_bytes"] or 0

    @property
    def looks(self) -> bool:
        """Whether the detector looks at pictures; see `core.contracts.Detector`."""
        if self._entry:
            return bool(self._entry.about.get("looks", True))
        return bool(getattr(self._models.part("detector"), "looks", True))

    def input_side_px(self, height: int, width: int) -> int | None:
        """The side that the detector asks for; see `core.contracts.ScalingDetector`."""
        if self._entry and "input_side_px" in self._entry.about:
            self._side = self._entry.about["input_side_px"]
        else:
            detector = self._models.part("detector")
            scaling = isinstance(detector, ScalingDetector)
            self._side = detector.input_side_px(height, width) if scaling else None
        return self._side

    def detect(self, frames: UInt8, indices: Sequence[int]) -> list[Detections]:
        """Return the faces of each frame, from the cache or from the detector."""
        return self._found(
            indices, lambda new: self._detector.detect(frames[new], _of(indices, new))
        )

    def detect_scaled(
        self, frames: UInt8, indices: Sequence[int], size: tuple[int, int]
    ) -> list[Detections]:
        """Return the faces of each frame, from the cache or from the detector."""
        return self._found(
            indices,
            lambda new: self._detector.detect_scaled(frames[new], _of(indices, new), size),
        )

    @property
    def _detector(self) -> Any:
        return self._models.part("detector")

    def _found(
        self, indices: Sequence[int], compute: Callable[[list[int]], list[Detections]]
    ) -> list[Detections]:
        new = [k for k, index in enumerate(indices) if index not in self._known]
        if new:
            self._models.part("detector")  # loading it is not detection
            start = perf_counter()
            found = compute(new)
            share_s = (perf_counter() - start) / len(new)
            if not isinstance(found, Sequence) or len(found) != len(new):
                raise PluginError(
                    f"{self._models.name('detector')} must answer with one Detections for each of "
                    f"{len(new)} frames"
                )
            for k, faces in zip(new, found, strict=True):
                self._known[indices[k]] = (faces, share_s)
            self.computed += len(new)
        self.seconds += sum(self._known[index][1] for index in indices)
        return [self._known[index][0] for index in indices]

    def keep(self, peak_bytes: int | None) -> None:
        """Store the detections of this run in the cache.

        Args:
            peak_bytes: Peak memory of this run.

        Raises:
            OutputError: The cache cannot be written to.
        """
        if self.computed:
            about = {
                "peak_bytes": max(peak_bytes or 0, self.peak_bytes),
                "device": self._models.devices.get("detector"),
                "looks": self.looks,
                "input_side_px": self._side,
            }
            weights = {"detector": self._models.weights["detector"]}
            self._cache.put(self._key, Entry(_packed(self._known), about, weights))

    @property
    def origin(self) -> tuple[Mapping[str, Any], Mapping[str, str]]:
        """From the cache: the detector's weights files and device, by kind; empty if it was run."""
        if self._entry and not self.computed:
            device = self._entry.about["device"]
            return self._entry.weights, {"detector": device} if device else {}
        return {}, {}


def _of(indices: Sequence[int], places: Sequence[int]) -> list[int]:
    return [indices[k] for k in places]


def _packed(known: Mapping[int, tuple[Detections, float]]) -> dict[str, Any]:
    found = [faces for faces, _ in known.values()]
    return {
        "index": np.array(list(known), np.int64),
        "seconds": np.array([seconds for _, seconds in known.values()], np.float64),
        "count": np.array([len(faces) for faces in found], np.int64),
        "boxes": np.concatenate([faces.boxes for faces in found]),
        "scores": np.concatenate([faces.scores for faces in found]),
        "landmarks": np.concatenate([landmarks_array(faces) for faces in found]),
    }


def _unpacked(entry: Entry) -> dict[int, tuple[Detections, float]]:
    arrays = entry.arrays
    ends = np.cumsum(arrays["count"])[:-1]
    # An entry of an earlier version has no landmarks: no detector gave any.
    names = [name for name in ("boxes", "scores", "landmarks") if name in arrays]
    columns = [np.split(arrays[name], ends) for name in names]
    found = (detections(*faces) for faces in zip(*columns, strict=True))
    seconds = arrays["seconds"].tolist()
    return dict(zip(arrays["index"].tolist(), zip(found, seconds, strict=True), strict=True))
