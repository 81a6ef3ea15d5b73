"""How often the detector looks with each value of `detect_every`, and what it does to the tracks.

python -m benchmarks.pacing FILE [FILE ...] [OPTION=VALUE ...]
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from asdkit.core.config.compose import compose_run
from asdkit.core.config.plan import make_plan
from asdkit.core.models import Models
from asdkit.core.progress import Stopwatch
from asdkit.core.types import Detections, Float64, Track, UInt8
from asdkit.core.viewing import analysed, media_of

PARTS = ["detector=yunet", "scorer=lip_motion", "threads=1", "writers=[]"]
VALUES = ("1", "3", "auto")
"""The values of `detect_every` to compare; the first is what the others are held against."""


class Counted:
    """A detector that counts its looks; see `core.contracts.Detector`."""

    def __init__(self, detector: Any) -> None:
        self.looks = getattr(detector, "looks", True)
        self.count = 0
        self._detector = detector

    def detect(self, frames: UInt8, indices: Sequence[int]) -> list[Detections]:
        """Find the faces in each frame."""
        self.count += len(indices)
        found: list[Detections] = self._detector.detect(frames, indices)
        return found


def tracks_of(video: str, words: Sequence[str]) -> tuple[tuple[Track, ...], int]:
    """The tracks of a video, and how many frames the detector looked at."""
    plan = make_plan(compose_run(words, video))
    models = Models(plan)
    counted = Counted(models.part("detector"))
    parts = models.parts({"detector": counted})
    return analysed(media_of(plan.options), plan.options, parts, Stopwatch()).tracks, counted.count


def overlap(track: Track, other: Track) -> tuple[float, int]:
    """The intersection over union of two tracks, summed over the frames of either, and these."""
    first = max(track.first_frame, other.first_frame)
    end = min(track.frames.stop, other.frames.stop)
    either = max(track.frames.stop, other.frames.stop) - min(track.first_frame, other.first_frame)
    if end <= first:
        return 0.0, either
    a, b = (one.boxes[first - one.first_frame : end - one.first_frame] for one in (track, other))
    shared = np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2])
    common: Float64 = shared.clip(0).prod(1)
    union = (a[:, 2:] - a[:, :2]).prod(1) + (b[:, 2:] - b[:, :2]).prod(1) - common
    return float((common / union).sum()), either


def compared(every: Sequence[Track], tracks: Sequence[Track]) -> tuple[float, int]:
    """Each track's overlap with its best counterpart, summed, and the frames summed over."""
    best = [
        max((overlap(track, other) for other in tracks), default=(0.0, len(track)))
        for track in every
    ]
    return sum(shared for shared, _ in best), sum(frames for _, frames in best)


def main(words: Sequence[str]) -> None:
    """Print a row for each video and value."""
    options = [*PARTS, *(word for word in words if "=" in word)]
    sums = {value: np.zeros(4) for value in VALUES}
    for video in (word for word in words if "=" not in word):
        every: Sequence[Track] = ()
        for value in VALUES:
            tracks, looks = tracks_of(video, [*options, f"detect_every={value}"])
            every = every or tracks
            row = np.array([looks, len(tracks), *compared(every, tracks)])
            sums[value] += row
            _print(video, value, row)
    for value, row in sums.items():
        _print("all", value, row)


def _print(video: str, value: str, row: Float64) -> None:
    looks, tracks, shared, frames = row
    print(
        f"{video} detect_every={value}: {looks:.0f} looks, {tracks:.0f} tracks, "
        f"overlap {shared / max(frames, 1):.3f}",
        flush=True,
    )


if __name__ == "__main__":
    main(sys.argv[1:])
