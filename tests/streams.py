"""Streams to read live: a file as MPEG-TS over UDP or through a pipe, or by RTMP; with faults.

`pieces_of` makes a transport stream of a file, cut into pieces that each know when they are due.
`cut`, `with_garbage` and `joined` make faults of them, and `pieces_of` itself those of timestamps
and tracks. `Sender` sends pieces in a thread of its own, in real time or faster, to `to_udp(port)`
or `to_pipe(end)`, and holds them where the stream is to stall; `RtspServer` and `RtmpServer` serve
whoever connects.

Example:
    >>> port = free_port()
    >>> with Sender(pieces_of(clip), to_udp(port)):
    ...     input = open_input(options(f"udp://127.0.0.1:{port}"), Notes())
"""

from __future__ import annotations

import math
import os
import random
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av

TS_PACKET = 188
_DATAGRAM = 7 * TS_PACKET
_PROMPT = {"flush_packets": "1", "pes_payload_size": "0", "max_delay": "0", "pat_period": "0.1"}
_NOTHING = b"\x47\x1f\xff\x10" + bytes(TS_PACKET - 4)
"""A packet that says nothing, as stands between others in a stream of a steady rate."""
_PATIENCE_S = 60.0


class Piece(NamedTuple):
    """Bytes of a stream, and when they are sent, in seconds from its beginning."""

    due_s: float
    data: bytes


def pieces_of(
    path: Path,
    *,
    leap: tuple[float, float] = (0, 0),
    silent_from_s: float | None = None,
    blind_from_s: float | None = None,
    sound: bool = True,
) -> list[Piece]:
    """A file as a transport stream, remuxed, not encoded anew.

    Args:
        path: The file; its codecs must be allowed in a transport stream.
        leap: (at, by): from so many seconds on, timestamps are so many seconds later, or earlier.
            What is due when stays the same.
        silent_from_s: From then on there are no packets of the sound.
        blind_from_s: From then on there are no packets of the picture.
        sound: Whether there is sound at all.
    """
    written = _Written()
    pieces = []
    with av.open(str(path)) as source:
        chosen = [s for s in source.streams if s.type == "video" or (s.type == "audio" and sound)]
        until = {"audio": silent_from_s, "video": blind_from_s}
        with av.open(written, "w", format="mpegts", options=_PROMPT) as target:
            streams = {s.index: target.add_stream_from_template(s) for s in chosen}
            first = None
            for packet in source.demux(chosen):
                if packet.dts is None:
                    continue
                at = float(packet.dts * packet.time_base)
                first = at if first is None else first
                end_s = until[packet.stream.type]
                if end_s is not None and at - first >= end_s:
                    continue
                if leap[1] and at - first >= leap[0]:
                    by = round(Fraction(str(leap[1])) / packet.time_base)
                    packet.dts += by
                    packet.pts = None if packet.pts is None else packet.pts + by
                packet.stream = streams[packet.stream_index]
                target.mux(packet)
                if data := written.taken():
                    pieces.append(Piece(max(at - first, 0.0), data))
    if data := written.taken():
        pieces.append(Piece(pieces[-1].due_s, data))
    return pieces


class _Written:
    """A file that only remembers what is written, until it is taken."""

    def __init__(self) -> None:
        self._data = bytearray()

    def write(self, data: bytes) -> int:
        self._data += data
        return len(data)

    def taken(self) -> bytes:
        data = bytes(self._data)
        self._data.clear()
        return data


def cut(pieces: Iterable[Piece], at_s: float, for_s: float) -> list[Piece]:
    """What is due in some stretch is lost."""
    return [piece for piece in pieces if not at_s <= piece.due_s < at_s + for_s]


def with_garbage(
    pieces: Iterable[Piece], at_s: float, for_s: float, share: float = 0.5, seed: int = 0
) -> list[Piece]:
    """Random bytes stand for a share of the transport stream's packets in some stretch."""
    chance = random.Random(seed)

    def spoilt(data: bytes) -> bytes:
        packets = [data[k : k + TS_PACKET] for k in range(0, len(data), TS_PACKET)]
        return b"".join(
            chance.randbytes(TS_PACKET) if chance.random() < share else packet for packet in packets
        )

    return [
        Piece(due, spoilt(data) if at_s <= due < at_s + for_s else data) for due, data in pieces
    ]


