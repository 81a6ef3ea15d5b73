"""What is no video, cut off or damaged is said in one line, or read as far as it goes."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from synth import clicks, number_of, write_video
from watching import B_FRAMES, CLICKS_S, heard, noise, numbers, silent, wreck

from asdkit.core.errors import InputError
from asdkit.core.media import container
from asdkit.core.media.picture import first_frame_at, frames
from asdkit.core.media.probe import probe
from asdkit.core.media.sound import Sound


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
