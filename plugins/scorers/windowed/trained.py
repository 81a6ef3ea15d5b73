"""A network in training: its heads, their loss, and the checkpoint."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from ....core.analysis.features import FACE_MEAN, FACE_STD
from .model import Training
from .network import Network

UNLABELLED = -1
"""The label of frames that do not count."""


class Heads(nn.Module):
    """A network that returns the logits of all its heads, from faces as they are.

    Args:
        network: The network; it is trained in place.
    """

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, faces: Tensor, mfcc: Tensor) -> tuple[Tensor, ...]:
        """Compute logits.

        Args:
            faces: (B, T, 112, 112) uint8, or float normalised as (x / 255 - 0.4161) / 0.1688.
            mfcc: (B, 4 T, 13) float.

        Returns:
            For each head (B, T, 2): not speaking, speaking; that of the scorer first.
        """
        if not faces.is_floating_point():
            faces = (faces / 255 - FACE_MEAN) / FACE_STD
        return self.network.all_heads(faces, mfcc)


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
