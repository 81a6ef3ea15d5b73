"""Detectors: faces in frames, in source pixels.

Those that look at pictures share one suite. What needs a network alone runs with the weights the
rule makes where the published ones are too large to be at hand; those find faces in anything.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from itertools import islice
from threading import Barrier

import numpy as np
import pytest
import rule
from checkout import DATA

import asdkit
from asdkit import testing
from asdkit.core.boxes import iou
from asdkit.core.errors import ConfigError, DeviceError, InputError
from asdkit.core.media.picture import frames as frames_of
from asdkit.core.media.probe import probe
from asdkit.core.registry import registry
from asdkit.core.weights import status
from asdkit.plugins.detectors.mtcnn import MtcnnConfig, MtcnnDetector

NEEDS_WEIGHTS = pytest.mark.weights
FACE = np.array([175, 60, 272, 178], float)
"""Where the portrait's face is, roughly."""
LANDMARKS = np.array([[203, 102], [247, 103], [223, 127], [200, 141], [242, 142]], float)
"""And its eyes, nose and corners of the mouth, roughly."""


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def portrait():
    """An RGB picture (512, 512, 3) of one face, about 100 px large."""
    return pytest.importorskip("skimage.data").astronaut()


@pytest.fixture(scope="module")
def head(portrait):
    """The head alone, (72, 72, 3), the face about 55 px large."""
    return np.ascontiguousarray(portrait[48:192:2, 150:294:2])


@pytest.fixture(scope="module")
def s3fd_checkpoint(tmp_path_factory):
    """A checkpoint of S3FD with the rule's weights."""
    from extras import torch

    shapes = json.loads((DATA / "s3fd_state_dict.json").read_text())
    state = {key: torch.from_numpy(value) for key, value in rule.checkpoint(shapes).items()}
    path = tmp_path_factory.mktemp("s3fd") / "rule.pth"
    torch.save(state, path)
    return path


@pytest.fixture(
    scope="module",
    params=[
        "mtcnn",
        pytest.param("yunet:onnx", marks=NEEDS_WEIGHTS),
        pytest.param("yunet:opencv", marks=NEEDS_WEIGHTS),
        "s3fd",
    ],
)
def make(request, shared):
    """Makes the detector, whatever weights it can have here."""
    if request.param != "s3fd":
        with pytest.MonkeyPatch.context() as patch:
            yield maker(request.param, shared, patch)
    else:
        path = str(request.getfixturevalue("s3fd_checkpoint"))
        load = partial(asdkit.load, "detector", "s3fd", weights=path, score_threshold=0.5)
        yield cache(partial(load, device="cpu"))


@pytest.fixture(
    scope="module",
    params=[
        "mtcnn",
        pytest.param("yunet:onnx", marks=NEEDS_WEIGHTS),
        pytest.param("yunet:opencv", marks=NEEDS_WEIGHTS),
        pytest.param("s3fd", marks=NEEDS_WEIGHTS),
    ],
)
def make_trained(request, shared):
    """Makes the detector with its published weights; skips naming them where they are not."""
    with pytest.MonkeyPatch.context() as patch:
        yield maker(request.param, shared, patch)


def maker(chosen, shared, patch):
    """Makes a detector, once for each set of parameters, with weights that are on this machine.

    Args:
        chosen: Its name, or name:runtime.
        shared: Finds a file of the folder `shared`.
        patch: Has it be looked for there.
    """
    name, _, runtime = chosen.partition(":")
    if runtime == "onnx":
        pytest.importorskip("onnxruntime", reason="needs the package onnxruntime: asdkit[cpu]")
    for weights in registry().find("detector", name).weights:
        if status(weights).state != "ok":  # neither in the cache nor in ASDKIT_WEIGHTS
            folder = shared(f"weights/{weights.published}").parent
            patch.setenv("ASDKIT_WEIGHTS", str(folder))
    given = {"runtime": runtime} if runtime else {}
    return cache(partial(asdkit.load, "detector", name, device="cpu", **given))


def placed(portrait, at=(0, 0), size=(360, 640)):
    """A grey frame (height, width) with the portrait's corner at (y, x), and where its face is."""
    frame = np.full((*size, 3), 90, np.uint8)
    rows, columns = np.mgrid[: size[0], : size[1]]
    y, x = rows - at[0], columns - at[1]
    inside = (y >= 0) & (x >= 0) & (y < portrait.shape[0]) & (x < portrait.shape[1])
    frame[inside] = portrait[y[inside], x[inside]]
    return frame, FACE + np.array([at[1], at[0], at[1], at[0]])


