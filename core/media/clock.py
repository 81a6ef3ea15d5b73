"""Repairs the timestamps of a stream, which may restart, jump or be missing, into one rising clock.

docs/time.md states the rules.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from heapq import heappop, heappush
from itertools import pairwise
from typing import Any

import av
from av.container import InputContainer

_BACK_S = 0.1
"""A decoding time that goes back by more than this begins a new run."""
_LEAP_S = 10.0
"""Longest gap without any packet in containers whose timestamps may be discontinuous."""
_QUIET_S = 60.0
"""Longest gap in all other containers: live recordings of calls and screens have long gaps."""
_LONGEST_LAST_S = 60
"""How long the last picture is held at most after the sound has ended."""
_SAME_CLOCK_S = 10.0
"""Sound further than this from the times of a picture's part belongs to another clock."""
_STEP_S = 1.0
"""A larger jump ahead is an error if later packets continue from before the jump."""
_MOST_DELAY_S = 10.0
_MOST_DELAY_FRAMES = 32
"""A presentation time further than both together from the decoding time is wrong."""
_MOST_REORDERED = 17
"""More pictures than any codec reorders."""


@dataclass(frozen=True)
class Run:
    """A part of a stream with continuous timestamps.

    Attributes:
        position: Byte in the file at which its first packet begins; 0 for the first run.
        begin: Its first timestamp in seconds, as in the file.
        shift: Seconds to add to its timestamps, to place it on the repaired clock.
    """

    position: int
    begin: Fraction
    shift: Fraction


@dataclass(frozen=True)
class Clock:
    """Converts the timestamps of one stream to one rising clock.

    Attributes:
        runs: The parts between breaks, in file order; empty if there is no break.
        in_decoding_order: The container gives decoding times only; presentation times are the
            same times, sorted.
        end: Timestamp in seconds, on the repaired clock, at which the stream ends; 0 if unknown.
    """

    runs: tuple[Run, ...] = ()
    in_decoding_order: bool = False
    end: Fraction = Fraction(0)

    def placed(self, packets: Iterable[Any]) -> Iterator[Any]:
        """Set the packets' timestamps to the repaired clock."""
        positions = [run.position for run in self.runs]
        shift = Fraction(0)
        for packet in packets:
            if self.runs and packet.pos is not None:
                shift = self.runs[max(0, bisect_right(positions, packet.pos) - 1)].shift
            if self.in_decoding_order and packet.dts is not None:
                packet.pts = packet.dts
            elif _is_far_off(packet):
                packet.pts = None
            if shift:
                ticks = round(shift / packet.time_base)
                if packet.pts is not None:
                    packet.pts += ticks
                if packet.dts is not None:
                    packet.dts += ticks
            yield packet

    def shown(self, frames: Iterator[Any]) -> Iterator[Any]:
        """Give decoded pictures, which are in presentation order, sorted times, too."""
        if not self.in_decoding_order:
            yield from frames
            return
        waiting: list[Any] = []
        times: list[int] = []
        for frame in frames:
            waiting.append(frame)
            if frame.pts is not None:
                heappush(times, frame.pts)
            if len(waiting) > _MOST_REORDERED:
                yield _timed(waiting.pop(0), times)
        for frame in waiting:
            yield _timed(frame, times)

    def in_file(self, time: Fraction) -> Fraction:
        """Convert a time on the repaired clock to a timestamp in the file, both in seconds."""
        shift = Fraction(0)
        for run in self.runs:
            if run.begin + run.shift <= time:
                shift = run.shift
        return time - shift


def held_until(begin: Fraction, end: Fraction, sound_end: Fraction) -> Fraction:
    """When the last picture ends, given the file's own `end`, which may be wrong by hours.

    Args:
        begin: When the last picture begins.
        end: When it ends according to the file.
        sound_end: When the sound ends.
    """
    return min(end, max(begin, sound_end) + _LONGEST_LAST_S)


def _timed(frame: Any, times: list[int]) -> Any:
    if frame.pts is not None:
        frame.pts = heappop(times)
    return frame


