"""Picture and sound are read on one clock, from any file, and what is wrong is said."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from synth import CODECS, clicks, number_of, write_video
from watching import B_FRAMES, CLICKS_S, heard, numbers, silent

from asdkit.core.media.picture import frames
from asdkit.core.media.probe import probe
from asdkit.core.media.sound import Sound


def test_decoders_do_not_log_through_python(tmp_path):
    """Closing one would wait for a thread that waits for the interpreter: seen with PyAV 15."""
    clip = write_video(tmp_path / "clip.mp4")
    av.logging.set_level(av.logging.ERROR)
    try:
        silent(clip)
        assert av.logging.get_level() is None
    finally:
        av.logging.set_level(None)


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
