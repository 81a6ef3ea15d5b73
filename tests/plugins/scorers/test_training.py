"""TalkNet, LR-ASD and Light-ASD in training: weights, heads, loss, dropout, checkpoints."""

from __future__ import annotations

import numpy as np
import pytest
from extras import torch
from family import MODELS, SMALL, clip_of, normalised, scorer, shapes

from asdkit.core.component import Context
from asdkit.core.errors import ConfigError, WeightsError
from asdkit.core.evaluation.metrics import average_precision
from asdkit.core.types import SAMPLES_PER_FRAME, Clip

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(params=MODELS)
def name(request):
    return request.param


def ready(name, from_nothing=True, **parameters):
    component = scorer(name)
    torch.manual_seed(0)
    return component.trainable(component.config(**parameters), from_nothing)


def test_the_checkpoint_is_a_copy_in_the_published_form(name):
    it = ready(name)
    state = it.checkpoint()
    assert {key: list(value.shape) for key, value in state.items()} == shapes(name)
    assert all(value.device.type == "cpu" for value in state.values())
    with torch.no_grad():
        for parameter in it.module.parameters():
            parameter.add_(1)
    key = "lossAV.FC.bias"
    assert torch.equal(it.checkpoint()[key], state[key] + 1)


def test_a_checkpoint_is_read_by_every_way(name, tmp_path):
    it = ready(name)
    path = tmp_path / "own.model"
    torch.save(it.checkpoint(), path)
    again = ready(name, from_nothing=False, weights=str(path))
    assert again.weights == ""
    clip = clip_of("trained", 7)
    faces, sound = map(torch.tensor, it.inputs([clip]))
    with torch.no_grad():
        wanted = it.module.eval()(faces, sound)[0][0].numpy()
        found = again.module.eval()(faces, sound)[0][0].numpy()
    np.testing.assert_array_equal(found, wanted)
    component = scorer(name)
    built = component.build(component.config(weights=str(path)), Context("cpu"))
    np.testing.assert_allclose(built.score([clip])[0].logits, wanted, rtol=0, atol=1e-4)


@pytest.mark.parametrize("weights", ["ava", "talkset"])
@pytest.mark.parametrize("name", SMALL)
def test_published_weights_are_where_training_begins(name, weights, shared, monkeypatch):
    monkeypatch.setenv("ASDKIT_WEIGHTS", str(shared("weights")))
    it = ready(name, from_nothing=False, weights=weights)
    path = shared(f"weights/{name}_{weights}.model")
    published = torch.load(path, "cpu", weights_only=True)
    assert it.weights == weights
    assert it.checkpoint().keys() == published.keys()
    assert all(torch.equal(value, published[key]) for key, value in it.checkpoint().items())
    assert ready(name, from_nothing=False, weights=str(path)).weights == weights


def test_weights_drawn_at_random_need_no_file(name, monkeypatch):
    """None is looked for, and the seed alone decides."""
    monkeypatch.delenv("ASDKIT_WEIGHTS", raising=False)
    one, same = ready(name, weights="nowhere.model"), ready(name, weights="nowhere.model")
    assert one.weights == ""
    states = [it.checkpoint() for it in (one, same)]
    assert all(torch.equal(value, states[1][key]) for key, value in states[0].items())
    component = scorer(name)
    torch.manual_seed(1)
    other = component.trainable(component.config(), True).checkpoint()
    assert not torch.equal(other["lossAV.FC.weight"], states[0]["lossAV.FC.weight"])


def test_an_export_cannot_be_trained(name, tmp_path):
    for path in (tmp_path, tmp_path / "model.onnx"):
        with pytest.raises(WeightsError, match=r"cannot be trained.*Train from the checkpoint"):
            ready(name, from_nothing=False, weights=str(path))
    with pytest.raises(WeightsError, match="There is no file of weights"):
        ready(name, from_nothing=False, weights=str(tmp_path / "none.model"))


@pytest.mark.parametrize("parameters", [{"runtime": "onnx"}, {"tensorrt": True}])
def test_onnx_runtime_does_not_train(name, parameters):
    with pytest.raises(ConfigError, match=rf"cannot be trained by ONNX.*Use scorer={name}, which"):
        ready(name, **parameters)