def _is_far_off(packet: Any) -> bool:
    """Whether a packet's presentation time is implausibly far from its decoding time."""
    if packet.pts is None or packet.dts is None:
        return False
    apart = abs(packet.pts - packet.dts)
    most = _MOST_DELAY_FRAMES * (packet.duration or 0)
    return bool(apart > most and (apart - most) * packet.time_base > _MOST_DELAY_S)


@dataclass(frozen=True)
class Break:
    """A discontinuity of a file's timestamps.

    Attributes:
        time: Timestamp in seconds, on the repaired clock, of the discontinuity.
        leap: Seconds by which the file's timestamps jump ahead, or back if negative.
    """

    time: Fraction
    leap: Fraction


@dataclass(frozen=True)
class Clocks:
    """The clocks of a file's picture and sound.

    Attributes:
        picture: The clock of the picture.
        sound: The clock of the sound.
        breaks: Discontinuities of the picture, and those of the sound alone.
    """

    picture: Clock
    sound: Clock
    breaks: tuple[Break, ...]


@dataclass
class _Part:
    """A run while it is read: numbers of its first and last packet, and its times in the file."""

    position: int
    first: int
    begin: Fraction
    last: int = 0
    end: Fraction = Fraction(0)
    shift: Fraction = Fraction(0)


@dataclass
class _Stream:
    """The state of a stream while its packets are read; times in seconds unless in ticks."""

    step: int = 0
    """Time between the previous two packets, in ticks."""
    stamp: int = 0
    """Decoding time of the previous packet, in ticks."""
    last: float | None = None
    """Decoding time of the previous packet."""
    between: list[float] = field(default_factory=list)
    """Times of the other stream's packets since the previous packet."""
    parts: list[_Part] = field(default_factory=list)
    highest: int | None = None
    """Presentation time of the last packet that had one, in ticks."""
    ahead: tuple[_Part, float, _Part] | None = None
    """The last jump ahead in this part: the part before it, the time before it, the part after."""
    rises: bool = True
    """Whether presentation times have risen from packet to packet so far."""
    undated: int = 0
    """How many packets in a row had no decoding time."""

    def take(self, packet: Any, count: int, most_quiet_s: float) -> None:
        stamp = packet.dts if packet.dts is not None else packet.pts
        time_base = packet.time_base
        time = stamp * time_base.numerator / time_base.denominator
        if packet.pts is not None:
            self.rises = self.rises and (self.highest is None or packet.pts > self.highest)
            self.highest = packet.pts
        begin = (stamp if packet.pts is None else packet.pts) * time_base
        if _is_far_off(packet):  # take it to follow the picture before
            begin = self.parts[-1].end if self.parts else stamp * time_base
        self.undated = 0 if packet.dts is not None else self.undated + 1
        # Matroska gives no decoding times for the first pictures; presentation times are ahead.
        dated = self.undated == 0 or self.undated > _MOST_REORDERED
        goes_on = dated and self.last is not None
        if not self.parts or (
            goes_on
            and self._breaks(time, float(self.step * time_base), most_quiet_s)
            and packet.pos is not None
            and packet.pos > self.parts[-1].position
        ):
            if self.ahead is not None and abs(time - self.ahead[1]) < _STEP_S:
                self._split()
            position = packet.pos if self.parts else 0
            self.ahead = None
            self.parts.append(_Part(position, count, begin, end=begin))
        elif goes_on and stamp > self.stamp:
            assert self.last is not None
            if time - self.last > _STEP_S and packet.pos is not None:
                begun = _Part(packet.pos, count, begin, end=begin)
                self.ahead = replace(self.parts[-1]), self.last, begun
            else:
                self.step = stamp - self.stamp
        part = self.parts[-1]
        part.last = count
        part.begin = min(part.begin, begin)
        length = (packet.duration or self.step) * time_base
        if length > most_quiet_s:  # MP4 stores durations, not times: this one is the jump itself
            length = self.step * time_base
        part.end = max(part.end, begin + length)
        if dated:
            self.stamp, self.last = stamp, time
            self.between = []

    def _split(self) -> None:
        """Make the packets since a jump ahead a part of their own, as later packets go back."""
        assert self.ahead is not None
        before, _, since = self.ahead
        if since.position > before.position:
            since.last, since.end = self.parts[-1].last, self.parts[-1].end
            self.parts[-1:] = [before, since]

    def _breaks(self, time: float, step_s: float, most_quiet_s: float) -> bool:
        assert self.last is not None
        if time < self.last - _BACK_S:
            return True
        if time - self.last - step_s <= most_quiet_s:
            return False
        due = sorted(other for other in self.between if self.last < other < time)
        moments = [self.last + step_s, *due, time]
        quiet_s = max(after - before for before, after in pairwise(moments))
        return quiet_s > most_quiet_s


