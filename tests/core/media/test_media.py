"""Picture and sound are read on one clock, from any file, and what is wrong is said."""

from __future__ import annotations

import itertools
import logging
import math
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synth import CODECS, click_times, clicks, number_of, numbered, write_video

from asdkit.core.errors import InputError
from asdkit.core.media import container, picture
from asdkit.core.media.container import Media
from asdkit.core.media.picture import first_frame_at, frames
from asdkit.core.media.probe import probe
from asdkit.core.media.sound import Sound

CLICKS_S = (0.1, 0.5, 1.0, 1.7)
B_FRAMES = {"bf": "3", "preset": "fast", "crf": "16"}


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


def numbers(media: Media, **part: float) -> list[tuple[int, int]]:
    """(grid frame, number in the picture) of a video or of a part of it."""
    return [(frame.index, number_of(frame.image)) for frame in frames(media, **part)]


def noisy(number: int, width: int, height: int) -> np.ndarray:
    """A numbered picture that no codec can copy from the one before."""
    noise = np.random.default_rng(number).integers(-15, 15, (height, width, 3))
    return (numbered(number, width, height) + noise).clip(0, 255).astype(np.uint8)


def noise(samples: int) -> np.ndarray:
    """(n,) int16, quieter than a click."""
    return np.random.default_rng(samples).integers(-3_000, 3_000, samples).astype(np.int16)


def heard(media: Media, seconds: float = 4.0) -> list[float]:
    with Sound(media) as sound:
        return click_times(sound.read(0, round(seconds * 16_000)))


def silent(path: Path) -> Media:
    return probe(path, allow_silent=True)


def test_decoders_do_not_log_through_python(tmp_path):
    """Closing one would wait for a thread that waits for the interpreter: seen with PyAV 15."""
    clip = write_video(tmp_path / "clip.mp4")
    av.logging.set_level(av.logging.ERROR)
    try:
        silent(clip)
        assert av.logging.get_level() is None
    finally:
        av.logging.set_level(None)


# The grid


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


def test_only_frames_that_are_used_are_converted(tmp_path, monkeypatch):
    class Counting:
        made = 0

        def __init__(self) -> None:
            self.inner = av.video.reformatter.VideoReformatter()

        def reformat(self, *args: object) -> object:
            Counting.made += 1
            return self.inner.reformat(*args)

    media = silent(write_video(tmp_path / "clip.mp4", fps=50, frames=50))
    monkeypatch.setattr(picture, "VideoReformatter", Counting)
    assert len(list(frames(media, start_s=0.4))) == 15
    assert Counting.made == 15


gaps = st.lists(st.fractions(Fraction(1, 500), Fraction(1, 2), max_denominator=1000), max_size=40)


@settings(max_examples=300, deadline=None)
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


@settings(max_examples=12, deadline=None)
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


# Containers, codecs, names


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("clip.mp4", {}),
        ("clip.mp4", {"options": B_FRAMES}),
        ("clip.mp4", {"codec": "mpeg4", "options": {"bf": "2"}}),
        ("clip.mov", {"sound_codec": "pcm_s16le"}),
        ("clip.mkv", {}),
        ("clip.mkv", {"codec": "libx264", "sound_codec": "flac"}),
        ("clip.webm", {"sound_rate": 48_000}),
        ("clip.avi", {}),
        ("clip.avi", {"codec": "mjpeg", "pixels": "yuvj420p"}),
        ("clip.mpg", {"options": {"b": "4M", "minrate": "4M", "maxrate": "4M", "bufsize": "1M"}}),
        ("clip.ts", {}),
        ("clip.ts", {"codec": "mpeg2video", "sound_codec": "mp2"}),
        ("clip.flv", {"codec": "libx264", "sound_codec": "aac"}),
    ],
)
def test_containers_and_codecs(tmp_path, name, options):
    codec = options.get("codec") or CODECS[Path(name).suffix][0]
    if codec not in av.codecs_available:
        pytest.skip(f"needs the encoder {codec}")
    rate = options.get("sound_rate", 44_100)
    path = write_video(tmp_path / name, sounds=[(0.0, clicks(CLICKS_S, 2.0, rate))], **options)
    media = probe(path)
    assert numbers(media) == [(k, k) for k in range(50)]
    assert media.info.has_sound
    assert media.info.duration_s == pytest.approx(2.0, abs=0.011)
    assert heard(media) == pytest.approx(CLICKS_S, abs=0.005)


