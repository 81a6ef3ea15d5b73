"""The reframed video: what it shows when, with the sound of the source."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import jsonschema
import numpy as np
import pytest
from by_hand import result_of, square, track
from playing import heard, oblong_disc, seen
from synth import clicks, number_of, steady, write_video

import asdkit
from asdkit.core.component import Context
from asdkit.core.errors import InputError
from asdkit.core.media.encode import Look, Mp4Writer
from asdkit.core.media.picture import on_grid
from asdkit.core.media.probe import probe
from asdkit.core.result import Result
from asdkit.core.types import Track
from asdkit.plugins.writers.reframe import rendering
from asdkit.plugins.writers.reframe.config import ReframeConfig
from asdkit.plugins.writers.reframe.document import schema
from asdkit.plugins.writers.reframe.writer import build

RED, BLUE, GREEN = (220, 40, 40), (40, 40, 220), (40, 180, 40)
SIZE = (320, 180)


def halves(left, right):
    """Makes pictures of two colours, side by side."""

    def image(number: int, width: int, height: int) -> np.ndarray:
        picture = np.empty((height, width, 3), np.uint8)
        picture[:, : width // 2], picture[:, width // 2 :] = left, right
        return picture

    return image


def result(video: Path, *tracks: Track, shots=None, sound: Path | None = None, **options) -> Result:
    """A result as a run over this video gives it; of one shot unless others are given."""
    media = probe(video, sound, allow_silent=True)
    frames = max(1, round(media.info.duration_s * 25))
    shots = ((0, frames),) if shots is None else tuple(shots)
    return replace(result_of(media, *tracks, **options), shots=shots)


def two(frames: int, change: int, size=SIZE) -> list[Track]:
    """One person on the left, who speaks first, and one on the right."""
    width, height = size
    half = height / 8
    return [
        track(0, 0, [square(width / 4, height / 2, half)] * frames, speaking=[(0, change / 25)]),
        track(
            1,
            0,
            [square(3 * width / 4, height / 2, half)] * frames,
            speaking=[(change / 25, frames / 25)],
        ),
    ]


def reframe(folder: Path, what: Result, **config) -> Path:
    config = {"short_side_px": 90, "crf": 12, "lead_s": 0.0, **config}
    writer = build(ReframeConfig(**config), Context(threads=1))
    files = writer.write(what, folder)
    assert files == [folder / "reframe.json", folder / "reframe.mp4"]
    assert not list(folder.glob(".*"))
    return files[1]


def is_like(image: np.ndarray, colour) -> bool:
    return bool(np.abs(image.reshape(-1, 3).mean(axis=0) - colour).max() < 40)


def colours(path: Path) -> str:
    """The colour of each picture's middle, by its first letter."""
    letters = {"r": RED, "b": BLUE, "g": GREEN}
    return "".join(
        next(
            letter
            for letter, colour in letters.items()
            if is_like(
                image[image.shape[0] // 2 - 8 :][:16, image.shape[1] // 2 - 8 :][:, :16], colour
            )
        )
        for _, image in seen(path)
    )


# --- what is shown when


@pytest.mark.parametrize("fps", [25, 30, 50, 12])
def test_it_shows_who_speaks(fps, tmp_path):
    source = write_video(
        tmp_path / "a.mkv",
        fps=fps,
        frames=4 * fps,
        size=SIZE,
        image=halves(RED, BLUE),
        sounds=[(0.0, clicks([0.5, 3.5], 4.0))],
    )
    path = reframe(tmp_path, result(source, *two(100, 50)))
    assert [time for time, _ in seen(path)] == [time for time, _ in seen(source)]
    assert colours(path) == "r" * (2 * fps) + "b" * (2 * fps)
    assert heard(path) == pytest.approx([0.5, 3.5], abs=0.003)
    with av.open(str(path)) as container:
        picture, sound = container.streams
        assert (picture.codec_context.name, sound.codec_context.name) == ("h264", "aac")
        assert (picture.width, picture.height) == (90, 160)


@pytest.mark.parametrize("fps", [25, 30, 50, 60, Fraction(60_000, 1001)])
def test_a_cut_is_on_the_picture_with_which_the_shot_begins(fps, tmp_path):
    """The new shot has its face where the old one has another colour."""
    cut = 67

    def image(number: int, width: int, height: int) -> np.ndarray:
        return (
            halves(RED, BLUE)(0, width, height)
            if number < cut
            else (halves(BLUE, GREEN)(0, width, height))
        )

    source = write_video(tmp_path / "a.mkv", fps=fps, frames=150, size=SIZE, image=image)
    edges = [(Fraction(k) / fps, Fraction(k + 1) / fps, k) for k in range(150)]
    first = next(index for index, k in on_grid(edges) if k >= cut)
    frames = round(150 / fps * 25)
    tracks = [
        track(0, 0, [square(80, 90, 20)] * first),
        track(1, first, [square(240, 90, 20)] * (frames - first)),
    ]
    path = reframe(tmp_path, result(source, *tracks, shots=[(0, first), (first, frames)]))
    assert colours(path) == "r" * cut + "g" * (150 - cut)


def test_times_of_a_variable_rate_stay(tmp_path):
    times = [Fraction(n, 1000) for n in (0, 40, 55, 150, 151, 400, 1000, 1033, 1500, 1540)]
    source = write_video(
        tmp_path / "a.mkv", times=times, tick=Fraction(1, 1000), size=SIZE, image=halves(RED, BLUE)
    )
    path = reframe(tmp_path, result(source, *two(39, 39)))
    assert [time for time, _ in seen(path)] == times


@pytest.mark.parametrize(("start_s", "end_s"), [(1.2, None), (0.0, 2.0), (2.0, 3.4)])
def test_a_part_is_cut_out(start_s, end_s, tmp_path):
    source = write_video(
        tmp_path / "a.mkv",
        frames=100,
        size=SIZE,
        image=halves(RED, BLUE),
        sounds=[(0.0, clicks([0.5, 1.5, 2.5, 3.5], 4.0))],
    )
    first, end = round(start_s * 25), round((end_s or 4) * 25)
    what = result(source, *two(100, 50), shots=[(first, end)], start_s=start_s, end_s=end_s)
    path = reframe(tmp_path, what, hold_s=0.4)
    assert colours(path) == ("r" * 50 + "b" * 50)[first:end]
    wanted = [t - start_s for t in (0.5, 1.5, 2.5, 3.5) if start_s <= t < (end_s or 4)]
    assert heard(path) == pytest.approx(wanted, abs=0.003)


def test_two_who_speak_are_in_two_panes(tmp_path):
    source = write_video(tmp_path / "a.mp4", frames=75, size=SIZE, image=halves(RED, BLUE))
    left, right = two(75, 75)
    right = replace(right, speaking=((0.0, 3.0),))
    for _, image in seen(reframe(tmp_path, result(source, left, right))):
        assert is_like(image[10:70, 10:-10], RED)
        assert is_like(image[90:150, 10:-10], BLUE)


@pytest.mark.parametrize("empty", ["blur", "black", "centre"])
def test_a_video_without_faces(empty, tmp_path):
    source = write_video(tmp_path / "a.mp4", frames=5, size=SIZE, image=halves(RED, BLUE))
    for _, image in seen(reframe(tmp_path, result(source), empty=empty)):
        bar, middle = image[10:40], image[75:85]
        assert is_like(middle[:, 5:35], RED)
        assert is_like(middle[:, 55:85], BLUE)
        left = bar[:, 5:25].reshape(-1, 3).mean(axis=0)
        if empty == "black":
            assert left.max() < 5
        elif empty == "blur":  # dimmed, but red
            assert 60 < left[0] < 190
            assert left[2] < 70
        else:
            assert is_like(bar[:, 5:35], RED)


# --- every kind of source


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_a_turned_picture_is_upright(rotation, tmp_path):
    source = write_video(tmp_path / "a.mp4", frames=5, rotation=rotation, size=(160, 96))
    path = reframe(tmp_path, result(source), shape="160:96", short_side_px=96)
    for number, (_, image) in enumerate(seen(path)):
        assert image.shape == (96, 160, 3)
        assert number_of(image) == number


def test_a_source_of_the_shape_is_shown_whole(tmp_path):
    source = write_video(tmp_path / "a.mp4", frames=5, size=(90, 160))
    face = track(0, 0, [square(45, 60, 40)] * 5)
    for number, (_, image) in enumerate(seen(reframe(tmp_path, result(source, face)))):
        assert number_of(image) == number


@pytest.mark.parametrize("shape", ["9:16", "1:1", "16:9", "1:10"])
@pytest.mark.parametrize("size", [(90, 160), (17, 9), (95, 63), (2, 2)])
def test_every_size_gives_every_shape(size, shape, tmp_path):
    source = write_video(
        tmp_path / "a.mkv", frames=3, size=size, image=halves(RED, RED), pixels="bgr0"
    )
    face = track(0, 0, [square(size[0] / 2, size[1] / 2, 3)] * 3)
    path = reframe(tmp_path, result(source, face), shape=shape)
    wanted = ReframeConfig(shape=shape, short_side_px=90).size
    for _, image in seen(path):
        assert image.shape == (wanted[1], wanted[0], 3)
        assert is_like(image, RED)


def test_pixels_become_square(tmp_path):
    """A circle of 40 stored pixels by 80 is one of 80 by 80 on a screen."""
    source = oblong_disc(tmp_path / "a.mp4", 3)
    face = track(0, 0, [[60, 50, 100, 130]] * 3)
    path = reframe(tmp_path, result(source, face), shape="1:1", short_side_px=180)
    with av.open(str(path)) as container:
        assert container.streams.video[0].codec_context.sample_aspect_ratio == 1
    for _, image in seen(path):
        found = image.mean(axis=2) > 128
        assert found.any(axis=0).sum() == pytest.approx(found.any(axis=1).sum(), abs=2)


def test_colours_keep_their_meaning(tmp_path):
    source = tmp_path / "a.mp4"
    look = Look(5, 5, 6)
    with Mp4Writer(source, 25, look=look) as video:
        video.add(halves(RED, RED)(0, 96, 64), Fraction(0), Fraction(1, 25))
    path = reframe(tmp_path, result(source))
    with av.open(str(path)) as container:
        assert Look.of(container.streams.video[0]) == look
        frame = next(container.decode(video=0))
    assert is_like(look.rgb(frame, 90, 160, av.video.reformatter.VideoReformatter())[70:90], RED)


def test_a_crop_moves_evenly(tmp_path):
    """An edge in a picture that stays, seen by a crop that moves: it moves by small steps."""

    def image(number: int, width: int, height: int) -> np.ndarray:
        x = np.arange(width)
        row = np.where((x // 80) % 2, 220, 30).astype(np.uint8)
        return np.tile(row[None, :, None], (height, 1, 3))

    source = write_video(tmp_path / "a.mkv", frames=100, size=(640, 180), image=image)
    xs = np.linspace(100, 300, 100)
    face = track(0, 0, [square(x, 90, 40) for x in xs])
    what = result(source, face)
    path = reframe(tmp_path, what, shape="1:1", short_side_px=360, max_zoom=1.0)
    takes = json.loads((tmp_path / "reframe.json").read_text())["takes"]
    assert len(takes) == 1
    keys = takes[0]["panes"][0]["keys"]
    edges = []
    for number, (_, picture) in enumerate(seen(path)):
        x = np.interp(number, [key["frame"] for key in keys], [key["x"] for key in keys])
        line = picture[180].mean(axis=1)
        rises = np.flatnonzero((line[:-1] < 128) & (line[1:] >= 128))
        for edge in (80, 240, 400):  # where dark parts end
            wanted = (edge - x) * 2
            if 3 < wanted < 357:
                edges.append(np.abs(rises + 1 - wanted).min())
    assert len(edges) > 100
    assert max(edges) < 1.6


# --- files


def test_json_alone_needs_no_video(tmp_path):
    source = write_video(tmp_path / "a.mp4", frames=100, size=SIZE)
    what = result(source, *two(100, 50))
    source.unlink()
    writer = build(ReframeConfig(render=False), Context())
    assert writer.write(what, tmp_path) == [tmp_path / "reframe.json"]
    found = json.loads((tmp_path / "reframe.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema())
    jsonschema.validate(found, schema())
    assert found["output"] == {"width": 1080, "height": 1920, "file": None}
    assert [take["panes"][0]["who"] for take in found["takes"]] == [["track_0"], ["track_1"]]
    assert found["takes"][1]["panes"][0]["keys"][0]["time_s"] == pytest.approx(2.0)


def test_nothing_is_left_when_it_fails(tmp_path, monkeypatch):
    source = write_video(tmp_path / "a.mp4", frames=60, size=SIZE)
    calls = []

    def fail(*call) -> None:
        calls.append(call)
        if len(calls) == 50:
            raise RuntimeError("in the middle")
        return real(*call)

    real = rendering.cut_out
    monkeypatch.setattr(rendering, "cut_out", fail)
    folder = tmp_path / "out"
    folder.mkdir()
    with pytest.raises(RuntimeError, match="in the middle"):
        reframe(folder, result(source, *two(60, 30)))
    assert [path.name for path in folder.iterdir()] == ["reframe.json"]


def test_a_video_that_is_gone(tmp_path):
    source = write_video(tmp_path / "a.mp4", frames=10, size=SIZE)
    what = result(source)
    source.unlink()
    with pytest.raises(InputError, match=r"a\.mp4, which the result is of, is not there any more"):
        reframe(tmp_path, what)


def test_a_run_writes_it(tmp_path):
    sounds = [(0.0, clicks([0.1], 1.2))]
    video = write_video(tmp_path / "clip.mp4", frames=30, size=SIZE, image=steady, sounds=sounds)
    boxes = tmp_path / "boxes.json"
    boxes.write_text(str([[[100, 50, 140, 95, 1.0]]] * 30))
    words = ["detector=boxes", f"detector.path={boxes}", "scorer=lip_motion", "cutter=none"]
    words += ["writers=[reframe]", "writers.reframe.shape=4:5", "writers.reframe.short_side_px=80"]
    found = asdkit.run(
        video, [*words, "writers.reframe.split_s=null", f"output={tmp_path / 'out'}"]
    )
    assert [path.name for path in found.files] == ["reframe.json", "reframe.mp4"]
    (take,) = json.loads(found.files[0].read_text())["takes"]
    assert take["panes"][0]["who"] == [found.tracks[0].name]
    assert {image.shape for _, image in seen(found.files[1])} == {(100, 80, 3)}
