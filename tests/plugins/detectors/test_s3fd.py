"""S3FD: the network against stored figures, and the way from its answers to faces."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
import rule
from checkout import DATA
from extras import torch
from hypothesis import given
from hypothesis import strategies as st

import asdkit
from asdkit.core.config.compose import compose_run
from asdkit.core.errors import MissingExtraError, WeightsError
from asdkit.core.registry import registry
from asdkit.plugins.detectors.s3fd import faces
from asdkit.plugins.detectors.s3fd.config import S3fdConfig
from asdkit.plugins.detectors.s3fd.detector import S3fdDetector, reference_size
from asdkit.plugins.detectors.s3fd.network import SMALLEST_INPUT_PX, Output, S3fdNetwork
from asdkit.plugins.support.pytorch import inference

SHAPES = json.loads((DATA / "s3fd_state_dict.json").read_text())
CPU = torch.device("cpu")


def needs_cuda(test):
    """Marks a test that needs a GPU."""
    reason = "needs a CUDA device"
    return pytest.mark.gpu(pytest.mark.skipif(not torch.cuda.is_available(), reason=reason)(test))


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def network():
    """S3FD with the rule's weights."""
    network = S3fdNetwork().eval()
    state = {key: torch.from_numpy(value) for key, value in rule.checkpoint(SHAPES).items()}
    network.load_state_dict(state)
    return network


def asked(network, frame, device=CPU):
    """The network's answer for one RGB frame, and the priors and boxes that go with it."""
    with inference():
        output = network(torch.tensor(frame[None], device=device))
        start = faces.priors(output.maps, *frame.shape[:2], device)
        found = output.loc[0], output.confidence[0], start, faces.decode(output.loc[0], start)
        return [value.cpu().numpy() for value in found]


def picture():
    """The picture of the stored figures, in RGB."""
    bgr = rule.generator("s3fd:image").integers(0, 256, (100, 164, 3)).astype(np.uint8)
    return np.ascontiguousarray(bgr[..., ::-1])


# The network.


def test_the_names_are_those_of_the_published_checkpoint():
    shapes = {key: list(value.shape) for key, value in S3fdNetwork().state_dict().items()}
    assert shapes == SHAPES


def test_the_numbers_are_the_reference_s(network):
    with np.load(DATA / "s3fd.npz") as stored:
        wanted = [stored["loc"], stored["conf"][:, 1], stored["prior"], stored["boxes"]]
    for found, want in zip(asked(network, picture()), wanted, strict=True):
        assert found.dtype == np.float32
        assert found == pytest.approx(want, abs=1e-3 * float(np.abs(want).max()))


def test_the_smallest_picture(network):
    shortest = SMALLEST_INPUT_PX
    for size in ((shortest, 90), (90, shortest)):
        assert np.isfinite(asked(network, np.zeros((*size, 3), np.uint8))[0]).all()
    with pytest.raises(RuntimeError, match="too small"):
        asked(network, np.zeros((90, shortest - 1, 3), np.uint8))


@needs_cuda
def test_the_numbers_are_the_same_on_a_gpu(network):
    here = asked(network, picture())
    try:
        there = asked(network.to("cuda"), picture(), torch.device("cuda"))
    finally:
        network.to("cpu")
    for found, want in zip(there, here, strict=True):
        assert found == pytest.approx(want, abs=1e-3 * float(np.abs(want).max()))


# Priors and decoding.


@pytest.mark.parametrize("size", [(100, 164), (28, 28), (33, 131), (71, 90)])
def test_priors_stand_in_the_middle_of_each_cell(network, size):
    height, width = size
    with inference():
        maps = network(torch.zeros((1, *size, 3), dtype=torch.uint8)).maps
    wanted = [
        (
            (column + 0.5) / (width / stride),
            (row + 0.5) / (height / stride),
            side / width,
            side / height,
        )
        for (rows, columns), stride, side in zip(
            maps, (4, 8, 16, 32, 64, 128), (16, 32, 64, 128, 256, 512), strict=True
        )
        for row in range(rows)
        for column in range(columns)
    ]
    assert faces.priors(maps, height, width, CPU).numpy() == pytest.approx(
        np.array(wanted), rel=1e-6
    )


