"""Which grid frames, and so which shot, each picture of a source belongs to."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from av.video.frame import VideoFrame
from hypothesis import given
from hypothesis import strategies as st

from asdkit.core.media.container import EARLY_S
from asdkit.core.media.picture import on_grid
from asdkit.core.media.placing import placed

times = st.lists(st.integers(1, 300), min_size=1, max_size=60).map(
    lambda steps: [Fraction(sum(steps[:k]), 1000) for k in range(len(steps) + 1)]
)


def grey(level: int) -> VideoFrame:
    return VideoFrame.from_ndarray(np.full((36, 64, 3), level, np.uint8), format="rgb24")


def shown(edges: list[Fraction], levels: list[int] | None = None) -> list:
    """Pictures that begin and end at these times."""
    levels = levels or [9] * (len(edges) - 1)
    return [
        (begin, end, grey(level))
        for begin, end, level in zip(edges, edges[1:], levels, strict=False)
    ]


@given(edges=times, early_s=st.sampled_from([EARLY_S, Fraction(1, 4)]))
def test_pictures_have_the_grid_frames_that_show_them(edges, early_s):
    pictures = shown(edges)
    on = dict(on_grid([(a, b, a) for a, b, _ in pictures], 0, early_s))
    found = list(placed(pictures, set(), early_s))
    assert [picture for _, picture in found] == pictures
    last = 0
    for frames, _ in found:
        assert len(frames) >= 1
        assert frames[0] >= last
        last = frames[-1]
    for index, begin in on.items():
        assert any(index in frames and at == begin for frames, (at, _, _) in found)


@pytest.mark.parametrize("fps", [25, 30, 50, 60, 120, Fraction(60_000, 1001), 24, 12])
@pytest.mark.parametrize("shift", range(5))
def test_a_cut_falls_on_the_picture_with_which_the_shot_begins(fps, shift):
    cut = 40 + shift
    count = 100
    edges = [Fraction(k) / fps for k in range(count + 1)]
    levels = [40 + k % 3 if k < cut else 200 + k % 3 for k in range(count)]
    on = on_grid([(a, b, k) for k, (a, b, _) in enumerate(shown(edges))])
    first = next(index for index, k in on if k >= cut)
    found = list(placed(shown(edges, levels), {first}, EARLY_S))
    assert [frames[0] >= first for frames, _ in found] == [k >= cut for k in range(count)]


def test_a_part_begins_anywhere():
    edges = [Fraction(k, 30) for k in range(36, 60)]
    found = list(placed(shown(edges), set(), EARLY_S))
    assert found[0][0][0] == 30


def test_pictures_after_the_last_that_the_grid_shows_stay_in_the_shot():
    edges = [Fraction(k, 1000) for k in (0, 40, 45, 50, 55)]
    assert [frames[0] for frames, _ in placed(shown(edges), {2}, EARLY_S)] == [0, 1, 1, 1]
