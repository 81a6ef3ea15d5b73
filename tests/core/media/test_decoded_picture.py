"""Pictures of decoded frames: converted in part, scaled or whole, they show the same."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from av.video.frame import VideoFrame

from asdkit.core.media import upright
from asdkit.core.media.colours import converter
from asdkit.core.media.upright import Upright
from asdkit.core.pictures import scaled_size

SIZE = (192, 130)
"""Width and height, of which no side is a multiple of those of converted parts."""
TURNS = ("0", "90", "180", "270")


def smooth(width: int, height: int) -> np.ndarray:
    """A picture with gradients and shapes of all colours, as codecs and cameras give them."""
    noise = np.random.default_rng(0).integers(0, 256, (9, 13, 3), np.uint8)
    return np.asarray(cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def frame_of(
    form: str, size: tuple[int, int] = SIZE, space: int = 1, extent: int = 1
) -> VideoFrame:
    frame = VideoFrame.from_ndarray(smooth(*size), format="rgb24").reformat(format=form)
    frame.colorspace = space
    frame.color_range = extent
    return frame


def pictured(frame: VideoFrame, rotate: str = "0", transfer: int = 2) -> upright.Picture:
    size = (frame.width, frame.height)
    return Upright(
        size[::-1] if rotate in ("90", "270") else size, rotate, converter(transfer)
    ).picture(frame)


def some_regions(height: int, width: int) -> list[tuple[int, int, int, int]]:
    chance = random.Random(1)
    whole = (0, height, 0, width)
    corners = [(0, 1, 0, 1), (height - 1, height, width - 1, width), (0, 3, width - 5, width)]
    inner = [
        (*sorted(chance.sample(range(height + 1), 2)), *sorted(chance.sample(range(width + 1), 2)))
        for _ in range(25)
    ]
    return [whole, *corners, *inner]


@pytest.mark.parametrize("rotate", TURNS)
@pytest.mark.parametrize("form", [*upright._IN_PARTS, "nv12", "yuv420p10le", "rgb24", "yuv411p"])
def test_a_region_is_exactly_what_the_whole_picture_shows_there(form, rotate):
    frame = frame_of(form)
    whole = pictured(frame, rotate).rgb()
    for top, bottom, left, right in some_regions(*whole.shape[:2]):
        part = pictured(frame, rotate).region(top, bottom, left, right)
        assert np.array_equal(part, whole[top:bottom, left:right]), (top, bottom, left, right)
        for step in (2, 7):
            few = pictured(frame, rotate).region(top, bottom, left, right, step)
            wanted = whole[top:bottom:step, left:right:step]
            assert np.array_equal(few, wanted), (top, bottom, left, right, step)


@pytest.mark.parametrize("transfer", [2, 16, 18], ids=["standard", "PQ", "HLG"])
@pytest.mark.parametrize("extent", [1, 2], ids=["limited", "full"])
@pytest.mark.parametrize("space", [1, 5, 9], ids=["BT709", "BT601", "BT2020"])
def test_so_it_is_with_any_colours(space, extent, transfer):
    frame = frame_of("yuv420p", space=space, extent=extent)
    whole = pictured(frame, transfer=transfer).rgb()
    part = pictured(frame, transfer=transfer).region(31, 77, 55, 140)
    assert np.array_equal(part, whole[31:77, 55:140])
    few = pictured(frame, transfer=transfer).region(31, 77, 55, 140, 3)
    assert np.array_equal(few, whole[31:77:3, 55:140:3])


@pytest.mark.parametrize("size", [(33, 21), (2, 2), (1, 1), (64, 1)])
def test_so_it_is_with_small_and_odd_sizes(size):
    frame = frame_of("yuv420p", size)
    whole = pictured(frame).rgb()
    for top, bottom, left, right in [(0, *size[1:], 0, size[0]), (0, 1, 0, 1)]:
        part = pictured(frame).region(top, bottom, left, right)
        assert np.array_equal(part, whole[top:bottom, left:right])


@pytest.mark.parametrize("rotate", TURNS)
@pytest.mark.parametrize("form", ["yuv420p", "yuv422p", "nv12", "yuv420p10le", "rgb24"])
def test_a_scaled_picture_is_the_whole_one_averaged_over_areas(form, rotate):
    picture = pictured(frame_of(form), rotate)
    height, width, _ = scaled_size(picture.height, picture.width, 64)
    small = picture.scaled(64)
    assert small.shape == (height, width, 3)
    assert small.flags.c_contiguous
    wanted = cv2.resize(picture.rgb(), (width, height), interpolation=cv2.INTER_AREA)
    difference = small.astype(float) - wanted
    assert np.abs(difference @ (0.299, 0.587, 0.114)).mean() < 2  # brightness
    assert np.abs(difference).mean() < 7  # colours, of which some formats store a quarter
    assert picture.scaled(64) is small  # for all who want the same
    assert picture.scaled(500) is picture.rgb()


def test_nothing_is_converted_that_nobody_looks_at(monkeypatch):
    sizes = []

    def counting(frame, width, height):
        sizes.append((width, height))
        return np.zeros((height, width, 3), np.uint8)

    picture = Upright(SIZE, "0", counting).picture(frame_of("yuv420p"))
    assert not sizes
    picture.region(10, 20, 10, 20)
    picture.scaled(96)
    assert sizes == [(64, 64), (96, 65)]
    picture.rgb()
    picture.region(0, 100, 0, 100)
    picture.rgb()
    assert sizes[2:] == [SIZE]  # once whole, always whole


@pytest.mark.parametrize("transfer", [2, 16], ids=["standard", "PQ"])
def test_several_threads_may_look_at_one_picture(transfer):
    frame = frame_of("yuv420p", (640, 360), space=9)
    for tag, value in (("color_trc", transfer), ("color_primaries", 9)):
        if hasattr(frame, tag):  # newer PyAV changes them while it converts
            setattr(frame, tag, value)
    alone = pictured(frame, transfer=transfer)
    looks = [
        lambda picture: picture.scaled(256),
        lambda picture: picture.scaled(100),
        lambda picture: picture.region(30, 200, 50, 300),
        lambda picture: picture.rgb(),
    ]
    wanted = [look(alone) for look in looks]
    for _ in range(20):
        picture = pictured(frame, transfer=transfer)
        barrier = threading.Barrier(2 * len(looks))

        def seen(look, picture=picture, barrier=barrier):
            barrier.wait()
            return look(picture)

        with ThreadPoolExecutor(2 * len(looks)) as pool:
            for found, one in zip(pool.map(seen, 2 * looks), 2 * wanted, strict=True):
                assert np.array_equal(found, one)


def test_a_frame_of_another_size_becomes_a_picture_of_the_videos_size():
    picture = Upright(SIZE, "0", converter(2)).picture(frame_of("yuv420p", (96, 65)))
    assert (picture.width, picture.height) == SIZE
    assert picture.region(0, 130, 0, 192).shape == (130, 192, 3)