@pytest.mark.parametrize(
    "name", ["süß 視頻 a=b,c [d]{e}'f'.mp4", "12:30.mkv", "%03d.mp4", "-i.mp4", "a#b?c.mp4"]
)
def test_any_name_will_do(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    path = Path(name)
    try:
        write_video(tmp_path / name, frames=3)
    except (OSError, ValueError):
        pytest.skip(f"this file system cannot hold {name}")
    assert [number for _, number in numbers(silent(path))] == [0, 1, 2]


@pytest.mark.parametrize("size", [(97, 65), (33, 49), (18, 16)])
def test_odd_sizes(tmp_path, size):
    media = silent(write_video(tmp_path / "clip.mkv", frames=5, size=size))
    assert (media.info.width, media.info.height) == size
    assert [number for _, number in numbers(media)] == list(range(5))
    assert next(frames(media)).image.shape == (*size[::-1], 3)


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_rotation_is_honoured(tmp_path, rotation):
    media = silent(write_video(tmp_path / "clip.mp4", frames=4, rotation=rotation))
    assert (media.info.width, media.info.height) == (96, 64)
    assert [number for _, number in numbers(media)] == [0, 1, 2, 3]
    assert next(frames(media)).image.flags.c_contiguous


@pytest.mark.parametrize("fps", [25, 10, 60])
def test_one_frame(tmp_path, fps):
    media = silent(write_video(tmp_path / "clip.mp4", fps=fps, frames=1))
    assert numbers(media) == list(enumerate([0] * max(1, round(25 / fps))))


def test_a_size_that_changes_is_brought_to_the_largest(tmp_path):
    first = write_video(tmp_path / "a.ts", frames=10)
    second = write_video(tmp_path / "b.ts", frames=10, starts_s=0.4, size=(160, 96))
    path = tmp_path / "clip.ts"
    path.write_bytes(first.read_bytes() + second.read_bytes())
    images = [frame.image for frame in frames(silent(path))]
    assert {image.shape for image in images} == {(96, 160, 3)}
    inner = [image[:, 8:152] for image in images[:10]]  # 96x64 between black bars
    assert [number_of(image) for image in inner + images[10:]] == [*range(10), *range(10)]


@pytest.mark.parametrize(("name", "codec"), [("clip.h264", "libx264"), ("clip.m4v", "mpeg4")])
def test_a_stream_without_timestamps_runs_at_its_rate(tmp_path, name, codec):
    media = silent(write_video(tmp_path / name, codec=codec, frames=30, options={"bf": "2"}))
    assert numbers(media) == [(k, k) for k in range(30)]
    assert numbers(media, start_s=0.6, end_s=0.8) == [(k, k) for k in range(15, 20)]
    assert media.info.duration_s == pytest.approx(1.2)


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


@pytest.fixture
def decoded(monkeypatch):
    """Every frame that was decoded."""
    run = container.Decoder._run
    seen = []

    def counting(*args: object) -> object:
        for frame in run(*args):
            seen.append(frame)
            yield frame

    monkeypatch.setattr(container.Decoder, "_run", counting)
    return seen


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


# Sound


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.ts", "clip.webm"])
def test_late_sound_comes_after_silence(tmp_path, name):
    sounds = [(0.4, clicks(CLICKS_S, 2.0, 48_000))]
    media = probe(write_video(tmp_path / name, sounds=sounds, sound_rate=48_000))
    assert heard(media) == pytest.approx([0.4 + time for time in CLICKS_S], abs=0.005)
    with Sound(media) as sound:
        assert np.abs(sound.read(0, 6_000)).max() == 0


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.ts"])
def test_sound_before_the_first_picture_is_cut(tmp_path, name):
    sounds = [(0.0, clicks(CLICKS_S, 2.0))]
    media = probe(write_video(tmp_path / name, sounds=sounds, starts_s=0.4))
    assert numbers(media) == [(k, k) for k in range(50)]
    assert heard(media) == pytest.approx([0.1, 0.6, 1.3], abs=0.005)


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 44_100, 48_000])
def test_resampled_sound_stays_within_a_sample(tmp_path, rate):
    sounds = [(0.0, clicks(CLICKS_S, 2.0, rate))]
    media = probe(write_video(tmp_path / "clip.mkv", sounds=sounds, sound_rate=rate))
    assert heard(media) == pytest.approx(CLICKS_S, abs=1 / 16_000)
    with Sound(media) as sound:
        sound.read(0, 40_000)
        assert sound.ended_at == pytest.approx(32_000, abs=2)


