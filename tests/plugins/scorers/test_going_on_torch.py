"""LR-ASD and Light-ASD go on with a face by PyTorch, too."""

from __future__ import annotations

import pytest
from extras import torch
from family import MODELS, SMALL, clip_of, close, scorer

from asdkit.core.component import Context
from asdkit.core.types import Clip
from asdkit.plugins.scorers.windowed.config import WindowedConfig
from asdkit.plugins.scorers.windowed.scorer import WindowedScorer
from asdkit.plugins.scorers.windowed.torch_runtime import TorchRuntime

STEPS = (3, 5, 7, 1, 0, 5, 25, 5)
"""How many frames are new, time after time: too few to go on from at first."""
small = pytest.mark.parametrize("name", SMALL)


def built(name, weights, device="cpu"):
    return scorer(name).build(WindowedConfig(str(weights), window_seconds=[60]), Context(device, 1))


def part_of(clip, first, end):
    return Clip(clip.faces[first:end], clip.sound[640 * first : 640 * end])


def assert_goes_on(made):
    clip, face, end = clip_of("goes on", sum(STEPS)), made.follow(), 0
    for new in STEPS:
        end += new
        so_far = part_of(clip, 0, end)
        found = face.score(so_far, new).logits
        (wanted,) = made.score([so_far])
        close(found, wanted.logits, 1e-4)
        assert end < 10 or found.std() > 0.001


@pytest.mark.slow
@small
def test_scores_are_those_of_all_frames_so_far(family, name):
    assert_goes_on(built(name, family.checkpoint(name)))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@small
def test_scores_on_a_gpu_are_those_of_all_frames_so_far(family, name):
    assert_goes_on(built(name, family.checkpoint(name), "cuda"))


@small
def test_only_new_faces_pass_through_the_network(family, name, monkeypatch):
    """Of a face that goes on, whole windows never pass again."""
    made, clip = built(name, family.checkpoint(name)), clip_of("once", 45)
    face = made.follow()
    face.score(part_of(clip, 0, 20), 20)
    seen = []
    for module in made._runtime._stream._alone._module, made._runtime._stream._through._module:
        module.register_forward_pre_hook(lambda _, given: seen.append([len(x[0]) for x in given]))
    monkeypatch.setattr(made._runtime, "look", None)
    for end in 25, 30, 45:
        face.score(part_of(clip, end - 15, end), 5 if end < 45 else 15)
    before = MODELS[name].sharing.before.shape[1]
    assert [given[:2] for given in seen] == [[before, 5], [before, 5], [before, 15]]


@pytest.mark.slow
@small
def test_scores_are_those_of_a_bundle_that_goes_on(family, name):
    """Also where the clip begins later than the face."""
    pytest.importorskip("onnxruntime")
    made, bundle = (built(name, it) for it in (family.checkpoint(name), family.exported(name)[0]))
    clip, one, other = clip_of("forgets", 80), made.follow(), bundle.follow()
    for first, end, new in ((0, 40, 40), (10, 60, 20), (45, 80, 20)):
        part = part_of(clip, first, end)
        found = one.score(part, new).logits
        close(found, other.score(part, new).logits, 1e-4)
        assert found.std() > 0.001


@small
def test_what_graphs_hand_on_stays_as_it_is(family, name):
    """The first output is fetched; all others are tensors that the next graph takes as they are."""
    runtime = built(name, family.checkpoint(name))._runtime
    found = runtime._stream.begin(clip_of("kept", 20).faces)
    assert all(isinstance(value, torch.Tensor) for value in found.values())
    graph = runtime._stream._end
    given = []
    graph._module.register_forward_pre_hook(lambda _, inputs: given.extend(inputs))
    runtime._stream.at_end(found)
    kept = [found[tensor.name] for tensor in MODELS[name].sharing.kept]
    assert [x.data_ptr() for x in given] == [x.data_ptr() for x in kept]


def test_a_network_without_parts_is_run_as_ever(family):
    model = MODELS["lr_asd"]
    network = model.network()
    assert TorchRuntime(network, model.sharing, torch.device("cpu"), 32).going_on() is None
    made = WindowedScorer(TorchRuntime(network, model.sharing, torch.device("cpu"), 32), [60])
    assert made.follow() is None
