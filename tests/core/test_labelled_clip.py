"""Labelled faces at the rate of their labels, and their sound."""

from __future__ import annotations

import numpy as np
import pytest

from asdkit.core.analysis.features import mfcc
from asdkit.core.labelled_clip import LabelledClip, read_by
from asdkit.core.types import Clip


def clip_of(frames: int, samples: int, fps: float = 25.0) -> LabelledClip:
    sound = np.random.default_rng(frames).normal(0, 3000, samples).astype(np.int16)
    return LabelledClip(np.zeros((frames, 112, 112), np.uint8), sound, fps=fps)


@pytest.mark.parametrize("fps", [24.0, 25.0, 30.0])
@pytest.mark.parametrize("frames", [1, 2, 40])
def test_its_mfcc_are_those_of_the_published_loader(fps, frames):
    """By the rule of load_audio: windows and steps by the rate, what is missing from the start."""
    import python_speech_features

    clip = clip_of(frames, max(int((frames - 1) / fps * 16_000), 1), fps)
    steps = python_speech_features.mfcc(
        clip.sound, 16_000, numcep=13, winlen=0.025 * 25 / fps, winstep=0.010 * 25 / fps
    )
    missing = max(4 * frames - len(steps), 0)
    assert missing
    expected = np.pad(steps, ((0, missing), (0, 0)), "wrap")[: 4 * frames]
    np.testing.assert_allclose(mfcc(clip), expected, atol=1e-4)


def test_sound_that_is_longer_is_cut():
    clip = clip_of(10, 16_000)
    assert mfcc(clip).shape == (40, 13)
    shorter = LabelledClip(clip.faces, clip.sound[:8000])
    np.testing.assert_allclose(mfcc(shorter), mfcc(clip), atol=1e-5)


def test_others_get_it_on_the_grid():
    """At 30 labels a second, what was heard with label k is heard in frame k."""
    sound = np.zeros(16_000, np.int16)
    sound[round(15.5 / 30 * 16_000)] = 9_000
    clip = LabelledClip(np.zeros((30, 112, 112), np.uint8), sound, fps=30.0)
    (grid,) = read_by(object(), [clip])
    assert type(grid) is Clip
    assert np.abs(grid.sound.reshape(30, 640)).max(1).argmax() == 15
    again = clip_of(5, 2000)  # too short
    assert np.array_equal(again.on_grid().sound[:2000], again.sound)
    assert not again.on_grid().sound[2000:].any()


def test_it_is_handed_to_those_who_read_it():
    class Reads:
        reads_labelled_clips = True

    clips = [clip_of(5, 2000), Clip(np.zeros((1, 112, 112), np.uint8), np.zeros(640, np.int16))]
    assert read_by(Reads(), clips) is clips
    assert read_by(object(), clips)[1] is clips[1]


@pytest.mark.parametrize(
    ("frames", "samples", "fps", "says"),
    [(0, 10, 25, "one frame"), (1, 0, 25, "one sample"), (1, 10, 0, "fps must be above 0")],
)
def test_what_it_cannot_be(frames, samples, fps, says):
    with pytest.raises(ValueError, match=says):
        clip_of(frames, samples, fps)