def test_sound_at_16_khz_mono_passes_unchanged(tmp_path):
    noise = np.random.default_rng(3).integers(-30_000, 30_000, 32_000).astype(np.int16)
    path = write_video(tmp_path / "clip.mkv", sounds=[(0.0, noise)], sound_rate=16_000)
    with Sound(probe(path)) as sound:
        assert np.array_equal(sound.read(0, 32_000), noise)


def test_stereo_is_mixed(tmp_path):
    left = clicks(CLICKS_S, 2.0)
    both = np.stack([left, np.zeros_like(left)], axis=1)
    path = write_video(tmp_path / "clip.mkv", sounds=[(0.0, both)])
    with Sound(probe(path)) as sound:
        assert sound.read(0, 32_000).max() == pytest.approx(left.max() / 2, rel=0.02)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3_000), st.integers(1, 4_000)), max_size=15))
def test_reading_in_pieces_gives_the_same(tmp_path_factory, steps):
    path = tmp_path_factory.getbasetemp() / "pieces.mkv"
    if not path.exists():
        noise = np.random.default_rng(4).integers(-9_000, 9_000, 50_000).astype(np.int16)
        write_video(path, frames=10, sounds=[(0.1, noise)])
    media = probe(path)
    with Sound(media) as sound:
        whole = sound.read(0, 64_000)
    first = 0
    with Sound(media) as sound:
        for step, length in steps:
            first += step
            sound.forget(first)
            got = sound.read(first, first + length)
            assert np.array_equal(got, whole[first : first + length])


def test_what_was_forgotten_is_not_kept_and_not_given(tmp_path):
    media = probe(write_video(tmp_path / "clip.mkv", sounds=[(0.0, clicks(CLICKS_S, 60.0))]))
    with Sound(media) as sound:
        for second in range(60):
            sound.read(16_000 * second, 16_000 * (second + 1))
            assert sum(len(samples) for _, samples in sound._kept) < 2.2 * 16_000
            sound.forget(16_000 * second)
        with pytest.raises(ValueError, match="kept from 944000 on"):
            sound.read(943_999, 944_100)


def test_sound_is_decoded_only_as_far_as_needed(tmp_path):
    media = probe(write_video(tmp_path / "clip.mkv", sounds=[(0.0, clicks(CLICKS_S, 60.0))]))
    with Sound(media) as sound:
        sound.read(0, 16_000)
        assert 16_000 <= sum(len(samples) for _, samples in sound._kept) < 18_000
        assert sound.ended_at is None


def test_before_the_beginning_is_silence(tmp_path):
    sounds = [(0.0, np.full(16_000, 1_000, np.int16))]
    media = probe(write_video(tmp_path / "clip.mkv", sounds=sounds, sound_rate=16_000))
    with Sound(media) as sound:
        assert sound.read(-3, 3).tolist() == [0, 0, 0, 1_000, 1_000, 1_000]


def test_gaps_become_silence_and_overlaps_are_trimmed(tmp_path):
    pieces = [np.full(16_384, level, np.int16) for level in (1_000, 2_000, 3_000)]
    starts_s = (0.0, 1.5, 2.464)  # 476 ms after the end of the first, 60 ms before the second's
    sounds = list(zip(starts_s, pieces, strict=True))
    media = probe(write_video(tmp_path / "clip.mkv", sounds=sounds, sound_rate=16_000))
    with Sound(media) as sound:
        got = sound.read(0, 60_000)
        assert sound.ended_at == 39_424 + 16_384
    levels = np.repeat([1_000, 0, 2_000, 3_000, 0], [16_384, 7_616, 16_384, 15_424, 4_192])
    assert np.array_equal(got, levels)


