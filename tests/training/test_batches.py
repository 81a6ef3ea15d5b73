"""How examples are grouped into batches, and what is drawn at random."""

from __future__ import annotations

import numpy as np
import pytest
from learning import arrays_of, example
from refusing import refusal

from asdkit.core.errors import ConfigError, InputError
from asdkit.training.augment import Augment
from asdkit.training.batches import Batches, bounds_of, parts_of

LENGTHS = [50, 20, 100, 30, 25, 40, 21]


def batches(lengths=LENGTHS, batch_frames: int = 100, augment: Augment = Augment.none, seed=0):
    faces = [example(number, frames) for number, frames in enumerate(lengths)]
    return Batches(faces, arrays_of, batch_frames, augment, seed)


def shapes(of: Batches, epoch: int = 1) -> list[tuple[int, int]]:
    return [of.batch(epoch, number).labels.shape for number in range(len(of))]


def test_a_batch_has_as_many_as_its_longest_lets_in_and_is_cut_to_the_shortest():
    """100 | 50 40 | 30 25 21 | 20: of the next length 100 // 50, 100 // 30 fit."""
    found = batches()
    assert shapes(found) == [(1, 100), (2, 40), (3, 21), (1, 20)]
    first = found.batch(1, 1)
    faces, sound = first.inputs
    assert faces.shape == (2, 40, 112, 112)
    assert sound[:, 0].tolist() == [100, 600], "of faces 0 and 5"
    assert first.labels.dtype == np.int64
    assert first.labels[0].tolist() == [0, 1] * 20
    assert faces[0, :, 0, 0].tolist() == list(range(40)), "the first frames"


def test_batches_do_not_have_more_frames_than_asked_for():
    lengths = np.random.default_rng(0).integers(10, 250, 3000)
    found = batches(lengths.tolist(), 2500)
    taken = []
    for number in range(len(found)):
        chosen = found.chosen(3, number)
        assert sum(map(len, chosen)) <= 2500
        taken += [one.person for one in chosen]
    assert sorted(taken) == sorted(f"face {k}" for k in range(3000)), "each of them once"


def test_bounds_are_those_of_the_published_rule():
    assert bounds_of(np.array([9, 9, 5, 4, 4, 4]), 10).tolist() == [0, 1, 2, 4, 6]
    assert bounds_of(np.array([12, 3]), 10).tolist() == [0, 1, 2]


def test_long_faces_are_divided_and_short_or_unlabelled_ones_left_out():
    faces = [
        example(0, 4000),
        example(1, 9),
        example(2, 10),
        example(3, 30, [-1] * 30),
        example(4, 40, [-1] * 20 + [1] * 20),
    ]
    parts = parts_of(faces, 1500)
    assert [(one.person, len(one)) for one in parts] == [
        *[("face 0", length) for length in (1333, 1334, 1333)],
        ("face 2", 10),
        ("face 4", 40),
    ]
    assert parts[1].read().faces[0, 0, 0] == 1333 % 250
    assert [len(one) for one in parts_of([faces[4]], 15)] == [14, 13], "one part has no label"
    assert max(map(len, Batches(faces, arrays_of, 5000, Augment.none, 0).parts)) == 1334, "a minute"


def test_the_order_is_another_in_each_epoch_and_for_each_seed():
    found = batches([20] * 40, 20)
    orders = {tuple(found.order(epoch)) for epoch in range(1, 5)}
    assert len(orders) == 4
    assert all(sorted(order) == list(range(40)) for order in orders)
    assert found.order(2) == batches([20] * 40, 20).order(2)
    assert found.order(2) != batches([20] * 40, 20, seed=1).order(2)


def test_faces_of_one_length_are_together_with_others_in_the_next_epoch():
    found = batches([20] * 40, 100)
    together = [
        {frozenset(one.person for one in found.chosen(epoch, k)) for k in range(len(found))}
        for epoch in (1, 2)
    ]
    assert together[0] != together[1]
    assert frozenset().union(*together[0]) == {f"face {k}" for k in range(40)}


@pytest.mark.parametrize("world_size", [2, 3, 7])
def test_processes_share_the_batches_equally(world_size):
    found = batches([20] * 5, 20)
    shares = [found.order(1, rank, world_size) for rank in range(world_size)]
    assert {len(share) for share in shares} == {-(-5 // world_size)}
    assert set().union(*shares) == set(range(5))
    taken = sorted(number for share in shares for number in share)
    assert len(taken) - 5 < world_size, "no more of them are taken again than are needed"


def test_a_batch_is_the_same_whenever_it_is_made():
    one, other = batches(augment=Augment(), seed=5), batches(augment=Augment(), seed=5)
    for number in (2, 1, 0):
        other.batch(2, number)
    again, there = other.batch(1, 2), one.batch(1, 2)
    assert all(np.array_equal(a, b) for a, b in zip(there.inputs, again.inputs, strict=True))


def test_what_is_drawn_depends_on_seed_epoch_and_batch():
    def drawn(seed: int, epoch: int, number: int) -> bytes:
        made = batches([20] * 10, 100, Augment(foreign_sound=1), seed).batch(epoch, number)
        return made.inputs[1].tobytes() + made.inputs[0].tobytes()

    assert len({drawn(*key) for key in [(0, 1, 0), (1, 1, 0), (0, 2, 0), (0, 1, 1)]}) == 4


def test_batches_that_cannot_be_made_are_refused():
    text = refusal(ConfigError, batches, LENGTHS, 9)
    assert text == "batch_frames must be at least 10, got 9"
    text = refusal(InputError, batches, [5, 9])
    assert text.startswith("None of the 2 labelled faces is seen for 10 frames")
