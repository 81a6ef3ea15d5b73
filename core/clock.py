"""The clock of a stream: timestamps that start anew, leap or are missing, made one that rises.

The rules stand in docs/time.md.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
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
_SAME_CLOCK_S = 10.0
"""Sound so far outside the times of a part of the picture is of another clock."""
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
    """

    runs: tuple[Run, ...] = ()
    in_decoding_order: bool = False

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
        end: Timestamp in seconds, of the one clock, at which the picture ends.
        breaks: Where the picture's clock breaks off, or the sound's alone.
    """

    picture: Clock
    sound: Clock
    end: Fraction
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

    step: float = 0.0
    last: float | None = None
    """Decoding time of the packet before."""
    between: list[float] = field(default_factory=list)
    """When packets of the other stream are due that came since then."""
    parts: list[_Part] = field(default_factory=list)
    highest: int | None = None
    """Highest time of presentation so far, in ticks."""
    rises: bool = True
    """Times of presentation have risen from packet to packet so far."""

    def take(self, packet: Any, count: int, most_quiet_s: float) -> None:
        stamp = packet.dts if packet.dts is not None else packet.pts
        time_base = packet.time_base
        time = stamp * time_base.numerator / time_base.denominator
        length = (packet.duration or 0) * time_base
        shown = stamp if packet.pts is None or _is_far_off(packet) else packet.pts
        if packet.pts is not None:
            self.rises = self.rises and (self.highest is None or packet.pts > self.highest)
            self.highest = packet.pts
        begin = shown * time_base
        if self.last is None or (
            self._breaks(time, most_quiet_s)
            and packet.pos is not None
            and packet.pos > self.parts[-1].position
        ):
            position = packet.pos if self.parts else 0
            self.parts.append(_Part(position, count, begin, end=begin))
        elif time > self.last:
            self.step = time - self.last
        part = self.parts[-1]
        part.last = count
        part.begin = min(part.begin, begin)
        part.end = max(part.end, begin + length)
        self.last = time
        self.between = []

    def _breaks(self, time: float, most_quiet_s: float) -> bool:
        assert self.last is not None
        if time < self.last - _BACK_S:
            return True
        if time - self.last - self.step <= most_quiet_s:
            return False
        due = sorted(other for other in self.between if self.last < other < time)
        moments = [self.last + self.step, *due, time]
        quiet_s = max(after - before for before, after in pairwise(moments))
        return quiet_s > most_quiet_s


def read_clocks(container: InputContainer, picture: Any, sound: Any) -> Clocks:
    """Read a file's packets, without decoding them, for what its clocks do.

    Args:
        container: The file, at its beginning; it is read to its end.
        picture: A video stream of it; None leaves it out.
        sound: A sound stream of it; None leaves it out.
    """
    may_break: Any = av.format.Flags.ts_discont
    most_quiet_s = _LEAP_S if container.format.flags & may_break.value else _QUIET_S
    seen = {stream.index: _Stream() for stream in (picture, sound) if stream is not None}
    chosen = [stream for stream in (picture, sound) if stream is not None]
    try:
        for count, packet in enumerate(container.demux(chosen)):
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
        picture=Clock(_runs(pictures.parts), bool(unordered)),
        sound=Clock(_runs(sounds.parts)),
        end=max((part.end + part.shift for part in pictures.parts), default=Fraction(0)),
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


def _runs(parts: list[_Part]) -> tuple[Run, ...]:
    if not any(part.shift for part in parts):
        return ()
    return tuple(Run(part.position, part.begin, part.shift) for part in parts)
