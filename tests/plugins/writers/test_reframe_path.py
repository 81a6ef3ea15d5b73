"""The planned path of the crop: what holds of every path, and how it follows a face."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import jsonschema
import numpy as np
import pytest
from by_hand import result, square, track
from hypothesis import given, settings
from hypothesis import strategies as st

from asdkit.core.errors import ConfigError
from asdkit.core.loading import load
from asdkit.plugins.writers.reframe.camera import Motion, easing_frames, followed
from asdkit.plugins.writers.reframe.config import ReframeConfig
from asdkit.plugins.writers.reframe.document import json_lines, schema
from asdkit.plugins.writers.reframe.keys import keys_of
from asdkit.plugins.writers.reframe.paths import Pane, Rect
from asdkit.plugins.writers.reframe.planning import planned

TALK = ((0.0, 3.0),)


def crops(pane: Pane, first: int, end: int) -> np.ndarray:
    """(end - first, 4) x, y, width, height in each grid frame."""
    return np.array([list(vars(pane.crop(frame)).values()) for frame in range(first, end)])


def moving(xs, y: float = 300, half: float = 60) -> list:
    return [square(x, y, half) for x in xs]


# --- the camera


@given(
    wanted=st.lists(st.floats(-1000, 1000), min_size=1, max_size=120).map(np.array),
    motion=st.builds(
        Motion,
        dead_zone=st.floats(0, 200),
        speed=st.floats(0.1, 2000),
        ease_s=st.floats(0, 2),
    ),
)
def test_a_camera_keeps_its_limits(wanted, motion):
    path = followed(wanted, motion)
    near = 1e-6
    assert path.min() >= wanted.min() - near
    assert path.max() <= wanted.max() + near
    step = motion.speed / 25
    speeds = np.diff(path)
    assert np.abs(speeds).max(initial=0) <= step + near
    most = 2 * step / easing_frames(motion)
    assert np.abs(np.diff(speeds)).max(initial=0) <= most + near
    if np.ptp(wanted) <= 2 * motion.dead_zone:
        assert np.ptp(path) <= near


def test_a_camera_that_can_follows_within_the_dead_zone():
    wanted = np.concatenate([np.full(50, 100.0), np.linspace(100, 400, 100), np.full(50, 400.0)])
    path = followed(wanted, Motion(dead_zone=20, speed=200, ease_s=0.4))
    assert np.abs(path - wanted).max() < 30
    assert np.ptp(path[:40]) == pytest.approx(0, abs=1e-9)  # it waits
    assert path[-1] == pytest.approx(400, abs=20)


def test_a_jump_is_met_half_way():
    wanted = np.repeat([0.0, 100.0], 50)
    path = followed(wanted, Motion(dead_zone=0, speed=100, ease_s=0.4))
    assert (path[49] + path[50]) / 2 == pytest.approx(50, abs=1)
    assert path[15] == pytest.approx(0, abs=1e-9)
    assert path[85] == pytest.approx(100, abs=1e-9)


# --- keys


@given(st.lists(st.tuples(*[st.floats(0, 50)] * 4), min_size=1, max_size=60))
def test_keys_keep_every_place(rows):
    rows = np.repeat(np.array(rows), 3, axis=0)
    pane = Pane((), (), Rect(0, 0, 1, 1), keys_of(rows, 100, 7))
    assert (pane.keys[0].frame, pane.keys[-1].frame) == (107, 106 + len(rows))
    np.testing.assert_allclose(crops(pane, 107, 107 + len(rows)), rows, atol=0.025)


def test_a_rest_is_two_keys_and_a_straight_move_two():
    still = np.tile([10.0, 0, 90, 160], (1000, 1))
    still[400:600, 0] = np.linspace(10, 110, 200)
    still[600:, 0] = 110
    keys = keys_of(still, 0, 0)
    assert [(key.frame, key.kind) for key in keys] == [
        (0, "cut"), (400, "hold"), (599, "move"), (999, "hold")
    ]  # fmt: skip


# --- the plan


def test_a_crop_follows_a_face_without_leaving_the_picture():
    xs = np.concatenate([np.full(50, 200.0), np.linspace(200, 1200, 150), np.full(50, 1200.0)])
    what = result(track(0, 0, moving(xs), speaking=TALK), size=(1280, 720))
    (take,) = planned(what, ReframeConfig())
    found = crops(take.panes[0], 0, 250)
    assert (take.layout, take.panes[0].who, take.panes[0].tracks) == ("one", ("track_0",), (0,))
    centres = found[:, 0] + found[:, 2] / 2
    within = np.clip(xs, found[0, 2] / 2, 1280 - found[0, 2] / 2)
    assert np.abs(centres - within).max() < 0.15 * found[0, 2]
    assert abs(centres[20] - 200) < 0.06 * found[0, 2]  # at rest in the middle
    kinds = [key.kind for key in take.panes[0].keys]
    assert kinds[0] == "cut"
    assert kinds[-1] == "hold"
    assert "move" in kinds


def test_the_face_is_at_the_upper_third_and_of_the_size_asked_for():
    what = result(track(0, 0, moving([640] * 250, 360, 40)), size=(1280, 720))
    config = ReframeConfig(face_share=0.2, headroom=0.35)
    crop = planned(what, config)[0].panes[0].crop(0)
    assert crop.height == pytest.approx(80 / 0.2)
    assert (360 - crop.y) / crop.height == pytest.approx(0.35, abs=0.001)
    assert crop.x + crop.width / 2 == pytest.approx(640, abs=0.01)
    small = result(track(0, 0, moving([640] * 250, 360, 10)), size=(1280, 720))
    assert planned(small, config)[0].panes[0].crop(0).height == 360  # max_zoom
    large = result(track(0, 0, moving([640] * 250, 360, 300)), size=(1280, 720))
    assert planned(large, config)[0].panes[0].crop(0) == Rect(437.5, 0, 405, 720)


def test_far_people_are_cut_between_and_near_ones_moved_between():
    def takes(x: float):
        one = track(0, 0, moving([400] * 250), speaking=((0.0, 5.0),))
        other = track(1, 0, moving([x] * 250), speaking=((5.0, 10.0),))
        return planned(result(one, other, size=(1280, 720)), ReframeConfig(lead_s=0))

    first, second = takes(1000)
    assert (first.end, second.first) == (125, 125)
    assert second.panes[0].keys[0].kind == "cut"
    first, second = takes(500)
    assert second.panes[0].keys[0].kind == "hold"
    assert first.panes[0].keys[-1].frame == second.panes[0].keys[0].frame == 125
    assert first.panes[0].keys[-1].crop == second.panes[0].keys[0].crop
    path = np.concatenate([crops(first.panes[0], 0, 125), crops(second.panes[0], 125, 250)])
    assert 0 < np.abs(np.diff(path[:, 0])).max() <= 0.8 * 405 / 25 + 0.01


def test_a_shot_always_begins_with_a_cut():
    boxes = moving([400] * 250)
    what = result(track(0, 0, boxes, speaking=TALK), size=(1280, 720), shots=[(0, 77), (77, 250)])
    first, second = planned(what, ReframeConfig())
    assert (first.shot, first.first, first.end) == (0, 0, 77)
    assert (second.shot, second.first, second.end) == (1, 77, 250)
    assert second.panes[0].keys[0].kind == "cut"


def both(left: float, right: float, size=(1280, 720), **config):
    span = ((0.0, 10.0),)
    one = track(0, 0, moving([left] * 250), speaking=span, identity="Ann")
    other = track(1, 0, moving([right] * 250), speaking=span, identity="Bo")
    (take,) = planned(result(one, other, size=size), ReframeConfig(**config))
    return take


def test_two_who_speak_share_a_crop_if_they_fit_else_the_picture():
    take = both(200, 1000)
    assert take.layout == "split"
    upper, lower = take.panes
    assert (upper.who, lower.who) == (("Ann",), ("Bo",))
    assert (upper.place, lower.place) == (Rect(0, 0, 1, 0.5), Rect(0, 0.5, 1, 0.5))
    for pane, x in ((upper, 200), (lower, 1000)):
        crop = pane.crop(0)
        assert crop.width / crop.height == pytest.approx(9 / 8, rel=1e-4)
        assert crop.x <= x <= crop.x + crop.width
    near = both(600, 720)
    assert (near.layout, near.panes[0].who) == ("one", ("Ann", "Bo"))
    crop = near.panes[0].crop(0)
    assert crop.x <= 540
    assert crop.x + crop.width >= 780
    wide = both(200, 1000, size=(1280, 400), shape="2:1")
    assert [pane.place for pane in wide.panes] == [Rect(0, 0, 0.5, 1), Rect(0.5, 0, 0.5, 1)]


@pytest.mark.parametrize(("left", "right"), [(200, 800), (350, 950), (500, 1100), (80, 1200)])
@pytest.mark.parametrize("shape", ["9:16", "4:5", "1:1"])
def test_a_pane_shows_one_face(left, right, shape):
    take = both(left, right, shape=shape, face_share=0.1)
    assert take.layout == "split"
    (own, _), (other, _) = ((pane.crop(9), pane.who) for pane in take.panes)
    assert own.x <= left - 50
    assert own.x + own.width <= right - 60 + 1
    assert other.x >= left + 60 - 1
    assert other.x + other.width >= right + 50


@pytest.mark.parametrize(
    ("empty", "layout", "crop", "place"),
    [
        ("blur", "whole", Rect(0, 0, 1280, 720), Rect(0, 0.5 - 81 / 512, 1, 81 / 256)),
        ("black", "whole", Rect(0, 0, 1280, 720), Rect(0, 0.5 - 81 / 512, 1, 81 / 256)),
        ("centre", "centre", Rect(437.5, 0, 405, 720), Rect(0, 0, 1, 1)),
    ],
)
def test_what_a_shot_without_faces_shows(empty, layout, crop, place):
    (take,) = planned(result(size=(1280, 720)), ReframeConfig(empty=empty))
    assert (take.layout, take.panes[0].who) == (layout, ())
    assert take.panes[0].crop(100) == crop
    found = take.panes[0].place
    assert list(vars(found).values()) == pytest.approx(list(vars(place).values()))


def test_a_source_of_that_shape_is_whole_without_bars():
    (take,) = planned(result(size=(1080, 1920)), ReframeConfig())
    assert take.panes[0].place == Rect(0, 0, 1, 1)
    large = track(0, 0, moving([540] * 250, 800, 300))
    (take,) = planned(result(large, size=(1080, 1920)), ReframeConfig())
    assert take.panes[0].crop(9) == Rect(0, 0, 1080, 1920)


def test_pixels_that_are_not_square():
    what = result(track(0, 0, moving([360] * 250, 200, 120)), size=(720, 576))
    what = replace(what, video=replace(what.video, pixel_aspect=16 / 11))
    crop = planned(what, ReframeConfig(shape="1:1"))[0].panes[0].crop(0)
    assert crop.width * 16 / 11 == pytest.approx(crop.height, abs=0.01)


@settings(max_examples=60)
@given(
    shape=st.sampled_from(["9:16", "1:1", "4:5", "16:9", "2.39:1", "1:10"]),
    size=st.sampled_from([(1280, 720), (720, 1280), (33, 21), (640, 640), (2, 2)]),
    aspect=st.sampled_from([1.0, 16 / 11, 0.5]),
    faces=st.lists(
        st.tuples(
            st.integers(0, 200),  # first frame
            st.lists(st.tuples(st.floats(-0.2, 1.2), st.floats(-0.2, 1.2)), min_size=2, max_size=6),
            st.floats(0.001, 0.6),  # size
            st.tuples(st.integers(0, 249), st.integers(1, 200)),
        ),
        max_size=4,
    ),
    cuts=st.sets(st.integers(1, 249), max_size=3),
    hold_s=st.sampled_from([0.5, 1.0, 2.0]),
)
def test_what_holds_of_every_path(shape, size, aspect, faces, cuts, hold_s):
    width, height = size
    tracks = []
    for number, (first, points, part, (begin, length)) in enumerate(faces):
        frames = np.linspace(0, len(points) - 1, 250 - first)
        x, y = (np.interp(frames, range(len(points)), axis) for axis in zip(*points, strict=True))
        half = part * min(size) / 2
        boxes = [square(*at, half) for at in zip(x * width, y * height, strict=True)]
        span = (begin / 25, min(begin + length, 250) / 25)
        tracks.append(track(number, first, boxes, speaking=[span]))
    edges = [0, *sorted(cuts), 250]
    what = result(*tracks, size=size, shots=list(pairwise(edges)))
    what = replace(what, video=replace(what.video, pixel_aspect=aspect))
    config = ReframeConfig(shape=shape, hold_s=hold_s)
    takes = planned(what, config)
    jsonschema.validate(json.loads("".join(json_lines(what.video, config, takes, None))), schema())
    # No gaps; each shot begins with a cut, and within it no take is too short.
    assert [take.first for take in takes] == [0, *(take.end for take in takes[:-1])]
    assert takes[-1].end == 250
    starts = {take.first for take in takes}
    assert set(edges[:-1]) <= starts
    for shot, (begin, end) in enumerate(pairwise(edges)):
        own = [take for take in takes if take.shot == shot]
        assert (own[0].first, own[-1].end) == (begin, end)
        assert all(pane.keys[0].kind == "cut" for pane in own[0].panes)
        assert len(own) == 1 or min(take.end - take.first for take in own) >= hold_s * 25
    for take in takes:
        for pane in take.panes:
            assert [key.kind for key in pane.keys[1:]].count("cut") == 0
            found = crops(pane, take.first, take.end)
            # Always inside.
            assert found[:, :2].min() >= 0
            assert (found[:, 0] + found[:, 2]).max() <= width + 1e-9
            assert (found[:, 1] + found[:, 3]).max() <= height + 1e-9
            if take.layout == "whole":
                continue
            # Of the shape, to a part of a pixel.
            wanted = float(config.aspect * Fraction(pane.place.width / pane.place.height))
            np.testing.assert_allclose(found[:, 2] * aspect, found[:, 3] * wanted, atol=0.02)
            # Never magnified beyond the limit.
            largest = min(height, width * aspect / wanted)
            assert found[:, 3].min() >= largest / config.max_zoom - 0.002
            # Never too fast. Its edges move at most as its middle and its size do together.
            side = min(found[:, 2].min(), found[:, 3].min())
            most = 2 * config.speed * side / 25 * max(1, wanted / aspect)
            assert np.abs(np.diff(found, axis=0)).max(initial=0) <= most + 0.05


# --- the parameters


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"shape": "tall"}, "shape must be WIDTH:HEIGHT, such as 9:16"),
        ({"shape": "0:1"}, "from 1:10 to 10:1, got '0:1'"),
        ({"shape": "1:11"}, "from 1:10 to 10:1, got '1:11'"),
        ({"short_side_px": 8}, "short_side_px must be from 16 to 4320, got 8"),
        ({"empty": "green"}, "empty must be one of blur, black, centre, got 'green'"),
        ({"hold_s": -1.0}, "hold_s must be from 0 to 3600, got -1"),
        ({"split_s": 0.0}, "split_s must be above 0"),
        ({"max_zoom": 0.5}, "max_zoom must be from 1 to 100, got 0.5"),
        ({"speed": 0.0}, "speed must be from 0.01 to 100, got 0"),
        ({"crf": 52}, "crf must be from 0 to 51, got 52"),
    ],
)
def test_parameters_out_of_range(given, why):
    with pytest.raises(ConfigError, match=why):
        load("writer", "reframe", **given)


@pytest.mark.parametrize(
    ("shape", "side", "size"),
    [
        ("9:16", 1080, (1080, 1920)),
        ("1:1", 1080, (1080, 1080)),
        ("4:5", 1080, (1080, 1350)),
        ("16:9", 720, (1280, 720)),
        ("2.39:1", 480, (1148, 480)),
        ("9x16", 45, (44, 80)),
    ],
)
def test_the_size_of_the_video(shape, side, size):
    assert ReframeConfig(shape=shape, short_side_px=side).size == size
