"""MFCC: the figures of the library, and no seam where a long sound is cut into clips."""

from __future__ import annotations

import numpy as np
import pytest
import rule
from checkout import DATA
from hypothesis import given
from hypothesis import strategies as st

from asdkit.core.analysis.features import mfcc
from asdkit.core.types import SAMPLES_PER_FRAME, SOUND_AFTER, Clip

REFERENCE = np.load(DATA / "talknet.npz")
FRAMES = 200
SOUND = rule.waveform("talknet_sound", FRAMES * SAMPLES_PER_FRAME)


def clip_of(sound, first, end):
    """The clip of frames `first` to `end` of a sound, with what comes before and after it."""
    start, stop = first * SAMPLES_PER_FRAME, end * SAMPLES_PER_FRAME
    after = np.zeros(SOUND_AFTER, np.int16)
    rest = sound[stop : stop + SOUND_AFTER]
    after[: len(rest)] = rest
    faces = np.zeros((end - first, 112, 112), np.uint8)
    return Clip(faces, sound[start:stop], int(sound[start - 1]) if start else 0, after)


def test_meets_the_reference():
    steps = mfcc(clip_of(SOUND, 0, FRAMES))
    assert steps.shape == (4 * FRAMES, 13)
    assert steps.dtype == np.float32
    # The library's last step reaches past the end of its sound, where it puts zeros after the
    # pre-emphasis; here silence follows, before it.
    whole = len(REFERENCE["sound_mfcc"]) - 1
    np.testing.assert_allclose(steps[:whole], REFERENCE["sound_mfcc"][:whole], atol=1e-4, rtol=0)


@given(st.integers(1, FRAMES - 1), st.integers(0, 2**32 - 1))
def test_a_cut_leaves_no_seam(cut, seed):
    loud = np.random.default_rng(seed).integers(-32768, 32768, len(SOUND), np.int16)
    sound = np.where(np.arange(len(SOUND)) // 16000 % 2 == 0, SOUND, loud).astype(np.int16)
    first, end = max(0, cut - 9), min(FRAMES, cut + 9)
    whole = mfcc(clip_of(sound, first, end))
    parts = np.concatenate([mfcc(clip_of(sound, first, cut)), mfcc(clip_of(sound, cut, end))])
    np.testing.assert_allclose(parts, whole, atol=1e-4, rtol=0)


@pytest.mark.parametrize("frames", [1, 2, 25])
def test_silence_is_finite(frames):
    steps = mfcc(clip_of(np.zeros(frames * SAMPLES_PER_FRAME, np.int16), 0, frames))
    assert steps.shape == (4 * frames, 13)
    floor = np.log(np.finfo(np.float64).eps)
    np.testing.assert_allclose(steps[:, 0], floor, rtol=1e-6)
    np.testing.assert_allclose(steps[:, 1:], 0, atol=1e-6)


def test_silence_that_ends_is_finite():
    sound = SOUND[: 4 * SAMPLES_PER_FRAME].copy()
    sound[: 2 * SAMPLES_PER_FRAME] = 0
    assert np.isfinite(mfcc(clip_of(sound, 0, 4))).all()


@pytest.mark.parametrize("level", [-32768, 32767])
def test_a_constant_sound_is_finite(level):
    sound = np.full(3 * SAMPLES_PER_FRAME, level, np.int16)
    assert np.isfinite(mfcc(clip_of(sound, 0, 3))).all()
