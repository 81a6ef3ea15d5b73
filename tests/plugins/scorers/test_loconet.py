"""LoCoNet: the figures of the published code."""

from __future__ import annotations

import numpy as np
import pytest
import rule
from checkout import DATA
from extras import torch
from family import clip_of, close, normalised, shapes

from asdkit import testing
from asdkit.core.component import Context
from asdkit.core.errors import WeightsError
from asdkit.core.scenes import Scene, SceneFace, alone
from asdkit.core.types import Clip
from asdkit.plugins.scorers.loconet import LOCONET
from asdkit.plugins.scorers.loconet.beside import stacks, with_context
from asdkit.plugins.scorers.loconet.network import LoCoNet
from asdkit.plugins.scorers.loconet.scorer import LoCoNetScorer
from asdkit.plugins.scorers.loconet.sound import log_mel

REFERENCE = np.load(DATA / "loconet.npz")


def inputs(frames):
    """Three faces, (3, T, 112, 112), and a log mel spectrogram, (4 T, 64)."""
    tag = f"loconet{frames}"
    faces = [normalised(rule.face_frames(f"{tag}:{k}", frames)) for k in range(3)]
    spread = rule.generator(f"logmel:{tag}").standard_normal((4 * frames, 64))
    return torch.stack(faces), torch.from_numpy((spread * 3 + 4).astype(np.float32))


def visual(network, faces):
    """The visual vectors of three faces, (3, T, 512)."""
    frames = faces.shape[1]
    numbers = torch.from_numpy(stacks(np.arange(3 * frames).reshape(3, frames)).copy())
    seen = faces.flatten(0, 1)[numbers.clamp(min=0)] * (numbers >= 0)[..., None, None]
    return network.vectors(seen).unflatten(0, (3, frames))


@pytest.fixture(scope="module")
def state():
    """The rule's weights."""
    filled = rule.checkpoint(shapes("loconet"))
    return {key: torch.from_numpy(value) for key, value in filled.items()}


@pytest.fixture(scope="module")
def network(state):
    filled = LoCoNet().eval()
    filled.load_state_dict(state)
    return filled


def test_the_state_dict_is_the_published_one():
    state = LoCoNet().state_dict()
    assert {key: list(value.shape) for key, value in state.items()} == shapes("loconet")


@pytest.mark.parametrize("frames", [1, 2, 7, 25, 37])
def test_meets_the_reference_logits(network, frames):
    with torch.inference_mode():
        faces, sound = inputs(frames)
        logits = network(visual(network, faces), sound)
    assert logits.shape == (3, frames, 2)
    for found, expected in zip(logits, REFERENCE[f"logits_{frames}"], strict=True):
        close(found, expected)


def test_meets_the_reference_stages(network):
    faces, sound = inputs(7)
    with torch.inference_mode():
        vectors = visual(network, faces).transpose(1, 2)
        found = network.model.visualConv1D(network.model.visualTCN(vectors)).transpose(1, 2)
        close(network.model.audioEncoder(sound)[0], REFERENCE["audio_embed_7"])
    for one, expected in zip(found, REFERENCE["visual_embed_7"], strict=True):
        close(one, expected)


def test_the_sound_is_the_published_log_mel_spectrogram():
    """Of 16 000 samples; the published code has no more sound, and so two steps fewer."""
    sound = rule.waveform("loconet_sound", 16_000)
    clip = Clip(np.zeros((25, 112, 112), np.uint8), sound, 0, np.zeros(240, np.int16))
    found = log_mel(alone(clip))
    assert (found.shape, found.dtype) == ((100, 64), np.float32)
    np.testing.assert_allclose(found[:98], REFERENCE["sound_log_mel"], atol=1e-5)
    silence = Clip(clip.faces, np.zeros_like(sound), 0, clip.sound_after)
    np.testing.assert_allclose(log_mel(alone(silence)), np.log(0.01), rtol=1e-6)


