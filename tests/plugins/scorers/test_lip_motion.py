"""The scorer without weights, on drawn faces and, where it is at hand, on a real clip."""

from __future__ import annotations

import json

import av
import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from asdkit import Clip, Context
from asdkit.core.analysis import crops
from asdkit.core.types import GRID_FPS, SAMPLES_PER_FRAME
from asdkit.plugins.scorers.lip_motion import LIP_MOTION, LipMotionConfig, mouth_motion

SECONDS = 4
FRAMES = SECONDS * GRID_FPS
SPEECH = slice(FRAMES // 4, 3 * FRAMES // 4)
INSIDE = slice(FRAMES // 4 + 8, 3 * FRAMES // 4 - 8)
"""The speech, less what smoothing may blur."""


def drawn_face():
    """A smooth random texture: something to see everywhere."""
    noise = np.random.default_rng(7).normal(0, 1, (160, 160)).astype(np.float32)
    texture = cv2.GaussianBlur(noise, (0, 0), 3)
    return 120 + 60 * texture / np.abs(texture).max()


def faces(opening, shift=None, turn=None, gain=None):
    """Pictures of a face whose mouth, a dark ellipse, is open so far, in pixels."""
    n = len(opening)
    shift = np.zeros((n, 2)) if shift is None else shift
    turn = np.zeros(n) if turn is None else turn
    gain = np.ones(n) if gain is None else gain
    texture = drawn_face()
    pictures = []
    for k in range(n):
        picture = texture.copy()
        cv2.ellipse(picture, (80, 91), (18, round(2 + opening[k])), 0, 0, 360, 40.0, -1)
        warp = cv2.getRotationMatrix2D((80, 60), turn[k], 1.0)
        warp[:, 2] += shift[k]
        moved = cv2.warpAffine(picture, warp, (160, 160), borderMode=cv2.BORDER_REFLECT)
        pictures.append(moved[24:136, 24:136] * gain[k])
    return np.rint(pictures).clip(0, 255).astype(np.uint8)


def talking(part=SPEECH):
    opening = np.zeros(FRAMES)
    time_s = np.arange(FRAMES)[part] / GRID_FPS
    opening[part] = 9 * np.abs(np.sin(2 * np.pi * 2.2 * time_s))
    return opening


def sound(part=SPEECH, background=30.0):
    rng = np.random.default_rng(3)
    samples = rng.normal(0, background, (FRAMES, SAMPLES_PER_FRAME))
    samples[part] += rng.normal(0, 3000, samples[part].shape)
    return np.rint(samples).astype(np.int16).ravel()


def probability(pictures, samples, **parameters):
    scorer = LIP_MOTION.build(LIP_MOTION.config(**parameters), Context())
    (scores,) = scorer.score([Clip(pictures, samples)])
    assert len(scores) == len(pictures)
    assert np.isfinite(scores.logits).all()
    return scores.probability


def sway():
    time_s = np.arange(FRAMES)[:, None] / GRID_FPS
    return 4 * np.sin(2 * np.pi * np.array([0.7, 0.9]) * time_s)


def test_a_moving_mouth_with_sound_speaks_and_else_nobody_does():
    p = probability(faces(talking()), sound())
    assert p[INSIDE].min() > 0.5
    assert p[: SPEECH.start - 8].max() < 0.35
    assert p[SPEECH.stop + 8 :].max() < 0.35


def test_a_moving_mouth_in_silence_does_not_speak():
    everywhere = slice(0, FRAMES)
    p = probability(faces(talking(everywhere)), sound())
    assert p[INSIDE].min() > 0.5
    assert p[: SPEECH.start - 12].max() < 0.5


@pytest.mark.parametrize("silence", [0, 1, -1])
def test_nothing_speaks_where_there_is_no_sound_at_all(silence):
    samples = np.full(FRAMES * SAMPLES_PER_FRAME, silence, np.int16)
    assert probability(faces(talking()), samples).max() < 0.1


def test_sound_without_a_pause_leaves_it_to_the_mouth():
    p = probability(faces(talking()), sound(slice(0, FRAMES)))
    assert p[INSIDE].min() > 0.5
    assert p[: SPEECH.start - 8].max() < 0.35


@pytest.mark.parametrize(
    "motion",
    [
        {"shift": sway()},
        {"turn": 4 * np.sin(2 * np.pi * 0.8 * np.arange(FRAMES) / GRID_FPS)},
        {"gain": 1 + 0.08 * np.sin(2 * np.pi * 3.1 * np.arange(FRAMES) / GRID_FPS)},
    ],
    ids=["shift", "turn", "light"],
)
def test_head_motion_and_light_do_not_speak_nor_hide_speech(motion):
    still = probability(faces(np.zeros(FRAMES), **motion), sound())
    assert still.max() < 0.5
    talks = probability(faces(talking(), **motion), sound())
    assert talks[INSIDE].min() > 0.5


def test_what_is_over_at_once_does_not_speak():
    opening = np.zeros(FRAMES)
    opening[45:49] = [6, 10, 10, 5]
    jump = np.zeros((FRAMES, 2))
    jump[55:] = 6
    assert probability(faces(opening, jump), sound()).max() < 0.5


def test_camera_noise_does_not_speak():
    noise = np.random.default_rng(5).normal(0, 6, (FRAMES, 112, 112))
    pictures = (faces(np.zeros(FRAMES)) + noise).clip(0, 255).astype(np.uint8)
    assert probability(pictures, sound()).max() < 0.5


def test_contrast_and_loudness_change_little():
    pictures, samples = faces(talking()), sound()
    faint = (80 + pictures * 0.4).astype(np.uint8)
    expected = probability(pictures, samples)
    assert np.abs(probability(faint, samples) - expected).max() < 0.2
    assert np.abs(probability(pictures, samples // 4) - expected).max() < 0.2


def test_mouth_motion_is_in_pixels_whatever_the_contrast():
    pictures = faces(talking())
    motion = mouth_motion(pictures)
    faint = mouth_motion((80 + pictures * 0.5).astype(np.uint8))
    assert motion.shape == (FRAMES,)
    assert motion[0] == motion[1]
    assert 0.5 < np.median(motion[INSIDE]) < 5
    assert np.median(faint[INSIDE]) == pytest.approx(np.median(motion[INSIDE]), rel=0.15)


@settings(max_examples=25)
@given(st.data(), st.integers(1, 8))
def test_every_frame_of_any_clip_is_scored(data, n):
    byte, sample = st.integers(0, 255), st.integers(-32768, 32767)
    pictures = data.draw(arrays(np.uint8, (n, 112, 112), elements=byte))
    samples = data.draw(arrays(np.int16, n * SAMPLES_PER_FRAME, elements=sample))
    p = probability(pictures, samples)
    assert ((p >= 0) & (p <= 1)).all()


@pytest.mark.parametrize("n", [1, 2, 3, 13, 40])
@pytest.mark.parametrize("grey", [0, 110, 255])
def test_constant_pictures_do_not_speak(n, grey):
    samples = sound()[: n * SAMPLES_PER_FRAME]
    assert probability(np.full((n, 112, 112), grey, np.uint8), samples).max() < 0.5


def test_clips_do_not_depend_on_each_other():
    scorer = LIP_MOTION.build(LipMotionConfig(), Context())
    first = Clip(faces(talking()), sound())
    second = Clip(faces(np.zeros(FRAMES))[:30], sound()[: 30 * SAMPLES_PER_FRAME])
    together = scorer.score([first, second])
    alone = [*scorer.score([first]), *scorer.score([second])]
    for a, b in zip(together, alone, strict=True):
        np.testing.assert_array_equal(a.logits, b.logits)
    assert scorer.score([]) == []


def test_parameters_mean_what_they_say():
    pictures, samples = faces(talking()), sound()
    p = probability(pictures, samples)
    assert probability(pictures, samples, motion_px=2.0)[INSIDE].mean() < p[INSIDE].mean()
    murmur = sound().reshape(FRAMES, -1)
    murmur[SPEECH.start : FRAMES // 2] //= 20  # 14 dB above the background
    quiet = slice(INSIDE.start, FRAMES // 2 - 8)
    demanding = probability(pictures, murmur.ravel(), sound_rise_db=18)
    lenient = probability(pictures, murmur.ravel(), sound_rise_db=8)
    assert demanding[quiet].max() < 0.5 < lenient[quiet].min()
    opening = np.zeros(FRAMES)
    opening[45:50] = [4, 9, 4, 9, 4]
    burst = faces(opening)
    assert probability(burst, samples, window_s=0.1).max() > 0.5
    assert probability(burst, samples, window_s=0.5).max() < 0.5


@pytest.mark.parametrize("name", ["motion_px", "window_s"])
@pytest.mark.parametrize("value", [0.0, -1.0])
def test_impossible_parameters_are_refused(name, value):
    with pytest.raises(ValueError, match=name):
        LipMotionConfig(**{name: value})


def average_precision(truth, scores):
    """Area under precision over recall, a step at each score."""
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(truth[order])
    last_of_ties = np.append(np.diff(scores[order]) != 0, True)
    precision = (hits / np.arange(1, len(hits) + 1))[last_of_ties]
    recall = np.append(0, hits[last_of_ties] / hits[-1])
    return float(np.sum(np.diff(recall) * precision))


def test_average_precision_on_a_real_dialogue(shared):
    clip = shared("clips/dialogue.mp4")
    truth = json.loads(shared("clips/dialogue.json").read_text())["speaking"]
    tracks = np.load(shared("reference/dialogue.pipeline.npz"))
    with av.open(str(clip)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    with av.open(str(clip)) as container:
        resampler = av.AudioResampler("s16", "mono", 16_000)
        heard = [r for frame in container.decode(audio=0) for r in resampler.resample(frame)]
        heard += resampler.resample(None)
    samples = np.concatenate([piece.to_ndarray()[0] for piece in heard])
    samples = np.pad(samples, (0, SAMPLES_PER_FRAME))[: len(frames) * SAMPLES_PER_FRAME]
    scorer = LIP_MOTION.build(LipMotionConfig(), Context())
    speaking, scores = [], []
    for i in range(3):
        numbers = tracks[f"track{i}_frame"]
        rows = np.stack([tracks[f"track{i}_{part}"] for part in "xys"], 1)
        pictures = [crops.face(frames[k], *row, 0.4) for k, row in zip(numbers, rows, strict=True)]
        part = slice(numbers[0] * SAMPLES_PER_FRAME, (numbers[-1] + 1) * SAMPLES_PER_FRAME)
        region = "solo" if numbers[0] else "left" if rows[0, 0] < 640 else "right"
        (scored,) = scorer.score([Clip(np.stack(pictures), samples[part])])
        speaking.append(np.array(truth[region])[numbers])
        scores.append(scored.score)
    assert average_precision(np.concatenate(speaking), np.concatenate(scores)) > 0.85