def test_resampled_sound_is_whole_before_a_gap(tmp_path):
    sounds = [(0.0, noise(49_152)), (2.0, noise(49_152))]
    media = probe(write_video(tmp_path / "clip.mkv", sounds=sounds, sound_rate=48_000))
    with Sound(media) as sound:
        heard_at = np.flatnonzero(sound.read(0, 60_000))
    assert heard_at[heard_at < 30_000][-1] == pytest.approx(16_384, abs=4)
    assert heard_at[heard_at > 30_000][0] == pytest.approx(32_000, abs=4)
    assert heard_at[-1] == pytest.approx(48_384, abs=4)


def test_jitter_of_timestamps_is_no_gap(tmp_path):
    noise = np.random.default_rng(5).integers(-9_000, 9_000, 32_000).astype(np.int16)
    jitter = np.random.default_rng(6).uniform(-0.015, 0.015, 31)
    sounds = [
        (max(0.0, k * 1024 / 16_000 + jitter[k] * (k > 0)), noise[k * 1024 : (k + 1) * 1024])
        for k in range(31)
    ]
    media = probe(write_video(tmp_path / "clip.mkv", sounds=sounds, sound_rate=16_000))
    with Sound(media) as sound:
        assert np.array_equal(sound.read(0, 31 * 1024), noise[: 31 * 1024])


def test_sound_that_ends_early_says_when(tmp_path):
    media = probe(
        write_video(
            tmp_path / "clip.mkv", sounds=[(0.0, clicks([0.5], 1.0, 16_000))], sound_rate=16_000
        )
    )
    with Sound(media) as sound:
        assert sound.ended_at is None
        assert not sound.read(16_000, 32_000).any()
        assert sound.ended_at == 16_000


def test_no_sound_is_silence(tmp_path):
    media = silent(write_video(tmp_path / "clip.mp4"))
    assert media.sound_path is None
    assert not media.info.has_sound
    with Sound(media) as sound:
        assert not sound.read(0, 640).any()
        assert sound.ended_at is None


@pytest.mark.parametrize(
    ("name", "codec"),
    [("s.wav", "pcm_s16le"), ("s.mp3", "libmp3lame"), ("s.m4a", "aac"), ("s.ogg", "libopus")],
)
def test_sound_from_another_file_begins_with_the_picture(tmp_path, name, codec):
    video = write_video(tmp_path / "clip.mp4", starts_s=0.4, sounds=[(0.0, clicks([0.9], 2.0))])
    other = write_video(
        tmp_path / name,
        frames=0,
        sounds=[(0.0, clicks(CLICKS_S, 2.0, 48_000))],
        sound_codec=codec,
        sound_rate=48_000,
    )
    media = probe(video, other)
    assert media.sound_path == other
    assert heard(media) == pytest.approx(CLICKS_S, abs=0.005)


def test_the_video_named_as_its_own_sound_keeps_its_clock(tmp_path):
    path = write_video(tmp_path / "clip.mkv", starts_s=0.4, sounds=[(0.0, clicks([1.0], 2.0))])
    assert heard(probe(path, path)) == pytest.approx([0.6], abs=1e-3)


@pytest.mark.parametrize(
    ("name", "rate"), [("clip.mp4", 16_000), ("clip.mkv", 16_000), ("clip.ts", 48_000)]
)
def test_a_late_start_has_the_sound_of_the_whole(tmp_path, name, rate, decoded):
    times = np.arange(0.2, 19.0, 0.7)
    sounds = [(0.0, clicks(times, 20.0, rate) + noise(20 * rate))]
    path = write_video(tmp_path / name, frames=500, sounds=sounds, sound_rate=rate)
    media = probe(path)
    with Sound(media) as sound:
        whole = sound.read(0, 320_000)
    decoded.clear()
    with Sound(media, start_s=15.0) as sound:
        part = sound.read(240_000, 256_000)
        with pytest.raises(ValueError, match="kept from 240000 on"):
            sound.read(239_999, 240_100)
    assert click_times(part) == pytest.approx(click_times(whole[240_000:256_000]), abs=1 / 16_000)
    if rate == 16_000:
        assert np.array_equal(part, whole[240_000:256_000])
    assert sum(frame.samples for frame in decoded) < 6 * rate


# What is wrong


@pytest.fixture
def refused(capfd):
    """The one line said about a file that is refused, with nothing else printed."""

    def refuse(path: Path, *args: object, **kwargs: object) -> str:
        with pytest.raises(InputError) as caught:
            probe(path, *args, **kwargs)
        assert capfd.readouterr() == ("", "")
        assert caught.value.hint
        assert "\n" not in str(caught.value)
        return str(caught.value)

    return refuse


