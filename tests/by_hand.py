"""Tracks and results made by hand, without a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from asdkit.core.media.container import Media
from asdkit.core.result import Result, VideoInfo
from asdkit.core.types import Track


def square(x: float, y: float, half: float = 5) -> list[float]:
    """The box around a point."""
    return [x - half, y - half, x + half, y + half]


def track(
    number: int, first: int, boxes: Any, scores: Any = 0.0, speaking: Any = (), **more: Any
) -> Track:
    """A face in these boxes from that frame on; scores, of each frame or all, are speaking's."""
    boxes = np.array(boxes, float).reshape(-1, 4)
    logits = np.zeros((len(boxes), 2), np.float32)
    logits[:, 1] = scores
    smoothed = np.zeros((len(boxes), 3))
    return Track(number, 0, first, boxes, smoothed, logits, tuple(speaking), **more)


def result(
    *tracks: Track,
    path: str | Path = "clip.mp4",
    duration_s: float = 10.0,
    size: tuple[int, int] = (96, 64),
    shots: Any = None,
    **more: Any,
) -> Result:
    """The result of a video that need not be there; of one shot unless others are given."""
    info = VideoInfo(Path(path), duration_s, *size, 25.0, has_sound=True)
    shots = ((0, round(duration_s * 25)),) if shots is None else tuple(shots)
    return Result(info, shots, tracks, {}, {}, **more)


def result_of(media: Media, *tracks: Track, **settings: Any) -> Result:
    """The result of a video that is there, as a run with these settings gives it."""
    return Result(
        video=media.info,
        shots=((0, 1),),
        tracks=tracks,
        settings={"start_s": 0.0, "end_s": None, **settings},
        timings_s={},
        sound_path=media.sound_path,
    )
