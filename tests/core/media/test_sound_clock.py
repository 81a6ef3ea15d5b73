"""Sound is read on the clock of the picture: late, early, in pieces, with gaps."""

from __future__ import annotations

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synth import click_times, clicks, write_video
from watching import CLICKS_S, heard, noise, numbers, silent

from asdkit.core.media.probe import probe
from asdkit.core.media.sound import Sound


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


@settings(max_examples=15)
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
            assert len(sound._kept) < 2.2 * 16_000
            sound.forget(16_000 * second)
        with pytest.raises(ValueError, match="kept from 944000 on"):
            sound.read(943_999, 944_100)


def test_sound_is_decoded_only_as_far_as_needed(tmp_path):
    media = probe(write_video(tmp_path / "clip.mkv", sounds=[(0.0, clicks(CLICKS_S, 60.0))]))
    with Sound(media) as sound:
        sound.read(0, 16_000)
        assert 16_000 <= len(sound._kept) < 18_000
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


def test_real_sound_at_16_khz_is_what_the_file_holds(shared):
    path = shared("clips/dialogue.mp4")
    with av.open(str(path)) as container:
        decoded = [frame.to_ndarray()[0] for frame in container.decode(audio=0)]
    wanted = np.clip(np.rint(np.concatenate(decoded) * 32_768), -32_768, 32_767)
    with Sound(probe(path)) as sound:
        assert np.array_equal(sound.read(0, len(wanted)), wanted.astype(np.int16))
