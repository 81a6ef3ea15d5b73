"""What makes a model another one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ....core.weights import Weights
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
        network: Makes its network, and imports PyTorch only then.
        sharing: What its windows can share.
        frontend: The module of its network that looks at faces; int8 is for this part alone.
    """

    name: str
    title: str
    published: Mapping[str, Weights]
    network: Callable[[], Network]
    sharing: Sharing
    frontend: str
