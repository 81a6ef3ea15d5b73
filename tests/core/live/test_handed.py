"""Pictures and sound handed over from Python."""

from __future__ import annotations

import threading
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from refusing import refusal
from synth import number_of, numbered

from asdkit.core.errors import InputError
from asdkit.core.live.arrivals import Arrived, Broken
from asdkit.core.live.handed import LiveFeed


class _Clock:
    now_s = 50.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> _Clock:
    clock = _Clock()
    monkeypatch.setattr("time.monotonic", clock)
    return clock


def _arrived(feed: LiveFeed) -> list[Arrived]:
    return [item for item in feed if isinstance(item, Arrived)]


def _block(samples: int = 1600, dtype: Any = np.int16) -> np.ndarray:
    return (np.arange(samples) % 100).astype(dtype)


def test_pictures_are_copied_and_keep_their_times() -> None:
    feed = LiveFeed("robot", sound=False)
    image = numbered(7)
    feed.picture(image, time_s=3.25)
    image[:] = 0
    feed.end()
    (item,) = _arrived(feed)
    assert (item.time_s, item.stream) == (Fraction(13, 4), 0)
    assert number_of(item.frame.to_ndarray(format="rgb24")) == 7
    assert (feed.name, feed.size, feed.has_sound, feed.live) == ("robot", (96, 64), False, True)


def test_without_times_pictures_are_timed_by_arrival(clock: _Clock) -> None:
    feed = LiveFeed(sound=False)
    feed.picture(numbered(1))
    clock.now_s += 0.5
    feed.picture(numbered(2))
    feed.end()
    items = _arrived(feed)
    assert [(item.time_s, item.at_s) for item in items] == [(50, 50.0), (Fraction(101, 2), 50.5)]


def test_sound_goes_on_where_it_ended_unless_it_paused(clock: _Clock) -> None:
    feed = LiveFeed()
    for now_s in (50.1, 50.17, 50.35, 53.0):
        clock.now_s = now_s
        feed.sound(_block(), 16_000)
    feed.sound(_block(), 16_000, time_s=7)
    feed.end()
    times = [item.time_s for item in _arrived(feed)]
    assert times == [50, Fraction("50.1"), Fraction("50.2"), Fraction("52.9"), 7]


@pytest.mark.parametrize("faster", [1.001, 0.999])
@pytest.mark.parametrize("at_once", [1, 5])
def test_a_sound_card_with_a_clock_of_its_own_stays_with_the_pictures(
    clock: _Clock, faster: float, at_once: int
) -> None:
    """Ten minutes, in blocks of 0.1 s by its clock, one by one or some at once."""
    feed = LiveFeed()
    off = []
    for number in range(at_once, 6000, at_once):
        clock.now_s = 50 + 0.1 * number / faster
        for _ in range(at_once):
            feed.sound(_block(), 16_000)
        *_, last = iter(feed._waiting._items)
        off.append(float(last[0].time_s) + 0.1 - clock.now_s)
        feed._waiting._items.clear()
    assert max(map(abs, off[1:])) < 0.06


def test_a_feed_is_for_one_session() -> None:
    feed = LiveFeed("robot")
    feed.claim()
    assert refusal(InputError, feed.claim).startswith("The LiveFeed robot has a session")
    feed.release()
    assert not feed.closed
    other = LiveFeed("robot")
    other.release()
    assert refusal(InputError, other.claim).startswith("The LiveFeed robot was another session's")


def test_a_feed_that_is_not_live_counts_and_keeps_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asdkit.core.live.handed.MOST_BYTES", 100_000)
    feed = LiveFeed(fps=50, live=False)

    def hand_over() -> None:
        for number in range(30):
            feed.picture(numbered(number))
            feed.sound(_block(320), 16_000)
        feed.end()

    thread = threading.Thread(target=hand_over)
    thread.start()
    items = _arrived(feed)
    thread.join()
    assert [item.time_s for item in items[::2]] == [Fraction(k, 50) for k in range(30)]
    assert [item.time_s for item in items[1::2]] == [Fraction(k, 50) for k in range(30)]
    assert feed.left_out == 0