def joined(*streams: Sequence[Piece], apart_s: float = 0.04) -> list[Piece]:
    """One stream after the other, timestamps and all as they are: it is as if it began anew."""
    start, together = 0.0, []
    for pieces in streams:
        together += [Piece(start + due, data) for due, data in pieces]
        start = together[-1].due_s + apart_s
    return together


def free_port(kind: socket.SocketKind = socket.SOCK_DGRAM) -> int:
    """A port of this machine that nobody listens to."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def to_udp(port: int) -> Callable[[bytes], None]:
    """Sends to a port of this machine, from when somebody listens there."""
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.connect(("127.0.0.1", port))

    def send(data: bytes) -> None:
        for first in range(0, len(data), _DATAGRAM):
            with suppress(ConnectionError):
                sender.send(data[first : first + _DATAGRAM])

    def ready() -> bool:
        try:  # the system tells of a datagram that nobody took when the next one is sent
            sender.send(_NOTHING)
            time.sleep(0.002)
            sender.send(_NOTHING)
        except ConnectionError:
            return False
        return True

    send.ready, send.close = ready, sender.close  # type: ignore[attr-defined]
    return send


def to_pipe(end: int) -> Callable[[bytes], None]:
    """Sends into the writing end of a pipe, which is closed in the end."""

    def send(data: bytes) -> None:
        with memoryview(data) as rest:
            first = 0
            while first < len(rest):
                first += os.write(end, rest[first:])

    send.close = lambda: os.close(end)  # type: ignore[attr-defined]
    return send


class Sender:
    """Sends pieces in a thread of its own; a context manager that ends it.

    Args:
        pieces: What is sent, in order of when it is due.
        send: Where to, by `to_udp` or `to_pipe`.
        speed: 1 is real time, 2 twice as fast; 0 as fast as can be.
        held_s: What is due from then on is held until `go_on` is called, and sent later by as much.

    Attributes:
        begun_s: `time.monotonic` when the first piece was sent; None before. If pieces were held,
            when it would have been sent if they had not.
        sent: How many pieces were sent.
        late_s: By how much the latest was sent late.
    """

    def __init__(
        self,
        pieces: Sequence[Piece],
        send: Callable[[bytes], None],
        speed: float = 1.0,
        *,
        held_s: float = math.inf,
    ) -> None:
        self._pieces, self._send, self._speed = pieces, send, speed
        self._held_s, self._going_on = held_s, threading.Event()
        self.begun_s: float | None = None
        self.sent = 0
        self.late_s = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, name="sender", daemon=True)

    def __enter__(self) -> Sender:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._going_on.set()
        self._thread.join()

    def go_on(self) -> None:
        """Send what is held, or will be."""
        self._going_on.set()

    def wait(self, timeout_s: float = _PATIENCE_S) -> None:
        """Wait until all is sent."""
        self._thread.join(timeout_s)
        assert not self._thread.is_alive(), "the sender is not done"

    def _work(self) -> None:
        ready = getattr(self._send, "ready", None)
        try:
            while ready and not ready() and not self._over.wait(0.005):
                pass
            self.begun_s = time.monotonic()
            for due_s, data in self._pieces:
                if due_s >= self._held_s and not self._going_on.is_set():
                    held = time.monotonic()
                    self._going_on.wait()
                    self.begun_s += time.monotonic() - held
                if self._speed:
                    due = self.begun_s + due_s / self._speed
                    self._over.wait(max(0.0, due - time.monotonic()))
                    self.late_s = max(self.late_s, time.monotonic() - due)
                if self._over.is_set():
                    break
                self._send(data)
                self.sent += 1
        except BrokenPipeError:
            pass  # the reader has gone
        finally:
            getattr(self._send, "close", lambda: None)()


class RtmpServer:
    """Serves a file by RTMP, once, in real time, to whoever connects; a context manager.

    It needs the command ffmpeg, as PyAV cannot serve.

    Args:
        path: The file, H.264 and AAC.
        end_s: End after so many seconds; then the connection is closed.
        port: A free port, taken if not given; give one to serve again at the same address.

    Attributes:
        url: Its address.
    """

    def __init__(self, path: Path, *, end_s: float = 3600, port: int | None = None) -> None:
        self.port = port or free_port(socket.SOCK_STREAM)
        self.url = f"rtmp://127.0.0.1:{self.port}/live/talk"
        self._command = ["ffmpeg", "-v", "error", "-nostdin", "-re", "-t", str(end_s)]
        self._command += ["-i", str(path), "-c", "copy", "-f", "flv", "-listen", "1", self.url]

    def __enter__(self) -> RtmpServer:
        self._process = subprocess.Popen(self._command, stderr=subprocess.DEVNULL)
        limit = time.monotonic() + _PATIENCE_S
        while not self._listens():
            assert self._process.poll() is None and time.monotonic() < limit, "nobody serves"
            time.sleep(0.005)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    def _listens(self) -> bool:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", self.port))
            except OSError:
                return True
        return False


class RtspServer:
    """Serves pieces by RTSP, over the connection itself, to one client after the other.

    Each client gets them from the beginning, in real time; then its connection is closed.

    Args:
        pieces: See `pieces_of`.
        times: How many clients are served; then it listens no more.
        speed: As of `Sender`.

    Attributes:
        url: Its address.
        asked: The methods and addresses that it was asked for, such as "DESCRIBE rtsp://...".
    """

    def __init__(self, pieces: Sequence[Piece], *, times: int = 1, speed: float = 1.0) -> None:
        self._pieces, self._times, self._speed = pieces, times, speed
        self._door = socket.create_server(("127.0.0.1", 0))
        self.url = f"rtsp://127.0.0.1:{self._door.getsockname()[1]}/talk"
        self.asked: list[str] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, name="rtsp", daemon=True)

    def __enter__(self) -> RtspServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        with suppress(OSError):
            self._door.shutdown(socket.SHUT_RDWR)
        self._thread.join(_PATIENCE_S)
        assert not self._thread.is_alive(), "the server does not end"
        self._door.close()

    def _work(self) -> None:
        for _ in range(self._times):
            with suppress(OSError):
                client, _ = self._door.accept()
                with client:
                    if self._agreed(client):
                        self._play(client)
        self._door.close()

    def _agreed(self, client: socket.socket) -> bool:
        """Answer until the client wants to play."""
        lines = client.makefile("rb")
        while first := lines.readline().decode().split():
            fields = {}
            while line := lines.readline().strip().decode():
                name, _, value = line.partition(":")
                fields[name.lower()] = value.strip()
            self.asked.append(f"{first[0]} {first[1]}")
            more, body = [f"CSeq: {fields['cseq']}", "Session: 1"], ""
            if first[0] == "DESCRIBE":
                body = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=talk\r\nt=0 0\r\n"
                body += "m=video 0 RTP/AVP 33\r\na=control:track\r\n"
                more += ["Content-Type: application/sdp", f"Content-Length: {len(body)}"]
            if first[0] == "SETUP":
                more += ["Transport: RTP/AVP/TCP;unicast;interleaved=0-1"]
            client.sendall("\r\n".join(["RTSP/1.0 200 OK", *more, "", body]).encode())
            if first[0] == "PLAY":
                return True
        return False

    def _play(self, client: socket.socket) -> None:
        number, begun = 0, time.monotonic()
        for due_s, data in self._pieces:
            if self._speed:
                self._over.wait(max(0.0, begun + due_s / self._speed - time.monotonic()))
            if self._over.is_set():
                return
            for first in range(0, len(data), _DATAGRAM):
                head = struct.pack(">BBHII", 0x80, 33, number & 0xFFFF, int(due_s * 90_000), 1)
                part = head + data[first : first + _DATAGRAM]
                client.sendall(struct.pack(">cBH", b"$", 0, len(part)) + part)
                number += 1
