"""Training steps of TalkNet, LR-ASD and Light-ASD against those of the published code.

tests/data/training.npz has what the published networks and losses (at the commits that the recipes
name) gave in float64, in training mode, without dropout, on weights and inputs made by `rule`: the
loss of the first epoch; of each parameter's gradient the projection on the direction that the rule
makes of the parameter's name, and the norm; the same projection of the running statistics; and,
after one step of the published optimiser, the loss of the eleventh epoch. Names are in alphabetical
order. TalkNet's published frontend reads a batch as one film, so its batch is of one clip.
"""

from __future__ import annotations

import numpy as np
import pytest
import rule
from checkout import DATA
from extras import torch
from family import MODELS

from asdkit.core.analysis.features import FACE_MEAN, FACE_STD
from asdkit.plugins.scorers.windowed.training import trainable

pytestmark = pytest.mark.usefixtures("one_thread")
BATCHES = {"lr_asd": (2, 7), "light_asd": (2, 7), "talknet": (1, 9)}
"""Clips and frames of each."""
LATER_EPOCH = 11


def projection(key, value):
    """A number that nearly every change of the value changes."""
    direction = rule.generator(f"direction:{key}").standard_normal(tuple(value.shape))
    return float((value.numpy() * direction).sum())


def without_dropout(module):
    for layer in module.modules():
        if isinstance(layer, torch.nn.Dropout):
            layer.p = 0.0
        if isinstance(layer, torch.nn.MultiheadAttention):
            layer.dropout = 0.0


@pytest.mark.parametrize("name", BATCHES)
def test_a_step_is_that_of_the_published_code(name):
    model = MODELS[name]
    ready = trainable(model, model.config(), True)
    network = ready.module.network
    shapes = {key: value.shape for key, value in network.state_dict().items()}
    drawn = rule.checkpoint(shapes)
    network.load_state_dict({key: torch.tensor(value) for key, value in drawn.items()})
    for key, value in network.state_dict().items():
        if key.endswith("num_batches_tracked"):
            value.fill_(1000)  # at the beginning the running statistics are plain means
    without_dropout(ready.module.double())
    batch, frames = BATCHES[name]
    tags = [f"{name}_training{number}" for number in range(batch)]
    pictures = np.stack([rule.face_frames(tag, frames) for tag in tags])
    faces = torch.tensor((pictures / 255 - FACE_MEAN) / FACE_STD)
    sound = torch.tensor(np.stack([rule.mfcc(tag, 4 * frames) for tag in tags])).double()
    speaking = rule.generator(f"labels:{name}_training").integers(0, 2, (batch, frames))
    labels = torch.tensor(speaking)
    recipe = ready.recipe
    optimiser = torch.optim.AdamW(
        ready.module.parameters(), recipe.learning_rate, weight_decay=recipe.weight_decay
    )

    first = ready.loss(ready.module(faces, sound), labels, 1)
    first.backward()
    gradients = {key: one.grad for key, one in network.named_parameters() if one.grad is not None}
    optimiser.step()
    running = {key: value for key, value in network.state_dict().items() if ".running_" in key}
    found = np.array([[projection(k, g), float(g.norm())] for k, g in sorted(gradients.items())])
    kept = np.array([projection(k, value) for k, value in sorted(running.items())])
    second = ready.loss(ready.module(faces, sound), labels, LATER_EPOCH)

    with np.load(DATA / "training.npz") as stored:
        wanted = {key.removeprefix(f"{name}_"): stored[key] for key in stored.files if name in key}
    assert [first.item(), second.item()] == pytest.approx(wanted["losses"].tolist(), rel=1e-5)
    assert found.shape == wanted["gradients"].shape
    np.testing.assert_allclose(found, wanted["gradients"], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(kept, wanted["running"], rtol=1e-5, atol=1e-5)
