"""Clocks that start anew, leap, stand still or are missing: one clock that rises, said in notes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from by_hand import result_of
from synth import click_times, clicks, number_of, numbered, write_video
from watching import B_FRAMES, heard, numbers

from asdkit.core.component import Context
from asdkit.core.media.picture import frames
from asdkit.core.media.probe import probe
from asdkit.core.media.sound import Sound
from asdkit.plugins.writers import annotated
from asdkit.plugins.writers.annotated import AnnotatedConfig

CLICKS_S = (0.3, 0.7)


def part(path: Path, first: int, starts_s: float = 0.0, **options: Any) -> Path:
    """A second of 25 pictures numbered from `first`, with two clicks."""
    return write_video(
        path,
        frames=25,
        starts_s=starts_s,
        sounds=[(starts_s, clicks(CLICKS_S, 1.0, 48_000))],
        sound_rate=48_000,
        image=lambda number, width, height: numbered(first + number, width, height),
        **options,
    )


def joined(path: Path, *starts_s: float, **options: Any) -> Path:
    """Files of a second each, with clocks of their own, one after the other as by cat."""
    parts = [
        part(path.with_name(f"{k}{path.suffix}"), 25 * k, start, **options)
        for k, start in enumerate(starts_s)
    ]
    path.write_bytes(b"".join(each.read_bytes() for each in parts))
    return path


def changed(source_path: Path, path: Path, change: Callable[[Any, int], None]) -> Path:
    """A file's packets again, each (with its number in its stream) changed before it is written."""
    with av.open(str(source_path)) as source, av.open(str(path), "w") as target:
        streams = {s.index: target.add_stream_from_template(s) for s in source.streams}
        counts = dict.fromkeys(streams, 0)
        for packet in source.demux():
            if packet.dts is not None:
                index = packet.stream_index
                change(packet, counts[index])
                counts[index] += 1
                packet.stream = streams[index]
                target.mux(packet)
    return path


# Clocks that start anew, and leaps


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("clip.ts", {}),
        ("clip.ts", {"options": B_FRAMES}),
        ("clip.ts", {"codec": "mpeg2video", "sound_codec": "mp2"}),
        ("clip.mpg", {"options": {"b": "2M"}}),
    ],
)
@pytest.mark.parametrize("starts_s", [(0, 0), (0, 97.2), (60, 0, 120)])
def test_files_joined_end_to_end_have_one_clock(tmp_path, caplog, name, options, starts_s):
    media = probe(joined(tmp_path / name, *starts_s, **options))
    count = 25 * len(starts_s)
    assert numbers(media) == [(k, k) for k in range(count)]
    assert media.info.duration_s == pytest.approx(count / 25, abs=0.01)
    wanted = [k + time for k in range(len(starts_s)) for time in CLICKS_S]
    assert heard(media, count / 25) == pytest.approx(wanted, abs=0.03)
    notes = " ".join(media.notes)
    assert ("starts anew" in notes) == (0 in starts_s[1:])
    assert ("leaps ahead" in notes) == (max(starts_s[1:]) > 0)
    assert not any("skipped" in line for line in caplog.messages)


@pytest.mark.parametrize("starts_s", [(0, 0, 0), (0, 40, 90)])
def test_a_part_of_joined_files_is_that_of_the_whole(tmp_path, starts_s):
    media = probe(joined(tmp_path / "clip.ts", *starts_s))
    for start_s, end_s in ((0.4, 1.2), (1.2, 1.4), (2.0, 2.4), (2.6, None)):
        stop = 75 if end_s is None else round(25 * end_s)
        got = numbers(media, start_s=start_s, end_s=end_s)
        assert got == [(k, k) for k in range(round(25 * start_s), stop)]
    with Sound(media) as sound:
        whole = sound.read(0, 48_000)
    with Sound(media, start_s=2.2) as sound:
        got = sound.read(35_200, 48_000)
    # The whole takes the few milliseconds by which sound overlaps at a join for jitter.
    assert click_times(got) == pytest.approx(click_times(whole[35_200:]), abs=0.04)


@pytest.mark.parametrize("codec", ["aac", "mp2"])
def test_joined_files_are_annotated_in_step(tmp_path, codec):
    """Whether the sound is copied or made anew."""
    media = probe(joined(tmp_path / "clip.ts", 0, 50, sound_codec=codec))
    result = replace(result_of(media), shots=((0, 50),))
    (path,) = annotated.build(AnnotatedConfig(), Context(threads=1)).write(result, tmp_path)
    written = probe(path)
    assert numbers(written) == [(k, k) for k in range(50)]
    wanted = [0.3, 0.7, 1.3, 1.7]
    assert heard(written, 2.0) == pytest.approx(wanted, abs=0.05)