def test_no_such_file(tmp_path, refused):
    assert "No such file" in refused(tmp_path / "none.mp4")
    video = write_video(tmp_path / "clip.mp4")
    assert "No such file" in refused(video, tmp_path / "none.wav")


def test_a_folder(tmp_path, refused):
    assert "is a folder" in refused(tmp_path)


def test_an_empty_file(tmp_path, refused):
    (tmp_path / "clip.mp4").touch()
    assert "is empty" in refused(tmp_path / "clip.mp4")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("clip.mp4", np.random.default_rng(0).bytes(100_000)),
        ("clip.bin", np.random.default_rng(1).bytes(100_000)),
        ("zeros.mkv", bytes(10_000)),
        ("notes.txt", b"one line of text\n" * 100),
        ("script.py", b"import os\n" * 100),
        ("page.html", b"<!DOCTYPE html><html><body>404</body></html>"),
    ],
)
def test_not_a_video(tmp_path, refused, name, content):
    (tmp_path / name).write_bytes(content)
    assert "is not a video or sound file" in refused(tmp_path / name)


def test_subtitles_are_no_picture(tmp_path, refused):
    (tmp_path / "a.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nhello\n")
    assert "is not a video or sound file" in refused(tmp_path / "a.srt")


def test_sound_only(tmp_path, refused):
    path = write_video(tmp_path / "s.wav", frames=0, sounds=[(0.0, clicks([0.5], 1.0))])
    assert "has no picture" in (said := refused(path))
    assert "sound=FILE" in said


def test_the_cover_of_a_sound_file_is_no_picture(tmp_path, refused):
    path = write_video(
        tmp_path / "s.mp3", frames=0, sounds=[(0.0, clicks([0.5], 1.0))], sound_codec="libmp3lame"
    )
    cover = write_video(tmp_path / "c.mjpeg", frames=1, codec="mjpeg", pixels="yuvj420p")
    picture_frame = b"\0image/jpeg\0\3\0" + cover.read_bytes()
    tag = b"APIC" + len(picture_frame).to_bytes(4, "big") + b"\0\0" + picture_frame
    size = bytes(len(tag) >> shift & 127 for shift in (21, 14, 7, 0))
    path.write_bytes(b"ID3\3\0\0" + size + tag + path.read_bytes())
    with av.open(str(path)) as container:
        assert container.streams.video
    assert "has no picture" in refused(path)


def test_picture_only(tmp_path, refused):
    path = write_video(tmp_path / "clip.mp4")
    assert "has no sound" in (said := refused(path))
    assert "sound=FILE" in said
    assert "allow_silent=true" in said
    assert "has no sound" in refused(path, path)
    other = write_video(tmp_path / "other.mp4")
    assert f"{other} has no sound" in refused(path, other, allow_silent=True)


def test_a_codec_that_is_not_known(tmp_path, refused):
    sounds = [(0.0, clicks([0.5], 1.0))]
    path = write_video(tmp_path / "clip.mkv", codec="mpeg4", sounds=sounds, sound_codec="flac")
    data = path.read_bytes()
    path.write_bytes(data.replace(b"A_FLAC", b"A_NONE"))
    assert "has no sound that can be decoded" in refused(path)
    path.write_bytes(data.replace(b"V_MPEG4", b"V_NONE4"))
    assert "has no picture that can be decoded" in refused(path)


def wreck(path: Path, kind: str, chosen: slice) -> Path:
    """Overwrite some packets of a stream with zeros."""
    data = path.read_bytes()
    with av.open(str(path)) as container:
        packets = [bytes(packet) for packet in container.demux(**{kind: 0}) if packet.size]
    for packet in packets[chosen]:
        assert data.count(packet) == 1
        data = data.replace(packet, bytes(len(packet)))
    path.write_bytes(data)
    return path


def test_nothing_decodable(tmp_path, refused):
    path = write_video(tmp_path / "clip.mkv", codec="libx264", frames=20)
    assert "Nothing of the picture" in refused(wreck(path, "video", slice(20)), allow_silent=True)


