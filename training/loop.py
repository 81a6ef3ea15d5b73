"""The loop of a training: epochs of batches, in float32 or mixed precision, on all devices."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from time import monotonic
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.errors import TrainingError
from ..core.progress import Progress
from ..core.trainable import Recipe, Trainable
from .batches import Batch, Batches
from .loader import Loader
from .settings import NOT_FINITE, TrainOptions
from .state import Position

if TYPE_CHECKING:
    import torch
    from lightning_fabric import Fabric

Save = Callable[[Position], None]
"""Saves the state of a training."""


@dataclass(frozen=True)
class Done:
    """What is known of an epoch's batches.

    Attributes:
        loss: The mean of their losses.
        frames: The face frames in them, of all processes.
        seconds: The time that they took.
    """

    loss: float
    frames: int
    seconds: float


class Loop:
    """Trains a network.

    Everything random is drawn anew for each batch, from the seed, the epoch, and the number of the
    batch and of the process: so nothing depends on how many processes read ahead, or on where a
    training was stopped and goes on.

    Args:
        fabric: Places the network and its batches, and computes in the precision asked for.
        trainable: The network.
        recipe: How it is trained.
        batches: What there is to learn from.
        options: The seed, how many processes read ahead, and how often to save.
        progress: Called with the face frames that are done in an epoch.
    """

    def __init__(
        self,
        fabric: Fabric,
        trainable: Trainable,
        recipe: Recipe,
        *,
        batches: Batches,
        options: TrainOptions,
        progress: Progress,
    ) -> None:
        import torch

        self._fabric = fabric
        self._trainable = trainable
        self._recipe = recipe
        self._batches = batches
        self._share = fabric.global_rank, fabric.world_size
        self._loader = Loader(batches, options.workers, *self._share)
        self._options = options
        self._progress = progress
        adam = torch.optim.AdamW(  # which is Adam with a weight_decay of 0
            trainable.module.parameters(), recipe.learning_rate, weight_decay=recipe.weight_decay
        )
        self._module: Any
        self._optimizer: Any
        self._module, self._optimizer = fabric.setup(trainable.module, adam)

    def close(self) -> None:
        """End the processes that read ahead."""
        self._loader.close()

    def tensors(self) -> dict[str, Any]:
        """The states of the module, the optimizer and the precision."""
        return {
            "module": self._trainable.module.state_dict(),
            "optimizer": self._optimizer.optimizer.state_dict(),
            "precision": self._fabric.strategy.precision.state_dict(),
        }

    def load(self, tensors: Mapping[str, Any]) -> None:
        """Go on from what `tensors` returned.

        Raises:
            TrainingError: They are of another network.
        """
        try:
            self._trainable.module.load_state_dict(tensors["module"])
            self._optimizer.optimizer.load_state_dict(tensors["optimizer"])
            self._fabric.strategy.precision.load_state_dict(tensors["precision"])
        except (RuntimeError, ValueError, KeyError) as error:
            raise TrainingError(
                f"The state is of another network than scorer={self._trainable.model} has here",
                "Begin anew with overwrite=true, or choose another folder with output=FOLDER",
            ) from error

    def epoch(self, position: Position, save: Save) -> Done:
        """Train on the batches of an epoch that are left.

        Args:
            position: The place to go on from.
            save: Called within the epoch every so often.

        Raises:
            TrainingError: The loss is not finite.
        """
        import torch

        epoch = position.epoch
        for group in self._optimizer.param_groups:
            group["lr"] = rate_of(self._recipe, epoch)
        self._module.train()
        stage = f"epoch {epoch} of {self._recipe.epochs}"
        total = self._batches.frames(epoch, *self._share)
        begun, spent_before = monotonic(), position.seconds
        saved = begun
        for batch in self._loader.epoch(epoch, position.batch):
            self._progress(stage, position.frames, total)
            loss = self._step(batch, epoch, position.batch)
            now = monotonic()
            position = replace(
                position,
                batch=position.batch + 1,
                loss_sum=position.loss_sum + loss,
                frames=position.frames + batch.labels.size,
                seconds=spent_before + now - begun,
            )
            if now - saved >= 60 * self._options.save_every_min:
                save(position)
                saved = monotonic()
        self._progress(stage, total, total)
        frames = self._fabric.all_reduce(torch.tensor(position.frames), reduce_op="sum")
        mean = position.loss_sum / max(1, position.batch)
        return Done(mean, int(frames), position.seconds)  # type: ignore[arg-type]

    def _step(self, batch: Batch, epoch: int, number: int) -> float:
        """Learn from a batch; returns the loss, the mean of all processes'."""
        import torch

        fabric = self._fabric
        torch.manual_seed(seed_of(self._options.seed, epoch, number, fabric.global_rank))
        inputs, labels = fabric.to_device(
            (tuple(map(torch.from_numpy, batch.inputs)), torch.from_numpy(batch.labels))
        )
        loss: torch.Tensor = self._trainable.loss(self._module(*inputs), labels, epoch)
        value = float(fabric.all_reduce(loss.detach(), reduce_op="mean"))  # type: ignore[arg-type]
        if not math.isfinite(value):
            raise TrainingError(
                f"The loss of batch {number + 1} of epoch {epoch} is {value}",
                NOT_FINITE,
            )
        self._optimizer.zero_grad()
        fabric.backward(loss)
        self._optimizer.step()
        return value


def rate_of(recipe: Recipe, epoch: int) -> float:
    """The learning rate of an epoch, from 1: learning_rate * decay ** (epoch - 1)."""
    return float(recipe.learning_rate * recipe.decay ** (epoch - 1))


def seed_of(*numbers: int) -> int:
    """A seed of 63 bits for PyTorch, from the numbers that it is to depend on."""
    drawn = np.random.SeedSequence(numbers).generate_state(1, np.uint64)
    return int(drawn[0] >> np.uint64(1))
