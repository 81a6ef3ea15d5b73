"""The benchmark of training: what it counts, what it says, and which scorers it takes."""

from __future__ import annotations

import pytest
from extras import torch
from lips_page import scorer_of_the_page

from asdkit.benchmarks import training
from asdkit.benchmarks.floor import Rates, count
from asdkit.core.errors import AsdError

pytestmark = pytest.mark.usefixtures("one_thread")


def test_the_work_of_a_step_is_that_of_both_directions(monkeypatch):
    lips = scorer_of_the_page(monkeypatch)
    step = training.stepper(lips.trainable(None, True), 3, "cpu", torch.float32)
    one_way = 2 * 2 * 16 * 5  # FLOPs of each convolution for a frame
    # Forward, and backward to the weights; and to what the second reads, but not to the inputs.
    assert count(step).flops == 5 * one_way * 3 * training.CLIP_FRAMES


def test_a_step_trains(monkeypatch):
    lips = scorer_of_the_page(monkeypatch)
    ready = lips.trainable(None, True)
    before = ready.module.head.weight.clone()
    training.stepper(ready, 1, "cpu", torch.bfloat16)()
    assert not torch.equal(ready.module.head.weight, before)


def test_a_row_has_the_rate_and_the_share():
    row = training.Row("lips", "float32", 100, 5e9, 0.5, Rates(4e10, 1e9, 4))
    assert str(row).split() == ["lips", "float32", "100", "200.0", "0.05", "0.010", "25.0%"]


def test_each_scorer_has_a_row_in_each_precision(monkeypatch):
    lips = scorer_of_the_page(monkeypatch)
    monkeypatch.setattr(training, "rates", lambda device, dtype: Rates(1e12, 1e9, dtype.itemsize))
    precisions = (torch.float32, torch.bfloat16)
    monkeypatch.setitem(training.PRECISIONS, "cpu", precisions)
    machine, _, *rows = training.measure("cpu", [lips.LIPS], 120)
    assert machine.startswith("matrix products and copies: float32 1.00 TFLOP/s")
    assert [row.split()[:3] for row in rows] == [
        ["lips", "float32", "100"],
        ["lips", "bfloat16", "100"],
    ]


def test_all_that_can_be_trained_are_measured_unless_some_are_named(own_alone):
    assert {one.name for one in training.chosen([])} == {"lr_asd", "light_asd", "talknet"}
    assert [one.name for one in training.chosen(["talknet"])] == ["talknet"]
    with pytest.raises(AsdError, match="nobody"):
        training.chosen(["nobody"])


@pytest.mark.parametrize("word", ["scorers=lr_asd", "frames=many"])
def test_words_that_it_does_not_know_are_told(word):
    with pytest.raises(SystemExit) as caught:
        training.main([word])
    assert "scorer=NAME" in str(caught.value.code)