@pytest.mark.parametrize(
    ("name", "leap_s"),
    [("clip.mkv", 100), ("clip.mkv", 86_400), ("clip.mp4", 100), ("clip.mp4", 3600)],
)
def test_a_leap_of_picture_and_sound_is_closed(tmp_path, name, leap_s):
    def leap(packet: Any, number: int) -> None:
        if packet.dts * packet.time_base >= Fraction(1, 2):
            ticks = round(leap_s / packet.time_base)
            packet.pts, packet.dts = packet.pts + ticks, packet.dts + ticks

    media = probe(changed(part(tmp_path / f"whole{name}", 0), tmp_path / name, leap))
    assert numbers(media)[:25] == [(k, k) for k in range(25)]
    assert media.info.duration_s == pytest.approx(1.0, abs=0.1)
    assert heard(media, 1.2) == pytest.approx(CLICKS_S, abs=0.06)
    assert "leaps ahead" in " ".join(media.notes)


def test_one_picture_with_a_wrong_time_costs_nothing_else(tmp_path):
    """As damage does it: half a minute too late, the next one is right again."""
    path = part(tmp_path / "clip.mkv", 0, codec="mjpeg", pixels="yuvj420p")
    with av.open(str(path)) as source:
        packets = [bytes(packet) for packet in source.demux(video=0)]
    data = bytearray(path.read_bytes())
    stamp = data.index(packets[10]) - 3  # after the track's number, before the flags (RFC 9559)
    data[stamp : stamp + 2] = (32_000).to_bytes(2, "big")
    path.write_bytes(data)
    media = probe(path)
    assert numbers(media) == [(k, k) for k in range(25)]
    assert heard(media, 1.0) == pytest.approx(CLICKS_S, abs=1e-3)
    assert media.info.duration_s == pytest.approx(1.0)


@pytest.mark.parametrize("name", ["clip.mkv", "clip.mp4"])
def test_a_picture_that_stands_while_the_sound_goes_on_is_held(tmp_path, name):
    """A shared screen on which nothing moves for more than a minute."""
    times = [Fraction(0), Fraction(1, 25), Fraction(70), Fraction(1751, 25)]
    path = write_video(
        tmp_path / name,
        times=times,
        sounds=[(0.0, clicks([0.5, 69.5], 70.5, 16_000))],
        sound_rate=16_000,
        sound_codec="flac" if name == "clip.mkv" else None,
    )
    media = probe(path)
    whole = list(frames(media))
    assert len(whole) == 1752
    assert [number_of(whole[k].image) for k in (0, 1, 1749, 1750, 1751)] == [0, 1, 1, 2, 3]
    assert len({id(frame.image) for frame in whole}) == 4
    assert heard(media, 70.08) == pytest.approx([0.5, 69.5], abs=0.05)
    assert not list(media.notes)


@pytest.mark.parametrize(("held_s", "closed"), [(50, False), (80, True)])
def test_without_sound_a_minute_is_the_longest_hold(tmp_path, held_s, closed):
    times = [Fraction(0), Fraction(1, 25), Fraction(held_s), held_s + Fraction(1, 25)]
    media = probe(write_video(tmp_path / "clip.mkv", times=times), allow_silent=True)
    assert len(list(frames(media))) == (4 if closed else 25 * held_s + 2)
    assert bool(list(media.notes)) == closed


# Pictures repeated


