"""What waits between those who bring frames and the one who takes them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import pytest
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame

from asdkit.core.live.arrivals import Arrived, Broken
from asdkit.core.live.waiting import Waiting

_PICTURE_BYTES = 64 * 48 * 3 // 2


class _Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def _picture(number: int) -> Arrived:
    return Arrived(VideoFrame(64, 48, "yuv420p"), Fraction(number), number)


def _sound(number: int, stream: int = 0) -> Arrived:
    frame = AudioFrame("s16", "mono", 160)
    frame.sample_rate = 16_000
    return Arrived(frame, Fraction(number), number, stream)


def _told(items: Iterator[Arrived | Broken | None]) -> list[object]:
    return [item.reason if isinstance(item, Broken) else item.time_s for item in items if item]


def test_the_oldest_picture_is_left_out() -> None:
    waiting = Waiting(most_bytes=3 * _PICTURE_BYTES + 1000)
    waiting.put(_sound(0))
    waiting.put(Broken("changed", 0.0))
    for number in range(1, 6):
        waiting.put(_picture(number))
    waiting.end()
    assert _told(iter(waiting)) == [0, "changed", 3, 4, 5]
    assert waiting.left_out == 2


def test_sound_is_left_out_last() -> None:
    waiting = Waiting(most_bytes=1000)
    for number in range(5):
        waiting.put(_sound(number))
    waiting.end()
    assert _told(iter(waiting)) == [2, 3, 4]
    assert waiting.left_out == 2


def test_a_stall_is_told_once_and_that_it_is_over() -> None:
    clock = _Clock()
    waiting = Waiting(2.0, clock=clock)
    items = iter(waiting)
    waiting.put(_picture(1))
    assert next(items)
    assert next(items) is None
    clock.now_s += 2
    waiting.put(_sound(2))  # sound alone is a stall, too
    told = [next(items) for _ in range(3)]
    assert isinstance(told[0], Broken)
    assert told[0].ends_stretch
    assert told[0].reason == "stalled: no picture came for 2.0 s"
    assert _told(iter(told)) == [told[0].reason, 2]
    waiting.put(_picture(3))
    waiting.end()
    back, *rest = list(items)
    assert isinstance(back, Broken)
    assert (back.reason, back.ends_stretch) == ("came back", False)
    assert _told(iter(rest)) == [3]


def test_what_waits_for_a_slow_user_is_no_stall() -> None:
    clock = _Clock()
    waiting = Waiting(2.0, clock=clock)
    waiting.put(_picture(1))
    clock.now_s += 60
    assert _told(iter([next(iter(waiting))])) == [1]


def test_a_stall_is_told_to_a_slow_user_in_its_place() -> None:
    clock = _Clock()
    waiting = Waiting(2.0, clock=clock)
    clock.now_s += 30  # until a source is open
    for number, passed_s in enumerate((0.0, 1.9, 2.0, 0.04)):
        clock.now_s += passed_s
        waiting.put(replace(_picture(number), at_s=clock.now_s))
    waiting.end()
    items = list(waiting)
    assert _told(iter(items)) == [0, 1, "stalled: no picture came for 2.0 s", "came back", 2, 3]
    assert [item.at_s for item in items if item] == [130, 131.9, 133.9, 133.9, 133.9, 133.94]


def test_away_is_no_stall_and_ends_with_the_next_frame_of_its_own() -> None:
    clock = _Clock()
    waiting = Waiting(2.0, clock=clock)
    items = iter(waiting)
    waiting.break_off("broke off: reset")
    clock.now_s += 60
    waiting.put(_sound(1, stream=1))
    waiting.put(_sound(2))
    waiting.end()
    assert _told(items) == ["broke off: reset", 1, "came back", 2]


def test_times_of_arrival_never_decrease() -> None:
    waiting = Waiting()
    for number in (5, 3, 7):
        waiting.put(_picture(number))
    waiting.end()
    items = list(waiting)
    assert _told(iter(items)) == [5, 3, 7]
    assert [item.at_s for item in items if item] == [5, 5, 7]


def test_an_error_comes_after_what_came_before_it() -> None:
    waiting = Waiting()
    waiting.put(_picture(1))
    waiting.end(ValueError("over"))
    items = iter(waiting)
    assert next(items)
    with pytest.raises(ValueError, match="over"):
        next(items)


def test_closing_ends_it_and_lets_go() -> None:
    waiting = Waiting()
    waiting.put(_picture(1))
    waiting.close()
    waiting.put(_picture(2))
    assert list(waiting) == []


def test_nothing_is_left_out_if_all_is_kept() -> None:
    waiting = Waiting(keep_all=True, most_bytes=2 * _PICTURE_BYTES)
    numbers = range(50)

    def bring() -> None:
        for number in numbers:
            waiting.put(_picture(number))
        waiting.end()

    thread = threading.Thread(target=bring)
    thread.start()
    assert _told(iter(waiting)) == list(numbers)
    thread.join()
    assert not waiting.left_out


def test_closing_frees_who_waits_for_room() -> None:
    waiting = Waiting(keep_all=True, most_bytes=1)
    waiting.put(_picture(0))
    thread = threading.Thread(target=waiting.put, args=(_picture(1),))
    thread.start()
    waiting.close()
    thread.join(30)
    assert not thread.is_alive()
