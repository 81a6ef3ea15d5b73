"""LoCoNet: the figures of the published code."""

from __future__ import annotations

import numpy as np
import pytest
import rule
from checkout import DATA
from extras import torch
from family import close, normalised, shapes

from asdkit.core.types import Clip
from asdkit.plugins.scorers.loconet.beside import OnScreen, with_context
from asdkit.plugins.scorers.loconet.network import LoCoNet
from asdkit.plugins.scorers.loconet.sound import log_mel

REFERENCE = np.load(DATA / "loconet.npz")


def inputs(frames):
    """Three faces, (3, T, 112, 112), and a log mel spectrogram, (4 T, 64)."""
    tag = f"loconet{frames}"
    faces = [normalised(rule.face_frames(f"{tag}:{k}", frames)) for k in range(3)]
    spread = rule.generator(f"logmel:{tag}").standard_normal((4 * frames, 64))
    return torch.stack(faces), torch.from_numpy((spread * 3 + 4).astype(np.float32))


@pytest.fixture(scope="module")
def network():
    """LoCoNet with the rule's weights."""
    filled = LoCoNet().eval()
    state = rule.checkpoint(shapes("loconet"))
    filled.load_state_dict({key: torch.from_numpy(value) for key, value in state.items()})
    return filled


def test_the_state_dict_is_the_published_one():
    state = LoCoNet().state_dict()
    assert {key: list(value.shape) for key, value in state.items()} == shapes("loconet")


@pytest.mark.parametrize("frames", [1, 2, 7, 25, 37])
def test_meets_the_reference_logits(network, frames):
    with torch.inference_mode():
        logits = network(*inputs(frames))
    assert logits.shape == (3, frames, 2)
    for found, expected in zip(logits, REFERENCE[f"logits_{frames}"], strict=True):
        close(found, expected)


def test_meets_the_reference_stages(network):
    faces, sound = inputs(7)
    with torch.inference_mode():
        vectors = network.model.frontend(faces, batch_frames=5).transpose(1, 2)
        visual = network.model.visualConv1D(network.model.visualTCN(vectors)).transpose(1, 2)
        close(network.model.audioEncoder(sound)[0], REFERENCE["audio_embed_7"])
    for found, expected in zip(visual, REFERENCE["visual_embed_7"], strict=True):
        close(found, expected)


def test_the_sound_is_the_published_log_mel_spectrogram():
    """Of 16 000 samples; the published code has no more sound, and so two steps fewer."""
    sound = rule.waveform("loconet_sound", 16_000)
    clip = Clip(np.zeros((25, 112, 112), np.uint8), sound, 0, np.zeros(240, np.int16))
    found = log_mel(clip)
    assert (found.shape, found.dtype) == ((100, 64), np.float32)
    np.testing.assert_allclose(found[:98], REFERENCE["sound_log_mel"], atol=1e-5)
    silence = Clip(clip.faces, np.zeros_like(sound), 0, clip.sound_after)
    np.testing.assert_allclose(log_mel(silence), np.log(0.01), rtol=1e-6)


def face(first: int, end: int, grey: int) -> OnScreen:
    """A face of one grey in frames first to end - 1."""
    return OnScreen(first, np.full((end - first, 112, 112), grey, np.uint8))


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ([], [[1, 1, 1, 1]] * 3),
        ([face(10, 12, 2)], [[1, 1, 1, 1]] * 3),  # gone before the middle frame, 12
        ([face(8, 13, 2)], [[1, 1, 1, 1], [2, 2, 2, 0], [2, 2, 2, 0]]),
        ([face(12, 20, 2), face(0, 20, 3)], [[1, 1, 1, 1], [3, 3, 3, 3], [0, 0, 2, 2]]),
        (
            [face(12, 13, 2), face(11, 14, 3), face(12, 14, 4), face(11, 14, 5)],
            [[1, 1, 1, 1], [0, 3, 3, 3], [0, 5, 5, 5]],
        ),
    ],
)
def test_the_context_is_who_is_there_in_the_middle(others, expected):
    seen = with_context(face(10, 14, 1), others)
    assert seen.shape == (3, 4, 112, 112)
    assert seen[..., 50, 60].tolist() == expected
    assert (seen == seen[..., :1, :1]).all()