def encode(boxes, priors):
    """What the network has to say for `decode` to give these boxes; SSD's training target."""
    centres, sizes = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
    shift = (centres - priors[:, :2]) / priors[:, 2:] / 0.1
    return np.concatenate([shift, np.log(sizes / priors[:, 2:]) / 0.2], 1)


centre, side = st.floats(-0.5, 1.5), st.floats(0.01, 2.0)


@given(st.lists(st.tuples(*[centre, centre, side, side] * 2), max_size=5))
def test_decoding_undoes_encoding(rows):
    x, y, width, height, *priors = np.array(rows).reshape(-1, 8).T
    boxes = np.stack([x - width / 2, y - height / 2, x + width / 2, y + height / 2], 1)
    priors = np.stack(priors, 1)
    loc = torch.from_numpy(encode(boxes, priors))
    assert faces.decode(loc, torch.from_numpy(priors)).numpy() == pytest.approx(boxes, abs=1e-9)


# Picking faces.


def overlap(box, boxes):
    """Intersection over union of a box with each of several, areas without + 1."""
    sides = np.minimum(box[2:], boxes[:, 2:]) - np.maximum(box[:2], boxes[:, :2])
    common = sides.clip(0).prod(1)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    return common / ((box[2:] - box[:2]).prod() + areas - common)


def suppressed(boxes, order, threshold):
    """The indices that non-maximum suppression leaves, best first."""
    kept = []
    for index in order:
        if not kept or overlap(boxes[index], boxes[kept]).max() <= threshold:
            kept.append(index)
    return kept


def picked_as_published(boxes, scores, score_threshold, nms_threshold):
    """The published steps one by one: 0.05, 5000, NMS at 0.3, 750, the score, NMS again."""
    order = [index for index in np.argsort(-scores) if scores[index] > 0.05][:5000]
    order = suppressed(boxes, order, 0.3)[:750]
    order = [index for index in order if scores[index] > score_threshold]
    return suppressed(boxes, order, nms_threshold)


def scattered(seed, count):
    """Boxes that overlap each other here and there: what `pick_faces` reads."""
    random = np.random.default_rng(seed)
    loc, scores = random.normal(0, 2, (count, 4)), random.uniform(0, 1, count)
    priors = random.uniform(0.1, 0.5, (count, 4))
    return [torch.from_numpy(array) for array in (loc, scores, priors)]


@given(st.integers(0, 2**32), st.integers(0, 60), st.floats(0.05, 1), st.floats(0, 0.3))
def test_faces_are_picked_as_published(seed, count, score_threshold, nms_threshold):
    loc, scores, priors = scattered(seed, count)
    boxes = faces.decode(loc, priors).numpy()
    wanted = picked_as_published(boxes, scores.numpy(), score_threshold, nms_threshold)
    found, confidences = faces.pick_faces(loc, scores, priors, score_threshold, nms_threshold)
    assert found.numpy() == pytest.approx(boxes[wanted])
    assert confidences.numpy() == pytest.approx(scores.numpy()[wanted])


@needs_cuda
def test_faces_are_picked_on_a_gpu_as_here():
    arrays = scattered(0, 500)
    here = faces.pick_faces(*arrays, 0.5, 0.1)
    there = faces.pick_faces(*[array.to("cuda") for array in arrays], 0.5, 0.1)
    for found, want in zip(there, here, strict=True):
        assert found.cpu().numpy() == pytest.approx(want.numpy())


def apart(count):
    """Boxes that touch nothing: what `pick_faces` reads, the confidence falling slowly."""
    corner = torch.arange(count, dtype=torch.float64)
    priors = torch.stack([corner, corner, *[torch.full((count,), 0.5).double()] * 2], 1)
    return torch.zeros(count, 4).double(), torch.linspace(1, 0.95, count).double(), priors


def test_of_many_faces_the_best_are_kept():
    boxes, scores = faces.pick_faces(*apart(1000), 0.9, 0.1)
    assert (len(boxes), len(scores)) == (750, 750)
    assert torch.equal(scores, torch.linspace(1, 0.95, 1000).double()[:750])


def test_only_the_best_candidates_are_looked_at():
    """4999 times the same face, another one, and ten more that come too late."""
    loc, scores, priors = apart(5010)
    priors[:4999] = priors[0]
    kept = faces.pick_faces(loc, scores, priors, 0.9, 0.1)[1]
    assert torch.equal(kept, scores[[0, 4999]])


