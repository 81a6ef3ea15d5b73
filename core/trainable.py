"""Describes a scorer's network, so that `asd train` can train it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .types import Clip


@dataclass(frozen=True)
class Recipe:
    """How a network is trained unless the user says otherwise.

    Attributes:
        source: Where these values come from: a paper, or a file of the published code.
        learning_rate: Of the first epoch, for Adam (Kingma & Ba 2015).
        decay: What the learning rate is multiplied by after each epoch, above 0, up to 1.
        epochs: How many epochs there are at most.
        batch_frames: About how many face frames a batch has, all its faces together.
        weight_decay: Each step takes this share, times the learning rate, off every weight, apart
            from Adam's own step (AdamW: Loshchilov & Hutter 2019); with 0 it is Adam alone.
    """

    source: str
    learning_rate: float
    decay: float
    epochs: int
    batch_frames: int
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        if not self.learning_rate > 0:
            raise ValueError(f"Recipe.learning_rate must be above 0, got {self.learning_rate}")
        if not 0 < self.decay <= 1:
            raise ValueError(f"Recipe.decay must be above 0, up to 1, got {self.decay}")
        if self.epochs < 1 or self.batch_frames < 1:
            raise ValueError(
                "Recipe.epochs and Recipe.batch_frames must be at least 1, "
                f"got {self.epochs} and {self.batch_frames}"
            )
        if not self.weight_decay >= 0:
            raise ValueError(f"Recipe.weight_decay must be 0 or more, got {self.weight_decay}")


@dataclass(frozen=True)
class Trainable:
    """A scorer's network, ready for training.

    The scorer's config has a field `weights`, which also accepts the path of a checkpoint that was
    written from `checkpoint()`.

    Attributes:
        model: Name of the scorer, such as "lr_asd".
        weights: Name of the published weights that it starts from, "" for a user's own file or for
            random ones.
        module: A `torch.nn.Module` on the CPU. Its forward takes tensors of what `inputs` returns,
            in their order, and returns a tuple of logits, each (B, T, 2): not speaking, speaking.
            The first are the scorer's; further ones, of heads used in training alone, are for
            `loss`. It may return the first alone in `eval` mode.
        inputs: Makes the arrays for a batch of B clips of the same number T of frames; the first
            axis of each is B. Called in worker processes, so it must be a function of a module, or
            otherwise picklable; it does not use the module.
        loss: From the logits that the module returned, the labels (B, T) int64, 1 for speaking, 0
            for not, -1 for frames that do not count, and the number of the epoch, from 1: the
            loss, a scalar tensor.
        checkpoint: Returns what to save of the module as its weights: names and tensors, in the
            published form, which the scorer reads as `weights=FILE`.
        recipe: The defaults of a training.
        settings: Parameters of the scorer beside `weights` that it needs to score as the module
            does: whole clips. They are told to whoever uses the trained weights.
    """

    model: str
    weights: str
    module: Any
    inputs: Callable[[Sequence[Clip]], tuple[NDArray[np.generic], ...]]
    loss: Callable[[Sequence[Any], Any, int], Any]
    checkpoint: Callable[[], Mapping[str, Any]]
    recipe: Recipe
    settings: Mapping[str, Any] = field(default_factory=dict)
