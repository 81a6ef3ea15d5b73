"""The clock of a stream: timestamps that start anew, leap or are missing, made one that rises.

The rules stand in docs/time.md.
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
"""A decoding time that lies so far before the one before it begins a new clock."""
_LEAP_S = 10.0
"""Longest stretch without picture and sound in a container whose clock may break off."""
_QUIET_S = 60.0
"""Longest one elsewhere: calls and screens recorded as they came have long silences."""
_LONGEST_LAST_S = 60
"""So long the last picture is held at most when there is nothing more to be heard."""
_SAME_CLOCK_S = 10.0
"""Sound so far outside the times of a part of the picture is of another clock."""
_STEP_S = 1.0
"""A step ahead by more is wrong if packets go on from before it later on."""
_MOST_DELAY_S = 10.0
_MOST_DELAY_FRAMES = 32
"""A picture shown later after its decoding than both together has a timestamp that is wrong."""
_MOST_REORDERED = 17
"""More pictures than any codec holds back until it shows them in order."""


@dataclass(frozen=True)
class Run:
    """A part of a stream whose timestamps go on without a break.

    Attributes:
        position: Byte in the file at which its first packet begins; 0 for the first run.
        begin: Its first timestamp in seconds, as the file has it.
        shift: Seconds to add to its timestamps.
    """

    position: int
    begin: Fraction
    shift: Fraction


@dataclass(frozen=True)
class Clock:
    """How the timestamps of one stream are to be read.

    Attributes:
        runs: The parts between breaks, in the order of the file; none if there is no break.
        in_decoding_order: The container gives times of decoding alone; those of presentation
            are the same ones in rising order.
        end: Timestamp in seconds, of the one clock, at which the stream ends; 0 if not known.
    """

    runs: tuple[Run, ...] = ()
    in_decoding_order: bool = False
    end: Fraction = Fraction(0)

    def placed(self, packets: Iterable[Any]) -> Iterator[Any]:
        """The packets of the stream with timestamps of the one clock."""
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
        """Decoded pictures, which are in order, with times that are in order, too."""
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
        """The timestamp that a file has for a time of the one clock, both in seconds."""
        shift = Fraction(0)
        for run in self.runs:
            if run.begin + run.shift <= time:
                shift = run.shift
        return time - shift


def held_until(begin: Fraction, end: Fraction, sound_end: Fraction) -> Fraction:
    """When a last picture ends that a file has end at `end`, which may be wrong by hours.

    Args:
        begin: When it begins.
        end: When it ends by what the file says.
        sound_end: When the sound ends.
    """
    return min(end, max(begin, sound_end) + _LONGEST_LAST_S)


def _timed(frame: Any, times: list[int]) -> Any:
    if frame.pts is not None:
        frame.pts = heappop(times)
    return frame


def _is_far_off(packet: Any) -> bool:
    """Whether a time of presentation is too far from that of decoding to be true."""
    if packet.pts is None or packet.dts is None:
        return False
    apart = abs(packet.pts - packet.dts)
    most = _MOST_DELAY_FRAMES * (packet.duration or 0)
    return bool(apart > most and (apart - most) * packet.time_base > _MOST_DELAY_S)


@dataclass(frozen=True)
class Break:
    """Where the clock of a file breaks off.

    Attributes:
        time: Timestamp in seconds, of the one clock, at which it does.
        leap: Seconds by which timestamps go ahead there, or back, if negative.
    """

    time: Fraction
    leap: Fraction


@dataclass(frozen=True)
class Clocks:
    """The clocks of a file's picture and sound.

    Attributes:
        picture: Of the picture.
        sound: Of the sound.
        breaks: Where the picture's clock breaks off, or the sound's alone.
    """

    picture: Clock
    sound: Clock
    breaks: tuple[Break, ...]


@dataclass
class _Part:
    """A run while it is read: its first and last packet by count, its span as the file says."""

    position: int
    first: int
    begin: Fraction
    last: int = 0
    end: Fraction = Fraction(0)
    shift: Fraction = Fraction(0)


@dataclass
class _Stream:
    """What is known of a stream while its packets pass by; times in seconds."""

    step: int = 0
    """Time between the two packets before, in ticks."""
    stamp: int = 0
    """Decoding time of the packet before, in ticks."""
    last: float | None = None
    """Decoding time of the packet before."""
    between: list[float] = field(default_factory=list)
    """When packets of the other stream are due that came since then."""
    parts: list[_Part] = field(default_factory=list)
    highest: int | None = None
    """Highest time of presentation so far, in ticks."""
    ahead: tuple[_Part, float, _Part] | None = None
    """The last step ahead in this part: the part before it, its time, the part from it on."""
    rises: bool = True
    """Times of presentation have risen from packet to packet so far."""
    undated: int = 0
    """How many packets in a row had no time of decoding."""

    def take(self, packet: Any, count: int, most_quiet_s: float) -> None:
        stamp = packet.dts if packet.dts is not None else packet.pts
        time_base = packet.time_base
        time = stamp * time_base.numerator / time_base.denominator
        if packet.pts is not None:
            self.rises = self.rises and (self.highest is None or packet.pts > self.highest)
            self.highest = packet.pts
        begin = (stamp if packet.pts is None else packet.pts) * time_base
        if _is_far_off(packet):  # it follows what was shown before
            begin = self.parts[-1].end if self.parts else stamp * time_base
        self.undated = 0 if packet.dts is not None else self.undated + 1
        # Of its first pictures Matroska tells no time of decoding; that of being shown is ahead.
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
        if length > most_quiet_s:  # MP4 has no times but lengths: this one is the leap
            length = self.step * time_base
        part.end = max(part.end, begin + length)
        if dated:
            self.stamp, self.last = stamp, time
            self.between = []

    def _split(self) -> None:
        """Let what followed a step ahead be a part of its own: packets go on from before it."""
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
    """Read a file's packets, without decoding them, for what its clocks do.

    Args:
        container: The file, at its beginning; it is read to its end.
        picture: A video stream of it; None leaves it out.
        sound: A sound stream of it; None leaves it out.
        watch: Is shown each packet of the picture.
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
    # As far as it can be read; PyAV stumbles over a stream that the file did not announce.
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
    """Let each part begin where the one before ends, or as the part of the picture beside it.

    Returns:
        The breaks that are not already those of the picture.
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
    """How many packets two parts lie beside each other in the file; negative if apart."""
    return min(part.last, other.last) - max(part.first, other.first)


def _end(parts: list[_Part]) -> Fraction:
    return max((part.end + part.shift for part in parts), default=Fraction(0))


def _runs(parts: list[_Part]) -> tuple[Run, ...]:
    if not any(part.shift for part in parts):
        return ()
    return tuple(Run(part.position, part.begin, part.shift) for part in parts)