def test_a_wider_threshold_lets_overlapping_faces_stand():
    """Overlap 0.5: above the network's own threshold, which gives way to a higher one."""
    loc, scores, priors = apart(2)
    priors[1] = priors[0] + torch.tensor([0.5 / 3, 0, 0, 0])
    assert [len(faces.pick_faces(loc, scores, priors, 0.9, t)[0]) for t in (0.49, 0.51)] == [1, 2]


# The detector, with a network that says what it is told to.

STRIDES = np.array([4, 8, 16, 32, 64, 128])


class Told:
    """Stands in for the network: sees the faces it is told of, each from the prior nearest to it.

    Args:
        frames: For each frame the faces, as relative boxes and their confidence.
    """

    def __init__(self, *frames):
        self.frames = frames

    def __call__(self, pictures):
        self.seen = pictures
        n, height, width, _ = pictures.shape
        assert pictures.dtype == torch.uint8
        maps = [(-(-height // stride), -(-width // stride)) for stride in STRIDES]
        priors = faces.priors(maps, height, width, CPU).double().numpy()
        loc, confidence = np.zeros((n, len(priors), 4)), np.full((n, len(priors)), 0.001)
        for number, found in enumerate(self.frames):
            for box, score in found:
                target = np.array([box])
                middle = np.concatenate([target[:, :2] + target[:, 2:], target[:, 2:] * 0], 1) / 2
                nearest = np.abs(priors - middle)[:, :2].sum(1).argmin()
                loc[number, nearest] = encode(target, priors[nearest : nearest + 1])[0]
                confidence[number, nearest] = score
        return Output(torch.from_numpy(loc), torch.from_numpy(confidence), maps)


def told(network, shape, **parameters):
    """The faces found in frames of a height and a width by a network told what to see."""
    detector = S3fdDetector(S3fdConfig(**parameters), network, "cpu")
    frames = np.zeros((len(network.frames), *shape, 3), np.uint8)
    return detector.detect(frames, range(len(frames)))


LEFT, RIGHT = (0.1, 0.2, 0.3, 0.6), (0.6, 0.25, 0.75, 0.5)


def test_boxes_come_out_in_source_pixels_frame_by_frame():
    network = Told([(LEFT, 0.95), (RIGHT, 0.99)], [], [(RIGHT, 0.91)])
    found = told(network, (720, 1280))
    assert tuple(network.seen.shape) == (3, 360, 640, 3)
    assert [len(each) for each in found] == [2, 0, 1]
    assert found[0].boxes == pytest.approx(
        np.array([[768, 180, 960, 360], [128, 144, 384, 432]]), abs=0.01
    )
    assert found[0].scores.tolist() == pytest.approx([0.99, 0.95])
    assert found[2].boxes == pytest.approx(found[0].boxes[:1], abs=1e-6)


def test_width_and_height_go_back_each_by_its_own_scale():
    """1920x1080 becomes 319x179 by the reference's rule: neither is a sixth."""
    network = Told([(LEFT, 0.95)])
    found = told(network, (1080, 1920), reference_scale=0.5)
    assert tuple(network.seen.shape) == (1, 179, 319, 3)
    assert found[0].boxes == pytest.approx(np.array([[192, 216, 576, 648]]), abs=0.01)


def test_a_face_at_the_border_keeps_its_whole_box():
    found = told(Told([((-0.1, 0.8, 0.1, 1.2), 0.95)]), (360, 640))
    assert found[0].boxes == pytest.approx(np.array([[-64, 288, 64, 432]]), abs=0.01)


def test_a_face_needs_more_than_the_threshold():
    network = Told([(LEFT, 0.75), (RIGHT, 0.7500001)])
    assert told(network, (360, 640), score_threshold=0.75)[0].scores == pytest.approx([0.75])


def test_faces_below_min_face_px_are_left_out():
    """The larger side counts, in source pixels: 288 here and 192 there."""
    network = Told([(LEFT, 0.95), (RIGHT, 0.99)])
    for smallest, count in ((191, 2), (193, 1), (287, 1), (289, 0)):
        assert len(told(network, (720, 1280), min_face_px=smallest)[0]) == count


@pytest.mark.parametrize("shape", [(1, 1), (10, 400), (27, 300), (54, 3000)])
@pytest.mark.parametrize("reference_scale", [None, 0.5])
def test_a_picture_too_small_for_the_network_has_no_face(shape, reference_scale):
    def never(pictures):
        raise AssertionError("asked")

    never.frames = [[], []]
    assert [len(each) for each in told(never, shape, reference_scale=reference_scale)] == [0, 0]


# The reference's scale.


@pytest.mark.parametrize(
    ("source", "scaled"),
    [
        ((1280, 720), (640, 360)),  # 921,600 pixels: half, although it is wider than 640
        ((640, 480), (320, 240)),
        ((333, 251), (166, 125)),
        ((1000, 1000), (240, 240)),  # a million is not below a million: 0.5 * 0.480
        ((1920, 1080), (319, 179)),  # 0.5 * 0.333
        ((1080, 1920), (179, 319)),
        ((3840, 2160), (320, 180)),  # 0.5 * 0.167
        ((1, 5), (1, 2)),
    ],
)
def test_the_reference_s_scale(source, scaled):
    width, height = source
    assert reference_size(height, width, 0.5) == scaled


def test_the_reference_s_scale_is_bilinear():
    """Halving a row of 0, 100 and 200 by twos: each pixel the mean of two, not one of them."""
    network = Told([])
    detector = S3fdDetector(S3fdConfig(reference_scale=0.5), network, "cpu")
    frame = np.zeros((1, 80, 80, 3), np.uint8)
    frame[:, :, 1::2] = 100
    detector.detect(frame, [0])
    assert network.seen.shape == (1, 40, 40, 3)
    assert (network.seen == 50).all()


def test_the_preset_is_the_reference_s():
    preset = dict(compose_run(["detector=s3fd_reference"], "a.mp4").detector)
    assert preset.pop("name") == "s3fd"
    assert S3fdConfig(**preset) == S3fdConfig(
        reference_scale=0.5, min_face_px=0, score_threshold=0.9, nms_threshold=0.1
    )


# Loading.


def test_the_published_weights_are_known():
    (weights,) = registry().find("detector", "s3fd").weights
    assert (weights.name, weights.published) == ("s3fd", "sfd_face.pth")
    assert weights.check.startswith("sha256:d54a87c2")


def hollow(shapes):
    """A checkpoint of these shapes that takes no room."""
    return {key: torch.zeros(1).expand(shape) for key, shape in shapes.items()}


@pytest.mark.parametrize(
    ("state", "fault"),
    [
        ({key: shape for key, shape in SHAPES.items() if key != "vgg.0.bias"}, "1 missing"),
        ({**SHAPES, "vgg.99.bias": [4]}, r"1 unexpected \(vgg.99.bias\)"),
        ({**SHAPES, "conf.0.bias": [2]}, r"1 of another shape \(conf.0.bias\)"),
        ({"lossAV.FC.weight": [2, 256]}, "missing.*unexpected"),
    ],
)
def test_a_checkpoint_of_another_model_is_refused(tmp_path, state, fault):
    path = tmp_path / "other.pth"
    torch.save(hollow(state), path)
    with pytest.raises(WeightsError, match=f"no checkpoint of S3FD: .*{fault}") as caught:
        asdkit.load("detector", "s3fd", weights=str(path), device="cpu")
    assert "\n" not in str(caught.value)
    assert "wider_face or the path" in str(caught.value)


@pytest.mark.parametrize("weights", ["none.pth", "~nobody-of-this-name/none.pth"])
def test_no_such_checkpoint(weights):
    with pytest.raises(WeightsError, match=r"There is no (file|folder).*wider_face or the path"):
        asdkit.load("detector", "s3fd", weights=weights, device="cpu")


@pytest.mark.parametrize(
    ("package", "module"), [("torch", "torch"), ("torchvision", "torchvision.ops")]
)
def test_without_its_packages_it_names_the_extra(monkeypatch, package, module):
    for name in ("detector", "faces"):  # imported above; what is imported is not looked for
        monkeypatch.delitem(sys.modules, f"asdkit.plugins.detectors.s3fd.{name}")
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(
        MissingExtraError,
        match=rf'package {package}, .*\[torch\]", or choose detector=yunet',
    ):
        asdkit.load("detector", "s3fd", weights="none.pth", device="cpu")
