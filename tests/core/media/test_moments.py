"""The pictures shown at given times, at a video's own rate."""

from __future__ import annotations

import numpy as np
import pytest
from synth import number_of, write_video

from asdkit.core.errors import InputError
from asdkit.core.media.moments import pictures_at
from asdkit.core.media.probe import probe


def numbers_at(path, times) -> list[int]:
    found = pictures_at(probe(path, allow_silent=True), np.array(times, float))
    return [number_of(picture.rgb()) for picture in found]


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_the_nearest_picture_to_each_time(tmp_path, suffix):
    path = write_video(tmp_path / f"v{suffix}", fps=30, frames=90)
    times = [round(number / 30, 2) for number in range(90)]
    assert numbers_at(path, times) == list(range(90))
    late = [2.0, 2.01, 2.02, 2.5, 2.5]  # decoded from before them on
    assert numbers_at(path, late) == [60, 60, 61, 75, 75]


def test_times_before_and_after_all(tmp_path):
    path = write_video(tmp_path / "v.mkv", frames=10)
    assert numbers_at(path, [-0.3, 0.019, 0.02, 0.1, 0.4, 7]) == [0, 0, 1, 3, 9, 9]


def test_nothing_that_can_be_decoded(tmp_path):
    path = write_video(tmp_path / "v.mkv", frames=10)
    media = probe(path, allow_silent=True)
    whole = path.read_bytes()
    path.write_bytes(whole[:400] + bytes(len(whole) - 400))
    with pytest.raises(InputError, match=r"has no picture from 0\.00 s on|deleted, cut"):
        list(pictures_at(media, np.array([0.0])))
