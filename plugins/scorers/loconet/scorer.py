"""Scores faces with LoCoNet on one device."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ....core.analysis.features import FACE_MEAN, FACE_STD
from ....core.types import Clip, Int64, Scores
from ...support.pytorch import inference, placed
from ..windowed.network import flatten
from .beside import NO_PICTURE, stacks, with_context
from .network import LoCoNet
from .sound import log_mel


class LoCoNetScorer:
    """Scores a face by itself, or with those that are on screen with it.

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
        return [self.together([range(len(clip))], [clip])[0] for clip in clips]

    def together(self, tracks: Sequence[range], clips: Sequence[Clip]) -> list[Scores]:
        """Score faces of one shot, each with the others as its context.

        Args:
            tracks: The frames of each face.
            clips: Its clip, of as many frames.
        """
        if not tracks:
            return []
        seen = [with_context(k, tracks) for k in range(len(tracks))]
        # Most stacks are those of several faces, as target and as context.
        distinct, which = np.unique(
            np.concatenate([stacks(numbers) for numbers in seen]), axis=0, return_inverse=True
        )
        ends = np.cumsum([numbers.size for numbers in seen])[:-1]
        black = np.zeros((1, *clips[0].faces.shape[1:]), np.uint8)
        pictures = np.concatenate([*(clip.faces for clip in clips), black])
        with inference():
            vectors = self._vectors(torch.tensor(pictures, device=self.device), distinct)
            return [
                self._scores(vectors[rows.reshape(numbers.shape)], clip)
                for rows, numbers, clip in zip(
                    np.split(which.ravel(), ends), seen, clips, strict=True
                )
            ]

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

    def _scores(self, visual: Tensor, clip: Clip) -> Scores:
        logits = self._network(visual, torch.tensor(log_mel(clip), device=self.device))[0]
        return Scores(np.asarray(logits.cpu().numpy(), np.float32))
