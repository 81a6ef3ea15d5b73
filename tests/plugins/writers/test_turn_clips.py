"""The clips of turns: each has the pictures and the sound of its turn, and a line in the index."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas
import pytest
from by_hand import result as made_up
from by_hand import result_of, square, track
from playing import heard, oblong_disc, seen
from synth import clicks, number_of, numbered, steady, write_video

import asdkit
from asdkit.core.component import Context
from asdkit.core.errors import ConfigError
from asdkit.core.loading import load
from asdkit.core.media.encode import Mp4Writer
from asdkit.core.media.probe import probe
from asdkit.core.result import Result
from asdkit.core.types import Track
from asdkit.plugins.writers import source as source_pass
from asdkit.plugins.writers.clips import recording
from asdkit.plugins.writers.clips.config import ClipsConfig
from asdkit.plugins.writers.clips.turns import turns_of
from asdkit.plugins.writers.clips.writer import COLUMNS, build

FACE = [square(48, 32, 20)]


def result(video: Path, *tracks: Track, shots=None, **options) -> Result:
    media = probe(video, allow_silent=True)
    shots = ((0, round(media.info.duration_s * 25)),) if shots is None else tuple(shots)
    return replace(result_of(media, *tracks, **options), shots=shots)


def face(number: int, frames: int, *speaking, first: int = 0, **more) -> Track:
    return track(number, first, FACE * frames, 3.0, speaking=speaking, **more)


def write(folder: Path, what: Result, **config) -> pandas.DataFrame:
    """Write clips; the index."""
    (place,) = build(ClipsConfig(**config), Context(threads=1)).write(what, folder)
    assert place == folder / "clips"
    index = pandas.read_csv(place / "index.csv")
    assert tuple(index.columns) == COLUMNS
    assert {path.name for path in place.iterdir()} == {"index.csv", *index.file}
    return index


def numbers(path: Path) -> list[int]:
    return [number_of(image) for _, image in seen(path)]


# --- what is cut out


@pytest.mark.parametrize("fps", [25, 30, 50, Fraction(30_000, 1001)])
@pytest.mark.parametrize("codec", ["aac", "pcm_s16le"])
def test_each_turn_has_its_pictures_and_its_sound(fps, codec, tmp_path):
    """A click is heard with the picture that it was heard with in the source."""
    times = [0.1 + 0.2 * k for k in range(40)]
    source = write_video(
        tmp_path / "a.mkv",
        fps=fps,
        frames=round(8 * fps),
        sounds=[(0.0, clicks(times, 8.0))],
        sound_codec=codec,
        tick=1 / Fraction(fps),
    )
    spans = [(0.0, 1.2), (1.48, 3.0), (4.04, 7.0)]
    what = result(source, face(0, 200, *spans), face(1, 200, (0.52, 2.0)))
    index = write(tmp_path, what, picture="frame")
    assert list(zip(index.start_s, index.end_s, strict=True)) == sorted([*spans, (0.52, 2.0)])
    before = [float(time) for time, _ in seen(source)]
    for row in index.itertuples():
        path = tmp_path / "clips" / row.file
        pictures = numbers(path)
        assert pictures == list(range(pictures[0], pictures[-1] + 1))
        # Exact to a frame, and said exactly.
        assert before[pictures[0]] == pytest.approx(row.file_start_s, abs=0.001)
        assert before[pictures[-1]] + float(1 / fps) == pytest.approx(row.file_end_s, abs=0.001)
        assert abs(row.file_start_s - row.start_s) <= 0.0201
        assert abs(row.file_end_s - row.end_s) <= 0.0201
        relative = [time - row.file_start_s for time in times]
        length = row.file_end_s - row.file_start_s
        wanted = [time for time in relative if 0.01 < time < length - 0.01]
        found = [time for time in heard(path) if 0.01 < time < length - 0.01]
        assert found == pytest.approx(wanted, abs=0.003)
        shown = [float(time) for time, _ in seen(path)]
        assert shown == pytest.approx([before[k] - row.file_start_s for k in pictures], abs=0.001)


def test_slow_pictures_are_cut_to_the_turn(tmp_path):
    source = write_video(tmp_path / "a.mkv", fps=1, frames=6, sounds=[(0.0, clicks([2.6], 6.0))])
    index = write(tmp_path, result(source, face(0, 150, (2.4, 3.6))), picture="frame")
    (row,) = index.itertuples()
    path = tmp_path / "clips" / row.file
    assert (row.file_start_s, row.file_end_s) == (2.4, 3.6)
    assert numbers(path) == [2, 3]
    assert [float(time) for time, _ in seen(path)] == pytest.approx([0, 0.6], abs=0.001)
    assert heard(path) == pytest.approx([0.2], abs=0.003)


def test_a_slow_picture_that_the_grid_shows_early(tmp_path):
    """Of pictures of a second the grid shows the nearest, up to half a second early."""
    source = write_video(tmp_path / "a.mkv", fps=1, frames=6, sounds=[(0.0, clicks([3.6], 6.0))])
    index = write(tmp_path, result(source, face(0, 150, (3.52, 3.8))), picture="frame", least_s=0)
    (row,) = index.itertuples()
    assert (row.file_start_s, row.file_end_s) == (3.52, 3.8)
    assert numbers(tmp_path / "clips" / row.file) == [4]
    assert heard(tmp_path / "clips" / row.file) == pytest.approx([0.08], abs=0.003)


def test_a_turn_at_a_cut_has_no_picture_of_the_other_shot(tmp_path):
    """At 60 pictures a second none that the grid shows may be the first of a shot."""

    def image(number: int, width: int, height: int) -> np.ndarray:
        return numbered(0 if number < 121 else 1, width, height)

    source = write_video(tmp_path / "a.mkv", fps=60, frames=240, image=image)
    shots = [(0, 51), (51, 100)]
    what = result(source, face(0, 51, (0, 2.04)), face(1, 49, (2.04, 4), first=51), shots=shots)
    first, second = write(tmp_path, what, picture="frame").file
    assert numbers(tmp_path / "clips" / first) == [0] * 121
    assert numbers(tmp_path / "clips" / second) == [1] * 119


def test_more_around_a_turn_but_of_its_shot_and_face_alone(tmp_path):
    source = write_video(tmp_path / "a.mp4", frames=200)
    shots = [(0, 100), (100, 200)]
    what = result(source, face(0, 70, (1.0, 2.0), (2.2, 3.2), first=20), shots=shots)
    index = write(tmp_path, what, picture="frame", around_s=1.6)
    found = [numbers(tmp_path / "clips" / file) for file in index.file]
    assert found == [list(range(90)), list(range(15, 100))]
    assert index.start_s.tolist() == [1.0, 2.2]
    assert index.file_start_s.tolist() == [0.0, 0.6]
    index = write(tmp_path, what, around_s=1.6)
    assert index.file_start_s.tolist() == [0.8, 0.8]
    assert index.file_end_s.tolist() == [3.6, 3.6]


def test_short_turns_are_left_out_and_of_too_many_the_shortest(tmp_path, caplog):
    source = write_video(tmp_path / "a.mp4", frames=200)
    what = result(source, face(0, 200, (0, 0.4), (1, 1.5), (2, 3), (4, 7)))
    assert write(tmp_path, what).start_s.tolist() == [1, 2, 4]
    assert write(tmp_path, what, least_s=0.6).start_s.tolist() == [2, 4]
    assert not caplog.records
    assert write(tmp_path, what, most=1).start_s.tolist() == [4]
    (record,) = caplog.records
    assert record.getMessage() == (
        "clips: 2 turns are left out, the shortest ones: writers.clips.most=1"
    )


def test_no_turn_is_an_index_without_lines(tmp_path):
    what = made_up(path=tmp_path / "missing.mp4")
    assert len(write(tmp_path, what)) == 0


def test_one_pass_however_many_turns(tmp_path, monkeypatch):
    source = write_video(tmp_path / "a.mp4", frames=250, sounds=[(0.0, clicks([1.0], 10.0))])
    opened, open_now, most = [], set(), [0]
    real = source_pass._pictures
    monkeypatch.setattr(source_pass, "_pictures", lambda *call: opened.append(1) or real(*call))

    class Counting(Mp4Writer):
        def __enter__(self):
            open_now.add(self)
            most[0] = max(most[0], len(open_now))
            return super().__enter__()

        def __exit__(self, *call):
            open_now.discard(self)
            super().__exit__(*call)

    monkeypatch.setattr(recording, "Mp4Writer", Counting)
    what = result(source, face(0, 250, *((k / 2, k / 2 + 0.4) for k in range(20))))
    assert len(write(tmp_path, what, least_s=0.4)) == 20
    assert (opened, most, open_now) == ([1], [1], set())


# --- faces


def test_the_square_follows_the_face(tmp_path):
    """Of a disc that moves, the disc stays in the middle, half a face below the upper edge."""

    def image(number: int, width: int, height: int) -> np.ndarray:
        y, x = np.mgrid[:height, :width]
        disc = np.hypot(x - 60 - 2 * number, y - 100) < 15
        return np.where(disc[..., None], np.uint8(230), np.uint8(30)).repeat(3, axis=2)

    source = write_video(tmp_path / "a.mkv", fps=50, frames=100, size=(320, 180), image=image)
    boxes = [square(60 + 4 * k, 100, 20) for k in range(50)]
    what = result(source, track(0, 0, boxes, speaking=[(0.4, 1.6)]))
    (file,) = write(tmp_path, what, size_px=112).file
    pictures = seen(tmp_path / "clips" / file)
    assert len(pictures) == 60
    for _, picture in pictures:
        y, x = np.nonzero(picture.mean(axis=2) > 128)
        assert picture.shape == (112, 112, 3)
        assert (x.mean(), y.mean()) == pytest.approx((55.5, 112 * 20 / 56 - 0.5), abs=2)
        assert np.ptp(x) == pytest.approx(112 * 30 / 56, abs=4)


def test_outside_of_the_picture_is_grey(tmp_path):
    source = write_video(
        tmp_path / "a.mp4", frames=25, image=lambda _, w, h: np.zeros((h, w, 3), np.uint8)
    )
    what = result(source, track(0, 0, [square(0, 32, 20)] * 25, speaking=[(0, 1)]))
    (file,) = write(tmp_path, what, size_px=64).file
    for _, picture in seen(tmp_path / "clips" / file):
        np.testing.assert_allclose(picture[10:40, 4:28].astype(int), 110, atol=4)
        np.testing.assert_allclose(picture[10:40, 36:60].astype(int), 0, atol=4)


def test_pixels_become_square(tmp_path):
    source = oblong_disc(tmp_path / "a.mp4", 25)
    what = result(source, track(0, 0, [[60, 50, 100, 130]] * 25, speaking=[(0, 1)]))
    (file,) = write(tmp_path, what).file
    for _, image in seen(tmp_path / "clips" / file):
        found = image.mean(axis=2) > 128
        across, down = found.any(axis=0).sum(), found.any(axis=1).sum()
        assert across == pytest.approx(224 * 80 / 112, abs=4)
        assert down == pytest.approx(across, abs=4)


# --- names and the index


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("Ann", "Ann"),
        ("Ann B. Cé", "Ann_B._Cé"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("CON", "CON"),
        ('a<b>:"/\\|?*\x07c', "a_b_c"),
        ("李雷", "李雷"),
        (".hidden", "hidden"),
        ("...", "face"),
        ("é" * 300, "é" * 60 + ""),
        ("\udcff", "_"),
    ],
)
def test_names_are_safe(name, safe):
    what = made_up(face(0, 250, (1, 2), identity=name))
    ((turn,), _) = turns_of(what, ClipsConfig())
    assert turn.file == f"{safe}_0001.000-0002.000.mp4"
    assert os.path.basename(turn.file) == turn.file  # noqa: PTH119
    assert len(turn.file.encode()) < 255


def files(turns: Sequence) -> list[str]:
    return [turn.file for turn in turns]


def test_names_are_unique_whatever_the_case():
    what = made_up(
        face(0, 250, (1, 2), identity="ann"),
        face(1, 250, (1, 2), identity="Ann"),
        face(2, 250, (1, 2), identity="ann"),
    )
    turns, _ = turns_of(what, ClipsConfig())
    assert files(turns) == [
        "ann_0001.000-0002.000.mp4",
        "Ann_2_0001.000-0002.000.mp4",
        "ann_3_0001.000-0002.000.mp4",
    ]


def test_the_index_says_whose_and_how_sure(tmp_path):
    source = write_video(tmp_path / "a.mp4", frames=100)
    scores = np.repeat([-9.0, 0.0, 2.0, -9.0], 25)
    one = track(0, 0, FACE * 100, scores, speaking=[(1.0, 3.0)], identity="=Ann")
    (row,) = write(tmp_path, result(source, one)).itertuples()
    assert (row.person, row.track, row.start_s, row.end_s) == ("_=Ann", 0, 1.0, 3.0)
    assert row.file == "_Ann_0001.000-0003.000.mp4"
    assert row.probability == pytest.approx((0.5 + 1 / (1 + np.exp(-2))) / 2, abs=1e-4)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"picture": "body"}, "picture must be face or frame, got 'body'"),
        ({"size_px": 225}, "size_px must be an even number from 16 to 2048, got 225"),
        ({"size_px": 4096}, "size_px must be an even number from 16 to 2048, got 4096"),
        ({"around": -1.0}, "around must be from 0 to 5, got -1"),
        ({"around_s": -1.0}, "around_s must be from 0 to 3600, got -1"),
        ({"least_s": -1.0}, "least_s must be from 0 to 3600, got -1"),
        ({"most": 0}, "most must be 1 or more, got 0"),
        ({"crf": 52}, "crf must be from 0 to 51, got 52"),
    ],
)
def test_parameters_out_of_range(given, why):
    with pytest.raises(ConfigError, match=why):
        load("writer", "clips", **given)


# --- files


def test_nothing_is_left_when_it_fails(tmp_path, monkeypatch):
    source = write_video(tmp_path / "a.mp4", frames=100)
    calls = []

    def fail(self, *call) -> None:
        calls.append(call)
        if len(calls) == 40:
            raise RuntimeError("in the middle")
        return real(self, *call)

    real = recording.FacePictures.drawn
    monkeypatch.setattr(recording.FacePictures, "drawn", fail)
    folder = tmp_path / "out"
    folder.mkdir()
    with pytest.raises(RuntimeError, match="in the middle"):
        write(folder, result(source, face(0, 100, (0, 1), (1, 3)), face(1, 100, (0.4, 3))))
    assert list(folder.iterdir()) == []


def test_a_run_replaces_the_clips_of_an_earlier_one(tmp_path):
    sounds = [(0.0, clicks([0.1], 2.0))]
    video = write_video(tmp_path / "a.mp4", frames=50, image=steady, sounds=sounds)
    boxes = tmp_path / "boxes.json"
    boxes.write_text(str([[[20, 10, 70, 60, 1.0]]] * 50))
    out = tmp_path / "out"
    words = ["detector=boxes", f"detector.path={boxes}", "scorer=lip_motion", "cutter=none"]
    words += ["writers=[clips]", f"output={out}", "overwrite=true", "segments.min_s=0"]
    words += ["writers.clips.least_s=0", "vad=none"]
    asdkit.run(video, [*words, "segments.on=0", "segments.off=0"])
    assert sorted(path.name for path in (out / "clips").iterdir()) == [
        "index.csv",
        "track_0_0000.000-0002.000.mp4",
    ]
    (out / "clips" / "mine-1.mp4").write_text("a file of somebody else")
    asdkit.run(video, [*words, "segments.on=1", "segments.off=1"])
    assert sorted(path.name for path in (out / "clips").iterdir()) == ["index.csv", "mine-1.mp4"]
    assert len(pandas.read_csv(out / "clips" / "index.csv")) == 0