@pytest.mark.parametrize("codec", ["mjpeg", "mpeg4"])
def test_empty_packets_repeat_the_picture_before(tmp_path, caplog, codec):
    """Also at the end, where nothing else tells how long the picture lasts."""
    pixels = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    whole = write_video(
        tmp_path / "whole.mkv", frames=10, codec=codec, pixels=pixels, keyframe_every=1
    )
    path = tmp_path / "clip.nut"
    with av.open(str(whole)) as source, av.open(str(path), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for number, packet in enumerate(source.demux(video=0)):
            if packet.dts is not None:
                written = av.Packet(b"") if number in (3, 4, 7, 8, 9) else packet
                written.pts, written.dts = packet.pts, packet.dts
                written.time_base, written.stream = packet.time_base, stream
                target.mux(written)
    media = probe(path, allow_silent=True)
    assert media.info.duration_s == pytest.approx(0.4)
    assert numbers(media) == list(enumerate([0, 1, 2, 2, 2, 5, 6, 6, 6, 6]))
    assert any("5 packets of the picture are empty" in note for note in media.notes)
    assert not any("skipped" in line for line in caplog.messages)


@pytest.mark.parametrize("codec", ["mjpeg", "mpeg4"])
def test_pictures_dropped_from_an_avi_are_held(tmp_path, caplog, codec):
    """Its muxer writes empty packets in their places."""
    pixels = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    times = [Fraction(k, 25) for k in (0, 1, 2, 10, 11)]
    path = write_video(tmp_path / "clip.avi", times=times, codec=codec, pixels=pixels)
    media = probe(path, allow_silent=True)
    assert numbers(media) == list(enumerate([0, 1, *[2] * 8, 3, 4]))
    assert not any("skipped" in line for line in caplog.messages)


# Times of presentation


@pytest.mark.parametrize("options", [{"bf": "3"}, {"bf": "5", "b-adapt": "0"}, {"bf": "0"}])
def test_an_avi_shows_all_pictures_in_order(tmp_path, caplog, options):
    """AVI has times of decoding alone."""
    path = write_video(
        tmp_path / "clip.avi",
        frames=60,
        codec="libx264",
        options={"preset": "veryfast", "crf": "14", **options},
        keyframe_every=20,
    )
    media = probe(path, allow_silent=True)
    assert numbers(media) == [(k, k) for k in range(60)]
    assert numbers(media, start_s=1.2, end_s=2.0) == [(k, k) for k in range(30, 50)]
    assert not any("skipped" in line for line in caplog.messages)


def test_an_mp4_without_times_of_presentation_shows_all_pictures_in_order(tmp_path):
    """As muxers that know nothing of B-frames write it."""

    def forget(packet: Any, number: int) -> None:
        packet.pts = packet.dts = number
        packet.duration, packet.time_base = 1, Fraction(1, 25)

    whole = write_video(tmp_path / "whole.mp4", frames=60, options=B_FRAMES)
    media = probe(changed(whole, tmp_path / "clip.mp4", forget), allow_silent=True)
    assert numbers(media) == [(k, k) for k in range(60)]


def test_sound_that_begins_before_the_picture_is_on_its_clock(tmp_path):
    """The example of docs/time.md."""
    path = write_video(
        tmp_path / "clip.mkv",
        frames=50,
        tick=Fraction(1, 100),
        starts_s=0.74,
        sounds=[(0.0, clicks([1.0], 2.0, 48_000))],
        sound_rate=48_000,
    )
    media = probe(path)
    assert media.info.start_s == pytest.approx(0.74)
    assert heard(media, 1.0) == pytest.approx([1.0 - 0.74], abs=1e-3)


@pytest.mark.parametrize(("sound_s", "held_s"), [(0, 60), (1, 60), (30, 89.04), (70, 100)])
def test_a_last_picture_stands_a_minute_longer_than_the_sound(tmp_path, sound_s, held_s):
    """Its own length, here 100 s, may be wrong by hours; or right, as of one on a screen."""
    sounds = [(0.0, np.zeros(16_000 * sound_s, np.int16))] if sound_s else ()
    path = write_video(tmp_path / "whole.mp4", frames=25, sounds=sounds, sound_rate=16_000)

    def stretch(packet: Any, number: int) -> None:
        if packet.stream.type == "video" and number == 24:
            packet.duration = round(100 / packet.time_base)

    media = probe(changed(path, tmp_path / "clip.mp4", stretch), allow_silent=True)
    assert media.info.duration_s == pytest.approx(0.96 + held_s, abs=0.1)
    shown = numbers(media, start_s=50.0)
    assert shown[-1] == (pytest.approx((0.96 + held_s) * 25 - 1, abs=3), 24)
    notes = [note for note in media.notes if "its last picture stands for 100.00 s" in note]
    assert len(notes) == (held_s < 100)


def test_what_notes_say_names_time_and_length(tmp_path):
    media = probe(joined(tmp_path / "clip.ts", 0, 97.2))
    (note,) = media.notes
    assert "at 1.00 s" in note
    assert "by 96." in note
    assert np.isclose(media.info.duration_s, 2.0)


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
@pytest.mark.parametrize("name", ["clip.mkv", "clip.mp4", "clip.mov", "clip.ts"])
def test_pictures_made_from_pictures_that_lean_themselves_break_no_clock(tmp_path, name, codec):
    """A B-pyramid: Matroska tells no time of decoding of the first pictures."""
    pyramid = {
        "libx264": {"bf": "8", "b-pyramid": "normal", "preset": "fast", "crf": "16"},
        "libx265": {"x265-params": "bframes=8:b-pyramid=1:log-level=none", "preset": "fast"},
    }
    path = write_video(tmp_path / name, frames=60, codec=codec, options=pyramid[codec])
    media = probe(path, allow_silent=True)
    found = [(frame.index, number_of(frame.image)) for frame in frames(media)]
    assert found == [(k, k) for k in range(60)]
    assert list(media.notes) == []
    assert media.info.duration_s == pytest.approx(2.4, abs=0.05)
