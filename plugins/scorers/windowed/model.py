"""The description of a model: everything in which TalkNet, LR-ASD and Light-ASD differ."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ....core.trainable import Recipe
from ....core.weights import Weights
from .config import WindowedConfig
from .windows import Sharing

if TYPE_CHECKING:
    from torch.nn import Module

    from .network import Network

Parts = Callable[["Network"], Sequence["Module"]]


@dataclass(frozen=True)
class Training:
    """How a model was trained by its authors.

    Attributes:
        recipe: The defaults of a training.
        head_weight: The weight in the loss of each head used only in training; that of the
            scorer's head is 1.
        first_temperature: What the logits of all heads are divided by in the first epoch.
        cooling: How much less that is in each epoch than in the one before. It stays as it is
            after the recipe's last epoch.
    """

    recipe: Recipe
    head_weight: float
    first_temperature: float = 1.0
    cooling: float = 0.0

    def temperature(self, epoch: int) -> float:
        """What the logits of all heads are divided by in an epoch, counted from 1."""
        return self.first_temperature - self.cooling * (min(epoch, self.recipe.epochs) - 1)


@dataclass(frozen=True)
class Model:
    """Everything in which one model differs from the others.

    Attributes:
        name: The name of its scorer, its bundles and its graphs, such as "lr_asd".
        title: Its name in sentences, such as "LR-ASD".
        about: What it is, as for `Component`.
        published: Its published weights, by the value of `scorer.weights`.
        config: Its parameters, whose defaults name the default weights.
        windows: By published weights: the best window lengths in seconds. Weights not named here,
            and those trained by others, use windows of 1 to 6 s.
        folder: Holds NAME.calibration.json for each published weights NAME with a calibration.
        network: Builds its network; imports PyTorch when called.
        sharing: Plans which visual vectors its windows share.
        refuses: The published weights whose log odds tell a foreign sound, as
            `core.contracts.ShiftingScorer` says, where every window has 10 s or more.
        sound_early_s: How much earlier than in step these weights like sound best, in seconds; see
            there.
        training: How it was trained.
        frontend: The module of its network that reads faces; int8 quantises this part alone.
        parts: Of a network whose sharing is `Reach`: the modules of the graphs `alone`,
            `through`, `join` and `end`; imports PyTorch when called.
    """

    name: str
    title: str
    about: str
    published: Mapping[str, Weights]
    folder: Path
    network: Callable[[], Network]
    sharing: Sharing
    training: Training
    frontend: str
    config: type[WindowedConfig] = WindowedConfig
    windows: Mapping[str, Sequence[int]] = field(default_factory=dict)
    refuses: frozenset[str] = frozenset()
    sound_early_s: float = 0.0
    parts: Parts | None = None
