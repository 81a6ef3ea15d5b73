"""Measures a network by the official average precision."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.arrays import probability
from ..core.evaluation.metrics import average_precision
from ..core.labels import Bool
from ..core.progress import Progress
from ..core.trainable import Trainable
from ..core.types import Float32
from ..plugins.support.pytorch import inference
from .examples import Example

if TYPE_CHECKING:
    from lightning_fabric import Fabric

_Row = tuple[Float32, Bool]
"""Of a face track: the probability of its labelled frames, and whether they speak."""


def measure(
    trainable: Trainable,
    examples: Sequence[Example],
    fabric: Fabric,
    workers: int,
    progress: Progress,
) -> float:
    """The average precision of a network, as AVA-ActiveSpeaker's official script computes it.

    Each face track is looked at as a whole, in float32, by the network in `eval` mode. All labelled
    frames are ranked by the probability of the main head; frames whose label is -1 do not count.
    With several processes each scores a share of the tracks, and all get the same answer.

    Args:
        trainable: The network, on the device of this process.
        examples: The faces, at least one of which speaks.
        fabric: Knows the device and the other processes.
        workers: How many processes read ahead.
        progress: Called with the frames that are done.

    Returns:
        From 0 to 1.
    """
    import torch

    mine = list(examples[fabric.global_rank :: fabric.world_size])
    total, done = sum(len(one.labels) for one in mine), 0
    rows: list[_Row] = []
    module = trainable.module
    module.eval()
    with inference():
        for inputs, labels in _read(trainable, mine, workers):
            progress("validating", done, total)
            placed = fabric.to_device(tuple(map(torch.from_numpy, inputs)))
            logits = module(*placed)[0][0].float().cpu().numpy()
            counts = labels >= 0
            rows.append((probability(logits)[counts], labels[counts] == 1))
            done += len(labels)
    progress("validating", total, total)
    everyone = _gathered(rows, fabric.world_size)
    chances = np.concatenate([chance for chance, _ in everyone])
    return average_precision(chances, np.concatenate([truth for _, truth in everyone]))


@dataclass(frozen=True)
class _Tracks:
    """Whole tracks as a dataset of PyTorch's."""

    trainable_inputs: Any
    examples: Sequence[Example]

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, number: int) -> tuple[tuple[Any, ...], Any]:
        example = self.examples[number]
        return self.trainable_inputs([example.read()]), example.labels


def _read(
    trainable: Trainable, examples: Sequence[Example], workers: int
) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """What the network takes for each track, and the labels, read ahead by other processes."""
    from torch.utils.data import DataLoader

    tracks: Any = _Tracks(trainable.inputs, examples)
    yield from DataLoader(
        tracks, batch_size=None, num_workers=min(workers, len(examples)), collate_fn=_as_it_is
    )


def _as_it_is(track: Any) -> Any:
    return track


def _gathered(rows: list[_Row], processes: int) -> list[_Row]:
    """The rows of all processes, in an order that is the same in each."""
    if processes == 1:
        return rows
    from torch import distributed

    found: list[Any] = [None] * processes
    distributed.all_gather_object(found, rows)
    return [row for of_one in found for row in of_one]
