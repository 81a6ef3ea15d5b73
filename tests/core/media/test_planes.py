"""Pictures in planes: copied, drawn on, and with the colours that were asked for."""

from __future__ import annotations

import numpy as np
import pytest
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter

from asdkit.core.media.colours import BT601, BT709, BT2020
from asdkit.core.media.encode import Look
from asdkit.core.media.planes import FORMAT, Canvas, copy, is_planar, yuv
from asdkit.core.media.upright import Orientation

GREEN = (0, 180, 50)


def grey(width: int = 32, height: int = 16) -> VideoFrame:
    return Look().coded(np.full((height, width, 3), 128, np.uint8), VideoReformatter())


def samples(frame: VideoFrame) -> list[np.ndarray]:
    height, width = frame.height, frame.width
    luma, chroma = np.split(frame.to_ndarray().ravel(), [height * width])
    return [luma.reshape(height, width), *chroma.reshape(2, height // 2, width // 2)]


@pytest.mark.parametrize("colour", [GREEN, (235, 40, 40), (255, 255, 255), (0, 0, 0), (9, 90, 250)])
@pytest.mark.parametrize(("conversion", "matrix"), [(BT601, 6), (BT709, 1), (BT2020, 9)])
def test_a_colour_comes_out_as_asked(colour, conversion, matrix):
    frame = grey()
    Canvas(frame, conversion).fill(0, 0, 32, 16, colour)
    image = Look(matrix).rgb(frame, 32, 16, VideoReformatter())
    np.testing.assert_allclose(image.astype(int) - colour, 0, atol=4)


@pytest.mark.parametrize("left", [4, 5])
@pytest.mark.parametrize("top", [2, 3])
@pytest.mark.parametrize("right", [14, 15, 40])
def test_a_rectangle_has_its_edges_and_leaves_the_rest_alone(left, top, right):
    frame = grey()
    before = samples(frame)
    Canvas(frame, BT709).fill(left, top, right, 11, GREEN)
    covered = np.zeros((16, 32))
    covered[top:11, left:right] = 1
    half = covered.reshape(8, 2, 16, 2).mean(axis=(1, 3))
    for plane, old, value, cover in zip(
        samples(frame), before, yuv(GREEN, BT709), (covered, half, half), strict=True
    ):
        wanted = old + (value - old.astype(float)) * cover
        np.testing.assert_allclose(plane, wanted, atol=0.51)


@pytest.mark.parametrize(("left", "top"), [(4, 2), (5, 2), (4, 3), (5, 3), (28, 12)])
def test_a_mask_blends(left, top):
    frame = grey()
    before = samples(frame)
    mask = np.random.default_rng(0).integers(0, 256, (7, 9)).astype(np.uint8)
    Canvas(frame, BT601).blend(left, top, mask, (255, 255, 255))
    covered = np.zeros((64, 64))
    covered[top : top + 7, left : left + 9] = mask / 255
    covered = covered[:16, :32]
    half = covered.reshape(8, 2, 16, 2).mean(axis=(1, 3))
    for plane, old, value, cover in zip(
        samples(frame), before, (235, 128, 128), (covered, half, half), strict=True
    ):
        np.testing.assert_allclose(plane, old + (value - old.astype(float)) * cover, atol=1)


@pytest.mark.parametrize("place", [(-9, -9, 0, 0), (32, 0, 40, 9), (8, 8, 4, 12), (5, 5, 5, 9)])
def test_nothing_is_drawn_outside_or_without_an_area(place):
    frame = grey()
    before = frame.to_ndarray()
    Canvas(frame, BT709).fill(*place, GREEN)
    assert np.array_equal(frame.to_ndarray(), before)


@pytest.mark.parametrize("turn", [Orientation(), Orientation(True, True), Orientation(False, True)])
def test_a_copy_is_upright_and_its_own(turn):
    image = np.random.default_rng(0).integers(0, 256, (16, 32, 3)).astype(np.uint8)
    frame = Look().coded(image, VideoReformatter())
    before = samples(frame)
    target = VideoFrame(*turn.size(32, 16), FORMAT)
    copy(frame, turn, target)
    for plane, old in zip(samples(target), before, strict=True):
        assert np.array_equal(plane, turn.view(old))
    Canvas(target, BT709).fill(0, 0, 32, 32, GREEN)
    assert all(map(np.array_equal, samples(frame), before))


@pytest.mark.parametrize(
    ("width", "height", "kind", "answer"),
    [
        (32, 16, "yuv420p", True),
        (31, 16, "yuv420p", False),
        (32, 15, "yuv420p", False),
        (32, 16, "yuvj420p", False),
        (32, 16, "yuv422p", False),
        (32, 16, "yuv420p10le", False),
        (32, 16, "yuva420p", False),
        (32, 16, "gray", False),
        (32, 16, "gbrp", False),
    ],
)
def test_what_can_be_copied_as_it_is(width, height, kind, answer):
    assert is_planar(VideoFrame(width, height, kind)) == answer


def test_full_range_is_not_copied_as_it_is():
    frame = VideoFrame(32, 16, "yuv420p")
    frame.color_range = 2
    assert not is_planar(frame)
