"""Reads the programmes of a transport stream (ISO 13818-1), which PyAV does not expose."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_LOOKED_AT_BYTES = 4 << 20
"""How much of a file is searched for tables, which are repeated several times a second."""
_PACKET_BYTES = 188
_SPACINGS = (188, 192, 204)
"""Distances of packets in bytes: plain, with a leading timestamp (M2TS), with error correction."""
_SYNC = 0x47
_SYNC_TIMES = 8
_PAT_PID = 0
_PAT_TABLE = 0
_PMT_TABLE = 2
_CHECKSUM_BYTES = 4
_SAMPLE_AES_TYPES = frozenset({0xC1, 0xC2, 0xCF, 0xDB})
"""Stream types that HTTP Live Streaming encrypts partially."""


@dataclass
class Programs:
    """The programmes of a transport stream.

    Attributes:
        streams: By programme number: the PIDs of its streams, which are also the stream ids.
        scrambled: PIDs whose content is encrypted.
    """

    streams: dict[int, frozenset[int]] = field(default_factory=dict)
    scrambled: set[int] = field(default_factory=set)


def programs_of(path: Path) -> Programs:
    """Read the programmes from the beginning of a transport stream; none for other files."""
    programs = Programs()
    by_pid: dict[int, list[bytes]] = defaultdict(list)
    with path.open("rb") as file:
        for packet in _packets(file.read(_LOOKED_AT_BYTES)):
            by_pid[_pid(packet, 1)].append(packet)
    for pid, packets in by_pid.items():
        if 2 * sum(packet[3] >> 6 > 0 for packet in packets) > len(packets):  # fewer: damage
            programs.scrambled.add(pid)
    named: dict[int, set[int]] = defaultdict(set)
    for table in _sections(by_pid[_PAT_PID], _PAT_TABLE):
        for at in range(8, len(table) - _CHECKSUM_BYTES, 4):
            if number := int.from_bytes(table[at : at + 2], "big"):  # 0 is the network table
                named[_pid(table, at + 2)].add(number)
    for pid, numbers in named.items():
        for table in _sections(by_pid[pid], _PMT_TABLE):
            number = int.from_bytes(table[3:5], "big")
            if number in numbers and number not in programs.streams:
                types = dict(_streams(table))
                programs.streams[number] = frozenset(types)
                programs.scrambled |= {pid for pid in types if types[pid] in _SAMPLE_AES_TYPES}
    return programs


def _streams(table: bytes) -> Iterator[tuple[int, int]]:
    """(PID, type) of each stream in a programme map table."""
    at = 12 + _length(table, 10)
    while at + 5 <= len(table) - _CHECKSUM_BYTES:
        yield _pid(table, at + 1), table[at]
        at += 5 + _length(table, at + 3)


def _pid(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "big") & 0x1FFF


def _length(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "big") & 0xFFF


def _packets(data: bytes) -> Iterator[bytes]:
    """The packets of 188 bytes; none if the data is not a transport stream."""
    for spacing in _SPACINGS:
        for first in range(spacing):
            marks = data[first : first + _SYNC_TIMES * spacing : spacing]
            if len(marks) == _SYNC_TIMES and set(marks) == {_SYNC}:
                for at in range(first, len(data) - _PACKET_BYTES + 1, spacing):
                    if data[at] == _SYNC:
                        yield data[at : at + _PACKET_BYTES]
                return


def _sections(packets: list[bytes], table_id: int) -> Iterator[bytes]:
    """The complete sections of a table, assembled from the packets of its PID."""
    pending = b""
    for packet in packets:
        if not packet[3] & 0x10:  # no payload
            continue
        payload = packet[5 + packet[4] :] if packet[3] & 0x20 else packet[4:]
        begins = bool(packet[1] & 0x40) and len(payload) > 0
        parts = [payload]
        if begins:  # the first byte says how many bytes belong to the previous section
            parts = [payload[1 : 1 + payload[0]], payload[1 + payload[0] :]]
        for new, part in zip((False, True), parts, strict=False):
            pending = part if new else (pending + part if pending else b"")
            while len(pending) > 3 and len(pending) >= (end := 3 + _length(pending, 1)):
                if pending[0] == table_id:
                    yield pending[:end]
                pending = pending[end:]
                if pending[:1] == b"\xff":  # stuffing bytes up to the end
                    pending = b""