def looked_at(detector, frames):
    """What a detector finds in frames, after a check of what every detector has to answer."""
    before = frames.copy()
    found = detector.detect(frames, range(len(frames)))
    assert np.array_equal(frames, before)
    assert isinstance(found, list)
    assert len(found) == len(frames)
    for faces in found:
        assert isinstance(faces, asdkit.Detections)
        assert (faces.boxes.dtype, faces.scores.dtype) == (np.float64, np.float64)
        assert (faces.boxes.shape, faces.scores.shape) == ((len(faces), 4), (len(faces),))
        assert np.isfinite(faces.boxes).all()
        assert (faces.boxes[:, :2] < faces.boxes[:, 2:]).all()
        assert ((faces.scores >= 0) & (faces.scores <= 1)).all()
    return found


# Of all, with any weights.


def test_no_frames_no_answers(make):
    assert looked_at(make(), np.zeros((0, 90, 160, 3), np.uint8)) == []


def test_batches_change_nothing(make, head):
    detector = make(min_face_px=30)
    frames = np.stack([head, np.zeros_like(head), head[:, ::-1]])
    together = looked_at(detector, frames)
    for k, faces in enumerate(together):
        alone = looked_at(detector, frames[k : k + 1])[0]
        assert faces.boxes == pytest.approx(alone.boxes, rel=1e-4, abs=0.05)
        assert faces.scores == pytest.approx(alone.scores, abs=1e-4)
    assert len(together[0])
    assert len(together[2])


@pytest.mark.parametrize("size", [(1, 1), (1, 400), (10, 400), (27, 27), (28, 28), (61, 2000)])
def test_any_size(make, size):
    looked_at(make(), np.random.default_rng(0).integers(0, 256, (2, *size, 3), np.uint8))


def test_views_of_pictures(make, head):
    """Pictures turned from BGR by a view, and such as may not be written to."""
    bgr = np.ascontiguousarray(head[..., ::-1])
    bgr.flags.writeable = False
    detector = make(min_face_px=30)
    (plain,), (turned,) = (looked_at(detector, frame[None]) for frame in (head, bgr[..., ::-1]))
    assert len(plain)
    assert np.array_equal(plain.boxes, turned.boxes)


# Of all, with published weights.


def test_the_check_of_every_detector_with_a_face(make_trained, portrait):
    shown = np.stack([portrait[:160, 120:320], portrait[:160, 319:119:-1]])
    testing.check_detector(make_trained(), 90, 120, pictures=shown)


def test_each_face_where_it_is(make_trained, portrait):
    first, box = placed(portrait)
    second, other = placed(portrait, at=(100, 300))
    found = looked_at(make_trained(), np.stack([first, np.zeros_like(first), second]))
    assert [len(faces) for faces in found] == [1, 0, 1]
    assert iou(box[None], found[0].boxes) > 0.6
    assert iou(other[None], found[2].boxes) > 0.6


@pytest.mark.parametrize("shrunk", [1, 3])
def test_eyes_nose_and_mouth_where_they_are(make_trained, portrait, shrunk, request):
    """In source pixels, also of a frame that is scaled down to be looked at."""
    detector = make_trained()
    frame, _ = placed(portrait, (100, 300), size=(360 * shrunk, 640 * shrunk))
    (found,) = looked_at(detector, frame[None])
    if "s3fd" in request.node.callspec.id:
        assert found.landmarks is None
    else:
        assert np.abs(found.landmarks[0] - LANDMARKS - [300, 100]).max() < 12


@pytest.mark.parametrize("at", [(-20, -195), (-20, 388), (-80, 0), (202, 0)])
def test_a_face_cut_by_the_border(make_trained, portrait, at):
    """A fifth of it is out of the picture, on the left, the right, above or below."""
    frame, box = placed(portrait, at)
    found = looked_at(make_trained(), frame[None])[0]
    assert len(found) == 1
    edges = np.array([640, 360, 640, 360])
    seen, wanted = found.boxes.clip(0, edges), box[None].clip(0, edges)
    assert iou(seen, wanted) > 0.55


def test_several_faces(make_trained, portrait):
    head = portrait[40:220, 125:325]
    frame = np.concatenate([np.concatenate([head] * 3, 1)] * 2, 0)
    found = looked_at(make_trained(), frame[None])[0]
    wanted = [
        FACE + np.array([x - 125, y - 40, x - 125, y - 40]) for y in (0, 180) for x in (0, 200, 400)
    ]
    assert len(found) == 6
    assert (iou(np.array(wanted), found.boxes).max(1) > 0.6).all()


