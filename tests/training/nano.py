"""A stranger's scorer of a few weights, which can be trained, and a dataset made on the spot.

To be named as a plugin of a single file: `plugins=[nano.py]`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial

import numpy as np

import asdkit
from asdkit.core.boxes import iou
from asdkit.core.component import Component
from asdkit.core.labels import LabelledFace, LabelledVideo, Measure
from asdkit.core.matching import Label, judge_matches, match
from asdkit.core.trainable import Recipe, Trainable
from asdkit.core.types import GRID_FPS, Clip

FACES = 2
FRAMES = 30
RECIPE = Recipe("tests/training/nano.py", 0.05, 0.9, 3, 60)


@dataclass(frozen=True)
class NanoConfig:
    """Parameters of the scorer.

    Attributes:
        weights: A file of weights; those with which everybody is quiet if not given.
        diverges_in: The epoch from which on the loss is not finite, to see what becomes of it.
        wait_s: How long each batch takes, in seconds.
    """

    weights: str | None = None
    diverges_in: int = 1000
    wait_s: float = 0.0


def inputs(clips):
    """The mean grey of each face, and the mean loudness of each frame: (B, T, 1) float32, twice."""
    faces = np.stack([clip.faces.mean((1, 2)) for clip in clips])[..., None] / 255
    loud = np.stack([np.abs(clip.sound.reshape(len(clip), -1)).mean(1) for clip in clips])
    return faces.astype(np.float32), loud[..., None].astype(np.float32) / 1000


def trainable(config, from_nothing):
    import torch
    from torch import nn

    class Nano(nn.Module):
        def __init__(self):
            super().__init__()
            self.hidden = nn.Linear(2, 8)
            self.drop = nn.Dropout(0.2)
            self.norm = nn.BatchNorm1d(8)
            self.main = nn.Linear(8, 2)
            self.helper = nn.Linear(2, 2)  # in training alone

        def forward(self, faces, loud):
            both = torch.cat([faces, loud], -1)
            hidden = self.drop(torch.relu(self.hidden(both)))
            hidden = self.norm(hidden.transpose(1, 2)).transpose(1, 2)
            return self.main(hidden), self.helper(both)

    module = Nano()
    if config.weights:
        found = torch.load(config.weights, weights_only=True)
        module.load_state_dict(found, strict=False)
    elif not from_nothing:
        with torch.no_grad():
            for tensor in module.parameters():
                tensor.copy_(torch.linspace(-1, 1, tensor.numel()).reshape(tensor.shape))

    def loss(logits, labels, epoch):
        time.sleep(config.wait_s)
        parts = [
            nn.functional.cross_entropy(one.flatten(0, 1), labels.flatten(), ignore_index=-1)
            for one in logits
        ]
        return parts[0] + 0.4 * parts[1] + (float("nan") if epoch >= config.diverges_in else 0)

    def checkpoint():
        state = module.state_dict()
        return {name: value for name, value in state.items() if not name.startswith("helper")}

    return Trainable("nano", "", module, inputs, loss, checkpoint, RECIPE)


@dataclass(frozen=True)
class MadeConfig:
    """Parameters of the dataset.

    Attributes:
        videos: How many videos there are.
        first: The number of the first one.
        speaks: Whether anybody speaks.
    """

    videos: int = 6
    first: int = 0
    speaks: bool = True


class Made:
    """Videos of two faces, of which the brighter one speaks where it is loud, mostly."""

    measure = Measure("average_precision")

    def __init__(self, config):
        self._config = config

    def videos(self):
        first = self._config.first
        return [self._video(number) for number in range(first, first + self._config.videos)]

    def _video(self, number):
        faces, labels = [], []
        for face in range(FACES):
            random = np.random.default_rng([number, face])
            truth = (random.random(FRAMES) < 0.5) & self._config.speaks
            box = np.array([100.0 * face, 0, 100.0 * face + 50, 50])
            clip = partial(_clips, number, face, truth)
            faces.append(LabelledFace(0, np.tile(box, (FRAMES, 1)), clip))
            labels += [
                Label(f"face{face}", frame / GRID_FPS, bool(speaks), box)
                for frame, speaks in enumerate(truth)
            ]
        labels.sort(key=lambda label: label.time_s)
        return LabelledVideo(f"v{number}", None, partial(_judge, labels), tuple(faces))


def _clips(number, face, truth):
    random = np.random.default_rng([7, number, face])
    grey = np.clip(90 + 60 * truth + random.normal(0, 40, FRAMES), 0, 255).astype(np.uint8)
    faces = np.broadcast_to(grey[:, None, None], (FRAMES, 112, 112))
    loud = 300 + 300 * truth + random.normal(0, 200, FRAMES)
    sound = np.repeat(np.abs(loud), 640) * np.tile([1, -1], 320 * FRAMES)
    return [Clip(faces, sound.astype(np.int16))]


def _judge(labels, result):
    return judge_matches(labels, match(labels, result.tracks, iou, 0.5), result.tracks)


class Nano:
    """The scorer itself is of no use here."""

    def score(self, clips):
        raise NotImplementedError


@asdkit.hookimpl
def asdkit_components():
    return [
        Component("scorer", "nano", NanoConfig, lambda *_: Nano(), trainable=trainable),
        Component("dataset", "made", MadeConfig, lambda config, _: Made(config)),
    ]