def test_tags_in_another_encoding_do_no_harm(tmp_path):
    path = tmp_path / "clip.mkv"
    write_video(path, frames=3)
    with av.open(str(path)) as source, av.open(str(tmp_path / "tagged.mkv"), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        target.metadata["title"] = "Zuerich XX Zuerich"
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    data = (tmp_path / "tagged.mkv").read_bytes()
    assert b"Zuerich XX" in data
    path.write_bytes(data.replace(b"Zuerich XX", b"Z\xfcrich XXX"))
    assert len(numbers(silent(path))) == 3


# What is cut off or damaged


def front_indexed(path: Path, **options: object) -> Path:
    """The same video as an MP4 with its index in front, as made for streaming."""
    source_path = write_video(path.with_suffix(".src.mp4"), **options)
    with (
        av.open(str(source_path)) as source,
        av.open(str(path), "w", options={"movflags": "faststart"}) as target,
    ):
        streams = {s.index: target.add_stream_from_template(s) for s in source.streams}
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream_index]
                target.mux(packet)
    return path


def cut(path: Path, share: float) -> Path:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def test_an_mp4_without_its_index(tmp_path, refused):
    path = write_video(tmp_path / "clip.mp4", frames=100)
    assert "cut off or still being written" in refused(cut(path, 0.6), allow_silent=True)


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.avi", "clip.webm"])
def test_a_file_cut_off_says_how_far_it_can_be_read(tmp_path, refused, name):
    sounds = [(0.0, clicks(CLICKS_S, 4.0, 48_000))]
    make = front_indexed if name == "clip.mp4" else write_video
    path = make(tmp_path / name, frames=100, sounds=sounds, sound_rate=48_000)
    assert probe(path).info.duration_s == pytest.approx(4.0, abs=0.02)
    said = refused(cut(path, 0.7))
    assert "is cut off: only" in said
    readable_s = float(said.rsplit("end_s=", 1)[1])
    assert 0.5 < readable_s < 3.5
    assert "is cut off" in refused(path, end_s=readable_s + 0.01)
    media = probe(path, end_s=readable_s)
    assert media.info.duration_s == pytest.approx(readable_s, abs=0.01)
    count = first_frame_at(readable_s)
    got = numbers(media, end_s=readable_s)
    assert got == [(k, k) for k in range(len(got))]
    assert count - 1 <= len(got) <= count
    with Sound(media) as sound:
        assert sound.read(0, 16_000 * 4).any()


def test_a_file_whose_picture_is_whole_is_accepted(tmp_path):
    sounds = [(0.0, clicks(CLICKS_S, 5.0))]
    path = cut(front_indexed(tmp_path / "clip.mp4", frames=100, sounds=sounds), 0.999)
    assert numbers(probe(path)) == [(k, k) for k in range(100)]


def test_b_frames_after_the_cut_are_not_promised(tmp_path, refused):
    path = front_indexed(tmp_path / "clip.mp4", frames=100, options=B_FRAMES)
    said = refused(cut(path, 0.7), allow_silent=True)
    readable_s = float(said.rsplit("end_s=", 1)[1])
    media = probe(path, allow_silent=True, end_s=readable_s)
    got = numbers(media, end_s=readable_s)
    assert got == [(k, k) for k in range(len(got))]
    assert len(got) >= first_frame_at(readable_s) - 1


@pytest.mark.parametrize("name", ["clip.ts", "clip.h264"])
def test_a_stream_that_states_no_size_is_read_to_its_end(tmp_path, name):
    path = cut(write_video(tmp_path / name, codec="libx264", frames=100), 0.7)
    got = numbers(silent(path))
    assert 40 < len(got) < 90
    assert got[:40] == [(k, k) for k in range(40)]


def test_bytes_after_the_end_do_no_harm(tmp_path):
    path = front_indexed(tmp_path / "clip.mp4", frames=20)
    path.write_bytes(path.read_bytes() + b"something else" * 50)
    assert len(numbers(silent(path))) == 20


