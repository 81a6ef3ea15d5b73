"""Measures a network by the official average precision."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..core.arrays import probability
from ..core.errors import TrainingError
from ..core.evaluation.metrics import average_precision
from ..core.labels import Bool
from ..core.progress import Progress
from ..core.trainable import Trainable
from ..core.types import CLIP_FRAMES, Clip, Float32
from ..plugins.support.pytorch import inference
from .batches import Batch, divided_at
from .examples import Example
from .loader import Loader
from .settings import NOT_FINITE

if TYPE_CHECKING:
    from lightning_fabric import Fabric

Inputs = Callable[[Sequence[Clip]], tuple[NDArray[np.generic], ...]]
_Row = tuple[Float32, Bool]
"""Of a face track: the probability of its labelled frames, and whether they speak."""


class Tracks:
    """Whole tracks, a batch each, for `training.loader.Loader`; those over a minute are divided.

    Args:
        examples: The faces.
        inputs: Makes the arrays of a clip; see `core.trainable.Trainable`.
    """

    def __init__(self, examples: Sequence[Example], inputs: Inputs) -> None:
        self._examples = [part for one in examples for part in divided_at(one, CLIP_FRAMES)]
        self._inputs = inputs

    def __len__(self) -> int:
        return len(self._examples)

    def order(self, _: int, rank: int = 0, world_size: int = 1) -> list[int]:
        """Which tracks a process takes, the same in each epoch."""
        return list(range(rank, len(self), world_size))

    def frames(self, rank: int, world_size: int) -> int:
        """How many frames these have in all."""
        return sum(len(self._examples[number]) for number in self.order(0, rank, world_size))

    def batch(self, _: int, number: int) -> Batch:
        """A track, and its labels (1, T)."""
        example = self._examples[number]
        return Batch(self._inputs([example.read()]), example.labels[None].astype(np.int64))


class Validation:
    """Measures a network by the official average precision, after each epoch.

    Args:
        trainable: The network, on the device of this process.
        examples: The faces, at least one of which speaks.
        fabric: Knows the device and the other processes.
        workers: How many processes read ahead.
        progress: Called with the frames that are done.
    """

    def __init__(
        self,
        trainable: Trainable,
        examples: Sequence[Example],
        fabric: Fabric,
        *,
        workers: int,
        progress: Progress,
    ) -> None:
        self._trainable = trainable
        self._fabric = fabric
        self._progress = progress
        self._share = fabric.global_rank, fabric.world_size
        tracks = Tracks(examples, trainable.inputs)
        self._total = tracks.frames(*self._share)
        self._loader = Loader(tracks, workers, *self._share)

    def close(self) -> None:
        """End the processes that read ahead."""
        self._loader.close()

    def average_precision(self, epoch: int) -> float:
        """The average precision, as AVA-ActiveSpeaker's official script computes it, from 0 to 1.

        Each face track is looked at as a whole, one of over a minute in parts of nearly equal
        length, in float32, by the network in `eval` mode. All labelled frames are ranked by the
        probability of the main head; frames whose label is -1 do not count. With several processes
        each scores a share of the tracks, and all get the same answer.

        Args:
            epoch: The number of the epoch that is done.

        Raises:
            TrainingError: The network's answers are not numbers.
        """
        import torch

        rows: list[_Row] = []
        done = 0
        module = self._trainable.module
        module.eval()
        self._share_buffers()
        for batch in self._loader.epoch(epoch):
            self._progress("validating", done, self._total)
            with inference():
                inputs = self._fabric.to_device(tuple(map(torch.from_numpy, batch.inputs)))
                logits = module(*inputs)[0][0].float().cpu().numpy()
            labels = batch.labels[0]
            counts = labels >= 0
            rows.append((probability(logits)[counts], labels[counts] == 1))
            done += len(labels)
        self._progress("validating", self._total, self._total)
        everyone = _gathered(rows, self._fabric.world_size)
        chances = np.concatenate([chance for chance, _ in everyone])
        if np.isnan(chances).any():
            raise TrainingError(
                f"What the network answers after epoch {epoch} is not a number",
                NOT_FINITE,
            )
        return average_precision(chances, np.concatenate([truth for _, truth in everyone]))

    def _share_buffers(self) -> None:
        """Have all processes measure what the first one saves.

        Since the last batch each has running statistics of its own.
        """
        if self._fabric.world_size > 1:
            from torch import distributed

            for buffer in self._trainable.module.buffers():
                distributed.broadcast(buffer, 0)


def _gathered(rows: list[_Row], processes: int) -> list[_Row]:
    """The rows of all processes, in an order that is the same in each."""
    if processes == 1:
        return rows
    from torch import distributed

    found: list[Any] = [None] * processes
    distributed.all_gather_object(found, rows)
    return [row for of_one in found for row in of_one]
