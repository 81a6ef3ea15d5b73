"""LoCoNet, compatible with the published checkpoint; PyTorch is imported when it is built."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ....core.component import Component, Context
from ...support.pytorch import import_torch, pick_device, set_threads

if TYPE_CHECKING:
    from .scorer import LoCoNetScorer

__all__ = ["LOCONET"]

_PREFIX = "model.module."
"""What the published training writes before each key (loconet.py, loadParameters)."""


@dataclass(frozen=True)
class LoCoNetConfig:
    """Parameters of the `loconet` scorer.

    Attributes:
        weights: A checkpoint of LoCoNet, as its authors publish it.
        batch_frames: How many faces go through the first layers at once; each takes 2 to 4 MB.
    """

    weights: str = "???"
    batch_frames: int = 32

    def __post_init__(self) -> None:
        if self.batch_frames < 1:
            raise ValueError(f"batch_frames must be 1 or more, but got {self.batch_frames}")


def build(config: LoCoNetConfig, context: Context) -> LoCoNetScorer:
    """Load the network onto the requested device.

    Raises:
        MissingExtraError: PyTorch is not installed.
        DeviceError: The requested device does not exist.
        WeightsError: The weights are missing, damaged or of another network.
    """
    import_torch("scorer=loconet")
    device = pick_device(context.device)
    set_threads(context.threads)
    from ...support.checkpoints import load_checkpoint
    from .network import LoCoNet
    from .scorer import LoCoNetScorer

    network = LoCoNet()
    hint = "Give scorer.weights=FILE, the checkpoint that LoCoNet's authors link to"
    load_checkpoint(network, Path(config.weights).expanduser(), "LoCoNet", hint, _PREFIX)
    return LoCoNetScorer(network, device, config.batch_frames)


LOCONET = Component(
    "scorer",
    "loconet",
    LoCoNetConfig,
    build,
    about="LoCoNet (Wang et al., CVPR 2024): each face with those on screen with it",
    needs=("torch",),
)
