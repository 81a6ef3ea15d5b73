"""A conversation of two faces that cost nothing to find and to score."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from synth import write_video

SIZE = (160, 96)
PLUGIN = '''
"""Faces where they were painted, which speak while it is loud, or while it is not."""

from dataclasses import dataclass

import asdkit
import numpy as np

LEFT, RIGHT = [20, 20, 60, 70], [100, 20, 140, 70]


@dataclass(frozen=True)
class Config:
    """No parameters."""


class Painted:
    def detect(self, frames, indices):
        found = ([LEFT] if k < 40 else [LEFT, RIGHT] for k in indices)
        return [
            asdkit.Detections(np.array(boxes, float), np.full(len(boxes), 0.9)) for boxes in found
        ]


@dataclass(frozen=True)
class LoudConfig:
    """Parameters of the scorer.

    Attributes:
        fails_after: How often it answers before it fails; always if not given.
    """

    fails_after: int | None = None


class Loud:
    """The dark face speaks while it is loud, the bright one while it is not."""

    def __init__(self, fails_after):
        self.left = fails_after

    def score(self, clips):
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise RuntimeError("that was enough")
        return [asdkit.Scores(self.logits(clip)) for clip in clips]

    def logits(self, clip):
        loud = np.abs(clip.sound.reshape(len(clip), -1).astype(float)).mean(1) > 1000
        dark = clip.faces[:, 40:72, 40:72].mean((1, 2)) < 128
        return np.stack([np.zeros(len(clip)), np.where(loud == dark, 2.0, -2.0)], 1)


@asdkit.hookimpl
def asdkit_components():
    return [
        asdkit.Component("detector", "painted", Config, lambda config, _: Painted()),
        asdkit.Component("scorer", "loud", LoudConfig, lambda config, _: Loud(config.fails_after)),
    ]
'''


def painted(number: int, width: int, height: int) -> np.ndarray:
    """A picture, dark on the left and bright on the right, but for a flicker."""
    image = np.full((height, width, 3), 40 + number % 2, np.uint8)
    image[:, width // 2 :] += 160
    return image


def talk(path: Path, frames: int = 150) -> Path:
    """A video in which it is loud in every other 0.8 s; lossless."""
    rate = 16_000
    times_s = np.arange(frames * rate // 25) / rate
    loud = (times_s % 1.6) < 0.8
    sound = np.where(loud, 8000 * np.sin(2 * np.pi * 200 * times_s), 0).astype(np.int16)
    return write_video(
        path, frames=frames, size=SIZE, image=painted, sounds=[(0.0, sound)], sound_rate=rate
    )


def cheap(folder: Path, **other: Any) -> dict[str, Any]:
    """Options of a session, or of a run, with components of a plugin of a single file.

    Whoever calls this clears the registry in the end, and uses one folder until then.
    """
    plugin = folder / "cheap_parts.py"
    plugin.write_text(PLUGIN)
    options = {
        "plugins": [str(plugin)],
        "detector": "painted",
        "scorer": "loud",
        "cutter": "none",
        "detect_every": 1,
        "batch_frames": 1,
    }
    return {**options, **other}