def test_damage_in_the_middle_is_skipped_and_said_once(tmp_path, caplog, capfd):
    sounds = [(0.0, clicks(CLICKS_S, 4.0))]
    path = write_video(
        tmp_path / "clip.mkv", codec="libx264", frames=100, sounds=sounds, keyframe_every=1
    )
    wreck(path, "video", slice(30, 35))
    media = probe(path)
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        images = list(frames(media))
    assert [frame.index for frame in images] == list(range(100))
    intact = [k for k in range(100) if not 30 <= k < 35]
    assert [number_of(images[k].image) for k in intact] == intact
    assert len(caplog.messages) == 1
    assert "skipped 5 damaged" in caplog.messages[0]
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("rest", ["", "00", "01", "00" * 64, "ff" * 64])
def test_the_mere_beginning_of_a_matroska_file_is_refused(tmp_path, rest):
    path = tmp_path / "head.mkv"
    path.write_bytes(bytes.fromhex("1A45DFA3" + rest))
    with pytest.raises(InputError, match=r"not a video|cut off"):
        probe(path)


def test_a_picture_that_breaks_off_is_said(tmp_path, monkeypatch, caplog):
    media = silent(write_video(tmp_path / "clip.mp4", frames=100))
    reading = av.container.InputContainer.demux

    class BreaksOff:
        """A container whose reading fails after 60 packets."""

        def __init__(self, container: av.container.InputContainer) -> None:
            self.container = container
            self.streams = container.streams

        def __enter__(self) -> BreaksOff:
            return self

        def __exit__(self, *_: object) -> None:
            self.container.close()

        def demux(self, stream: av.VideoStream) -> Iterator[av.Packet]:
            yield from itertools.islice(reading(self.container, stream), 60)
            raise av.InvalidDataError(1, "reading failed")

    monkeypatch.setattr(container, "opened", lambda path, *_, **__: BreaksOff(av.open(str(path))))
    assert numbers(media, end_s=2.0) == [(k, k) for k in range(50)]
    assert caplog.messages == []
    assert numbers(media) == [(k, k) for k in range(60)]
    assert "between 2.40 s and its end at 4.00 s" in caplog.messages[-1]


def test_damaged_sound_stays_aligned(tmp_path, caplog):
    sounds = [(0.0, clicks([0.3, 3.0], 4.0, 48_000) + noise(192_000))]
    path = write_video(
        tmp_path / "clip.mkv", frames=100, sounds=sounds, sound_rate=48_000, sound_codec="aac"
    )
    wreck(path, "audio", slice(50, 51))  # 21 ms: too little to be seen as a gap
    assert heard(probe(path), 5.0) == pytest.approx([0.3, 3.0], abs=2e-3)
    assert "of the sound" in caplog.messages[0]


def test_pictures_that_go_back_in_time_are_left_out(tmp_path, caplog):
    """By less than a break of the clock."""
    path = write_video(tmp_path / "clip.mkv", frames=7, codec="mjpeg", pixels="yuvj420p")
    with av.open(str(path)) as source:
        fifth = bytes([*source.demux(video=0)][4])
    data = bytearray(path.read_bytes())
    stamp = data.index(fifth) - 3  # after the track's number, before the flags (RFC 9559)
    assert int.from_bytes(data[stamp : stamp + 2], "big") == 160
    data[stamp : stamp + 2] = (115).to_bytes(2, "big")
    path.write_bytes(data)
    assert numbers(silent(path)) == list(enumerate([0, 1, 2, 3, 3, 5, 6]))
    assert "skipped 1" in caplog.messages[0]


# Real clips


@pytest.mark.parametrize(
    ("name", "count", "size"),
    [
        ("dialogue.mp4", 225, (1280, 720)),
        ("dialogue_30fps.mp4", 150, (1920, 1080)),
        ("bbaf2n.mpg", 75, (360, 288)),
    ],
)
def test_real_clips(shared, name, count, size):
    media = probe(shared(f"clips/{name}"))
    assert [frame.index for frame in frames(media)] == list(range(count))
    assert (media.info.width, media.info.height) == size
    assert media.info.duration_s == pytest.approx(count / 25)
    with Sound(media) as sound:
        samples = sound.read(0, count * 640)
        assert np.abs(samples).max() > 3_000
        assert sound.ended_at is None or sound.ended_at > (count - 15) * 640


def test_real_sound_at_16_khz_is_what_the_file_holds(shared):
    path = shared("clips/dialogue.mp4")
    with av.open(str(path)) as container:
        decoded = [frame.to_ndarray()[0] for frame in container.decode(audio=0)]
    wanted = np.clip(np.rint(np.concatenate(decoded) * 32_768), -32_768, 32_767)
    with Sound(probe(path)) as sound:
        assert np.array_equal(sound.read(0, len(wanted)), wanted.astype(np.int16))
