"""Speaking segments: hysteresis, shortest length, clock."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asdkit.core.decisions.segments import (
    SegmentsConfig,
    inside,
    mask,
    speaking_segments,
    uncovered,
)


def segments(values, first=0, **config):
    return speaking_segments(np.array(values, np.float32), first, SegmentsConfig(**config))


def test_begins_at_on_and_ends_below_off():
    values = [0.4, 0.6, 0.4, 0.4, 0.3, 0.4, 0.5]
    assert segments(values, on=0.5, off=0.35, min_s=0) == ((0.04, 0.16), (0.24, 0.28))


def test_runs_to_the_end_and_counts_from_the_first_frame():
    assert segments([1.0] * 10, first=25, min_s=0.2) == ((1.0, 1.4),)


def test_short_ones_are_left_out():
    values = [1.0] * 4 + [0.0] + [1.0] * 5
    assert segments(values, min_s=0.2) == ((0.2, 0.4),)


@given(
    st.lists(st.floats(0, 1, width=32), max_size=60),
    st.floats(0, 1, width=32),
    st.floats(0, 1, width=32),
    st.floats(0, 1),
)
def test_every_certain_frame_is_inside_and_no_other(values, a, b, min_s):
    off, on = sorted((a, b))
    found = segments(values, on=on, off=off, min_s=min_s)
    inside = np.zeros(len(values), bool)
    for start, end in found:
        assert end - start >= min_s - 1e-6
        span = slice(round(start * 25), round(end * 25))
        assert not inside[span].any()
        inside[span] = True
        assert values[span.start] >= on
    assert all(p >= off for p, spoken in zip(values, inside, strict=True) if spoken)
    if min_s <= 0.04:
        assert all(spoken for p, spoken in zip(values, inside, strict=True) if p >= on)


@pytest.mark.parametrize("config", [{"on": 0.3, "off": 0.4}, {"on": 1.2}, {"min_s": -1.0}])
def test_values_out_of_range(config):
    with pytest.raises(ValueError, match="must"):
        SegmentsConfig(**config)


def test_a_mask_and_its_spans_are_the_same():
    spans = segments([0.0] * 3 + [1.0] * 7 + [0.0] * 5 + [1.0] * 6, first=50)
    assert spans == ((2.12, 2.4), (2.6, 2.84))
    found = mask(spans, 50, 21)
    assert np.flatnonzero(found).tolist() == [*range(3, 10), *range(15, 21)]
    assert not mask(spans, 0, 50).any()  # all of it comes later
    assert mask(spans, 60, 3).tolist() == [False] * 3


@given(st.lists(st.booleans(), max_size=60), st.lists(st.booleans(), max_size=60))
def test_uncovered_is_what_is_left(said, seen):
    size = max(len(said), len(seen))
    said, seen = (np.array(x + [False] * (size - len(x)), bool) for x in (said, seen))
    spans, others = (segments(np.where(x, 1.0, 0.0), first=7, min_s=0) for x in (said, seen))
    left = uncovered(spans, [others], 7, size, 0.12)
    wanted = said & ~seen
    edges = np.flatnonzero(np.diff(np.r_[False, wanted, False].astype(int)))
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        if end - start < 3:
            wanted[start:end] = False
    assert mask(left, 7, size).tolist() == wanted.tolist()


def test_inside_knows_its_ends():
    spans = ((1.0, 2.0), (2.5, 3.0))
    times = (0.9, 1.0, 1.99, 2.0, 2.4, 2.5, 2.999, 3.0)
    assert [inside(spans, t) for t in times] == [
        False, True, True, False, False, True, True, False,
    ]  # fmt: skip
    assert not inside((), 1.0)
