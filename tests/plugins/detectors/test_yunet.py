"""YuNet: from the network's outputs to faces, and its two runtimes against each other."""

from __future__ import annotations

import subprocess
import sys
from itertools import islice

import numpy as np
import pytest
from extras import onnxruntime
from hypothesis import given
from hypothesis import strategies as st

import asdkit
from asdkit.core.errors import MissingExtraError
from asdkit.core.media.picture import frames as frames_of
from asdkit.core.media.probe import probe
from asdkit.plugins.detectors.yunet.config import YunetConfig
from asdkit.plugins.detectors.yunet.decoding import STRIDES_PX, Candidates, pick_faces
from asdkit.plugins.detectors.yunet.detector import YunetDetector
from asdkit.plugins.detectors.yunet.onnx_runtime import OnnxRuntime, padded
from asdkit.plugins.detectors.yunet.opencv_runtime import OpencvRuntime

HEIGHT, WIDTH = 64, 96
"""Of the made-up input: maps of 8x12, 4x6 and 2x3 cells."""
SPOTS = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]])
"""Landmarks of the made-up faces, as parts of their boxes."""


def outputs(faces):
    """What the network says of faces: (stride, row, column, box, likely, good) each."""
    found = {}
    for stride in STRIDES_PX:
        cells = HEIGHT // stride * (WIDTH // stride)
        for name, size in (("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10)):
            found[f"{name}_{stride}"] = np.zeros((1, cells, size), np.float32)
    for stride, row, column, (x, y, width, height), likely, good in faces:
        cell = row * (WIDTH // stride) + column
        found[f"cls_{stride}"][0, cell] = likely
        found[f"obj_{stride}"][0, cell] = good
        found[f"bbox_{stride}"][0, cell] = (
            (x + width / 2) / stride - column,
            (y + height / 2) / stride - row,
            np.log(width / stride),
            np.log(height / stride),
        )
        points = np.array([x, y]) + np.array([width, height]) * SPOTS
        found[f"kps_{stride}"][0, cell] = (points / stride - [column, row]).ravel()
    return found


def picked(faces, score_threshold=0.5, nms_threshold=0.3):
    return pick_faces(outputs(faces), WIDTH, score_threshold, nms_threshold)


# Decoding.

corner, side = st.floats(-100, 200), st.floats(0.5, 300)


@given(
    st.sampled_from(STRIDES_PX), st.integers(0, 1), st.integers(0, 2), corner, corner, side, side
)
def test_a_box_comes_from_whichever_cell(stride, row, column, x, y, width, height):
    found = picked([(stride, row, column, (x, y, width, height), 0.9, 0.8)])
    assert found.places == pytest.approx(np.array([[x, y, width, height]]), rel=1e-4, abs=1e-3)
    assert found.scores == pytest.approx([np.sqrt(0.9 * 0.8)])
    spots = [[[x, y]]] + SPOTS * [width, height]
    assert found.landmarks == pytest.approx(spots, rel=1e-4, abs=1e-3)


def test_both_confidences_count():
    faces = [(8, 0, 0, (0, 0, 9, 9), 1.0, 0.2), (8, 4, 4, (40, 40, 9, 9), 0.6, 0.6)]
    assert picked(faces).scores == pytest.approx([0.6])
    assert picked(faces, score_threshold=0.44).scores == pytest.approx([0.6, np.sqrt(0.2)])
    assert len(picked(faces, score_threshold=0.61).scores) == 0
    assert picked(faces, score_threshold=0.61).places.shape == (0, 4)
    assert picked(faces, score_threshold=0.61).landmarks.shape == (0, 5, 2)


def test_confidences_beyond_one_count_as_one():
    assert picked([(32, 1, 1, (20, 20, 30, 30), 1.5, 1.1)]).scores.tolist() == [1]


def test_of_one_face_the_surest_box_stands():
    """Seen on three maps; beside it another face that touches it."""
    faces = [
        (8, 2, 3, (10, 10, 30, 40), 0.7, 0.7),
        (16, 1, 1, (11, 9, 30, 40), 0.9, 0.9),
        (32, 0, 0, (9, 12, 30, 40), 0.8, 0.8),
        (16, 1, 3, (35, 10, 30, 40), 0.6, 0.6),
    ]
    found = picked(faces)
    assert found.places == pytest.approx(np.array([[11, 9, 30, 40], [35, 10, 30, 40]]), abs=1e-4)
    assert found.landmarks[:, 0] == pytest.approx(np.array([[20, 25], [44, 26]]), abs=1e-4)
    assert found.scores == pytest.approx([0.9, 0.6])
    assert len(picked(faces, nms_threshold=1).scores) == 4


def test_boxes_are_compared_in_whole_pixels():
    """As OpenCV does: (0, 0, 10, 10) and (5, 0, 10, 10) overlap by a third, these by less."""
    faces = [(8, 0, 0, (0, 0, 10.1, 10.1), 0.9, 0.9), (8, 0, 1, (5.9, 0, 10.1, 10.1), 0.8, 0.8)]
    assert len(picked(faces, nms_threshold=0.332).scores) == 1
    assert len(picked(faces, nms_threshold=0.334).scores) == 2


# The input.


@pytest.mark.parametrize(("size", "whole"), [((1, 1), (32, 32)), ((33, 64), (64, 64))])
def test_pictures_are_filled_up_on_the_right_and_below(size, whole):
    picture = np.random.default_rng(0).integers(1, 256, (*size, 3)).astype(np.uint8)
    found = padded(picture)
    assert found.dtype == np.float32
    assert found.shape == (1, 3, *whole)
    assert np.array_equal(found[0, ::-1, : size[0], : size[1]].transpose(1, 2, 0), picture)
    assert np.count_nonzero(found) == picture.size


# The detector, with a runtime that says what it is told to.


class Told:
    """Sees the faces it is told of in a picture, given for one of 640 pixels."""

    def __init__(self, *places):
        self.places = np.array(places, float).reshape(-1, 4)
        self.sides = []

    def look(self, picture):
        self.sides.append(max(picture.shape[:2]))
        places = self.places * self.sides[-1] / 640
        spots = places[:, None, :2] + SPOTS * places[:, None, 2:]
        return Candidates(places, np.linspace(0.9, 0.8, len(places)), spots)


@pytest.mark.parametrize(
    ("parameters", "sides"),
    [
        ({}, [640]),
        ({"longer_side_px": 320}, [320]),
        ({"longer_side_px": 2000}, [1280]),
        ({"longer_side_px": None, "min_face_px": 16}, [1280, 640]),
        ({"longer_side_px": None, "min_face_px": 20}, [1024, 640]),
        ({"longer_side_px": None, "min_face_px": 40}, [640]),
    ],
)
def test_boxes_come_out_in_source_pixels_once(parameters, sides):
    runtime = Told((64, 32, 100, 120))
    detector = YunetDetector(YunetConfig(**parameters), runtime)
    (found,) = detector.detect(np.zeros((1, 720, 1280, 3), np.uint8), [0])
    assert runtime.sides == sides
    assert found.boxes == pytest.approx(np.array([[128, 64, 328, 304]]))
    assert found.scores == pytest.approx([0.9])
    assert found.landmarks == pytest.approx([[128, 64]] + SPOTS[None] * [200, 240])


def test_faces_below_min_face_px_are_left_out():
    """The larger side counts, in source pixels: 60 here and 40 there."""
    runtime = Told((64, 32, 10, 30), (300, 32, 20, 10))
    for smallest, count in ((39, 2), (41, 1), (59, 1), (61, 0)):
        detector = YunetDetector(YunetConfig(min_face_px=smallest), runtime)
        assert len(detector.detect(np.zeros((1, 720, 1280, 3), np.uint8), [0])[0]) == count


# The runtimes.


@pytest.fixture(scope="module")
def weights(shared):
    return shared("weights/face_detection_yunet_2023mar.onnx")


def agree(weights, pictures, score_threshold, nms_threshold=0.3):
    """Compares what the two runtimes find; returns how many faces that is."""
    onnx = OnnxRuntime(weights, score_threshold, nms_threshold, threads=1)
    opencv = OpencvRuntime(weights, score_threshold, nms_threshold)
    count = 0
    for picture in pictures:
        found, wanted = onnx.look(picture), opencv.look(picture)
        assert len(found.scores) == len(wanted.scores)
        if len(found.scores):
            # Those as likely as each other may come in either order.
            off = np.abs(found.places[:, None] - wanted.places).max(2)
            assert off.min(1).max() < 1e-3
            assert found.scores == pytest.approx(wanted.scores[off.argmin(1)], abs=1e-5)
            assert found.landmarks == pytest.approx(wanted.landmarks[off.argmin(1)], abs=1e-3)
        count += len(found.scores)
    return count


@pytest.mark.weights
@pytest.mark.parametrize("clip", ["dialogue_small.mp4", "audience.mp4", "brbk7n.mpg"])
def test_both_find_the_same_faces_in_real_pictures(weights, shared, clip):
    """Halved, and a part of an odd size; in small ones such as are hardly a face, too."""
    images = [frame.image for frame in islice(frames_of(probe(shared(f"clips/{clip}"))), 0, 9, 4)]
    pictures = [picture for image in images for picture in (image[::2, ::2], image[37:, 5:])]
    assert agree(weights, pictures, 0.7)
    assert agree(weights, [picture[::4, ::4] for picture in pictures], 0.02) > 15


@pytest.mark.weights
def test_both_find_the_same_faces_in_noise(weights):
    """Of hundreds of boxes for a face everywhere, the same stand."""
    noise = np.random.default_rng(1).integers(0, 256, (2, 90, 130, 3)).astype(np.uint8)
    kept = agree(weights, noise, 0.003)
    assert agree(weights, noise, 0.003, nms_threshold=0.9) > kept > 100


# Which one runs.


@pytest.fixture
def load(weights, monkeypatch):
    monkeypatch.setenv("ASDKIT_WEIGHTS", str(weights.parent))
    return lambda **chosen: asdkit.load("detector", "yunet", threads=1, **chosen)


@pytest.mark.weights
def test_onnx_runtime_runs_it_where_it_is_installed(load, monkeypatch):
    picture = np.zeros((1, 32, 32, 3), np.uint8)
    ran = []
    monkeypatch.setattr(OnnxRuntime, "look", lambda self, picture: ran.append("onnx") or NOTHING)
    monkeypatch.setattr(OpencvRuntime, "look", lambda self, picture: ran.append("cv") or NOTHING)
    for chosen in ({}, {"runtime": "onnx"}, {"runtime": "opencv"}):
        load(**chosen).detect(picture, [0])
    assert ran == ["onnx", "onnx", "cv"]
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    load().detect(picture, [0])
    assert ran[3:] == ["cv"]


NOTHING = Candidates(np.zeros((0, 4)), np.zeros(0), np.zeros((0, 5, 2)))


def test_without_onnx_runtime_it_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(
        MissingExtraError,
        match=r'detector\.runtime=onnx needs the package onnxruntime, .*\[cpu\]", or choose '
        r"detector\.runtime=opencv",
    ):
        asdkit.load("detector", "yunet", runtime="onnx")


@pytest.mark.weights
def test_opencv_imports_no_other_runtime(weights):
    program = (
        "import os, sys, asdkit\n"
        f"os.environ['ASDKIT_WEIGHTS'] = {str(weights.parent)!r}\n"
        "asdkit.load('detector', 'yunet', runtime='opencv')\n"
        "sys.exit(bool({'torch', 'onnxruntime', 'onnx'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
    assert onnxruntime.__version__
