"""From what arrives to the grid: the same as of a file, gaps, and sound that is waited for."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from arriving import (
    STEP,
    FakeInput,
    fed,
    of_file,
    picture,
    pictures,
    ramp,
    sound,
    sounds,
    together,
)
from synth import number_of, write_video

from asdkit.core.errors import InputError
from asdkit.core.live.arrivals import Broken
from asdkit.core.live.feed import Feed
from asdkit.core.live.settings import LiveConfig
from asdkit.core.live.ticks import Gap, Notice
from asdkit.core.media.container import Reading
from asdkit.core.media.picture import frames
from asdkit.core.media.probe import probe
from asdkit.core.media.sound import Sound


def noise(samples: int) -> np.ndarray:
    """(n,) int16."""
    return np.random.default_rng(samples).integers(-3_000, 3_000, samples).astype(np.int16)


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("clip.ts", {"starts_s": 1.0}),
        ("clip.mp4", {"fps": Fraction(30000, 1001)}),
        ("clip.mkv", {"fps": 50, "sound_rate": 48_000}),
        ("clip.mkv", {"fps": 10, "sound_rate": 16_000}),
    ],
)
def test_a_clean_stream_gives_the_frames_and_the_sound_of_the_file(tmp_path, name, options, live):
    rate = options.get("sound_rate", 44_100)
    path = write_video(
        tmp_path / name,
        frames=60,
        sounds=[(options.get("starts_s", 0.0), noise(6 * rate))],
        **options,
    )
    media = probe(path)
    got = fed(of_file(path), live=live, fps=media.info.fps)
    whole = list(frames(media))
    assert got.indices == [frame.index for frame in whole]
    for tick, frame in zip(got.ticks, whole, strict=True):
        assert np.array_equal(tick.frame.image, frame.image)
    with Sound(media) as file_sound:
        assert np.array_equal(got.heard(), file_sound.read(0, 640 * len(whole)))
    assert got.words == []
    assert [tick.begins for tick in got.ticks] == [True] + [False] * (len(whole) - 1)
    assert got.feed.counts.frames == len(whole)
    assert got.feed.counts.silent == 0
