"""Cutters: where shots begin."""

from __future__ import annotations

import csv

import cv2
import numpy as np
import pytest
from scenedetect import FrameTimecode
from scenedetect.detectors import ContentDetector
from scenedetect.output import write_scene_list

import asdkit
from asdkit.core.errors import ConfigError, InputError
from asdkit.plugins.cutters.content import change

ROWS = [(0.0, 6.0), (6.0, 60.0), (60.0, 75.2)]


def starts(cutter, frames):
    """The frames with which the cutter begins a shot, asked as a run asks it."""
    ahead = getattr(cutter, "lookahead_frames", 0)
    shown = [*frames, *[frames[-1]] * ahead]
    return [k - ahead for k, frame in enumerate(shown) if cutter.starts_shot(frame, k)]


def scene_list(path, fps=25.0):
    """A list as PySceneDetect itself writes it."""
    scenes = [(FrameTimecode(a, fps), FrameTimecode(b, fps)) for a, b in ROWS]
    with path.open("w", newline="") as file:
        write_scene_list(file, scenes)
    return path


def found(path):
    """The starts of a list within 80 s, with pictures that play no part."""
    return starts(asdkit.load("cutter", "csv", path=str(path)), [None] * 2000)


def test_content_cuts_where_the_picture_changes():
    rng = np.random.default_rng(0)
    scenes = [rng.integers(0, 250, (90, 160, 3), np.uint8) for _ in range(3)]
    noise = [rng.integers(0, 3, (90, 160, 3), np.uint8) for _ in range(30)]
    frames = [scene + grain for scene in scenes for grain in noise]
    assert starts(asdkit.load("cutter", "content"), frames) == [30, 60]
    assert starts(asdkit.load("cutter", "content", min_shot_s=1.6), frames) == [60]
    assert starts(asdkit.load("cutter", "content", threshold=255.0), frames) == []


def scene(seed, frames):
    """Frames of a scene that no other seed shares, each with a grain of its own."""
    rng = np.random.default_rng(seed)
    picture = rng.integers(0, 200, (90, 160, 3), np.uint8)
    return [picture + rng.integers(0, 3, picture.shape, np.uint8) for _ in range(frames)]


@pytest.mark.parametrize("flashes", [{20: 200}, {20: 200, 21: 90}, {20: 255, 21: 255, 22: 60}])
def test_a_flash_is_no_cut(flashes):
    frames = scene(0, 40)
    for index, light in flashes.items():
        frames[index] = cv2.add(frames[index], np.full_like(frames[index], light))
    assert starts(asdkit.load("cutter", "content"), frames) == []
    assert starts(asdkit.load("cutter", "content"), [*frames, *scene(1, 20)]) == [40]


def test_a_cut_behind_a_flash_is_a_cut():
    frames = [*scene(0, 20), *[np.full((90, 160, 3), 255, np.uint8)] * 2, *scene(1, 20)]
    assert starts(asdkit.load("cutter", "content"), frames)[0] in (20, 22)
    assert len(starts(asdkit.load("cutter", "content"), frames)) == 1


def test_a_damaged_picture_is_no_cut():
    frames = scene(0, 40)
    frames[20] = np.full_like(frames[20], 128)
    assert starts(asdkit.load("cutter", "content"), frames) == []


def test_a_short_shot_is_a_shot():
    frames = [*scene(0, 30), *scene(1, 10), *scene(2, 30)]
    assert starts(asdkit.load("cutter", "content"), frames) == [30, 40]
    assert starts(asdkit.load("cutter", "content", min_shot_s=0.6), frames) == [30]


def test_a_cut_just_before_the_end_is_seen():
    assert starts(asdkit.load("cutter", "content"), [*scene(0, 20), *scene(1, 1)]) == [20]


def test_content_takes_any_size():
    frames = [np.full((2000, 3, 3), 10, np.uint8), np.full((2000, 3, 3), 250, np.uint8)]
    assert starts(asdkit.load("cutter", "content", min_shot_s=0.0), frames) == [1]


def test_none_never_cuts():
    frames = [np.full((8, 8, 3), 255 * (k % 2), np.uint8) for k in range(10)]
    assert starts(asdkit.load("cutter", "none"), frames) == []


def test_a_list_as_pyscenedetect_writes_it(tmp_path):
    path = scene_list(tmp_path / "scenes.csv")
    assert path.read_text().startswith("00:00:06.000,")
    assert found(path) == [0, 150, 1500]
    path.write_text("Timecode List:," + path.read_text())  # as older versions of it do
    assert found(path) == [0, 150, 1500]


@pytest.mark.parametrize("drop", [1, 2])
def test_without_its_first_lines(tmp_path, drop):
    path = scene_list(tmp_path / "scenes.csv")
    path.write_text("".join(path.read_text().splitlines(keepends=True)[drop:]))
    assert found(path) == [0, 150, 1500]


def test_seconds_rounded_up_to_sixty(tmp_path):
    path = scene_list(tmp_path / "scenes.csv")
    rows = list(csv.reader(path.read_text().splitlines()[1:]))
    seconds = rows[0].index("Start Time (seconds)")
    timecode = rows[0].index("Start Timecode")
    for row in rows:
        del row[seconds]
    rows[-1][timecode] = "00:00:60.000"
    path.write_text("\n".join(",".join(row) for row in rows))
    assert found(path) == [0, 150, 1500]


def test_starts_of_other_frame_rates_fall_on_the_nearest_frame(tmp_path):
    path = tmp_path / "scenes.csv"
    path.write_text("1,1,00:00:00.000,0.000\n2,30,00:00:00.968,0.968\n3,36,00:00:01.168,1.168\n")
    assert found(path) == [0, 24, 29]


@pytest.mark.parametrize(
    "text", ["", "hello,there\n", "Scene Number,Start Frame\n1,1\n", "\xff\xfe"]
)
def test_no_such_list(tmp_path, text):
    path = tmp_path / "scenes.csv"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(InputError, match="list-scenes"):
        asdkit.load("cutter", "csv", path=str(path))


def test_a_missing_list_or_path(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        asdkit.load("cutter", "csv", path=str(tmp_path / "none.csv"))
    with pytest.raises(ConfigError, match=r"cutter=csv.*path is not set|path is not set"):
        asdkit.load("cutter", "csv")


def test_parameters_out_of_range():
    with pytest.raises(ConfigError, match=r"cutter\.threshold"):
        asdkit.load("cutter", "content", threshold=0.0)
    with pytest.raises(ConfigError, match=r"cutter\.min_shot_s"):
        asdkit.load("cutter", "content", min_shot_s=-1.0)


def test_the_change_is_that_of_pyscenedetect():
    rng = np.random.default_rng(1)
    theirs, before = ContentDetector(), None
    pictures = rng.integers(0, 256, (6, 45, 80, 3), np.uint8)
    pictures[3:] = pictures[3:] // 3 + pictures[2] // 2
    for k, picture in enumerate(pictures):
        score = theirs._calculate_frame_score(FrameTimecode(k, 25.0), picture)
        colours = cv2.cvtColor(picture, cv2.COLOR_BGR2HSV)
        if before is not None:
            assert change(before, colours) == score
        before = colours
