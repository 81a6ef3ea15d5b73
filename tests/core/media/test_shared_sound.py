"""Many sound tracks of one pass over a sound: each has its own part, in step."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from playing import heard
from synth import clicks, write_video

from asdkit.core.media import shared_sound
from asdkit.core.media.encode import Mp4Writer
from asdkit.core.media.probe import probe
from asdkit.core.media.shared_sound import SharedSound

RATE = 44_100


def cut(source: Path, folder: Path, parts: list[tuple[int, int]], zero: int = 0) -> list[Path]:
    """Write parts of a sound, from frame to frame of 25 a second, in one pass."""
    media = probe(source, allow_silent=True)
    sound = SharedSound(media.sound, media.sound_zero + Fraction(zero, 25), media.sound_clock, 1)
    grey = np.full((16, 16, 3), 90, np.uint8)
    files: dict[int, Mp4Writer] = {}
    for frame in range(zero, 250):
        for number, (first, end) in enumerate(parts):
            if frame == first:
                track = sound.track(Fraction(first - zero, 25))
                files[number] = Mp4Writer(folder / f"{number}.mp4", 25, sound=track).__enter__()
            if frame == end:
                files.pop(number).__exit__(None, None, None)
            if first <= frame < end:
                begin = Fraction(frame - first, 25)
                files[number].add(grey, begin, begin + Fraction(1, 25))
        sound.forget(Fraction(frame - zero, 25))
        held = sum(samples.shape[1] for _, samples in sound._chunks)
        assert held < 2 * RATE
    return [folder / f"{number}.mp4" for number in range(len(parts))]


@pytest.mark.parametrize(
    ("name", "codec"), [("a.mp4", "aac"), ("a.mkv", "pcm_s16le"), ("a.mkv", "flac")]
)
def test_each_part_is_in_step(name, codec, tmp_path):
    times = [0.25 + 0.5 * k for k in range(20)]
    source = write_video(
        tmp_path / name, frames=250, sounds=[(0.0, clicks(times, 10.0))], sound_codec=codec
    )
    parts = [(10, 60), (12, 100), (60, 80), (61, 90), (150, 249)]
    for (first, end), path in zip(parts, cut(source, tmp_path, parts, zero=10), strict=True):
        wanted = [t - first / 25 for t in times if first / 25 <= t < end / 25]
        assert heard(path)[: len(wanted)] == pytest.approx(wanted, abs=0.003), path.name


def test_it_is_decoded_once(tmp_path, monkeypatch):
    begun = []
    real = shared_sound.Decoder
    monkeypatch.setattr(
        shared_sound, "Decoder", lambda *call, **more: begun.append(1) or real(*call, **more)
    )
    source = write_video(tmp_path / "a.mp4", frames=250, sounds=[(0.0, clicks([1.0], 10.0))])
    cut(source, tmp_path, [(10 * k, 10 * k + 15) for k in range(20)])
    assert begun == [1]


def test_a_sound_may_end_before_the_picture(tmp_path):
    source = write_video(tmp_path / "a.mp4", frames=250, sounds=[(0.0, clicks([1.0], 1.5))])
    (before, after) = cut(source, tmp_path, [(20, 60), (100, 140)])
    assert heard(before) == pytest.approx([0.2], abs=0.003)
    with av.open(str(after)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 40


def test_what_was_forgotten_is_left_out(tmp_path):
    source = write_video(tmp_path / "a.mp4", frames=250, sounds=[(0.0, clicks([1.0], 10.0))])
    media = probe(source)
    sound = SharedSound(media.sound, media.sound_zero, media.sound_clock, 1)
    early, late = sound._frames(0), sound._frames(2 * RATE)
    next(late)
    sound.forget(Fraction(5))
    assert next(early).pts >= 2 * RATE
