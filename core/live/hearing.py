"""Brings live sound onto the clock of the picture, whichever of the two jumps first."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from fractions import Fraction

from av.audio.frame import AudioFrame

from ..errors import InputError
from ..media.sound import Pieces
from ..media.sound_frames import finite
from ..notes import Notes
from ..types import SAMPLES_PER_FRAME, Int16
from .arrivals import Arrived
from .live_sound import LiveSound
from .timeline import BACK_S, JUMP_S, LEAP_S, Delay, PictureClock

_FIRST_S = Fraction(10)
"""So much sound is kept before the first picture: that of a stream may be much later."""
_UNSURE_S = Fraction(2)
"""Sound that fits no clock waits for a picture until there is so much of it."""
_APART_S = Fraction(1, 10)
"""The clock of another source that differs by more from the times of arrival is set anew."""


class Hearing:
    """Takes sound as it arrives, and puts it where it belongs; what cannot be mixed is left out.

    Sound of the picture's own source shares its clock. Where only one of them has jumped so far,
    sound is placed by the clock, of that before and that after the jump, that brings it nearer to
    the pictures that arrive with it; sound that fits neither waits for a picture. Sound of another
    source, or without timestamps, is placed by when it arrives, and goes on by its own clock until
    that is a tenth of a second off; if it is not live it begins with the picture.

    Args:
        clock: The clock of the picture.
        sound: Gets the sound.
        notes: Collects notes on the sound.
        live: Whether the times of arrival say how much time passed.
    """

    def __init__(self, clock: PictureClock, sound: LiveSound, notes: Notes, *, live: bool) -> None:
        self._clock = clock
        self._sound = sound
        self._notes = notes
        self._live = live
        self._pieces = Pieces(notes, SAMPLES_PER_FRAME)
        self._waiting: deque[Arrived] = deque()
        self._waiting_s = Fraction(0)
        self._shift: Fraction | None = None
        self._end = Fraction(0)
        """The timestamp at which the last frame ended, with `_shift` known."""
        self._at_s = 0.0
        """When the last frame that was placed arrived."""
        self._delay = Delay()

    @property
    def begun(self) -> bool:
        """Whether any sound has come."""
        return self._shift is not None or bool(self._waiting)

    @property
    def heard_to(self) -> Fraction:
        """The time up to which sound came on the same clock as the picture; 0 if none did."""
        if self._shift != self._clock.shift or self._waiting:
            return Fraction(0)
        return self._end + self._shift

    def put(self, arrived: Arrived) -> None:
        """Take a frame of sound."""
        frame = _sound(arrived)
        if frame.samples and frame.sample_rate:
            self._waiting.append(arrived)
            self._waiting_s += _length(arrived)
            self.place()

    def place(self) -> None:
        """Place the sound that waits, as far as it can be; call it after each picture."""
        while self._waiting:
            time = self._time(self._waiting[0])
            if time is None:
                if not self._too_much():
                    return
                if not self._clock.begun:
                    self._next()
                    continue
                time = self._anew(self._waiting[0])
            self._place(self._next(), time)

    def finish(self) -> None:
        """Put all that came: what comes next is not joined to it."""
        self._put(self._pieces.finish(), self._at_s)

    def _too_much(self) -> bool:
        return self._waiting_s > (_UNSURE_S if self._clock.begun else _FIRST_S)

    def _next(self) -> Arrived:
        arrived = self._waiting.popleft()
        self._waiting_s -= _length(arrived)
        return arrived

    def _place(self, arrived: Arrived, time: Fraction) -> None:
        frame = _sound(arrived)
        assert self._shift is not None
        self._end = time - self._shift + _length(arrived)
        self._at_s = arrived.at_s
        clean = finite(frame)
        if clean is not frame:
            self._notes.add("The sound holds samples that are no numbers: they are left out")
        self._put(self._pieces.put(clean, time), arrived.at_s)

    def _put(self, pieces: Iterable[tuple[int, Int16]], at_s: float) -> None:
        try:
            for at, samples in pieces:
                self._sound.put(at, samples, at_s)
        except InputError as error:  # so silence stands for it, and the session goes on
            self._notes.add(str(error))
            self._pieces = Pieces(self._notes, SAMPLES_PER_FRAME)

    def _time(self, arrived: Arrived) -> Fraction | None:
        """The time at which a frame begins, in seconds from the first picture; None if unsure."""
        if not self._clock.begun:
            return None
        if self._live and (arrived.stream or arrived.time_s is None):
            return self._by_arrival(arrived)
        stamp = self._stamp(arrived)
        if arrived.stream:
            if self._shift is None:
                self._shift, self._end = -stamp, stamp
            return stamp + self._shift if self._goes_on(stamp) else self._anew(arrived)
        goes_on = self._goes_on(stamp)
        if self._shift is None or not goes_on or self._shift != self._clock.shift:
            expected = self._clock.expected(arrived.at_s)
            shifts = {self._clock.shift, self._clock.shift if self._shift is None else self._shift}
            off, nearest = min((abs(stamp + shift - expected), shift) for shift in shifts)
            ours = nearest == self._shift
            # At the beginning, or after a jump of the picture, sound may come long before it.
            if off <= (JUMP_S if self._live and ours else LEAP_S):
                self._shift = nearest
            elif self._shift is None or not goes_on:
                return None
        return stamp + self._shift

    def _by_arrival(self, arrived: Arrived) -> Fraction:
        stamp = self._stamp(arrived)
        length = _length(arrived)
        if not self._goes_on(stamp):
            self._delay = Delay()
        late = self._delay.take(arrived.at_s - float(stamp + length), arrived.at_s)
        # What arrives together belongs together: the end of the sound, and the picture.
        wanted = self._clock.expected(late)
        if self._shift is None or abs(wanted - self._shift) > _APART_S:
            self._shift = wanted
        return stamp + self._shift

    def _anew(self, arrived: Arrived) -> Fraction:
        """Set the clock of the sound anew, by the picture that it arrives with, or to go on."""
        stamp = self._stamp(arrived)
        if self._live or self._shift is None:
            time = self._clock.expected(arrived.at_s) - _length(arrived)
        else:
            time = self._end + self._shift
        self._shift = time - stamp
        return time

    def _stamp(self, arrived: Arrived) -> Fraction:
        """The timestamp of a frame; one without begins where the one before it ends."""
        if arrived.time_s is not None:
            return arrived.time_s
        return self._end if self._shift is not None else -self._clock.shift

    def _goes_on(self, stamp: Fraction) -> bool:
        """Whether a timestamp goes on with the sound before it."""
        if self._shift is None:
            return False
        return -BACK_S <= stamp - self._end <= (JUMP_S if self._live else LEAP_S)


def _sound(arrived: Arrived) -> AudioFrame:
    assert isinstance(arrived.frame, AudioFrame)
    return arrived.frame


def _length(arrived: Arrived) -> Fraction:
    """How long the sound of a frame is, in seconds."""
    frame = _sound(arrived)
    return Fraction(frame.samples, frame.sample_rate)
