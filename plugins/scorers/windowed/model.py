"""What makes a model another one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ....core.weights import Weights
from .config import WindowedConfig
from .windows import Sharing

if TYPE_CHECKING:
    from .network import Network


@dataclass(frozen=True)
class Model:
    """All in which a model differs from the others.

    Attributes:
        name: The name of its scorer, its bundles and its graphs, such as "lr_asd".
        title: Its name in sentences, such as "LR-ASD".
        published: Its published weights, by the value of `scorer.weights`.
        config: Its parameters; their defaults say which weights are used.
        windows: Lengths in seconds of the windows that suit published weights; those that are not
            named here, and weights of others, are given windows of 1 to 6 s.
        folder: Holds NAME.calibration.json for published weights that have a calibration.
        network: Makes its network, and imports PyTorch only then.
        sharing: What its windows can share.
        frontend: The module of its network that looks at faces; int8 is for this part alone.
    """

    name: str
    title: str
    published: Mapping[str, Weights]
    folder: Path
    network: Callable[[], Network]
    sharing: Sharing
    frontend: str
    config: type[WindowedConfig] = WindowedConfig
    windows: Mapping[str, Sequence[int]] = field(default_factory=dict)
