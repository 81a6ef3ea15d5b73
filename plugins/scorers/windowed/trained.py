"""A network in training: its heads, their loss, and the checkpoint."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm

from ....core.analysis.features import FACE_MEAN, FACE_STD
from .model import Training
from .network import Network

UNLABELLED = -1
"""The label of frames that do not count."""


class Heads(nn.Module):
    """A network that returns the logits of all its heads, from faces as they are.

    The running statistics of its batch norms, which only eval mode reads, are plain means over the
    first batches of a training from nothing, until the published momentum gives each new batch
    more weight. From the start on the published one would keep the initial 0 and 1 for so long
    that a network of fewer than some hundred steps would be useless in eval mode.

    Args:
        network: The network; it is trained in place.
    """

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network
        norms = (one for one in network.modules() if isinstance(one, _BatchNorm))
        self._published = [(norm, norm.momentum or 0.0) for norm in norms]
        self._begins = True

    def forward(self, faces: Tensor, mfcc: Tensor) -> tuple[Tensor, ...]:
        """Compute logits.

        Args:
            faces: (B, T, 112, 112) uint8, or float normalised as (x / 255 - 0.4161) / 0.1688.
            mfcc: (B, 4 T, 13) float.

        Returns:
            For each head (B, T, 2): not speaking, speaking; that of the scorer first.
        """
        if self.training and self._begins:
            self._begins = self._set_momenta()
        if not faces.is_floating_point():
            faces = (faces / 255 - FACE_MEAN) / FACE_STD
        return self.network.all_heads(faces, mfcc)

    def _set_momenta(self) -> bool:
        """Set how much the coming batch counts; return whether it counts more than published."""
        first, _ = self._published[0]
        mean = 1 / (int(first.num_batches_tracked or 0) + 1)
        for norm, published in self._published:
            norm.momentum = max(published, mean)
        return any(mean > published for _, published in self._published)


def loss_of(training: Training, outputs: Sequence[Tensor], labels: Tensor, epoch: int) -> Tensor:
    """The weighted sum of the cross entropies of all heads, each a mean over labelled frames.

    The published code of LR-ASD and Light-ASD has `BCELoss` of the softmax's second value, which
    is the same number but for PyTorch's limit of 100 to each logarithm there.

    Args:
        training: The weight of the training heads, and the temperature.
        outputs: For each head (B, T, 2) logits.
        labels: (B, T) int64: 1 for speaking, 0 for not, -1 for frames that do not count.
        epoch: The number of the epoch, from 1.

    Returns:
        A scalar, float32 (float64 from float64 logits); 0 where no frame counts.
    """
    dtype = torch.promote_types(outputs[0].dtype, torch.float32)
    count = (labels != UNLABELLED).sum().clamp(min=1)
    sums = [
        functional.cross_entropy(
            logits.flatten(0, 1).to(dtype) / training.temperature(epoch),
            labels.flatten(),
            ignore_index=UNLABELLED,
            reduction="sum",
        )
        for logits in outputs
    ]
    first, *others = sums
    total: Tensor = (first + training.head_weight * sum(others, first.new_zeros(()))) / count
    return total


def state_of(network: Network) -> dict[str, Tensor]:
    """A copy of all weights on the CPU, with the names and shapes of the published checkpoint."""
    return {key: value.detach().to("cpu", copy=True) for key, value in network.state_dict().items()}
