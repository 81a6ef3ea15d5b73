"""A clip as a stream: MPEG-TS, repeated, into a file or over UDP in real time."""

from __future__ import annotations

import math
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.packet import Packet

from asdkit.core.types import GRID_FPS

_PROMPT = {"flush_packets": "1", "pes_payload_size": "0", "max_delay": "0"}
"""As encoders for live streams have it: no packet waits for others."""
_DATAGRAM = 7 * 188


def length_of(clip: Path) -> Fraction:
    """The length of a clip's picture in seconds."""
    with av.open(str(clip)) as source:
        video = source.streams.video[0]
        assert video.duration is not None
        assert video.time_base is not None
        return video.duration * video.time_base


def packets(clip: Path, seconds: float) -> Iterator[tuple[Packet, Fraction, Fraction]]:
    """Packets of whole copies of a clip, with their times of presentation and decoding.

    The sound's run-in and run-out are left out: they would overlap with the copies beside.
    """
    length, offset = length_of(clip), Fraction(0)
    while offset < seconds:
        with av.open(str(clip)) as source:
            streams = source.streams.video[0], source.streams.audio[0]
            for packet in source.demux(streams):
                if packet.dts is None or packet.pts is None or packet.time_base is None:
                    continue
                if 0 <= packet.pts * packet.time_base < length:
                    shift = round(offset / packet.time_base)
                    packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                    base = packet.time_base
                    yield packet, packet.pts * base, packet.dts * base
        offset += length


def write(clip: Path, seconds: float, target: Any, due: Callable[[float], None]) -> list[float]:
    """Write a clip as MPEG-TS, without encoding anew.

    Args:
        clip: A video with sound.
        seconds: At least so much, in whole copies.
        target: A path, or something with a method `write`.
        due: Called before each packet with its time of decoding, from 0 on.

    Returns:
        The times, by `time.monotonic`, at which the picture of each grid frame of 1/25 s was
        written, with all before it.
    """
    sent: dict[Fraction, float] = {}
    first: Fraction | None = None
    with av.open(str(clip)) as source, av.open(target, "w", "mpegts", options=_PROMPT) as out:
        streams = {
            stream.index: out.add_stream_from_template(stream)
            for stream in (source.streams.video[0], source.streams.audio[0])
        }
        for packet, shown, decoded in packets(clip, seconds):
            first = decoded if first is None else first
            due(float(decoded - first))
            is_picture = packet.stream.type == "video"
            packet.stream = streams[packet.stream.index]
            out.mux(packet)
            if is_picture:
                sent[shown] = time.monotonic()
    waiting, latest, times = deque(sorted(sent)), 0.0, []
    begin, length = waiting[0], length_of(clip)
    for index in range(round(math.ceil(seconds / length) * length * GRID_FPS)):
        while waiting and waiting[0] - begin <= Fraction(index, GRID_FPS):
            latest = max(latest, sent[waiting.popleft()])
        times.append(latest)
    return times


class Sender(threading.Thread):
    """Sends a clip over UDP in real time, from `start` on.

    Attributes:
        sent: After it has ended, what `write` returns.
        late_s: By how much the latest packet was sent late.
    """

    def __init__(self, clip: Path, seconds: float, port: int) -> None:
        super().__init__(daemon=True)
        self._clip, self._seconds = clip, seconds
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._address = ("127.0.0.1", port)
        self._start = 0.0
        self.sent: list[float] = []
        self.late_s = 0.0

    def run(self) -> None:
        """Send it all."""
        self._start = time.monotonic()
        self.sent = write(self._clip, self._seconds, self, self._wait)
        self._socket.close()

    def write(self, data: bytes) -> int:
        """Send some bytes, as the muxer has them."""
        for first in range(0, len(data), _DATAGRAM):
            self._socket.sendto(data[first : first + _DATAGRAM], self._address)
        return len(data)

    def _wait(self, due_s: float) -> None:
        left = self._start + due_s - time.monotonic()
        self.late_s = max(self.late_s, -left)
        time.sleep(max(left, 0.0))


def free_port() -> int:
    """A port of this machine that nobody listens to."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_taken(port: int) -> bool:
    """Whether somebody listens to a port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False
