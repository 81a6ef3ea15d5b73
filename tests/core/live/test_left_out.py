"""A machine that is too slow leaves out frames by a stated rule, and keeps the time."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from arriving import FakeInput, Fed, pictures, ramp, sounds, together
from synth import number_of

from asdkit.core.live.arrivals import Broken
from asdkit.core.live.feed import Feed
from asdkit.core.live.settings import LiveConfig
from asdkit.core.live.ticks import Gap, Notice, Tick


class SlowMachine:
    """A clock on which every tick takes a while, or as long as `costs` says by its number."""

    def __init__(self, cost_s: float = 0.0, costs: dict[int, float] | None = None) -> None:
        self.now = 0.0
        self._cost_s = cost_s
        self._costs = costs or {}

    def __call__(self) -> float:
        return self.now

    def arriving(self, items):
        """What arrives, not before its time."""
        for item in items:
            self.now = max(self.now, item.at_s)
            yield item

    def run(self, items, *, live: bool = True, has_sound: bool = True) -> Fed:
        source = FakeInput(self.arriving(items), live=live, has_sound=has_sound)
        feed = Feed(source, LiveConfig(), clock=self)
        given = []
        for one in feed:
            given.append(one)
            if isinstance(one, Tick) and not one.left_out:
                self.now += self._costs.get(one.frame.index, self._cost_s)
        return Fed(feed, given)


def test_who_is_quick_enough_leaves_out_nothing():
    got = SlowMachine(0.03).run(together(pictures(0, 100), sounds(0, 100)))
    assert got.indices == list(range(100))
    assert not any(tick.left_out for tick in got.ticks)
    assert got.words == []
    assert (got.feed.counts.left_out, got.feed.counts.skipped) == (0, 0)


def test_a_pause_before_the_end_is_no_fault_of_the_machine():
    machine = SlowMachine()

    def arriving():
        yield from machine.arriving(pictures(0, 25))
        machine.now += 4

    feed = Feed(FakeInput(arriving(), has_sound=False), LiveConfig(), clock=machine)
    got = Fed(feed, list(feed))
    assert got.indices == list(range(25))
    assert got.words == []
    assert not any(tick.left_out for tick in got.ticks)


def test_what_was_thrown_away_before_is_counted_and_no_fault_of_the_stream():
    source = FakeInput([], has_sound=False)

    def arriving():
        yield from pictures(0, 25)
        source.left_out = 50
        yield from pictures(75, 100)
        yield from pictures(150, 160)

    source.items = arriving()
    feed = Feed(source, LiveConfig(), clock=lambda: 0.0)
    gaps = [given.reason for given in feed if isinstance(given, Gap)]
    assert gaps == ["skipped 2.0 s: the machine is too slow", "sent no picture for 2.0 s"]
    assert feed.counts.lost == 50


def test_who_is_too_slow_holds_the_very_same_picture():
    items = together(pictures(0, 300), sounds(0, 300))
    got = SlowMachine(0.06).run(items)
    assert got.indices == list(range(300))
    assert got.words == []
    out = [tick for tick in got.ticks if tick.left_out]
    # A tick takes 0.06 s where there is 0.04 s: a third is too much, once half a second is lost.
    assert 85 <= len(out) <= 100
    assert got.feed.counts.left_out == len(out)
    for before, tick in zip(got.ticks, got.ticks[1:], strict=False):
        if tick.left_out:
            assert tick.frame.picture is before.frame.picture
        else:
            assert number_of(tick.frame.image) == tick.frame.index
    # Sound is never left out, and stands where it belongs.
    assert np.array_equal(got.heard(), ramp(0, 640 * 300))
    assert len([tick for tick in got.ticks if tick.begins]) == 1


def test_what_has_waited_too_long_is_skipped_and_a_stretch_begins():
    items = together(pictures(0, 300), sounds(0, 300))
    got = SlowMachine(0.01, {50: 5.0}).run(items)
    (gap,) = got.words
    counts = got.feed.counts
    assert isinstance(gap, Gap)
    assert gap.end == 51
    assert gap.reason == f"skipped {counts.skipped} frames: the machine is too slow"
    assert got.indices == [*range(51), *range(51 + counts.skipped, 300)]
    # Up to those that are not late any more.
    assert counts.skipped / 25 == pytest.approx(5 - 0.5, abs=0.1)
    (begun,) = [tick for tick in got.ticks[1:] if tick.begins]
    assert begun.frame.index == 51 + counts.skipped
    assert not begun.left_out
    assert all(number_of(tick.frame.image) == tick.frame.index for tick in got.ticks)
    assert np.array_equal(got.heard(), ramp(0, 640 * 300))
    assert counts.breaks == 0
    assert counts.frames + counts.skipped == 300


def test_what_is_late_but_not_too_late_is_left_out_only():
    got = SlowMachine(0.01, {50: 1.5}).run(pictures(0, 200), has_sound=False)
    assert got.indices == list(range(200))
    out = [tick.frame.index for tick in got.ticks if tick.left_out]
    late = range(51, out[-1] + 1)
    assert out == [k for k in late if (k - 50) % 5]
    assert len(late) == pytest.approx((1.5 - 0.5) * 25, abs=4)


def test_one_frame_in_five_is_looked_at_however_slow_the_machine():
    got = SlowMachine(0.17).run(together(pictures(0, 300), sounds(0, 300)))
    assert got.feed.counts.skipped == 0
    seen = [tick.frame.index for tick in got.ticks if not tick.left_out]
    assert max(b - a for a, b in pairwise(seen)) == 5


def test_a_break_while_skipping_is_told_of():
    items = [*pictures(0, 100), Broken("broke off: nobody knows", 4.0), *pictures(200, 250)]
    got = SlowMachine(0.01, {10: 30.0}).run(items, has_sound=False)
    assert got.words == [
        Gap(11, "skipped 89 frames: the machine is too slow", 4.0),
        Notice("broke off: nobody knows", 4.0),
        Notice("skipped 49 frames: the machine is too slow", pytest.approx(30.4, abs=0.1)),
    ]


def test_what_waited_before_the_first_tick_is_skipped():
    machine = SlowMachine(0.01)
    machine.now = 10.0
    got = machine.run(pictures(0, 300), has_sound=False)
    assert got.words[0].reason.startswith("skipped ")
    assert isinstance(got.words[0], Notice)
    assert got.ticks[0].begins
    assert got.ticks[0].frame.index == pytest.approx((10 - 0.5) * 25, abs=1)
    assert number_of(got.ticks[0].frame.image) == got.ticks[0].frame.index


def test_a_slow_source_is_not_late():
    """Who waits for the next picture, or for sound, waits not for the machine."""
    items = together(pictures(0, 200), sounds(0, 20))
    got = SlowMachine(0.01).run(items)
    assert not any(tick.left_out for tick in got.ticks)
    assert got.feed.counts.skipped == 0


def test_nothing_is_left_out_of_what_does_not_come_at_its_own_pace():
    got = SlowMachine(10.0).run(together(pictures(0, 50), sounds(0, 50)), live=False)
    assert got.indices == list(range(50))
    assert not any(tick.left_out for tick in got.ticks)
    assert got.words == []
