"""Pictures too large, files that go while they are read, lengths and rates that are not so."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from containers import with_edits
from synth import clicks, number_of, numbered, write_video
from watching import first, heard, read

from asdkit.core.errors import InputError
from asdkit.core.media import container
from asdkit.core.media.container import Reading
from asdkit.core.media.picture import frames
from asdkit.core.media.sound import Sound


def test_pictures_of_more_pixels_are_refused(tmp_path):
    path = write_video(tmp_path / "clip.mp4", frames=3, size=(200, 100))
    with pytest.raises(InputError, match="pictures of 200x100 pixels, more than max_pixels=19999"):
        read(path, max_pixels=19_999)
    assert first(read(path, max_pixels=20_000)) == 0


def test_a_declared_size_takes_no_memory(tmp_path):
    """Were the 60000 x 60000 pixels decoded, they would take 14 GB."""
    path = write_video(tmp_path / "clip.gif", codec="gif", pixels="rgb8", frames=3)
    data = bytearray(path.read_bytes())
    data[6:10] = struct.pack("<HH", 60_000, 60_000)
    path.write_bytes(data)
    with pytest.raises(InputError, match="damaged, or larger than max_pixels=35389440"):
        read(path)


def test_pictures_that_become_too_large_are_refused(tmp_path):
    small = write_video(tmp_path / "a.ts", frames=10)
    large = write_video(tmp_path / "b.ts", frames=10, starts_s=0.4, size=(640, 480))
    path = tmp_path / "clip.ts"
    path.write_bytes(small.read_bytes() + large.read_bytes())
    media = read(path, max_pixels=100_000)
    with pytest.raises(InputError, match="pictures of 640x480 pixels"):
        list(frames(media))
    assert len(list(frames(read(path)))) == 20


@pytest.mark.parametrize("name", ["video_track", "sound_track", "program"])
def test_numbers_of_tracks_are_not_negative(name):
    with pytest.raises(ValueError, match=f"{name} must be 0 or more, got -1"):
        Reading(**{name: -1})


# Streams that begin late, files that go


def noisy(number: int, width: int, height: int) -> np.ndarray:
    """A numbered picture that no codec makes small."""
    noise = np.random.default_rng(number).integers(-20, 20, (height, width, 3))
    return (numbered(number, width, height) + noise).clip(0, 255).astype(np.uint8)


def begins_late(path: Path) -> Path:
    """A Flash video of which neither the header nor the first 5 MB tell that there is sound."""
    write_video(
        path,
        fps=5,
        frames=8,
        size=(960, 704),
        codec="flashsv",
        pixels="bgr24",
        keyframe_every=1,
        image=noisy,
        sounds=[(1.4, clicks([0.1], 0.2))],
        sound_codec="libmp3lame",
    )
    data = bytearray(path.read_bytes())
    data[4] = 1
    for name in (b"audiocodecid", b"audiosamplerate", b"audiosamplesize", b"stereo"):
        data = data.replace(name, b"x" + name[1:])
    path.write_bytes(data)
    return path


def test_sound_that_begins_late_in_flash_video_is_found(tmp_path):
    media = read(begins_late(tmp_path / "clip.flv"))
    assert heard(media) == pytest.approx([1.5], abs=0.03)
    assert len(list(frames(media))) == 40


def test_a_stream_that_was_not_found_is_passed_over(tmp_path, monkeypatch):
    monkeypatch.setattr(container, "_PATIENT", {})
    media = read(begins_late(tmp_path / "clip.flv"))
    assert media.sound is None
    assert len(list(frames(media))) == 40


@pytest.mark.parametrize("what", ["deleted", "cut", "replaced", "emptied", "made a folder"])
def test_a_video_that_goes_while_it_is_read_is_said_in_one_line(tmp_path, what):
    sounds = [(0.0, clicks([0.5], 2.0))]
    path = write_video(tmp_path / "clip.mkv", codec="libx264", sounds=sounds, sound_codec="flac")
    media = read(path)
    if what == "cut":
        path.write_bytes(path.read_bytes()[:2000])
    elif what == "emptied":
        path.write_bytes(b"")
    else:
        path.rename(tmp_path / "kept.mkv")
        if what == "replaced":
            write_video(path, frames=0, sounds=sounds)
        elif what == "made a folder":
            path.mkdir()
    with pytest.raises(InputError, match="was deleted, cut or replaced while it was read"):
        list(frames(media))
    with pytest.raises(InputError, match="was deleted, cut or replaced"), Sound(media) as sound:
        sound.read(0, 1)


def test_a_video_that_is_cut_between_two_pictures_ends_there(tmp_path):
    path = write_video(tmp_path / "clip.mkv", frames=200, size=(320, 240), image=noisy)
    pictures = frames(read(path), threads=1)
    assert next(pictures).index == 0
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)
    assert 0 < sum(1 for _ in pictures) < 199


def test_a_video_deleted_between_two_pictures_is_read_on(tmp_path):
    path = write_video(tmp_path / "clip.mkv")
    pictures = frames(read(path))
    next(pictures)
    path.unlink()
    assert sum(1 for _ in pictures) == 49


# What a file says of its length, its rate and its damage


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mov"])
@pytest.mark.parametrize(
    "edits",
    [
        [(1.0, 2.2), (3.4, 5.0)],
        [(0.0, 2.0)],
        [(5.04, 6.0)],
        [(4.0, 5.0), (1.0, 2.0)],
        [(1.0, 2.0), (1.0, 2.0)],
    ],
)
def test_an_edit_list_is_as_long_as_what_it_shows(tmp_path, caplog, name, edits):
    path = with_edits(write_video(tmp_path / name, frames=150, keyframe_every=24), *edits)
    media = read(path)
    shown = [k for begin, end in edits for k in range(round(begin * 25), round(end * 25))]
    assert media.info.duration_s == pytest.approx(len(shown) / 25)
    assert [number_of(frame.image) for frame in frames(media)] == shown
    assert caplog.messages == []


def test_an_edit_list_over_reordered_pictures(tmp_path, caplog):
    options = {"options": {"bf": "3", "preset": "fast", "crf": "16"}, "keyframe_every": 24}
    path = write_video(tmp_path / "clip.mp4", frames=150, **options)
    media = read(with_edits(path, (1.08, 2.28), (3.48, 5.08)))
    got = [number_of(frame.image) for frame in frames(media)]
    # FFmpeg puts the second stretch one picture early.
    assert media.info.duration_s == pytest.approx(2.8, abs=0.05)
    assert len(got) == round(media.info.duration_s * 25)
    assert set(got) <= {*range(25, 55), *range(85, 125)}
    assert not any("nothing of the picture" in said for said in caplog.messages)


def test_raw_dv_runs_at_25_fps(tmp_path):
    stereo = clicks([0.5], 1.0, 48_000).reshape(-1, 1).repeat(2, axis=1)
    path = write_video(
        tmp_path / "clip.dv",
        frames=25,
        size=(720, 576),
        codec="dvvideo",
        sounds=[(0.0, stereo)],
        sound_rate=48_000,
    )
    media = read(path)
    assert media.info.fps == 25
    assert media.info.duration_s == pytest.approx(1.0)
    assert [number_of(frame.image) for frame in frames(media)] == list(range(25))


@pytest.mark.parametrize(("fps", "tick"), [(25, 1), (10, 1), (240, 480)])
def test_a_rate_that_cannot_be_is_measured(tmp_path, monkeypatch, fps, tick):
    path = write_video(tmp_path / "clip.mp4", fps=fps, frames=40)
    monkeypatch.setattr("asdkit.core.media.rates._MOST_FPS", 5)
    assert read(path).info.fps == pytest.approx(fps)


@pytest.mark.parametrize(
    ("name", "codec"), [("clip.avi", "mpeg4"), ("clip.mkv", "libx264"), ("clip.ts", "mpeg2video")]
)
def test_pictures_flagged_as_damaged_are_counted_and_said(tmp_path, name, codec):
    path = write_video(tmp_path / name, frames=60, codec=codec, image=noisy)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2 // 188 * 188
    data[middle : middle + 6 * 188] = bytes(6 * 188)
    path.write_bytes(data)
    media = read(path)
    assert not list(media.notes)
    assert 58 < len(list(frames(media))) <= 60
    assert "used 1 damaged part of the picture" in " ".join(media.notes)
    part = read(path)
    assert len(list(frames(part, start_s=2.0, end_s=2.2))) == 5
    assert not any("damaged" in said for said in part.notes)
