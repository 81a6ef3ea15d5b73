"""Written MP4 files, read back: pictures, times, colours and sound."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.reformatter import VideoReformatter
from synth import click_times, clicks, number_of, numbered, write_video

from asdkit.core.errors import OutputError
from asdkit.core.files import whole
from asdkit.core.media.encode import Look, Mp4Writer
from asdkit.core.media.probe import sound_of
from asdkit.core.media.soundtrack import sound_of_file, sound_of_samples

CLICKS = [0.5, 1.25, 2.0, 2.75]
MILLISECONDS = [Fraction(n, 1000) for n in (0, 40, 55, 150, 151, 400, 1000, 1033)]


def write(
    path: Path, times: Sequence[Fraction], image=numbered, size=(96, 64), fps=25, **options
) -> Path:
    """Numbered pictures at these times, the last one for 1 / fps."""
    with Mp4Writer(path, fps, **options) as video:
        ends = [*times[1:], times[-1] + 1 / Fraction(fps)]
        for number, (begin, end) in enumerate(zip(times, ends, strict=True)):
            video.add(image(number, *size), begin, end)
    return path


def seen(path: Path) -> list[tuple[Fraction, np.ndarray]]:
    """The pictures and their times."""
    with av.open(str(path)) as container:
        return [
            (frame.pts * frame.time_base, frame.to_ndarray(format="rgb24"))
            for frame in container.decode(video=0)
        ]


def heard(path: Path) -> tuple[np.ndarray, int]:
    """The sound as int16, mono, placed by its timestamps, and its rate."""
    pieces = []
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            samples = frame.to_ndarray()
            if samples.dtype.kind == "i":
                samples = samples / np.iinfo(samples.dtype).max
            if frame.format.is_packed:
                samples = samples.reshape(-1, frame.layout.nb_channels).T
            at = round(frame.pts * frame.time_base * frame.sample_rate)
            pieces.append((at, samples.mean(axis=0)))
            rate = frame.sample_rate
    sound = np.zeros(max(at + len(samples) for at, samples in pieces))
    for at, samples in pieces:
        sound[max(at, 0) : at + len(samples)] = samples[max(-at, 0) :]
    return np.round(sound * 32_767).astype(np.int16), rate


def stream(path: Path, kind: str) -> tuple[str, Fraction, Fraction]:
    """Codec, begin and end of a stream, as the file says them."""
    with av.open(str(path)) as container:
        found = container.streams.best(kind)
        begin = found.start_time * found.time_base
        name = found.codec_context.codec.canonical_name
        return name, begin, begin + found.duration * found.time_base


def every(fps: Fraction | int, frames: int) -> list[Fraction]:
    return [k / Fraction(fps) for k in range(frames)]


# --- picture


@pytest.mark.parametrize("fps", [25, 30, Fraction(30_000, 1001), 60])
def test_a_constant_rate_is_kept_exactly(fps, tmp_path):
    times = every(fps, 45)
    path = write(tmp_path / "a.mp4", times, fps=fps)
    assert [time for time, _ in seen(path)] == times
    assert [number_of(image) for _, image in seen(path)] == list(range(45))
    codec, begin, end = stream(path, "video")
    assert (codec, begin) == ("h264", 0)
    assert end == pytest.approx(45 / fps, abs=1e-3)


def test_a_variable_rate_is_kept_exactly(tmp_path):
    path = write(tmp_path / "a.mp4", MILLISECONDS, ticks_per_s=1000)
    assert [time for time, _ in seen(path)] == MILLISECONDS
    assert [number_of(image) for _, image in seen(path)] == list(range(len(MILLISECONDS)))


def test_the_last_picture_lasts_as_long_as_said(tmp_path):
    path = tmp_path / "a.mp4"
    with Mp4Writer(path, 1) as video:
        video.add(numbered(0), Fraction(0), Fraction(1))
        video.add(numbered(1), Fraction(1), Fraction(7, 2))
    assert stream(path, "video")[2] == pytest.approx(3.5, abs=1e-3)


def test_times_within_one_tick_stay_apart(tmp_path):
    times = [Fraction(k, 1_000_000) for k in range(5)]
    path = write(tmp_path / "a.mp4", times)
    found = [time for time, _ in seen(path)]
    assert found == sorted(set(found))
    assert len(found) == 5
    assert found[-1] < 1e-3


@pytest.mark.parametrize("size", [(95, 64), (96, 63), (1, 1), (33, 17)])
def test_an_odd_size_gets_its_edge_twice(size, tmp_path):
    def ramp(number: int, width: int, height: int) -> np.ndarray:
        rows = np.arange(height)[:, None] + np.arange(width)
        return np.repeat((rows * 200 // (width + height))[..., None], 3, axis=2).astype(np.uint8)

    path = write(tmp_path / "a.mp4", every(25, 3), image=ramp, size=size, crf=1)
    for _, image in seen(path):
        width, height = size
        assert image.shape == (height + height % 2, width + width % 2, 3)
        wanted = np.pad(ramp(0, *size), ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        np.testing.assert_allclose(image.astype(int), wanted, atol=8)


def test_players_can_begin_before_they_have_it_all(tmp_path):
    content = write(tmp_path / "a.mp4", every(25, 5)).read_bytes()
    assert 0 < content.index(b"moov") < content.index(b"mdat")


def test_the_pixels_are_what_every_player_knows(tmp_path):
    with av.open(str(write(tmp_path / "a.mp4", every(25, 5)))) as container:
        assert container.streams.video[0].codec_context.pix_fmt == "yuv420p"


@pytest.mark.parametrize("colour", [(0, 180, 50), (235, 40, 40), (128, 128, 128), (20, 60, 220)])
@pytest.mark.parametrize(
    ("look", "red", "blue"),
    [(Look(), 0.2126, 0.0722), (Look(6, 6, 6), 0.299, 0.114), (Look(2, 2, 2), 0.299, 0.114)],
)
def test_colours_are_coded_as_described(colour, look, red, blue, tmp_path):
    """By ITU-T H.273, with the share of red and blue in the luma."""

    def plain(number: int, width: int, height: int) -> np.ndarray:
        return np.full((height, width, 3), colour, np.uint8)

    luma = np.dot(colour, [red, 1 - red - blue, blue]) / 255
    differences = [
        (colour[2] / 255 - luma) / (2 - 2 * blue),
        (colour[0] / 255 - luma) / (2 - 2 * red),
    ]
    wanted = [16 + 219 * luma, *(128 + 224 * difference for difference in differences)]
    path = write(tmp_path / "a.mp4", every(25, 3), image=plain, look=look)
    with av.open(str(path)) as container:
        context = container.streams.video[0].codec_context
        assert (context.colorspace, context.color_primaries, context.color_trc) == (
            look.matrix,
            look.primaries,
            look.transfer,
        )
        for frame in container.decode(video=0):
            planes = np.split(frame.to_ndarray().ravel(), [64 * 96, 64 * 96 * 5 // 4])
            found = [np.median(plane) for plane in planes]
            assert found == pytest.approx(wanted, abs=2)
            image = look.rgb(frame, 96, 64, VideoReformatter())
            np.testing.assert_allclose(image[8:-8, 8:-8].astype(int) - colour, 0, atol=4)


def test_pixels_keep_their_shape(tmp_path):
    look = Look(pixel_aspect=Fraction(16, 15))
    for number, (form, wanted) in enumerate(
        [(look, Fraction(16, 15)), (look.on_its_side(), Fraction(15, 16))]
    ):
        path = write(tmp_path / f"{number}.mp4", every(25, 2), look=form)
        with av.open(str(path)) as container:
            assert container.streams.video[0].codec_context.sample_aspect_ratio == wanted


def test_quality_costs_bytes(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (64, 96, 3), np.uint8)
    good, bad = (
        write(tmp_path / f"{crf}.mp4", every(25, 5), image=lambda *_: noise, crf=crf)
        for crf in (10, 40)
    )
    assert good.stat().st_size > 2 * bad.stat().st_size


# --- sound


def test_sound_in_memory_keeps_its_time_and_ends_with_the_picture(tmp_path):
    sound = sound_of_samples(clicks(CLICKS, 4.0, 16_000))
    path = write(tmp_path / "a.mp4", every(25, 75), sound=sound)
    codec, begin, end = stream(path, "audio")
    assert (codec, begin) == ("aac", 0)
    assert end == pytest.approx(3.0, abs=0.1)
    samples, rate = heard(path)
    assert rate == 16_000
    assert click_times(samples, rate) == pytest.approx(CLICKS, abs=0.002)


def test_sound_shorter_than_the_picture_is_no_trouble(tmp_path):
    sound = sound_of_samples(clicks([0.2], 0.5, 16_000))
    path = write(tmp_path / "a.mp4", every(25, 75), sound=sound)
    assert len(seen(path)) == 75
    assert stream(path, "audio")[2] == pytest.approx(0.5, abs=0.1)


def test_sound_and_picture_stand_side_by_side(tmp_path):
    sound = sound_of_samples(np.zeros(20 * 16_000, np.int16))
    path = write(tmp_path / "a.mp4", every(25, 500), sound=sound)
    latest = {"video": 0.0, "audio": 0.0}
    with av.open(str(path)) as container:
        for packet in container.demux():
            if packet.dts is not None:
                latest[packet.stream.type] = float(packet.dts * packet.time_base)
                assert abs(latest["video"] - latest["audio"]) < 2


@pytest.mark.parametrize(
    ("name", "codec", "rate", "wanted"),
    [
        ("a.mp4", "aac", 44_100, "aac"),
        ("a.ts", "aac", 44_100, "aac"),
        ("a.mp4", "libmp3lame", 44_100, "mp3"),
        ("a.mkv", "ac3", 48_000, "ac3"),
        ("a.mkv", "eac3", 48_000, "eac3"),
        ("a.mkv", "flac", 44_100, "flac"),
        ("a.mov", "alac", 44_100, "alac"),
        ("a.webm", "libopus", 48_000, "opus"),
        ("a.mkv", "pcm_s16le", 44_100, "aac"),
        ("a.avi", "pcm_s16le", 8_000, "aac"),
        ("a.mov", "pcm_s24le", 37_800, "aac"),
        ("a.mpg", "mp2", 44_100, "aac"),
    ],
)
@pytest.mark.parametrize("zero", [0.0, 0.3])
def test_sound_of_a_file(name, codec, rate, wanted, zero, tmp_path):
    """Copied where players know the codec, else made AAC; on time in any case."""
    source = write_video(
        tmp_path / name,
        frames=75,
        sounds=[(0.0, clicks(CLICKS, 3.0, rate))],
        sound_codec=codec,
        sound_rate=rate,
    )
    with av.open(str(source)) as container:
        first = container.streams.video[0].start_time * container.streams.video[0].time_base
        copied_rate = container.streams.audio[0].sample_rate
    start = first + Fraction(str(zero))
    path = write(tmp_path / "b.mp4", every(25, 70), sound=sound_of_file(sound_of(source)[0], start))
    assert stream(path, "audio")[0] == wanted
    samples, found_rate = heard(path)
    assert found_rate == (48_000 if rate == 37_800 else copied_rate)
    assert click_times(samples, found_rate) == pytest.approx(
        [time - zero for time in CLICKS], abs=0.003
    )


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.mp4", None), ("a.ts", None), ("a.mpg", "mp2"), ("a.mkv", "pcm_s16le"), ("a.avi", None)],
)
def test_sound_from_the_middle_of_a_file(name, codec, tmp_path):
    times = [0.5 + k for k in range(10)]
    source = write_video(
        tmp_path / name, frames=250, sounds=[(0.0, clicks(times, 10.0))], sound_codec=codec
    )
    with av.open(str(source)) as container:
        first = container.streams.video[0].start_time * container.streams.video[0].time_base
    sound = sound_of_file(sound_of(source)[0], first + Fraction("6.2"))
    path = write(tmp_path / "b.mp4", every(25, 50), sound=sound)
    assert click_times(*heard(path)) == pytest.approx([0.3, 1.3], abs=0.003)
    assert stream(path, "audio")[2] == pytest.approx(2.0, abs=0.1)


@pytest.mark.parametrize(("name", "codec"), [("a.mkv", "pcm_s16le"), ("a.mp4", "aac")])
def test_late_sound_and_gaps_keep_their_time(name, codec, tmp_path):
    pieces = [(0.7, clicks([0.3], 0.5)), (2.0, clicks([0.25, 0.75], 1.0))]
    source = write_video(tmp_path / name, frames=75, sounds=pieces, sound_codec=codec)
    path = write(
        tmp_path / "b.mp4", every(25, 75), sound=sound_of_file(sound_of(source)[0], Fraction(0))
    )
    assert click_times(*heard(path)) == pytest.approx([1.0, 2.25, 2.75], abs=0.003)


def test_sound_may_change_its_form(tmp_path):
    parts = []
    for begin, rate, channels in ((0, 44_100, 1), (1, 48_000, 2), (2, 32_000, 1)):
        sound = clicks([0.5], 1.0, rate)
        parts.append(
            write_video(
                tmp_path / f"{begin}.ts",
                frames=25,
                starts_s=float(begin),
                sounds=[(float(begin), sound if channels == 1 else np.stack([sound, sound], 1))],
                sound_codec="mp2",
                sound_rate=rate,
            ).read_bytes()
        )
    source = tmp_path / "a.ts"
    source.write_bytes(b"".join(parts))
    with av.open(str(source)) as container:
        first = container.streams.video[0].start_time * container.streams.video[0].time_base
    path = write(tmp_path / "b.mp4", every(25, 75), sound=sound_of_file(sound_of(source)[0], first))
    samples, rate = heard(path)
    assert rate == 44_100
    # The coder's delay, 11 ms, is cut from the first part only.
    assert click_times(samples, rate) == pytest.approx([0.5, 1.5, 2.5], abs=0.015)


# --- errors


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(OutputError, match="Cannot write"):
        write(tmp_path / "nowhere" / "a.mp4", every(25, 3))


def test_no_picture_is_no_video(tmp_path):
    with pytest.raises(ValueError, match="at least one picture"), Mp4Writer(tmp_path / "a.mp4", 25):
        pass


def test_nothing_is_left_of_a_file_that_was_not_finished(tmp_path):
    path = tmp_path / "a.mp4"
    path.write_bytes(b"of an earlier run")
    sound = sound_of_samples(np.zeros(16_000, np.int16))
    with pytest.raises(RuntimeError), whole(path) as aside, Mp4Writer(aside, 25, sound=sound) as it:
        for number in range(60):
            it.add(numbered(number), Fraction(number, 25), Fraction(number + 1, 25))
        raise RuntimeError
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.mp4"]
    assert path.read_bytes() == b"of an earlier run"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_an_error(tmp_path):
    path = tmp_path / "a.mp4"
    path.symlink_to("/dev/full")
    noise = np.random.default_rng(0).integers(0, 255, (64, 96, 3), np.uint8)
    with pytest.raises(OutputError, match="No space left"):
        write(path, every(25, 50), image=lambda *_: noise)
