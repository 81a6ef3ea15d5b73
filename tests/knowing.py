"""Videos in which whoever is bright speaks, and a scorer that knows."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from synth import write_video

from asdkit.core.models import Models
from asdkit.core.types import SAMPLES_PER_FRAME, Scores

LOUD = 8000


def speech(frames, seed=0):
    """(frames,) bool: turns of irregular length, as in speech."""
    rng = np.random.default_rng(seed)
    found = np.zeros(frames + 40, bool)
    at = 5
    while at < frames:
        turn, pause = rng.integers(6, 30, 2)
        found[at : at + turn] = True
        at += turn + pause
    return found[:frames]


def faces(speaks):
    """(n, 112, 112) uint8: bright while it speaks."""
    return np.where(speaks, 200, 50).astype(np.uint8)[:, None, None] * np.ones(
        (1, 112, 112), np.uint8
    )


def sound(speaks, late_frames=0):
    """(640 n,) int16: loud while it speaks, so many frames later."""
    level = np.zeros(len(speaks))
    place = np.arange(len(speaks)) - late_frames
    known = (place >= 0) & (place < len(speaks))
    level[known] = speaks[place[known]]
    tone = np.sin(2 * np.pi * 400 * np.arange(SAMPLES_PER_FRAME * len(speaks)) / 16_000)
    return np.round(np.repeat(level, SAMPLES_PER_FRAME) * tone * LOUD).astype(np.int16)


class Knowing:
    """Log odds of 16 where a bright face meets loud sound, else -16."""

    refuses_sounds = True

    def __init__(self):
        self.shifted = 0

    def score(self, clips):
        return [self._scores(clip) for clip in clips]

    def score_shifted(self, clips):
        self.shifted += 1
        return self.score(clips)

    def _scores(self, clip):
        loud = np.abs(clip.sound.reshape(len(clip), -1).astype(int)).mean(1) > LOUD / 8
        speaks = (clip.faces.mean((1, 2)) > 128) & loud
        return Scores(np.where(speaks, 8, -8)[:, None] * np.array([-1, 1]))


class KnowingModels(Models):
    """The components of a plan, with the scorer that knows."""

    def __init__(self, plan):
        super().__init__(plan)
        self.scorer = Knowing()

    def part(self, kind):
        return self.scorer if kind == "scorer" else super().part(kind)


def video(path, speaks, *, late_frames=0, heard=None, starts_s=0.0):
    """A video of one face, and boxes.json beside it; options that find the face."""
    picture = np.where(speaks, 200, 50)

    def image(number, width, height):
        return np.full((height, width, 3), picture[number], np.uint8)

    own = sound(speaks if heard is None else heard, late_frames)
    samples = [(starts_s, own)]
    write_video(
        path, frames=len(speaks), image=image, sounds=samples, sound_rate=16_000, starts_s=starts_s
    )
    boxes = [[[20, 10, 60, 50, 1.0]]] * len(speaks)
    Path(path).with_name("boxes.json").write_text(json.dumps(boxes))
    found = ["detector=boxes", f"detector.path={Path(path).with_name('boxes.json')}"]
    return [*found, "cutter=none", "scorer=lr_asd", "device=cpu"]
