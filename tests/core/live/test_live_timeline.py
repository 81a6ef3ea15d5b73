"""The clock of a live picture, and what holds whatever arrives."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import av
import numpy as np
import pytest
from arriving import STEP, FakeInput, fed, picture, pictures, sounds, together
from hypothesis import given, settings
from hypothesis import strategies as st

from asdkit.core.live.arrivals import Arrived, Broken
from asdkit.core.live.feed import Feed
from asdkit.core.live.settings import LiveConfig
from asdkit.core.live.ticks import Gap, Notice, Tick
from asdkit.core.live.timeline import PictureClock


def placed(
    *times: tuple[float | None, float], live: bool = True, fps: int = 25
) -> list[tuple[float, float | None] | None]:
    """(time, jump) of pictures given as (timestamp, arrival)."""
    clock = PictureClock(Fraction(fps), live=live)
    found = [clock.place(picture(0, time, at_s)) for time, at_s in times]
    return [
        one and (float(one.time), None if one.jump is None else float(one.jump)) for one in found
    ]


def test_the_first_picture_is_at_zero():
    assert placed((1234.5, 9.0), (1234.54, 9.04)) == [(0.0, None), (0.04, None)]


def test_arrival_says_nothing_as_long_as_no_clock_jumps():
    assert placed((0, 0.0), (0.04, 1.5), (0.08, 1.5)) == [(0, None), (0.04, None), (0.08, None)]
    assert placed((0, 0.0), (1.9, 0.0)) == [(0, None), (1.9, None)]


@pytest.mark.parametrize(("stamp", "jump"), [(3600, 3599.96), (-3600, -3600.04), (-0.2, -0.24)])
def test_a_clock_that_jumps_goes_on_by_the_time_that_passed(stamp, jump):
    got = placed((0, 0.0), (stamp, 0.04), (stamp + 0.04, 0.08))
    assert got == [(0, None), (0.04, pytest.approx(jump)), (pytest.approx(0.08), None)]
    got = placed((0, 0.0), (stamp, 1.0), (stamp + 0.04, 1.04))
    assert got == [(0, None), (1.0, pytest.approx(stamp - 1.0)), (pytest.approx(1.04), None)]


def test_a_clock_that_leaps_as_far_as_time_passed_has_not_jumped():
    assert placed((0, 0.0), (3600, 3601.0)) == [(0, None), (3600, None)]


def test_a_stream_that_paused_goes_on_later():
    assert placed((0, 0.0), (0.04, 5.0), (0.08, 5.04)) == [(0, None), (5.0, None), (5.04, None)]


def test_a_picture_whose_end_is_known_late_makes_no_jump_of_the_next():
    """As in a transport stream whose picture pauses while its sound goes on."""
    clock = PictureClock(Fraction(25), live=True)
    times = [(0, 0.1, 0), (0.04, 4.1, 4), (4.0, 4.1, 4), (4.04, 4.14, 4)]
    got = [clock.place(picture(0, time, at_s), Fraction(to)) for time, at_s, to in times]
    assert [(float(one.time), one.jump) for one in got if one] == [
        (0, None),
        (0.04, None),
        (4.0, None),
        (4.04, None),
    ]


def test_pictures_out_of_order_are_left_out():
    got = placed((0, 0.0), (0.08, 0.08), (0.04, 0.1), (0.08, 0.1), (0.12, 0.12))
    assert got == [(0, None), (0.08, None), None, None, (0.12, None)]


def test_pictures_without_timestamps_follow_each_other():
    got = placed((None, 0.0), (None, 0.3), (None, 0.31), fps=50)
    assert got == [(0, None), (0.02, None), (0.04, None)]
    assert placed((5, 0.0), (None, 0.04), (5.1, 0.1)) == [(0, None), (0.04, None), (0.1, None)]


def test_what_is_not_live_goes_on_one_picture_later():
    got = placed((0, 0.0), (0.04, 0.0), (-10, 0.0), (-9.96, 0.0), (-2, 0.0), (90, 0.0), live=False)
    assert [one[0] for one in got] == pytest.approx([0, 0.04, 0.08, 0.12, 8.08, 8.58])
    assert [one[1] is not None for one in got] == [False, False, True, False, False, True]


def test_after_a_break_even_a_small_step_back_is_a_new_clock():
    clock = PictureClock(Fraction(25), live=True)
    clock.place(picture(0, 5, 0.0))
    clock.interrupt()
    one = clock.place(picture(0, 4.95, 3.0))
    assert one is not None
    assert (one.time, one.jump) == (3, None)


def test_a_jump_is_told_of_and_ends_a_stretch_where_time_was_lost():
    items = [*pictures(0, 50), *pictures(50, 100, 3600), *pictures(150, 200, -3600)]
    got = fed(items, has_sound=False)
    assert got.indices == [*range(100), *range(150, 200)]
    assert got.words == [
        Notice("jumped in time by +3600.0 s", 2.0),
        Gap(100, "jumped in time by -7200.0 s", 6.0),
    ]
    assert [tick.frame.index for tick in got.ticks if tick.begins] == [0, 150]
    assert got.feed.counts.breaks == 1


# Whatever arrives

_PICTURES = [av.VideoFrame(16 * n, 16, "yuv420p") for n in (1, 1, 1, 2)]
for _frame in _PICTURES:
    for _plane in _frame.planes:
        _plane.update(bytes(_plane.buffer_size))


def _sound_of(samples: int, rate: int, layout: str) -> av.AudioFrame:
    channels = 2 if layout == "stereo" else 1
    values = np.full((1, samples * channels), 100, np.int16)
    frame = av.AudioFrame.from_ndarray(values, format="s16", layout=layout)
    frame.sample_rate = rate
    return frame


_SOUNDS = [
    _sound_of(640, 16_000, "mono"),
    _sound_of(1024, 44_100, "mono"),
    _sound_of(1024, 48_000, "stereo"),
    _sound_of(16_000, 16_000, "mono"),
]
_stamps = st.one_of(
    st.fractions(-2, 2, max_denominator=90_000),
    st.fractions(-20, 5_000, max_denominator=1_000),
    st.integers(-(2**62), 2**62).map(Fraction),
)
_times = st.none() | _stamps
_pause = st.sampled_from([0.0, 0.0, 0.04, 0.04, 0.3, 1.0, 3.0, 3600.0])


@st.composite
def _anything(draw: st.DrawFn) -> list[Arrived | Broken | None]:
    """Pictures and sound, some of them as expected, others timed anyhow, and breaks."""
    at_s, stamp, heard = 100.0, Fraction(7), Fraction(7)
    items: list[Arrived | Broken | None] = []
    for kind in draw(st.lists(st.sampled_from("pppssstfxbn"), max_size=50)):
        at_s += draw(_pause)
        if kind == "p":
            stamp += STEP
            items.append(Arrived(draw(st.sampled_from(_PICTURES)), stamp, at_s))
        elif kind == "s":
            items.append(Arrived(_SOUNDS[0], heard, at_s))
            heard += STEP
        elif kind == "t":
            stamp = heard = draw(_stamps)
        elif kind == "f":
            chosen = draw(st.sampled_from(_SOUNDS))
            items.append(Arrived(chosen, draw(_times), at_s, draw(st.integers(0, 1))))
        elif kind == "x":
            items.append(Arrived(draw(st.sampled_from(_PICTURES)), draw(_times), at_s))
        elif kind == "b":
            items.append(Broken("broke off", at_s, draw(st.booleans())))
        else:
            items.append(None)
    return items


@settings(max_examples=80)
@given(_anything(), st.booleans(), st.booleans(), st.sampled_from([0.5, 15.0, 25.0, 60.0]), _pause)
def test_whatever_arrives_the_grid_rises_and_nothing_grows(items, live, has_sound, fps, behind_s):
    source = FakeInput(items, live=live, has_sound=has_sound, fps=fps)
    at_s = 0.0

    def arriving():
        nonlocal at_s
        for item in items:
            at_s = at_s if item is None else item.at_s
            yield item

    source.items = arriving()
    feed = Feed(source, LiveConfig(), clock=lambda: at_s + behind_s)
    whole = []
    for one in feed:
        whole.append(one)
        if isinstance(one, Tick):
            stop = 640 * (one.frame.index + 1)
            heard = feed.sound.read(stop - 640, stop + 640)
            assert heard.shape == (1280,)
            assert not heard[640:].any()
            assert one.at_s <= at_s + behind_s
    ticks = [one for one in whole if isinstance(one, Tick)]
    indices = [tick.frame.index for tick in ticks]
    assert all(before < after for before, after in pairwise(indices))
    seen = sum(
        isinstance(item, Arrived) and isinstance(item.frame, av.VideoFrame) for item in items
    )
    assert len(ticks) <= seen * 52
    assert feed.counts.pictures == seen
    assert feed.counts.frames == len(ticks)
    assert len({(tick.frame.picture.width, tick.frame.picture.height) for tick in ticks}) <= 1
    assert len(feed.sound) <= 640 * len(ticks) + 21 * 16_000
    if not live:
        assert feed.counts.left_out == feed.counts.skipped == 0
    _stretches_are_closed(whole)


def _stretches_are_closed(whole: list[Tick | Gap | Notice | None]) -> None:
    """Ticks begin a stretch after a gap alone, and go on without a hole within it."""
    end: int | None = None
    before: Tick | None = None
    for one in whole:
        if isinstance(one, Gap):
            assert one.end == end
            end = None
        elif isinstance(one, Tick):
            assert one.begins == (end is None)
            assert end is None or one.frame.index == end
            if one.left_out:
                assert before is not None
                assert one.frame.picture is before.frame.picture
            end, before = one.frame.index + 1, one


@settings(max_examples=15)
@given(st.lists(st.floats(0, 1.5), min_size=40, max_size=40), st.booleans())
def test_when_it_arrives_changes_nothing(late_s, live):
    items = together(pictures(0, 20), sounds(0, 20))
    moved = []
    at_s = 0.0
    for item, by in zip(items, late_s, strict=True):
        at_s = max(at_s, item.at_s + by)
        moved.append(Arrived(item.frame, item.time_s, at_s))
    got, other = fed(items, live=live), fed(moved, live=live)
    assert got.indices == other.indices == list(range(20))
    assert np.array_equal(got.heard(), other.heard())
    assert got.words == other.words == []
