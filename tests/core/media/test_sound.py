"""The sound of odd files is heard, written again, and what is chosen or missing is said."""

from __future__ import annotations

import wave
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from by_hand import result_of
from scipy.io import wavfile
from synth import click_times, clicks, write_video

from asdkit.core.component import Context
from asdkit.core.errors import InputError
from asdkit.core.media.container import Media
from asdkit.core.media.probe import probe
from asdkit.core.media.sound import Sound
from asdkit.core.media.soundtrack import COPIED_CODECS
from asdkit.plugins.writers import annotated

CLICKS_S = [0.3, 1.0, 1.7]
OPPOSITE = "Left and right of the sound have opposite signs"
ENCODERS = {"mp3": "libmp3lame", "opus": "libopus"}


def heard(media: Media, start: int = 0, stop: int = 32_000) -> np.ndarray:
    with Sound(media, start / 16_000) as sound:
        return sound.read(start, stop)


def stereo(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    return np.stack([left, right], 1).astype(np.int16)


def write_wav(path: Path, samples: np.ndarray, rate: int = 16_000) -> Path:
    """A WAV file of (n, channels) int16 that says nothing of where channels belong."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(samples.shape[1])
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.ascontiguousarray(samples).tobytes())
    return path


def annotate(folder: Path, media: Media, **part: float) -> Path:
    writer = annotated.build(annotated.AnnotatedConfig(40), Context(threads=1))
    (path,) = writer.write(result_of(media, **part), folder)
    return path


def codec_of(path: Path) -> str:
    with av.open(str(path)) as container:
        return container.streams.audio[0].codec_context.codec.canonical_name


# Frames without times, samples that are no numbers


def test_windows_media_is_heard_and_written(tmp_path):
    """The last frame of its sound has no timestamp."""
    path = write_video(
        tmp_path / "talk.wmv",
        codec="wmv2",
        sounds=[(0.0, clicks(CLICKS_S, 2.0))],
        sound_codec="wmav2",
        sound_bits_per_s=128_000,
    )
    with av.open(str(path)) as container:
        assert [frame.pts for frame in container.decode(audio=0)][-1] is None
    media = probe(path)
    assert click_times(heard(media)) == pytest.approx(CLICKS_S, abs=0.003)
    written = probe(annotate(tmp_path, media))
    assert click_times(heard(written)) == pytest.approx(CLICKS_S, abs=0.003)


def test_samples_that_are_no_numbers_are_left_out(tmp_path):
    samples = clicks(CLICKS_S, 2.0, 16_000) / np.float32(32_768)
    samples[8_000:8_010] = np.nan
    samples[9_000] = 3e38
    samples[9_100] = -np.inf
    wavfile.write(tmp_path / "s.wav", 16_000, samples.astype(np.float32))
    media = probe(write_video(tmp_path / "clip.mp4"), tmp_path / "s.wav")
    sound = heard(media)
    assert not sound[8_000:8_010].any()
    assert (sound[9_000], sound[9_100]) == (32_767, -32_768)
    whole = np.delete(np.arange(32_000), [9_000, 9_100])
    intact = clicks(CLICKS_S, 2.0, 16_000)
    intact[8_000:8_010] = 0
    np.testing.assert_allclose(sound[whole], intact[whole], atol=1)
    assert list(media.notes) == ["The sound holds samples that are no numbers: they are left out"]
    assert codec_of(annotate(tmp_path, media)) == "aac"


def test_eight_channels_that_hold_no_numbers_are_left_out(tmp_path):
    samples = np.zeros((32_000, 8), np.float32)
    samples[:, 3] = clicks(CLICKS_S, 2.0, 16_000) / 32_768
    samples[5_000, :] = np.nan
    wavfile.write(tmp_path / "s.wav", 16_000, samples)
    media = probe(write_video(tmp_path / "clip.mp4"), tmp_path / "s.wav")
    assert click_times(heard(media)) == pytest.approx(CLICKS_S, abs=1e-3)


# Channels that cancel each other out


@pytest.mark.parametrize("right", [-1.0, -0.8, -0.5, -2.0])
@pytest.mark.parametrize(
    ("name", "codec", "rate"), [("a.mkv", "flac", 16_000), ("a.mp4", "aac", 48_000)]
)
def test_channels_with_opposite_signs_are_heard_and_said(tmp_path, right, name, codec, rate):
    one = 0.4 * clicks(CLICKS_S, 2.0, rate)
    path = write_video(
        tmp_path / name,
        sounds=[(0.0, stereo(one, right * one))],
        sound_codec=codec,
        sound_rate=rate,
    )
    media = probe(path)
    loud = heard(media).astype(float)
    assert click_times(3 * loud / np.abs(loud).max() * 8_000) == pytest.approx(CLICKS_S, abs=0.003)
    assert np.abs(loud).max() == pytest.approx(max(1, -right) * 0.4 * 24_000, rel=0.15)
    (said,) = media.notes
    assert said.startswith(OPPOSITE)


@pytest.mark.parametrize("right", [1.0, 0.0, 0.5, -0.2])
def test_other_stereo_is_mixed_as_ever(tmp_path, right):
    one = clicks(CLICKS_S, 2.0, 44_100)
    noise = np.random.default_rng(0).normal(0, 40, (2, len(one)))
    path = write_video(
        tmp_path / "a.mkv", sounds=[(0.0, stereo(one + noise[0], right * one + noise[1]))]
    )
    media = probe(path)
    mixer = av.AudioResampler("s16", "mono", 16_000)
    with av.open(str(path)) as container:
        frames = [*container.decode(audio=0), None]
        pieces = [f.to_ndarray()[0] for frame in frames for f in mixer.resample(frame) if f]
    plain = np.concatenate(pieces)
    assert np.array_equal(heard(media, stop=len(plain)), plain)
    assert not list(media.notes)


def test_only_where_channels_cancel_is_one_taken(tmp_path):
    times = [0.25, 1.25]
    left = clicks(times, 2.0, 16_000)
    right = np.where(np.arange(32_000) < 16_000, left, -left)
    path = write_video(tmp_path / "a.mkv", sounds=[(0.0, stereo(left, right))], sound_rate=16_000)
    np.testing.assert_array_equal(heard(probe(path)), left)


def test_a_part_is_mixed_as_the_whole(tmp_path):
    voice = np.random.default_rng(1).normal(0, 3_000, 64_000)
    voice *= np.repeat(np.random.default_rng(2).integers(0, 2, 32), 2_000)
    sign = np.where(np.arange(64_000) // 9_000 % 2, 1.0, -1.0)
    path = write_video(
        tmp_path / "a.mkv",
        frames=100,
        sounds=[(0.0, stereo(voice, sign * voice))],
        sound_rate=16_000,
    )
    whole = heard(probe(path), 0, 64_000)
    for start in (640, 8_000, 15_360, 40_960):
        assert np.array_equal(heard(probe(path), start, 64_000), whole[start:])


# Channels without names


@pytest.mark.parametrize(
    ("count", "rate"),
    [(3, 48_000), (4, 16_000), (6, 16_000), (6, 48_000), (8, 44_100), (24, 16_000)],
)
def test_a_voice_in_one_of_many_unnamed_channels_is_heard(tmp_path, count, rate):
    samples = np.zeros((2 * rate, count), np.int16)
    samples[:, min(3, count - 1)] = clicks(CLICKS_S, 2.0, rate)
    video = write_video(tmp_path / "clip.mp4")
    media = probe(video, write_wav(tmp_path / "s.wav", samples, rate))
    sound = heard(media)
    assert click_times(sound) == pytest.approx(CLICKS_S, abs=1e-3)
    assert np.abs(sound).max() == pytest.approx(24_000, rel=0.03)
    (said,) = media.notes
    assert f"what the {count} channels of its sound are" in said
    loud = heard(probe(annotate(tmp_path, media))).astype(float)
    assert np.abs(loud).max() > 2_500
    assert click_times(loud / np.abs(loud).max() * 24_000) == pytest.approx(CLICKS_S, abs=0.003)


def test_voices_in_several_unnamed_channels_are_mixed(tmp_path):
    samples = np.zeros((32_000, 6), np.int16)
    for channel, time in enumerate([0.25, 0.75, 1.25]):
        samples[:, 2 * channel] = clicks([time], 2.0, 16_000)
    samples[:, 1] = np.random.default_rng(0).integers(-20, 20, 32_000)
    media = probe(write_video(tmp_path / "clip.mp4"), write_wav(tmp_path / "s.wav", samples))
    assert click_times(heard(media)) == pytest.approx([0.25, 0.75, 1.25], abs=1e-3)


def test_unnamed_channels_in_a_video(tmp_path):
    samples = np.zeros((1, 32_000 * 6), np.int16)
    samples[0, 3::6] = clicks(CLICKS_S, 2.0, 16_000)
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        picture = container.add_stream("mpeg4", rate=25)
        picture.width, picture.height, picture.pix_fmt = 96, 64, "yuv420p"
        sound = container.add_stream("pcm_s16le", rate=16_000, layout="6 channels")
        for number in range(50):
            image = av.VideoFrame(96, 64, "yuv420p")
            image.pts, image.time_base = number, Fraction(1, 25)
            container.mux(picture.encode(image))
        frame = av.AudioFrame.from_ndarray(samples, "s16", "6 channels")
        frame.sample_rate, frame.pts = 16_000, 0
        for stream, last in ((sound, frame), (sound, None), (picture, None)):
            container.mux(stream.encode(last))
    media = probe(path)
    assert click_times(heard(media)) == pytest.approx(CLICKS_S, abs=1e-3)
    assert codec_of(annotate(tmp_path, media)) == "aac"


def test_named_channels_are_mixed_by_their_places(tmp_path):
    """Bass, the fourth of 5.1, is no place for a voice."""
    samples = np.zeros((1, 32_000 * 6), np.int16)
    samples[0, 3::6] = clicks([0.5], 2.0, 16_000)
    samples[0, 2::6] = clicks([1.5], 2.0, 16_000)
    path = tmp_path / "s.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("flac", rate=16_000, layout="5.1")
        frame = av.AudioFrame.from_ndarray(samples, "s16", "5.1")
        frame.sample_rate, frame.pts = 16_000, 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    media = probe(write_video(tmp_path / "clip.mp4"), path)
    loud = heard(media).astype(float)
    assert click_times(loud / np.abs(loud).max() * 24_000) == pytest.approx([1.5], abs=1e-3)
    assert not list(media.notes)


def test_more_channels_than_can_be_told_apart_are_refused(tmp_path):
    wav = write_wav(tmp_path / "s.wav", np.ones((800, 65), np.int16), 48_000)
    media = probe(write_video(tmp_path / "clip.mp4"), wav)
    with pytest.raises(InputError, match="Sound of 65 channels cannot be made mono"):
        heard(media)


# Silence


def test_silence_is_told_from_sound(tmp_path):
    sounds = [(0.0, clicks([1.0], 3.0, 16_000))]
    media = probe(write_video(tmp_path / "a.mkv", frames=75, sounds=sounds, sound_rate=16_000))
    for start_s, stop, silent in [(0, 8_000, True), (0, 24_000, False), (1.2, 48_000, True)]:
        with Sound(media, start_s, before_s=min(start_s, 0.5)) as sound:
            assert sound.is_silent(stop) == silent
        with Sound(media, start_s) as sound:  # read or not, the answer is the same
            sound.read(round(start_s * 16_000), 40_000)
            assert sound.is_silent(stop) == silent


@pytest.mark.parametrize("codec", ["pcm_s16le", "aac", "libopus", "libmp3lame", "ac3"])
def test_coded_silence_is_silence(tmp_path, codec):
    sounds = [(0.0, np.zeros(96_000, np.int16))]
    path = write_video(tmp_path / "a.mkv", sounds=sounds, sound_codec=codec, sound_rate=48_000)
    with Sound(probe(path)) as sound:
        assert sound.is_silent(32_000)


# Damaged sound in annotated.mp4


def damaged(path: Path, harm: Callable[[bytearray, np.random.Generator], None], seed: int) -> None:
    """Do harm to the bytes of some packets of the sound, which stay where they are."""
    data = bytearray(path.read_bytes())
    random = np.random.default_rng(seed)
    done = 0
    with av.open(str(path)) as container:
        packets = [bytes(packet) for packet in container.demux(audio=0) if packet.size > 16]
    for packet in packets[2::5]:
        # In a transport stream only the beginning of a packet lies in one piece.
        piece = bytearray(packet if packet in data else packet[:24])
        at = data.find(piece)
        if at >= 0:
            harm(piece, random)
            data[at : at + len(piece)] = piece
            done += 1
    assert done > 3
    path.write_bytes(data)


def _zeros(piece: bytearray, random: np.random.Generator) -> None:
    piece[:] = bytes(len(piece))


def _noise(piece: bytearray, random: np.random.Generator) -> None:
    piece[:] = random.bytes(len(piece))


def _head(piece: bytearray, random: np.random.Generator) -> None:
    piece[:6] = random.bytes(6)


def _bits(piece: bytearray, random: np.random.Generator) -> None:
    for _ in range(10):
        piece[int(random.integers(len(piece)))] ^= 1 << int(random.integers(8))


@pytest.mark.parametrize("harm", [_zeros, _noise, _head, _bits])
@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.ts", "aac"), *(("a.mkv", codec) for codec in sorted(COPIED_CODECS))],
)
def test_damaged_sound_does_not_end_the_run(tmp_path, name, codec, harm):
    """Every codec that is copied, and AAC in a transport stream, which changes form on its way."""
    hiss = np.random.default_rng(3).integers(-900, 900, 96_000).astype(np.int16)
    path = write_video(
        tmp_path / name,
        codec="libx264",
        sounds=[(0.0, clicks(CLICKS_S, 2.0, 48_000) + hiss)],
        sound_codec=ENCODERS.get(codec, codec),
        sound_rate=48_000,
    )
    assert codec_of(annotate(tmp_path, probe(path))) == codec
    damaged(path, harm, seed=len(codec))
    (tmp_path / "annotated.mp4").unlink()
    written = annotate(tmp_path, probe(path))
    with av.open(str(written)) as container:
        assert len([p for p in container.demux(video=0) if p.size]) == 50
    assert heard(probe(written)).any()


def test_sound_that_is_nothing_but_damage_leaves_the_picture(tmp_path):
    path = write_video(
        tmp_path / "a.ts", sounds=[(0.0, clicks(CLICKS_S, 2.0, 48_000))], sound_rate=48_000
    )
    media = probe(path)
    data = path.read_bytes()
    with av.open(str(path)) as container:
        for packet in container.demux(audio=0):
            if packet.size:
                data = data.replace(bytes(packet)[:180], bytes(180))
    path.write_bytes(data)
    written = annotate(tmp_path, media)
    with av.open(str(written)) as container:
        assert len([p for p in container.demux(video=0) if p.size]) == 50


@pytest.mark.parametrize(
    ("name", "codec", "rate", "bits_per_s"),
    [
        ("a.mkv", "libvorbis", 44_100, None),
        ("a.mkv", "mp2", 44_100, None),
        ("a.mkv", "pcm_f32le", 96_000, None),
        ("a.mkv", "pcm_s24le", 8_000, None),
        ("a.mkv", "wavpack", 44_100, None),
        ("a.mkv", "alac", 44_100, None),
        ("a.mkv", "tta", 22_050, None),
        ("a.mkv", "eac3", 48_000, None),
        ("a.mkv", "libopus", 16_000, None),
        ("a.avi", "pcm_u8", 11_025, None),
        ("a.avi", "adpcm_ms", 22_050, None),
        ("a.avi", "libmp3lame", 22_050, None),
        ("a.mov", "pcm_s16be", 48_000, None),
        ("a.mov", "adpcm_ima_qt", 44_100, None),
        ("a.mov", "pcm_mulaw", 8_000, None),
        ("a.mpg", "ac3", 32_000, None),
        ("a.ts", "mp2", 48_000, None),
        ("a.ts", "libopus", 48_000, None),
        ("a.flv", "nellymoser", 22_050, None),
        ("a.wmv", "wmav1", 44_100, 128_000),
    ],
)
def test_any_codec_ends_in_an_annotated_video(tmp_path, name, codec, rate, bits_per_s):
    if codec not in av.codecs_available:
        pytest.skip(f"needs the encoder {codec}")
    picture = {".flv": "libx264", ".wmv": "wmv2"}.get(Path(name).suffix)
    path = write_video(
        tmp_path / name,
        codec=picture,
        sounds=[(0.0, clicks(CLICKS_S, 2.0, rate))],
        sound_codec=codec,
        sound_rate=rate,
        sound_bits_per_s=bits_per_s,
    )
    media = probe(path)
    wanted = click_times(heard(media))
    assert wanted == pytest.approx(CLICKS_S, abs=0.06)
    written = probe(annotate(tmp_path, media))
    assert click_times(heard(written)) == pytest.approx(wanted, abs=0.004)
    assert written.info.duration_s == pytest.approx(media.info.duration_s, abs=0.05)
