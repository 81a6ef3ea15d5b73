"""`check_trainable` passes asdkit's own networks and a stranger's, and finds what is broken."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from extras import torch
from family import scorer
from lips_page import scorer_of_the_page

from asdkit import testing
from asdkit.core.component import Component
from asdkit.core.errors import PluginError

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def lips(monkeypatch):
    return scorer_of_the_page(monkeypatch)


@pytest.fixture
def broken(lips):
    """Makes the stranger's scorer with one part of its `Trainable` changed."""

    def make(change):
        def trainable(config, from_nothing):
            ready = lips.trainable(config, from_nothing)
            return change(ready) or ready

        return replace(lips.LIPS, trainable=trainable)

    return make


def test_the_scorer_of_the_page_passes(lips):
    testing.check_trainable(lips.LIPS)


@pytest.mark.parametrize("name", ["lr_asd", "light_asd"])
def test_the_small_networks_pass(name):
    testing.check_trainable(scorer(name), frames=4, steps=4)


@pytest.mark.slow
def test_talknet_passes():
    testing.check_trainable(scorer("talknet"), frames=4, steps=4)


def test_what_has_no_trainable_is_told():
    with pytest.raises(PluginError, match="scorer=lip_motion cannot be trained"):
        testing.check_trainable(scorer("lip_motion"))


@dataclass(frozen=True)
class NoConfig:
    """No parameters."""


def test_what_cannot_read_its_checkpoint_is_told(lips):
    component = Component("scorer", "lips", NoConfig, lips.Lips, trainable=lips.trainable)
    with pytest.raises(PluginError, match="scorer=lips has no parameter weights"):
        testing.check_trainable(component)


def changed(**parts):
    return lambda ready: replace(ready, **parts)


class Returning:
    """Changes what the module's forward returns."""

    def __init__(self, change):
        self.change = change

    def __call__(self, ready):
        forward, change = ready.module.forward, self.change
        ready.module.forward = lambda *arrays: change(forward(*arrays))


def idle(ready):
    ready.module.idle = torch.nn.Linear(2, 2)


def seeded_by_itself(ready):
    generator = torch.Generator()
    generator.seed()
    with torch.no_grad():
        ready.module.head.bias.normal_(generator=generator)


def forgets(ready):
    state = ready.module.state_dict()
    zeros = {key: torch.zeros_like(value) for key, value in state.items()}
    return replace(ready, checkpoint=lambda: zeros)


def still(ready):
    return replace(ready, recipe=replace(ready.recipe, learning_rate=1e-30))


def cross_entropy(logits, labels, **more):
    return torch.nn.functional.cross_entropy(logits.mT, labels, **more)


LOSSES = {
    "all_frames": lambda out, labels, epoch: cross_entropy(out[0], labels.clamp(min=0)),
    "mean_of_none": lambda out, labels, epoch: cross_entropy(out[0], labels, ignore_index=-1),
    "each_frame": lambda out, labels, epoch: cross_entropy(
        out[0], labels, ignore_index=-1, reduction="none"
    ),
    "swapped": lambda out, labels, epoch: cross_entropy(
        out[0].flip(-1), labels, ignore_index=-1, reduction="sum"
    ),
    "cools": lambda out, labels, epoch: cross_entropy(
        out[0] / (1.3 - 0.02 * epoch), labels, ignore_index=-1, reduction="sum"
    ),
    "number": lambda out, labels, epoch: 1.0,
}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda ready: ready.module, "trainable returns Lips, not an asdkit.plugin.Trainable"),
        (changed(module=3), "module must be a torch.nn.Module with parameters to train"),
        (seeded_by_itself, "draws other weights from the same seed. Draw them with PyTorch's"),
        (changed(inputs=lambda clips: None), "must return a tuple of arrays whose first axis"),
        (changed(inputs=lambda clips: 1 / 0), "scorer=lips failed: ZeroDivisionError"),
        (Returning(lambda out: out[0]), r"a tuple of logits, each of shape \(2, 8, 2\)"),
        (Returning(lambda out: (out[0][:, :-1],)), r"each of shape \(2, 8, 2\) for 2 clips of 8"),
        (idle, "no finite gradient for idle.weight.*requires_grad_"),
        (changed(loss=LOSSES["all_frames"]), "depends on frames whose label is -1"),
        (changed(loss=LOSSES["mean_of_none"]), "is nan in epoch 1 where 0 frames count"),
        (changed(loss=LOSSES["each_frame"]), r"scalar tensor, but returned one of shape \(2, 8\)"),
        (changed(loss=LOSSES["number"]), r"scalar tensor, but returned 1\.0"),
        (changed(loss=LOSSES["swapped"]), "the first, nearer to the labels in epoch 1"),
        (changed(loss=LOSSES["cools"]), "nearer to the labels in epoch 200"),
        (still, "steps of training on the same clips do not lower the loss"),
        (changed(checkpoint=lambda: [1]), "checkpoint must return tensors by their names"),
        (forgets, "read for more training by weights=FILE, gives other logits"),
    ],
)
def test_what_breaks_the_contract_is_told(broken, change, says):
    with pytest.raises(PluginError, match=says):
        testing.check_trainable(broken(change))


def test_inputs_that_cannot_travel_or_depend_on_others_are_told(lips, broken):
    def local(clips):
        return lips.inputs(clips)

    with pytest.raises(PluginError, match=r"inputs cannot be pickled \(.*\), but worker processes"):
        testing.check_trainable(broken(changed(inputs=local)))
    own = lips.inputs
    lips.inputs = lambda clips: (own(clips)[0] / len(clips),)
    lips.inputs.__module__, lips.inputs.__qualname__ = "lips", "inputs"
    with pytest.raises(PluginError, match="other inputs for a clip among others than alone"):
        testing.check_trainable(lips.LIPS)


def test_a_scorer_that_does_not_use_what_was_trained_is_told(lips):
    class Deaf(lips.Lips):
        def __init__(self, config):
            self.network = lips.network().eval()

    component = replace(lips.LIPS, build=lambda config, context: Deaf(config))
    with pytest.raises(PluginError, match="with its checkpoint as weights=FILE the scorer gives"):
        testing.check_trainable(component)
