"""Detectors: faces in frames, in source pixels."""

from __future__ import annotations

import json

import numpy as np
import pytest

import asdkit
from asdkit.core.errors import ConfigError, DeviceError, InputError


@pytest.fixture(scope="module")
def portrait():
    """An RGB picture (512, 512, 3) of one face, about 100 px large."""
    skimage_data = pytest.importorskip("skimage.data")
    return skimage_data.astronaut()


FACE = np.array([175, 70, 275, 200])
"""Where the portrait's face is, roughly."""


def placed(portrait, height=720, width=1280, at=(100, 600)):
    frame = np.full((height, width, 3), 90, np.uint8)
    frame[at[0] : at[0] + 512, at[1] : at[1] + 512] = portrait
    return frame, FACE + np.array([at[1], at[0], at[1], at[0]])


def overlap(a, b):
    from asdkit.plugins.trackers.iou import iou

    return iou(np.atleast_2d(a).astype(float), np.atleast_2d(b).astype(float)).max()


@pytest.fixture(scope="module")
def mtcnn():
    return asdkit.load("detector", "mtcnn", device="cpu")


@pytest.fixture
def yunet(shared, monkeypatch):
    monkeypatch.setenv(
        "ASDKIT_WEIGHTS", str(shared("weights/face_detection_yunet_2023mar.onnx").parent)
    )
    return asdkit.load("detector", "yunet")


def test_mtcnn_finds_each_face_where_it_is(mtcnn, portrait):
    first, box = placed(portrait)
    second, other = placed(portrait, at=(200, 50))
    empty = np.zeros_like(first)
    found = mtcnn.detect(np.stack([first, empty, second]), [0, 5, 7])
    assert [len(faces) for faces in found] == [1, 0, 1]
    assert overlap(found[0].boxes, box) > 0.6
    assert overlap(found[2].boxes, other) > 0.6
    assert found[0].scores[0] > 0.9


def test_mtcnn_batches_change_nothing(mtcnn, portrait):
    frames = np.stack([placed(portrait, at=(100, x))[0] for x in (100, 300, 500)])
    together = mtcnn.detect(frames, [0, 1, 2])
    for k in range(3):
        alone = mtcnn.detect(frames[k : k + 1], [k])[0]
        assert together[k].boxes == pytest.approx(alone.boxes, abs=0.05)


def test_mtcnn_min_face_px_counts_in_source_pixels(portrait):
    frame, _ = placed(portrait, 1080, 1920)
    for smallest, faces in ((60, 1), (300, 0)):
        detector = asdkit.load("detector", "mtcnn", device="cpu", min_face_px=smallest)
        assert len(detector.detect(frame[None], [0])[0]) == faces


@pytest.mark.parametrize("size", [(1, 1), (10, 400), (59, 59), (61, 2000)])
def test_mtcnn_takes_any_size(mtcnn, size):
    frames = np.random.default_rng(0).integers(0, 256, (2, *size, 3), np.uint8)
    assert [len(faces) for faces in mtcnn.detect(frames, [0, 1])] == [0, 0]


def test_mtcnn_says_what_it_runs_on(mtcnn):
    assert mtcnn.device == "cpu"
    import torch

    if not torch.cuda.is_available():
        with pytest.raises(DeviceError, match="cuda"):
            asdkit.load("detector", "mtcnn", device="cuda")


@pytest.mark.weights
def test_yunet_finds_the_face_where_it_is(yunet, portrait):
    frame, box = placed(portrait)
    found = yunet.detect(np.stack([frame, np.zeros_like(frame)]), [3, 4])
    assert [len(faces) for faces in found] == [1, 0]
    assert overlap(found[0].boxes, box) > 0.6


@pytest.mark.weights
def test_yunet_takes_any_size_and_leaves_small_faces_out(yunet, portrait):
    for size in ((1, 1), (33, 700)):
        assert len(yunet.detect(np.zeros((1, *size, 3), np.uint8), [0])[0]) == 0
    frame, _ = placed(portrait)
    assert len(asdkit.load("detector", "yunet", min_face_px=200).detect(frame[None], [0])[0]) == 0


JSON = [[], [[1, 2, 30, 40, 0.9], [5, 6, 70, 80, 0.8]], [[1, 2, 31, 41, 0.7]]]
CSV = "1,1,2,30,40,0.9\n1,5,6,70,80,0.8\n2,1,2,31,41,0.7\n"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.json", json.dumps(JSON)),
        ("a.csv", CSV),
        ("b.csv", "\ufeffframe, x1, y1, x2, y2, score\n" + CSV),
        ("c.csv", "frame,score,x1,y1,x2,y2\n1,0.9,1,2,30,40\n\n1,.8,5,6,70,80\n2,.7,1,2,31,41\n"),
    ],
)
def test_boxes_of_a_file(tmp_path, name, text):
    (tmp_path / name).write_text(text, encoding="utf-8")
    detector = asdkit.load("detector", "boxes", path=str(tmp_path / name))
    found = detector.detect(np.zeros((4, 9, 9, 3), np.uint8), [0, 1, 2, 99])
    assert [len(faces) for faces in found] == [0, 2, 1, 0]
    assert found[1].boxes.tolist() == [[1, 2, 30, 40], [5, 6, 70, 80]]
    assert found[2].scores.tolist() == [0.7]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[[1, 2, 3]]", "boxes"),
        ("[[[1, 2, 3, 4]]]", "a face of 4 numbers"),
        ('[[["a", 2, 3, 4, 1]]]', "could not convert"),
        ("[[[9, 2, 3, 4, 1]]]", "frame 0 has the box"),
        ("1,2,3\n", "boxes"),
        ("frame,x1,y1\n1,2,3\n", "score, x2, y2 are missing"),
        ("0,1,2,nan,4,1\n", "frame 0 has the box"),
        ("hello", "boxes"),
        ("[", "Expecting value"),
    ],
)
def test_boxes_of_another_form(tmp_path, text, reason):
    path = tmp_path / "boxes.txt"
    path.write_text(text)
    with pytest.raises(InputError, match=r"JSON, a list over the 25 fps frames") as caught:
        asdkit.load("detector", "boxes", path=str(path))
    assert reason in str(caught.value)


def test_boxes_of_no_file(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        asdkit.load("detector", "boxes", path=str(tmp_path / "none.json"))


@pytest.mark.parametrize(
    ("name", "parameter"),
    [
        ("mtcnn", {"min_face_px": 0.0}),
        ("mtcnn", {"thresholds": [0.5, 0.6]}),
        ("mtcnn", {"longer_side_px": 8}),
        ("yunet", {"score_threshold": 1.5}),
        ("yunet", {"longer_side_px": 0}),
        ("yunet", {"min_face_px": -1.0}),
    ],
)
def test_parameters_out_of_range(name, parameter):
    with pytest.raises(ConfigError, match=f"detector.{next(iter(parameter))} must"):
        asdkit.load("detector", name, **parameter)


def test_an_unknown_parameter_lists_what_there_is():
    with pytest.raises(ConfigError, match="min_face_px"):
        asdkit.load("detector", "mtcnn", min_face=20)