def test_a_picture_without_colour(make_trained, portrait):
    frame, box = placed(portrait)
    grey = np.repeat(frame.mean(2, keepdims=True), 3, 2).astype(np.uint8)
    found = looked_at(make_trained(), grey[None])[0]
    assert iou(box[None], found.boxes) > 0.6


def test_no_face_in_a_tiny_picture(make_trained, portrait):
    for size in ((1, 1), (10, 400), (11, 11)):
        corner = portrait[: size[0], : size[1]]
        assert len(looked_at(make_trained(), corner[None])[0]) == 0


def test_min_face_px_counts_in_source_pixels(make_trained, portrait):
    """The face of 110 px is one of 37 in the picture looked at."""
    frame, box = placed(portrait, at=(300, 700), size=(1080, 1920))
    (found,) = looked_at(make_trained(min_face_px=60), frame[None])
    assert iou(box[None], found.boxes) > 0.6
    assert len(looked_at(make_trained(min_face_px=300), frame[None])[0]) == 0


@NEEDS_WEIGHTS
def test_yunet_sees_small_faces_where_it_is_asked_to(shared, portrait):
    """In 4K: one face of 50 px, and one that fills much of the picture."""
    import cv2

    small = cv2.resize(portrait, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    large = cv2.resize(portrait, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    frame, box = placed(small, at=(100, 100), size=(2160, 3840))
    frame[112:2160, 1700:3748] = large
    small_box = (box[:2] - 100) / 2 + 100, (box[2:] - 100) / 2 + 100
    boxes = [np.concatenate(small_box), FACE * 4 + np.array([1700, 112, 1700, 112])]
    with pytest.MonkeyPatch.context() as patch:
        make = maker("yunet", shared, patch)
        (usual,) = looked_at(make(), frame[None])
        (wide,) = looked_at(make(longer_side_px=None, min_face_px=40.0), frame[None])
        assert make().smallest_face_px(2160, 3840) == 96
        assert make(longer_side_px=None, min_face_px=40.0).smallest_face_px(2160, 3840) == 40
        assert make(longer_side_px=None).smallest_face_px(360, 640) == 20
    assert len(usual) == 1
    assert len(wide) == 2
    assert (iou(np.array(boxes), wide.boxes).max(1) > 0.6).all()


def test_mtcnn_finds_what_its_package_finds(portrait):
    """With other layouts in memory, which change nothing but the pace."""
    from extras import torch
    from facenet_pytorch import MTCNN

    frame = np.ascontiguousarray(portrait[::2, ::2])
    plain = MTCNN(keep_all=True, min_face_size=40, thresholds=[0.6, 0.7, 0.9], device="cpu")
    boxes, scores, landmarks = plain.detect(frame, landmarks=True)
    detector = asdkit.load("detector", "mtcnn", device="cpu")
    (found,) = looked_at(detector, frame[None])
    assert found.boxes == pytest.approx(boxes.astype(float), abs=1e-3)
    assert found.scores == pytest.approx(scores.astype(float), abs=1e-5)
    assert found.landmarks == pytest.approx(landmarks.astype(float), abs=1e-3)
    weight = detector._network.onet.conv2.weight
    assert weight.is_contiguous(memory_format=torch.channels_last)


class Waiting:
    """Stands in for MTCNN: finds one face as large as it was told to look for, all at once."""

    min_face_size = 20

    def __init__(self, all_of_them):
        self.wait = all_of_them.wait

    def detect(self, pictures, landmarks):
        from extras import torch

        self.wait(timeout=60)
        assert torch.is_inference_mode_enabled()
        assert not torch.backends.cudnn.allow_tf32
        side = self.min_face_size
        found = np.array([[0, 0, side, side]]), [0.9], np.full((1, 5, 2), side / 2)
        return [[part] * len(pictures) for part in found]


def test_mtcnn_serves_threads_with_frames_of_different_sizes():
    detector = MtcnnDetector(MtcnnConfig(min_face_px=50), Waiting(Barrier(2)), "cpu")
    frames = [np.zeros((1, side, side, 3), np.uint8) for side in (640, 1280)]
    with ThreadPoolExecutor(2) as pool:
        for (found,) in pool.map(lambda frame: detector.detect(frame, [0]), frames):
            assert found.boxes.tolist() == [[0, 0, 50, 50]]
            assert found.landmarks.tolist() == [[[25, 25]] * 5]


def test_mtcnn_says_how_small_a_face_may_be():
    detector = asdkit.load("detector", "mtcnn", device="cpu")
    assert detector.smallest_face_px(360, 640) == 40
    assert detector.smallest_face_px(2160, 3840) == 72


@pytest.mark.gpu
def test_mtcnn_finds_the_same_faces_on_cuda(portrait):
    from extras import torch

    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")
    frame, _ = placed(portrait[:320], at=(20, 60))
    on_cpu, on_cuda = (
        looked_at(asdkit.load("detector", "mtcnn", device=device), frame[None])[0]
        for device in ("cpu", "cuda")
    )
    assert len(on_cpu) == 1
    np.testing.assert_allclose(on_cuda.boxes, on_cpu.boxes, atol=0.1, rtol=0)
    np.testing.assert_allclose(on_cuda.scores, on_cpu.scores, atol=1e-4, rtol=0)


def test_real_people(make_trained, shared):
    stored = json.loads(shared("reference/dialogue.detections.json").read_text())
    media = probe(shared("clips/dialogue.mp4"))
    indices = (0, 150)  # the first of each shot
    first = islice(frames_of(media), 151)
    images = [frame.image for frame in first if frame.index in indices]
    for index, faces in zip(indices, looked_at(make_trained(), np.stack(images)), strict=True):
        wanted = np.array(stored[index])[:, :4]
        assert len(faces) == len(wanted)
        assert (iou(wanted, faces.boxes).max(1) > 0.5).all()


@NEEDS_WEIGHTS
def test_yunet_gets_the_colours_it_expects(shared, portrait):
    """It finds the face with red and blue swapped too: the numbers tell."""
    import cv2

    path = shared("weights/face_detection_yunet_2023mar.onnx")
    plain = cv2.FaceDetectorYN.create(str(path), "", (512, 512), 0.7, 0.3)
    row = plain.detect(np.ascontiguousarray(portrait[..., ::-1]))[1][0]
    with pytest.MonkeyPatch.context() as patch:
        found = maker("yunet", shared, patch)().detect(portrait[None], [0])[0]
    assert found.boxes[0] == pytest.approx([*row[:2], *(row[:2] + row[2:4])], abs=1e-3)
    assert found.scores[0] == pytest.approx(row[14], abs=1e-6)


# What they are made with.


@pytest.mark.parametrize("name", ["mtcnn", "s3fd"])
def test_the_device(name, request):
    paths = {"s3fd": {"weights": str(request.getfixturevalue("s3fd_checkpoint"))}}
    load = partial(asdkit.load, "detector", name, **paths.get(name, {}))
    assert load(device="cpu").device == "cpu"
    from extras import torch

    if torch.cuda.is_available():
        assert load(device="auto").device == "cuda:0"
    else:
        with pytest.raises(DeviceError, match="cuda"):
            load(device="cuda")


@pytest.mark.parametrize(
    ("name", "parameter"),
    [
        ("mtcnn", {"longer_side_px": 8}),
        ("mtcnn", {"min_face_px": 0.0}),
        ("mtcnn", {"thresholds": [0.5, 0.6]}),
        ("mtcnn", {"thresholds": [0.5, 0.6, 1.1]}),
        ("yunet", {"runtime": "torch"}),
        ("yunet", {"longer_side_px": 0}),
        ("yunet", {"min_face_px": -1.0}),
        ("yunet", {"score_threshold": 1.5}),
        ("yunet", {"nms_threshold": -0.1}),
        ("s3fd", {"longer_side_px": 31}),
        ("s3fd", {"reference_scale": 0.0}),
        ("s3fd", {"reference_scale": 1.5}),
        ("s3fd", {"min_face_px": -1.0}),
        ("s3fd", {"score_threshold": -0.5}),
        ("s3fd", {"nms_threshold": 1.1}),
    ],
)
def test_parameters_out_of_range(name, parameter):
    with pytest.raises(ConfigError, match=f"detector.{next(iter(parameter))} must"):
        asdkit.load("detector", name, **parameter)


@pytest.mark.parametrize("name", ["mtcnn", "yunet", "s3fd"])
def test_an_unknown_parameter_lists_what_there_is(name):
    with pytest.raises(ConfigError, match="min_face_px"):
        asdkit.load("detector", name, min_face=20)


# Of boxes.

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
        ('[[["a", 2, 3, 4, 1]]]', "something else than numbers"),
        ("[[[9, 2, 3, 4, 1]]]", "frame 0 has the box"),
        ("1,2,3\n", "boxes"),
        ("frame,x1,y1\n1,2,3\n", "score, x2, y2 are missing"),
        ("0,1,2,nan,4,1\n", "line 1 has the box"),
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