def read_clocks(
    container: InputContainer,
    picture: Any,
    sound: Any,
    watch: Callable[[Any], None] | None = None,
) -> Clocks:
    """Read a file's packets, without decoding them, and find the breaks of its clocks.

    Args:
        container: The file, at its beginning; it is read to its end.
        picture: A video stream of the file, or None.
        sound: A sound stream of the file, or None.
        watch: Called with each packet of the picture.
    """
    may_break: Any = av.format.Flags.ts_discont
    most_quiet_s = _LEAP_S if container.format.flags & may_break.value else _QUIET_S
    seen = {stream.index: _Stream() for stream in (picture, sound) if stream is not None}
    chosen = [stream for stream in (picture, sound) if stream is not None]
    try:
        for count, packet in enumerate(container.demux(chosen)):
            if watch is not None and packet.stream_index == picture.index:
                watch(packet)
            stamp = packet.dts if packet.dts is not None else packet.pts
            if stamp is None or packet.is_discard:
                continue
            seen[packet.stream_index].take(packet, count, most_quiet_s)
            for index, other in seen.items():
                if index != packet.stream_index:
                    other.between.append(float(stamp * packet.time_base))
    # Damage ends the reading. PyAV raises IndexError for a stream the file did not announce.
    except (av.FFmpegError, IndexError):
        pass
    pictures = seen[picture.index] if picture is not None else _Stream()
    sounds = seen[sound.index] if sound is not None else _Stream()
    breaks = _join(pictures.parts) + _join(sounds.parts, pictures.parts)
    unordered = picture is not None and pictures.rises and picture.codec_context.has_b_frames
    return Clocks(
        picture=Clock(_runs(pictures.parts), bool(unordered), _end(pictures.parts)),
        sound=Clock(_runs(sounds.parts), end=_end(sounds.parts)),
        breaks=tuple(breaks),
    )


def _join(parts: list[_Part], beside: list[_Part] | None = None) -> list[Break]:
    """Shift each part to where the previous one ends, or like the matching part of the picture.

    Args:
        parts: The parts of a stream.
        beside: For sound: the parts of the picture, shifted already.

    Returns:
        The breaks without those that the picture has, too.
    """
    breaks = []
    for before, part in pairwise(parts):
        part.shift = before.end + before.shift - part.begin
        matching = [other for other in beside or () if _same_clock(part, other)]
        if matching:
            part.shift = max(matching, key=lambda other: _side_by_side(part, other)).shift
        else:
            breaks.append(Break(part.begin + part.shift, part.begin - before.end))
    return breaks


def _same_clock(part: _Part, other: _Part) -> bool:
    return part.begin < other.end + _SAME_CLOCK_S and other.begin < part.end + _SAME_CLOCK_S


def _side_by_side(part: _Part, other: _Part) -> int:
    """Over how many packets two parts overlap in the file; negative if they do not."""
    return min(part.last, other.last) - max(part.first, other.first)


def _end(parts: list[_Part]) -> Fraction:
    return max((part.end + part.shift for part in parts), default=Fraction(0))


def _runs(parts: list[_Part]) -> tuple[Run, ...]:
    if not any(part.shift for part in parts):
        return ()
    return tuple(Run(part.position, part.begin, part.shift) for part in parts)
