"""Scores faces with LoCoNet on one device."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ....core.analysis.features import FACE_MEAN, FACE_STD
from ....core.scenes import Scene, alone
from ....core.types import FACE_SIZE_PX, Clip, Int64, Scores
from ...support.pytorch import inference, placed
from ..windowed.network import flatten
from .beside import NO_PICTURE, stacks, with_context
from .network import LoCoNet
from .sound import STEPS_PER_FRAME, log_mel


class LoCoNetScorer:
    """Scores faces with those that are on screen with them; see `core.scenes.SceneScorer`.

    Args:
        network: The network with its weights; it is moved to the device and made faster.
        device: The device to compute on.
        batch_frames: How many faces go through the first layers at once.

    Attributes:
        device: "cpu" or "cuda:N".
        concurrent: See `core.contracts.Scorer`. On CUDA TF32 is off meanwhile, for the whole
            process.
    """

    runtime = "torch"

    def __init__(self, network: LoCoNet, device: torch.device, batch_frames: int) -> None:
        self.device = str(device)
        self.concurrent = device.type == "cpu"
        flatten(network)
        self._network = placed(network, device).eval()
        self._batch_frames = batch_frames

    def score(self, clips: Sequence[Clip]) -> list[Scores]:
        """Score clips as of faces that nobody is on screen with."""
        return [self.score_scene(alone(clip))[0] for clip in clips]

    def score_scene(self, scene: Scene) -> list[Scores]:
        """Score all faces of a scene, each with two others as its context."""
        seen = [with_context(k, scene.faces) for k in range(len(scene.faces))]
        # Most stacks are those of several faces, as the one in question and as context.
        distinct, which = np.unique(
            np.concatenate([stacks(numbers) for numbers in seen]), axis=0, return_inverse=True
        )
        ends = np.cumsum([numbers.size for numbers in seen])[:-1]
        rows = np.split(which.ravel(), ends)
        black = np.zeros((1, FACE_SIZE_PX, FACE_SIZE_PX), np.uint8)
        pictures = np.concatenate([*(face.faces for face in scene.faces), black])
        with inference():
            vectors = self._vectors(torch.tensor(pictures, device=self.device), distinct)
            sound = torch.tensor(log_mel(scene), device=self.device)
            scores = []
            for face, numbers, places in zip(scene.faces, seen, rows, strict=True):
                steps = slice(STEPS_PER_FRAME * face.first_frame, STEPS_PER_FRAME * face.end)
                logits = self._network(vectors[places.reshape(numbers.shape)], sound[steps])[0]
                scores.append(Scores(np.asarray(logits.cpu().numpy(), np.float32)))
            return scores

    def _vectors(self, pictures: Tensor, distinct: Int64) -> Tensor:
        """The visual vectors, (m, 512), of stacks of pictures, (m, 5)."""
        found = []
        for part in np.split(
            distinct, range(self._batch_frames, len(distinct), self._batch_frames)
        ):
            numbers = torch.tensor(part, device=self.device)
            grey = (pictures[numbers.clamp(min=0)] / 255 - FACE_MEAN) / FACE_STD
            there = (numbers != NO_PICTURE)[..., None, None]
            found.append(self._network.vectors(grey * there))
        return torch.cat(found)