def test_a_live_feed_leaves_out_the_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asdkit.core.live.handed.MOST_BYTES", 4 * 96 * 64 * 3)
    feed = LiveFeed(sound=False)
    for number in range(30):
        feed.picture(numbered(number))
    feed.end()
    shown = [number_of(item.frame.to_ndarray(format="rgb24")) for item in _arrived(feed)]
    assert shown == [26, 27, 28, 29]
    assert feed.left_out == 26


@pytest.mark.parametrize(
    ("samples", "form", "layout"),
    [
        (_block(), "s16", "mono"),
        (_block(dtype=np.float32), "flt", "mono"),
        (_block().astype(">i2"), "s16", "mono"),
        (_block().reshape(-1, 1), "s16", "mono"),
        (_block().reshape(-1, 2), "s16", "stereo"),
        (_block().reshape(-1, 4), "s16", "4 channels"),
    ],
)
def test_sounds(samples: np.ndarray, form: str, layout: str) -> None:
    feed = LiveFeed()
    feed.sound(samples, 48_000)
    feed.sound(samples[:0], 48_000)
    feed.end()
    (item,) = _arrived(feed)
    frame = item.frame
    assert (frame.format.name, frame.layout.name, frame.sample_rate) == (form, layout, 48_000)
    assert frame.samples == len(samples)
    assert np.array_equal(frame.to_ndarray().ravel(), samples.ravel())


def test_another_size_is_told() -> None:
    feed = LiveFeed(sound=False)
    feed.picture(numbered(1))
    feed.picture(numbered(2, 128, 64))
    feed.end()
    _, changed, _ = feed
    assert isinstance(changed, Broken)
    assert changed.reason == "changed its size to 128x64"


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (np.zeros((48, 64), np.uint8), "(48, 64) of uint8"),
        (np.zeros((48, 64, 4), np.uint8), "(48, 64, 4) of uint8"),
        (np.zeros((48, 64, 3), np.float32), "(48, 64, 3) of float32"),
        (np.zeros((0, 64, 3), np.uint8), "(0, 64, 3) of uint8"),
    ],
)
def test_other_pictures_are_refused(image: np.ndarray, words: str) -> None:
    text = refusal(InputError, LiveFeed(sound=False).picture, image)
    assert text == f"A picture is (height, width, 3) of uint8, RGB, got {words}"


@pytest.mark.parametrize(
    ("samples", "rate", "words"),
    [
        (_block(dtype=np.float64), 16_000, "int16 or float32, got (1600,) of float64"),
        (_block().reshape(1, 2, -1), 16_000, "got (1, 2, 800) of int16"),
        (_block().reshape(2, -1), 16_000, "1 to 64 channels"),
        (_block(), 0, "rate of sound is from 1000 to 768000, got 0"),
        (_block(), 44_100.5, "got 44100.5"),
        (_block(), float("nan"), "got nan"),
        (_block(), None, "got None"),
    ],
)
def test_other_sounds_are_refused(samples: np.ndarray, rate: Any, words: str) -> None:
    assert words in refusal(InputError, LiveFeed().sound, samples, rate)


def test_feeds_that_make_no_sense_are_refused() -> None:
    assert "letters" in refusal(InputError, LiveFeed, " ")
    assert "fps" in refusal(InputError, LiveFeed, fps=0)
    assert "sound=True" in refusal(InputError, LiveFeed(sound=False).sound, _block(), 16_000)
    for time_s in (float("nan"), 1e308):
        assert "time_s" in refusal(InputError, LiveFeed().picture, numbered(0), time_s)
    wide = np.zeros((1, 2_200_000, 3), np.uint8)  # more than FFmpeg takes
    assert "too large" in refusal(InputError, LiveFeed().picture, wide)


def test_after_the_end_and_after_the_session() -> None:
    feed = LiveFeed()
    feed.close()
    feed.picture(numbered(0))
    assert feed.closed
    assert list(feed) == []
    feed.end()
    assert "after end()" in refusal(InputError, feed.picture, numbered(0))
