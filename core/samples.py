"""Made-up inputs for checks and tests: a result, a video, faces, noise."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from .media.encode import Mp4Writer
from .media.soundtrack import sound_of_samples
from .result import Result, VideoInfo
from .types import Detections, Int16, Track, UInt8


def result(path: Path, *, frames: int = 50) -> Result:
    """A result to test writers with: one shot, two faces, of which the first speaks in the middle.

    Args:
        path: The path of the video named in the result.
        frames: Length in grid frames.
    """
    tracks = []
    for number, left in enumerate((20.0, 120.0)):
        boxes = np.tile([left, 30.0, left + 60, 100.0], (frames, 1))
        middle = np.zeros(frames, np.bool_)
        middle[frames // 4 : frames // 2] = number == 0
        tracks.append(
            Track(
                id=number,
                shot=0,
                first_frame=0,
                boxes=boxes,
                smoothed=np.stack(
                    [boxes[:, [0, 2]].mean(1), boxes[:, [1, 3]].mean(1), np.full(frames, 35.0)], 1
                ),
                logits=np.stack([-2.0 * middle, 4.0 * middle - 2], 1).astype(np.float32),
                speaking=((frames // 4 / 25, frames // 2 / 25),) if number == 0 else (),
            )
        )
    video = VideoInfo(
        path=path, duration_s=frames / 25, width=200, height=120, fps=25.0, has_sound=True
    )
    return Result(
        video=video, shots=((0, frames),), tracks=tuple(tracks), settings={}, timings_s={}
    )


def write_video(
    path: Path, pictures: Sequence[UInt8], sound: Int16 | None = None, fps: int = 25
) -> Path:
    """Write a video to test a run with.

    Args:
        path: The MP4 file.
        pictures: Each (height, width, 3) uint8, RGB, with even sides.
        sound: (n,) int16 at 16 kHz; no sound if not given.
        fps: Frame rate.
    """
    track = None if sound is None else sound_of_samples(sound)
    with Mp4Writer(path, fps, sound=track) as video:
        for number, picture in enumerate(pictures):
            video.add(picture, Fraction(number, fps), Fraction(number + 1, fps))
    return path


def two_faces(frame: int) -> Detections:
    """Two still faces; the second is missing in some frames, and both in one."""
    boxes = np.array([[10.0, 10, 60, 70], [110, 15, 165, 80]])
    if frame % 60 == 30:
        return Detections.none()
    boxes = boxes[: 1 if frame % 20 == 7 else 2]
    return Detections(boxes, np.full(len(boxes), 0.99))


def noise_picture(shape: tuple[int, ...], seed: int) -> UInt8:
    """Random grey levels in this shape, always the same for one seed."""
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def noise_sound(samples: int, seed: int) -> Int16:
    """(samples,) int16 of white noise, always the same for one seed."""
    noise = np.random.default_rng(seed).normal(0, 2000, samples)
    return np.clip(noise, -32768, 32767).astype(np.int16)