def of_frames(frames, grey=0):
    """A face of one grey in these frames."""
    return SceneFace(frames.start, np.full((len(frames), 112, 112), grey, np.uint8))


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ([], [[0, 1, 2, 3]] * 3),
        ([range(10, 12)], [[0, 1, 2, 3]] * 3),  # gone before the middle frame, 12
        ([range(8, 13)], [[0, 1, 2, 3], [6, 7, 8, 9], [6, 7, 8, 9]]),
        ([range(12, 20), range(20)], [[0, 1, 2, 3], [22, 23, 24, 25], [32, 32, 4, 5]]),
        (
            [range(12, 13), range(11, 14), range(12, 14), range(10, 13)],
            [[0, 1, 2, 3], [10, 11, 12, 13], [13, 5, 6, 7]],
        ),
    ],
)
def test_the_context_is_who_is_there_in_the_middle(others, expected):
    """A face in frames 10 to 13; its pictures come first, then those of the others, then black."""
    faces = [of_frames(frames) for frames in (range(10, 14), *others)]
    assert with_context(0, faces).tolist() == expected


def test_the_context_does_not_depend_on_the_order_of_faces():
    first, *others = faces = [of_frames(range(3), grey) for grey in range(5)]
    beside = [{faces[n // 3] for n in with_context(0, faces)[:, 0]}]
    again = [first, *others[::-1]]
    beside.append({again[n // 3] for n in with_context(0, again)[:, 0]})
    assert beside[0] == beside[1]
    assert len(beside[0]) == 3


def test_pictures_of_the_speakers_stand_in_one_row():
    found = stacks(np.array([[0, 1], [7, 8], [7, 8]]))
    assert found.tolist() == [
        [-1, -1, 0, 1, 7],
        [-1, 0, 1, 7, 8],
        [0, 1, 7, 8, 7],
        [1, 7, 8, 7, 8],
        [7, 8, 7, 8, -1],
        [8, 7, 8, -1, -1],
    ]


@pytest.mark.parametrize("prefix", ["", "model.module."])
def test_a_face_alone_is_its_own_context(network, state, tmp_path, prefix):
    """Checkpoints as the published training writes them, and without what it puts before keys."""
    path = tmp_path / "loconet.model"
    torch.save({prefix + key: value for key, value in state.items()}, path)
    config = LOCONET.config(weights=str(path), batch_frames=7)
    scorer = LOCONET.build(config, Context(device="cpu"))
    clip = clip_of("loconet_alone", 10)
    with torch.inference_mode():
        faces = normalised(clip.faces).expand(3, -1, -1, -1)
        expected = network(visual(network, faces), torch.from_numpy(log_mel(alone(clip))))[0]
    (found,) = scorer.score([clip])
    close(found.logits, expected)
    if not prefix:
        testing.check_scorer(scorer, longest_frames=20)


def test_faces_of_a_scene_are_each_others_context(network, state):
    """Of three faces the third is not there in the middle of the first; black stands for it."""
    own = LoCoNet()
    own.load_state_dict(state)
    scorer = LoCoNetScorer(own, torch.device("cpu"), batch_frames=7)
    crops = [rule.face_frames(f"loconet_scene{k}", frames) for k, frames in enumerate((8, 6, 3))]
    faces = tuple(SceneFace(first, one) for first, one in zip((1, 4, 7), crops, strict=True))
    scene = Scene(faces, rule.waveform("loconet_scene", 640 * 10))
    found = scorer.score_scene(scene)
    beside = np.zeros((8, 112, 112), np.uint8)
    beside[3:] = crops[1][:5]
    seen = torch.stack([normalised(crops[0]), *[normalised(beside)] * 2])
    sound = torch.from_numpy(log_mel(scene)[4:36])
    with torch.inference_mode():
        expected = network(visual(network, seen), sound)[0]
    close(found[0].logits, expected)
    assert [len(scores) for scores in found] == [8, 6, 3]


def test_weights_that_are_not_its_own(tmp_path):
    path = tmp_path / "other.model"
    torch.save({"model.module.lossAV.FC.bias": torch.zeros(2)}, path)
    with pytest.raises(WeightsError, match=r"is no checkpoint of LoCoNet: \d+ missing") as caught:
        LOCONET.build(LOCONET.config(weights=str(path)), Context(device="cpu"))
    assert "scorer.weights=FILE" in caught.value.hint
    with pytest.raises(ValueError, match="batch_frames must be 1 or more, but got 0"):
        LOCONET.config(weights=str(path), batch_frames=0)