def test_int8_weights_cannot_be_trained(tmp_path):
    state = {key: value.to(torch.int8) for key, value in ready("lr_asd").checkpoint().items()}
    torch.save(state, tmp_path / "int8.model")
    with pytest.raises(WeightsError, match="holds int8 instead of real numbers"):
        ready("lr_asd", from_nothing=False, weights=str(tmp_path / "int8.model"))


def test_faces_are_normalised_by_the_module(name):
    it = ready(name)
    clips = [clip_of(f"batch{number}", 5) for number in range(2)]
    faces, sound = it.inputs(clips)
    assert faces.dtype == np.uint8
    assert faces.shape == (2, 5, 112, 112)
    assert sound.dtype == np.float32
    assert sound.shape == (2, 20, 13)
    grey = torch.stack([normalised(clip.faces) for clip in clips])
    it.module.eval()
    with torch.no_grad():
        found = it.module(torch.tensor(faces), torch.tensor(sound))
        wanted = it.module(grey, torch.tensor(sound))
    assert len(found) == (3 if name == "talknet" else 2)
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-5)


# Kernels whose spread the published code sets: He et al. (2015), for what comes in, or goes out.
DRAWN = {
    "lr_asd": {
        "model.visualEncoder.block3.s_1": 64 * 5 * 5,
        "model.visualEncoder.block3.t_1": 128 * 5,
        "model.audioEncoder.block3.m_2": 64 * 3,
    },
    "light_asd": {
        "model.visualEncoder.block3.s_5": 64 * 5 * 5,
        "model.audioEncoder.block3.t_5": 128 * 5,
    },
    "talknet": {
        "model.audioEncoder.layer4.0.conv1": 128 * 3 * 3,
        "model.audioEncoder.layer3.0.downsample.0": 64,
    },
}


def test_kernels_are_drawn_as_published(name):
    state = ready(name).checkpoint()
    for key, fan in DRAWN[name].items():
        kernel = state[f"{key}.weight"]
        assert float(kernel.std()) == pytest.approx((2 / fan) ** 0.5, rel=0.05), key
    for key, value in state.items():
        if "gru" in key and "bias" in key:
            assert not value.any()
        elif "gru" in key:
            assert float(value.std()) == pytest.approx((2 / value.shape[1]) ** 0.5, rel=0.05)


@pytest.mark.parametrize(
    ("name", "shares"), [("lr_asd", {0.5}), ("light_asd", set()), ("talknet", {0.1})]
)
def test_values_are_dropped_as_published_in_training_alone(name, shares):
    it = ready(name)
    layers = [m for m in it.module.modules() if isinstance(m, torch.nn.Dropout)]
    attentions = [m for m in it.module.modules() if isinstance(m, torch.nn.MultiheadAttention)]
    assert {layer.p for layer in layers} | {layer.dropout for layer in attentions} == shares
    calls = []
    for layer in layers:
        layer.register_forward_hook(lambda layer, given, found: calls.append((found == 0).any()))
    arrays = [torch.tensor(array) for array in it.inputs([clip_of("dropped", 5)])]
    with torch.no_grad():
        it.module(*arrays)
    # LR-ASD: before each GRU. TalkNet: after the attention and both linear layers, three times.
    assert len(calls) == {"lr_asd": 2, "light_asd": 0, "talknet": 9}[name]
    assert all(calls)
    with torch.no_grad():
        one, other = (it.module.eval()(*arrays)[0] for _ in range(2))
    assert torch.equal(one, other)


def cross_entropy(logits, labels):
    return float(torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten()))


def test_the_loss_is_the_published_sum_of_heads(name):
    it = ready(name)
    torch.manual_seed(3)
    heads = [3 * torch.randn(2, 6, 2) for _ in range(3 if name == "talknet" else 2)]
    labels = torch.randint(0, 2, (2, 6))
    weights = [1.0, 0.4, 0.4] if name == "talknet" else [1.0, 0.5]
    last = it.recipe.epochs
    # Light-ASD divides its logits by 1.3 at first, and by 0.02 less in each epoch.
    cooled = {1: 1.3, 2: 1.28, last: 1.3 - 0.02 * 29, last + 100: 1.3 - 0.02 * 29}
    for epoch, temperature in cooled.items():
        r = temperature if name == "light_asd" else 1.0
        wanted = sum(w * cross_entropy(x / r, labels) for w, x in zip(weights, heads, strict=True))
        assert float(it.loss(heads, labels, epoch)) == pytest.approx(wanted, rel=1e-5)
    ignored = torch.cat([labels, torch.full((2, 3), -1)], 1)
    longer = [torch.cat([x, 9 * torch.randn(2, 3, 2)], 1) for x in heads]
    assert float(it.loss(longer, ignored, 1)) == pytest.approx(float(it.loss(heads, labels, 1)))
    halves = [x.bfloat16() for x in heads]
    assert it.loss(halves, labels, 1).dtype == torch.float32


