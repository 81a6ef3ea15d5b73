"""Groups examples into batches, as the published trainings do, and makes the arrays of each.

The rule is that of the training loader of TalkNet's published code (dataLoader.py), which Light-ASD
and LR-ASD use unchanged: face tracks are sorted by length, the longest first; a batch takes as many
of the next ones as the length of its first one fits into `batch_frames`, one at least; all are cut
to the shortest of the batch; and each epoch goes through the batches in another order. Tracks of
one length are in a new order in each epoch here, so that they are not always batched together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ..core.errors import ConfigError, InputError
from ..core.types import CLIP_FRAMES, Clip, Int64
from .augment import Augment, augmented
from .examples import Example

LEAST_FRAMES = 10
"""Shorter examples, under 0.4 s, are left out: all of a batch are cut to its shortest one."""
_ORDER, _TIES, _BATCHES = 0, 1, 2
"""What random numbers of an epoch are for; those of batch k are for 2 + k."""


@dataclass(frozen=True, eq=False)
class Batch:
    """What a network is shown at once.

    Attributes:
        inputs: What `Trainable.inputs` made; the first axis of each is B.
        labels: (B, T) int64: 1 speaks, 0 does not, -1 does not count.
    """

    inputs: tuple[NDArray[np.generic], ...]
    labels: Int64


class Batches:
    """The batches of a training.

    All that is random is drawn from the seed, the epoch and the number of the batch, so that a
    batch is the same in whatever process it is made, and when. Examples longer than a batch or a
    minute are divided into parts of nearly equal length; those of fewer than 10 frames, and those
    of which no frame counts, are left out.

    Args:
        examples: The examples.
        inputs: Makes the arrays for the clips of a batch; see `core.trainable.Trainable`.
        batch_frames: How many face frames a batch has at most, all its faces together.
        augment: How examples are changed at random.
        seed: What all random numbers begin with, 0 or more.

    Attributes:
        parts: What is learnt from: the examples, long ones divided.

    Raises:
        ConfigError: `batch_frames` is too small for the shortest example.
        InputError: No example is left.
    """

    def __init__(
        self,
        examples: Sequence[Example],
        inputs: Callable[[Sequence[Clip]], tuple[NDArray[np.generic], ...]],
        batch_frames: int,
        augment: Augment,
        seed: int,
    ) -> None:
        if batch_frames < LEAST_FRAMES:
            raise ConfigError(f"batch_frames must be at least {LEAST_FRAMES}, got {batch_frames}")
        self.parts = parts_of(examples, min(batch_frames, CLIP_FRAMES))
        if not self.parts:
            raise InputError(
                f"None of the {len(examples)} labelled faces is seen for {LEAST_FRAMES} frames, "
                "with a label that counts",
                "Train on longer face tracks",
            )
        self._lengths = np.array([len(part) for part in self.parts], np.int64)
        self._bounds = bounds_of(-np.sort(-self._lengths), batch_frames)
        self._inputs = inputs
        self._augment = augment
        self._seed = seed
        self._sorted: tuple[int | None, Int64] = None, self._lengths
        """An epoch, and the numbers of its parts in order."""

    def __len__(self) -> int:
        """How many batches each epoch has."""
        return len(self._bounds) - 1

    def order(self, epoch: int, rank: int = 0, world_size: int = 1) -> list[int]:
        """The numbers of an epoch's batches, in the order in which one process takes them.

        All processes get equally many: where there are too few for that, some of the first ones
        of the epoch are taken again.

        Args:
            epoch: The number of the epoch.
            rank: Which process it is, from 0.
            world_size: How many processes there are.
        """
        numbers = self._random(epoch, _ORDER).permutation(len(self))
        each = -(-len(numbers) // world_size)
        mine: list[int] = np.resize(numbers, each * world_size)[rank::world_size].tolist()
        return mine

    def frames(self, epoch: int, rank: int = 0, world_size: int = 1) -> int:
        """How many face frames the batches of `order` have in all."""
        chosen = (self.chosen(epoch, number) for number in self.order(epoch, rank, world_size))
        return sum(len(one) * len(one[0]) for one in chosen)

    def chosen(self, epoch: int, number: int) -> list[Example]:
        """The examples of a batch, all cut to one length."""
        if self._sorted[0] != epoch:
            self._sorted = epoch, self._by_length(epoch)
        rows = self._sorted[1][self._bounds[number] : self._bounds[number + 1]]
        found = [self.parts[row] for row in rows]
        shortest = min(map(len, found))
        return [one.part(0, shortest) for one in found]

    def batch(self, epoch: int, number: int) -> Batch:
        """Make a batch.

        Args:
            epoch: The number of the epoch.
            number: The number of the batch in it, from 0; see `order`.

        Raises:
            AsdError: A picture or sound cannot be read.
        """
        chosen = self.chosen(epoch, number)
        random = self._random(epoch, _BATCHES + number)
        clips = augmented([one.read() for one in chosen], self._augment, random)
        labels = np.stack([one.labels for one in chosen]).astype(np.int64)
        return Batch(self._inputs(clips), labels)

    def _by_length(self, epoch: int) -> Int64:
        """The numbers of the parts, the longest first, those of one length at random."""
        mixed = self._random(epoch, _TIES).permutation(len(self.parts))
        return np.asarray(mixed[np.argsort(-self._lengths[mixed], kind="stable")], np.int64)

    def _random(self, epoch: int, purpose: int) -> np.random.Generator:
        return np.random.default_rng([self._seed, epoch, purpose])


def parts_of(examples: Sequence[Example], most_frames: int) -> list[Example]:
    """The examples, long ones divided into parts, without those that are too short or unlabelled.

    Args:
        examples: The examples.
        most_frames: The longest part, in frames.
    """
    parts = [part for example in examples for part in divided_at(example, most_frames)]
    return [part for part in parts if len(part) >= LEAST_FRAMES and (part.labels >= 0).any()]


def divided_at(example: Example, most_frames: int) -> list[Example]:
    """An example in parts of nearly equal length, none longer than so many frames."""
    count = -(-len(example) // most_frames)
    cuts = np.linspace(0, len(example), count + 1).round().astype(int).tolist()
    return [example.part(*cut) for cut in pairwise(cuts)]


def bounds_of(lengths: Int64, batch_frames: int) -> Int64:
    """Where batches begin and end among examples that are sorted by length.

    Args:
        lengths: (n,) their lengths in frames, falling.
        batch_frames: How many frames a batch has at most.

    Returns:
        (m + 1,): batch k has the examples from the k-th of these numbers to the next.
    """
    bounds = [0]
    while bounds[-1] < len(lengths):
        count = max(batch_frames // int(lengths[bounds[-1]]), 1)
        bounds.append(min(bounds[-1] + count, len(lengths)))
    return np.array(bounds, np.int64)
