"""The grid of 25 frames a second shows the nearest picture, in the whole and in any part."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synth import number_of, write_video
from watching import B_FRAMES, noisy, numbers, silent

from asdkit.core.errors import InputError
from asdkit.core.media import picture
from asdkit.core.media.picture import first_frame_at, frames


def nearest(times: list[Fraction], end: Fraction) -> list[int]:
    """For each grid frame the nearest frame, of two the earlier."""
    return seen(times, end, early_s=end)


def seen(times: list[Fraction], end: Fraction, early_s: Fraction) -> list[int]:
    """The rule, tried on every frame: the nearest that comes no more than `early_s` too early."""
    count = max(1, round(end * 25))
    return [
        min(
            (n for n in range(len(times)) if n == 0 or times[n] - Fraction(k, 25) <= early_s),
            key=lambda n: (abs(times[n] - Fraction(k, 25)), n),
        )
        for k in range(count)
    ]


@pytest.mark.parametrize(
    "fps",
    [1, 10, Fraction(25, 2), Fraction(24000, 1001), 24, 25, Fraction(30000, 1001), 30, 50, 60, 120],
)
def test_constant_rates_give_the_nearest_frames(tmp_path, fps):
    count = math.ceil(fps * 2)
    media = silent(write_video(tmp_path / "clip.mp4", fps=fps, frames=count))
    times = [k / Fraction(fps) for k in range(count)]
    assert numbers(media) == list(enumerate(nearest(times, count / Fraction(fps))))
    assert media.info.fps == pytest.approx(float(fps))
    assert media.info.duration_s == pytest.approx(float(count / Fraction(fps)), abs=1e-3)


def test_each_frame_of_25_fps_comes_once(tmp_path):
    media = silent(write_video(tmp_path / "clip.mp4", frames=40))
    assert numbers(media) == [(k, k) for k in range(40)]


def test_frames_are_rgb_and_contiguous(tmp_path):
    def orange(_: int, width: int, height: int) -> np.ndarray:
        return np.full((height, width, 3), (230, 120, 30), np.uint8)

    media = silent(write_video(tmp_path / "clip.mp4", frames=3, image=orange))
    for frame in frames(media):
        assert frame.image.dtype == np.uint8
        assert frame.image.flags.c_contiguous
        assert np.abs(frame.image.mean(axis=(0, 1)) - (230, 120, 30)).max() < 6


def test_frames_are_converted_only_when_somebody_looks(tmp_path, monkeypatch):
    converted = []

    def counting(transfer):
        def convert(frame, width, height):
            converted.append((width, height))
            return np.zeros((height, width, 3), np.uint8)

        return convert

    media = silent(write_video(tmp_path / "clip.mp4", fps=50, frames=50))
    monkeypatch.setattr(picture, "converter", counting)
    shown = list(frames(media, start_s=0.4))
    assert len(shown) == 15
    assert not converted
    assert shown[3].image is shown[3].image
    assert len(converted) == 1


gaps = st.lists(st.fractions(Fraction(1, 500), Fraction(1, 2), max_denominator=1000), max_size=40)


@settings(max_examples=300)
@given(
    gaps,
    st.fractions(Fraction(1, 500), 1, max_denominator=1000),
    st.integers(0, 60),
    st.fractions(Fraction(1, 50), Fraction(1, 2), max_denominator=100),
)
def test_the_grid_follows_the_rule_for_any_times(between, last, first, early_s):
    times = [sum(between[:n], Fraction(0)) for n in range(len(between) + 1)]
    ends = [*times[1:], times[-1] + last]
    whole = list(enumerate(seen(times, ends[-1], early_s)))
    every = list(zip(times, ends, range(len(times)), strict=True))
    assert list(picture.on_grid(every, early_s=early_s)) == whole
    # A part may begin with any frame at or before its first grid frame.
    late = [entry for entry in every if entry[0] <= Fraction(first, 25)][-1][2]
    assert list(picture.on_grid(every[late:], first, early_s)) == whole[first:]


@settings(max_examples=12)
@given(st.lists(st.integers(2, 180), min_size=1, max_size=25), st.integers(0, 40))
def test_variable_rate_files_follow_the_rule(tmp_path_factory, between_ms, first):
    times = [Fraction(sum(between_ms[:n]), 1000) for n in range(len(between_ms) + 1)]
    path = tmp_path_factory.mktemp("vfr") / "clip.mkv"
    media = silent(write_video(path, times=times, tick=Fraction(1, 1000), keyframe_every=5))
    assert media.early_s >= Fraction(1, 50)
    end = times[-1] + Fraction(1, 25)  # the header's 25 fps
    whole = list(enumerate(seen(times, end, media.early_s)))
    assert numbers(media) == whole
    if first < len(whole):
        assert numbers(media, start_s=first / 25) == whole[first:]


def test_a_frozen_picture_is_held_until_the_next_one_comes(tmp_path):
    times = [Fraction(0), Fraction(1, 25), Fraction(2), Fraction(51, 25)]
    media = silent(write_video(tmp_path / "clip.mp4", times=times))
    assert media.info.duration_s == pytest.approx(2.08)
    whole = list(frames(media))
    assert [number_of(frame.image) for frame in whole] == [0] + [1] * 49 + [2, 3]
    # What is held is the very same array.
    assert len({id(frame.image) for frame in whole}) == 4


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.webm"])
def test_a_cut_after_a_frozen_stretch_is_seen_at_its_time(tmp_path, name):
    """A stream of 30 fps that is frozen for two seconds."""
    shown = [Fraction(k, 30) for k in range(75) if not 12 < k < 72]
    media = silent(write_video(tmp_path / name, fps=30, times=shown, tick=Fraction(1, 30)))
    cut = next(frame.index for frame in frames(media) if number_of(frame.image) == 13)
    assert cut == 60  # 72 / 30 s
    assert next(numbers(media, start_s=2.0).__iter__()) == (50, 12)


# Parts


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("clip.mp4", {"options": B_FRAMES, "keyframe_every": 100}),
        ("clip.mp4", {"fps": Fraction(30000, 1001), "options": B_FRAMES}),
        ("clip.mp4", {"options": {"x264-params": "intra-refresh=1:keyint=25", "crf": "16"}}),
        ("clip.mkv", {"codec": "libx264", "options": {**B_FRAMES, "x264-params": "open-gop=1"}}),
        ("clip.mkv", {"fps": 60}),
        ("clip.avi", {"options": {"bf": "2"}}),
        ("clip.mpg", {"options": {"bf": "2", "b": "2M"}}),
        ("clip.ts", {"options": B_FRAMES, "starts_s": 0.48}),
    ],
)
def test_a_part_has_the_frames_of_the_whole(tmp_path, caplog, name, options):
    media = silent(write_video(tmp_path / name, frames=150, image=noisy, **options))
    assert media.info.duration_s == pytest.approx(150 / options.get("fps", 25), abs=0.01)
    whole = [(frame.index, frame.image) for frame in frames(media)]
    for start, end in ((0, 0.4), (0.01, 0.3), (0.28, 0.56), (1.16, 1.2), (1.9, None)):
        stop = len(whole) if end is None else math.ceil(round(end * 25, 6))
        wanted = whole[math.ceil(round(start * 25, 6)) : stop]
        got = [(frame.index, frame.image) for frame in frames(media, start, end)]
        assert [index for index, _ in got] == [index for index, _ in wanted]
        assert all(np.array_equal(a[1], b[1]) for a, b in zip(got, wanted, strict=True))
    assert caplog.messages == []


@pytest.mark.parametrize(("name", "codec"), [("clip.mp4", "libx264"), ("clip.ts", "mpeg2video")])
def test_a_late_start_does_not_decode_what_is_before(tmp_path, decoded, name, codec):
    options = {"bf": "2"}
    media = silent(
        write_video(tmp_path / name, codec=codec, frames=400, options=options, image=noisy)
    )
    decoded.clear()
    assert numbers(media, start_s=14, end_s=14.2) == [(k, k) for k in range(350, 355)]
    assert len(decoded) < 100


@pytest.mark.parametrize("k", [0, 1, 7, 14, 28, 29, 57, 115, 90_001])
def test_times_are_taken_as_they_are_written(k):
    assert first_frame_at(k / 25) == k
    assert first_frame_at(k / 25 + 1e-6) == k + 1


@pytest.mark.parametrize(
    ("start_s", "end_s", "said"),
    [
        (-1, None, "start_s must be 0 or more"),
        (math.nan, None, "start_s must be 0 or more"),
        (math.inf, None, "start_s must be 0 or more"),
        (1.0, 1.0, "end_s=1.0 must be later than start_s=1.0"),
        (1.0, 0.5, "end_s=0.5 must be later"),
        (0.01, 0.02, "by 1/25 s"),
        (2.0, None, "lasts 2.00 s"),
        (3000.0, None, "lasts 2.00 s"),
    ],
)
def test_parts_that_are_not_there(tmp_path, start_s, end_s, said):
    media = silent(write_video(tmp_path / "clip.mp4"))
    with pytest.raises(InputError, match=said):
        list(frames(media, start_s, end_s))


def test_an_end_past_the_end_is_the_end(tmp_path):
    media = silent(write_video(tmp_path / "clip.mp4"))
    assert len(list(frames(media, 1.0, 99.0))) == len(list(frames(media, 1.0, math.inf))) == 25
