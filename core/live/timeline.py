"""The clock of a live picture, whose timestamps may jump: seconds from the first picture on."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from .arrivals import Arrived

HOLD_S = Fraction(1, 2)
"""If no picture comes for longer, on the clock of the stream, the shot ends; see `hold_of`."""
_MOST_HOLD_S = Fraction(2)
JUMP_S = Fraction(2)
"""A live clock that differs by more from the time that passed has jumped."""
LEAP_S = Fraction(10)
"""A clock that leaps by more has jumped, where the time that passed says nothing: `pace=fast`."""
BACK_S = Fraction(1, 10)
"""A clock that goes back by more has jumped; frames that go back by less are out of order."""
_FOLLOWED = 50
"""A change of the delay is followed by one part of so many of the time that passes."""


def hold_of(fps: Fraction) -> Fraction:
    """How long a picture is held at most: half a second, or two pictures at lower frame rates."""
    return max(HOLD_S, min(2 / fps, _MOST_HOLD_S))


def seconds(value: float) -> Fraction:
    """Measured seconds, to a millisecond."""
    return Fraction(round(value * 1000), 1000)


@dataclass(frozen=True)
class Placed:
    """Where a picture belongs.

    Attributes:
        time: Seconds from the first picture.
        jump: By how many seconds its clock jumped, ahead or back; None if it did not, or if that
            was to be expected: after a break, or as pictures were held up.
    """

    time: Fraction
    jump: Fraction | None = None


class Delay:
    """How much later than their times frames arrive: the least, which is followed where it grows.

    Attributes:
        least: Seconds; None before the first.
    """

    def __init__(self) -> None:
        self.least: float | None = None
        self._at_s = 0.0

    def take(self, late: float, at_s: float) -> float:
        """Take how late a frame is that arrived at `at_s`; return the least."""
        if self.least is None:
            self.least = late
        else:
            self.least = min(late, self.least + (at_s - self._at_s) / _FOLLOWED)
        self._at_s = at_s
        return self.least


class PictureClock:
    """Places pictures: each by its timestamp; after a jump, by the time that passed on arrival.

    Args:
        fps: The frame rate, as far as is known.
        live: Whether the times of arrival say how much time passed. If not, a clock that jumps
            goes on one picture later.

    Attributes:
        shift: Seconds to add to timestamps to place them.
        time: When the last picture that was placed begins; 0 before the first.
        end: When it ends if no other one follows.
        hold: For how long it is held until another one comes.
    """

    def __init__(self, fps: Fraction, *, live: bool) -> None:
        self._live = live
        self._gap = 1 / fps
        self._zero_at: float | None = None
        self._at_s = 0.0
        self._broken = False
        self._delay = Delay()
        self.shift = Fraction(0)
        self.time = self.end = Fraction(0)
        self.hold = hold_of(fps)

    @property
    def begun(self) -> bool:
        """Whether there was a picture."""
        return self._zero_at is not None

    def interrupt(self) -> None:
        """The stream broke off: whatever comes next may be timed anew."""
        self._broken = True

    def expected(self, at_s: float) -> Fraction:
        """The time of what arrives at `at_s`, as far as pictures tell."""
        if not self._live or self._delay.least is None:
            return self.time
        return seconds(at_s - self._delay.least)

    def place(self, arrived: Arrived, heard_to: Fraction = Fraction(0)) -> Placed | None:
        """Place a picture; None if it is out of order.

        A picture without a timestamp begins where the one before it ends.

        Args:
            arrived: The picture.
            heard_to: The time up to which sound came on the same clock: if the picture is late, but
                sound went on, the picture was held up.
        """
        length = _length(arrived)
        stamp = self.end - self.shift if arrived.time_s is None else arrived.time_s
        jump: Fraction | None = None
        if self._zero_at is None:
            self._zero_at = arrived.at_s
            self.shift = -stamp
        else:
            advance = stamp + self.shift - self.time
            passed = seconds(arrived.at_s - self._at_s)
            if self._jumped(advance, passed, heard_to, arrived.at_s):
                goes_on = self._goes_on(passed)
                self.shift += goes_on - advance
                self._delay = Delay()
                if not self._broken and not 0 < advance < goes_on:
                    jump = advance - goes_on
            elif advance <= 0:
                return None
            else:
                self._gap = min(advance, self.hold)
        self.time = stamp + self.shift
        self.end = self.time + min(length or self._gap, self.hold)
        self._at_s, self._broken = arrived.at_s, False
        self._delay.take(arrived.at_s - float(self.time), arrived.at_s)
        return Placed(self.time, jump)

    def _jumped(self, advance: Fraction, passed: Fraction, heard_to: Fraction, at_s: float) -> bool:
        if advance < -BACK_S or (self._broken and advance <= 0):
            return True
        if not self._live:
            return advance > LEAP_S
        held_up = heard_to > self.time + advance + HOLD_S
        # The picture before may have come late, as where it ends is known from the next one alone.
        ahead = min(advance - passed, self.time + advance - self.expected(at_s))
        return ahead > JUMP_S or (passed - advance > JUMP_S and not held_up)

    def _goes_on(self, passed: Fraction) -> Fraction:
        """How much later than the picture before one is placed whose clock jumped.

        After a hold-up pictures may come faster than they are shown. Then the clock is ahead of the
        time that passed since the beginning, and does not get ahead any more.
        """
        step = self.end - self.time
        if not self._live:
            return step
        assert self._zero_at is not None
        ahead = self.time - seconds(self._at_s - self._zero_at)
        return max(step, passed - max(ahead, Fraction(0)))


def _length(arrived: Arrived) -> Fraction:
    """How long a picture says that it lasts, in seconds; 0 if it does not."""
    frame = arrived.frame
    return max(Fraction((frame.duration or 0) * (frame.time_base or 0)), Fraction(0))