def test_recipes_are_the_published_ones():
    found = {name: scorer(name).trainable(scorer(name).config(), True).recipe for name in MODELS}
    assert {
        name: (r.learning_rate, r.decay, r.epochs, r.batch_frames, r.weight_decay)
        for name, r in found.items()
    } == {
        "talknet": (1e-4, 0.95, 25, 2500, 0.0),
        "lr_asd": (1e-3, 0.95, 40, 2000, 0.01),
        "light_asd": (1e-3, 0.95, 30, 2000, 0.0),
    }
    assert all("github.com" in recipe.source for recipe in found.values())


def talking(number, frames):
    """A face that is still but for its mouth, and its sound; and in which frames it speaks.

    Either the mouth moves, or it is loud, or both: only where both are, it speaks.
    """
    random = np.random.default_rng(number)
    faces = np.repeat(random.integers(60, 200, (1, 14, 14)), frames, 0).repeat(8, 1).repeat(8, 2)
    # Runs of four frames: speech, silence, chewing, somebody else's voice.
    what = random.permuted(np.tile(np.arange(4), (frames // 16, 1)), axis=1).ravel().repeat(4)
    moves, loud = (what == 0) | (what == 2), (what == 0) | (what == 3)
    opening = np.where(moves & (np.arange(frames) % 2 == 0), 20, 200)
    faces[:, 76:96, 40:72] = opening[:, None, None]
    sound = random.normal(0, 1, SAMPLES_PER_FRAME * frames)
    sound *= np.repeat(np.where(loud, 3000, 30), SAMPLES_PER_FRAME)
    return Clip(faces.astype(np.uint8), sound.astype(np.int16)), (what == 0).astype(np.int64)


@pytest.mark.parametrize("name", ["lr_asd", pytest.param("light_asd", marks=pytest.mark.slow)])
def test_a_tiny_set_is_learnt_by_heart_from_nothing(name):
    """In eval mode, which reads the running statistics, after so few steps."""
    it = ready(name)
    clips, truth = zip(*(talking(number, 16) for number in range(2)), strict=True)
    arrays = [torch.tensor(array) for array in it.inputs(clips)]
    labels = torch.tensor(np.stack(truth))

    def precision():
        with torch.no_grad():
            logits = it.module.eval()(*arrays)[0]
        scores = (logits[..., 1] - logits[..., 0]).flatten()
        return average_precision(scores.numpy(), labels.flatten().numpy() == 1)

    before = precision()
    optimiser = torch.optim.AdamW(
        it.module.train().parameters(), it.recipe.learning_rate, weight_decay=it.recipe.weight_decay
    )
    for _ in range(16):
        optimiser.zero_grad()
        it.loss(it.module(*arrays), labels, 1).backward()
        optimiser.step()
    assert before < 0.8
    assert precision() >= 0.99


def test_running_statistics_are_means_at_first_and_then_move_as_published():
    it = ready("lr_asd")
    norm = it.module.network.model.visualEncoder.block1.s_norm_1
    arrays = [torch.tensor(array) for array in it.inputs([clip_of("norms", 3)])]
    seen = []
    norm.register_forward_hook(lambda layer, given, found: seen.append(given[0].mean((0, 2, 3))))
    with torch.no_grad():
        for number in range(3):
            it.module(arrays[0] // (number + 1), arrays[1])
        torch.testing.assert_close(norm.running_mean, torch.stack(seen).mean(0))
        norm.num_batches_tracked.fill_(200)
        before = norm.running_mean.clone()
        it.module(*arrays)
        torch.testing.assert_close(norm.running_mean, 0.99 * before + 0.01 * seen[-1])
        it.module.eval()(*arrays)
    assert int(norm.num_batches_tracked) == 201
