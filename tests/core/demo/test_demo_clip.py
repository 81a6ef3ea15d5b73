"""The clip of the demo, its truth, and how a result is held against it."""

from __future__ import annotations

import sys
import zlib
from itertools import pairwise
from pathlib import Path

import av
import by_hand
import cv2
import numpy as np
import pytest

from asdkit import Clip, Context
from asdkit.core.analysis import crops
from asdkit.core.decisions.segments import SegmentsConfig, speaking_segments
from asdkit.core.demo.clip import DemoTruth, Person, frames_right, make_clip
from asdkit.core.errors import MissingExtraError
from asdkit.core.types import SAMPLES_PER_FRAME
from asdkit.plugins.scorers.lip_motion import LIP_MOTION, LipMotionConfig

FACES = ((164.0, 103.0, 332.0, 317.0), (636.0, 116.0, 798.0, 327.0))
"""Where a face detector finds the two, about."""


def track(first_frame, frames, speaking=(), box=FACES[0], number=0):
    return by_hand.track(number, first_frame, np.tile(box, (frames, 1)), speaking=speaking)


def result(*tracks, shots=((0, 100),)):
    return by_hand.result(*tracks, path="demo.mp4", duration_s=4.0, size=(960, 540), shots=shots)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    path = tmp_path_factory.mktemp("demo") / "new folder" / "demo.mp4"
    return path, make_clip(path)


@pytest.fixture(scope="module")
def frames(clip):
    with av.open(str(clip[0])) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


@pytest.fixture(scope="module")
def sound(clip):
    return sound_of(*clip)


def sound_of(path, truth):
    with av.open(str(path)) as container:
        resampler = av.AudioResampler("s16", "mono", 16_000)
        pieces = [r for frame in container.decode(audio=0) for r in resampler.resample(frame)]
        pieces += resampler.resample(None)
    samples = np.concatenate([piece.to_ndarray()[0] for piece in pieces])
    return samples[: truth.frames * SAMPLES_PER_FRAME]


def test_the_file_is_an_ordinary_video(clip):
    path, truth = clip
    assert [other.name for other in path.parent.iterdir()] == ["demo.mp4"]
    with av.open(str(path)) as container:
        picture, voice = container.streams.video[0], container.streams.audio[0]
        assert (picture.codec_context.name, voice.codec_context.name) == ("h264", "aac")
        assert (picture.width, picture.height) == (960, 540)
        assert (picture.average_rate, picture.frames) == (25, truth.frames)
        assert container.duration / av.time_base == pytest.approx(8, abs=0.1)


def test_the_truth_holds_every_case(clip):
    _, truth = clip
    left, right = (person.speaking for person in truth.people)
    assert left.shape == right.shape == (truth.frames,)
    for case in (left & ~right, right & ~left, left & right, ~left & ~right):
        assert case.sum() >= 15
    assert [person.region for person in truth.people] == [(0, 0, 480, 540), (480, 0, 960, 540)]


def test_voices_sound_when_somebody_speaks(clip, sound):
    power = np.square(sound / 32768).reshape(-1, SAMPLES_PER_FRAME).mean(1)
    level_db = 10 * np.log10(power + 1e-12)
    loud = np.any([person.speaking for person in clip[1].people], axis=0)
    # Frames at the very edge of a turn may hold the first breath of a syllable.
    edge = np.convolve(loud, [1, 1, 1], "same") % 3 > 0
    assert level_db[loud & ~edge].min() > level_db[~loud & ~edge].max() + 10
    assert level_db[~loud & ~edge].min() > -70
    assert np.abs(sound.astype(int)).max() < 32767


def test_heads_never_rest_and_pictures_do_not_leap(frames):
    steps = [cv2.absdiff(before, after) for before, after in pairwise(frames)]
    halves = np.array([(step[:, :480].mean(), step[:, 480:].mean()) for step in steps])
    assert halves.min() > 0.05
    assert halves.max() < 6


class Recorder:
    """Takes the place of the encoder, whose files are not the same bit by bit every time."""

    def __init__(self, path, fps, *, sound):
        Path(path).write_bytes(b"")
        self.digest = zlib.crc32(sound.tobytes())
        Recorder.last = self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def add(self, image, start_s, end_s):
        self.digest = zlib.crc32(image.tobytes(), self.digest)


def test_pictures_and_sound_are_the_same_every_time(tmp_path, monkeypatch):
    monkeypatch.setattr("asdkit.core.demo.clip.Mp4Writer", Recorder)
    monkeypatch.setattr("asdkit.core.demo.clip.sound_of_samples", lambda samples: samples)
    digests = []
    for name in ("once.mp4", "again.mp4"):
        make_clip(tmp_path / name)
        digests.append(Recorder.last.digest)
    assert digests[0] == digests[1]


def test_lip_motion_gets_it_right(clip, frames, sound):
    _, truth = clip
    tracks = []
    for number, box in enumerate(FACES):
        (row,) = crops.centre_and_half_size(np.array([box]))
        faces = np.stack([crops.face(image, *row, 0.4) for image in frames])
        (scores,) = LIP_MOTION.build(LipMotionConfig(), Context()).score([Clip(faces, sound)])
        spoken = speaking_segments(scores.probability, 0, SegmentsConfig())
        tracks.append(track(0, len(frames), spoken, box, number))
    right, judged = frames_right(result(*tracks, shots=[(0, truth.frames)]), truth)
    assert judged == 2 * truth.frames
    assert right >= 0.85 * judged


def one_person(speaking):
    return DemoTruth(100, (Person((0, 0, 480, 540), np.array(speaking)),))


TALKS_IN_THE_MIDDLE = one_person([False] * 25 + [True] * 50 + [False] * 25)


@pytest.mark.parametrize(
    ("tracks", "right"),
    [
        ([track(0, 100, [(1.0, 3.0)])], 100),
        ([track(0, 100, [(1.0, 2.0), (2.0, 3.0)])], 100),
        ([track(0, 100)], 50),
        ([track(0, 100, [(0.0, 4.0)])], 50),
        ([track(0, 50, [(1.0, 2.0)]), track(50, 50, [(2.0, 3.0)])], 100),
        ([track(10, 80, [(1.0, 3.0)])], 80),
        ([], 0),
        ([track(0, 100, [(1.0, 3.0)], box=FACES[1])], 0),
        ([track(0, 100, [(1.0, 3.0)]), track(0, 100, [(0.0, 4.0)], box=FACES[1])], 100),
    ],
    ids=[
        "right", "split", "never", "always", "two tracks", "short", "none", "elsewhere", "stranger"
    ],
)  # fmt: skip
def test_frames_right(tracks, right):
    assert frames_right(result(*tracks), TALKS_IN_THE_MIDDLE) == (right, 100)


def test_only_the_part_that_was_processed_is_judged():
    part = result(track(20, 30, [(1.0, 2.0)]), shots=[(20, 40), (40, 50)])
    assert frames_right(part, TALKS_IN_THE_MIDDLE) == (30, 30)


@pytest.mark.parametrize(
    ("module", "package"), [("matplotlib.cbook", "matplotlib"), ("skimage", "scikit-image")]
)
def test_a_missing_package_is_named(module, package, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=rf"{package}.*\[demo\]"):
        make_clip(tmp_path / "demo.mp4")
    assert not list(tmp_path.iterdir())
