"""Containers as cameras, broadcasts and cutters leave them, made of small known videos.

`tracks` puts streams of several files into one, `two_programmes` two transport streams; `boxes_of`
and `with_boxes` take an MP4 apart and put it together again.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from heapq import merge
from pathlib import Path

import av
from av.stream import Disposition

_HOLDERS = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"dinf", b"edts")
Boxes = list[tuple[bytes, "bytes | Boxes"]]


def tracks(
    path: Path,
    *sources: tuple[Path, Disposition],
    options: dict[str, str] | None = None,
) -> Path:
    """Put the first stream of each file into one file, in this order, with these dispositions."""
    opened = [av.open(str(source)) for source, _ in sources]
    with av.open(str(path), "w", options=options or {}) as target:
        streams = []
        for source, (_, disposition) in zip(opened, sources, strict=True):
            stream = target.add_stream_from_template(source.streams[0])
            stream.disposition = disposition
            streams.append(stream)

        def packets(number: int) -> Iterable[tuple[float, int, av.Packet]]:
            for packet in opened[number].demux(0):
                if packet.dts is not None:
                    time = float(packet.dts * packet.time_base)
                    packet.stream = streams[number]
                    yield time, number, packet

        merged = merge(*map(packets, range(len(opened))), key=lambda entry: entry[:2])
        for _, _, packet in merged:
            target.mux(packet)
    for source in opened:
        source.close()
    return path


def remuxed(path: Path, source_path: Path, **options: str) -> Path:
    """The streams of a file in another container, with options of its writer."""
    with av.open(str(source_path)) as source, av.open(str(path), "w", options=options) as target:
        streams = {s.index: target.add_stream_from_template(s) for s in source.streams}
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream_index]
                target.mux(packet)
    return path


def two_programmes(path: Path, first: Path, second: Path) -> Path:
    """Transport streams as the programmes 1 and 2 of one."""
    ours = []
    for number, source in enumerate((first, second), 1):
        part = remuxed(
            path.with_suffix(f".{number}.ts"),
            source,
            mpegts_service_id=str(number),
            mpegts_pmt_start_pid=str(0x800 * number),
            mpegts_start_pid=str(0x100 * number),
        )
        data = part.read_bytes()
        packets = [data[at : at + 188] for at in range(0, len(data), 188)]
        # Their own tables of programmes and services go.
        ours.append([p for p in packets if int.from_bytes(p[1:3], "big") & 0x1FFF not in (0, 17)])
    table = bytes.fromhex("00B0110001C10000") + struct.pack(
        ">HHHH", 1, 0xE000 | 0x800, 2, 0xE000 | 0x1000
    )
    table += _checksum(table).to_bytes(4, "big")
    head = (b"\x47\x40\x00\x10\x00" + table).ljust(188, b"\xff")
    share = len(ours[1]) / len(ours[0])
    with path.open("wb") as file:
        for at, packet in enumerate(ours[0]):
            if at % 100 == 0:
                file.write(head)
            file.write(packet)
            file.write(b"".join(ours[1][round(at * share) : round((at + 1) * share)]))
    return path


def _checksum(data: bytes) -> int:
    """CRC-32 of ISO 13818-1."""
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte << 24
        for _ in range(8):
            value = (value << 1 ^ (0x04C11DB7 if value >> 31 else 0)) & 0xFFFFFFFF
    return value


def boxes_of(data: bytes) -> Boxes:
    """An MP4 as its boxes: each (name, content), where content may be boxes again."""
    found: Boxes = []
    at = 0
    while at < len(data):
        length, name = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        content = data[at + 8 : at + length]
        found.append((name, boxes_of(content) if name in _HOLDERS else content))
        at += length
    return found


def with_boxes(boxes: Boxes) -> bytes:
    """The file of boxes; its index must come last, or its offsets are not right any more."""
    parts = []
    for name, content in boxes:
        data = content if isinstance(content, bytes) else with_boxes(content)
        parts.append(struct.pack(">I", 8 + len(data)) + name + data)
    return b"".join(parts)


def changed(path: Path, track: int, change: Callable[[bytes, bytes], bytes]) -> Path:
    """Change boxes of one track of an MP4: `change` maps the name and content of each."""

    def through(boxes: Boxes) -> Boxes:
        return [
            (name, change(name, content) if isinstance(content, bytes) else through(content))
            for name, content in boxes
        ]

    boxes = boxes_of(path.read_bytes())
    (index,) = (k for k, (name, _) in enumerate(boxes) if name == b"moov")
    place = [k for k, (name, _) in enumerate(boxes[index][1]) if name == b"trak"][track]
    boxes[index][1][place] = b"trak", through(boxes[index][1][place][1])
    path.write_bytes(with_boxes(boxes))
    return path


def with_edits(path: Path, *edits: tuple[float, float]) -> Path:
    """An MP4 whose first track shows only these stretches, (begin, end) in seconds of its media."""
    with av.open(str(path)) as container:
        unit = container.streams[0].time_base
    entries = [
        struct.pack(">IiHH", round((end - begin) * 1000), round(begin / unit), 1, 0)
        for begin, end in edits
    ]
    content = struct.pack(">II", 0, len(entries)) + b"".join(entries)
    boxes = boxes_of(path.read_bytes())
    (moov,) = (content for name, content in boxes if name == b"moov")
    trak = next(content for name, content in moov if name == b"trak")
    trak[:] = [entry for entry in trak if entry[0] != b"edts"]
    trak.insert(1, (b"edts", [(b"elst", content)]))
    path.write_bytes(with_boxes(boxes))
    return path


def with_protection(path: Path) -> Path:
    """A WebM or Matroska file whose first track says that it is encrypted."""
    key = _element("47E1", b"\5") + _element("47E2", bytes(range(16)))
    encoding = _element("5033", b"\1") + _element("5035", key)
    protection = _element("6D80", _element("6240", encoding))

    def into(data: bytes, names: tuple[str, ...]) -> bytes:
        at = 0
        while True:
            name = data[at : at + 9 - data[at].bit_length()]
            size_at = at + len(name)
            width = 9 - data[size_at].bit_length()
            size = int.from_bytes(data[size_at : size_at + width], "big") - (1 << 7 * width)
            begin, end = size_at + width, size_at + width + size
            if name.hex() == names[0]:
                break
            at = end
        inside = data[begin:end]
        inside = into(inside, names[1:]) if names[1:] else inside + protection
        return data[:at] + _element(names[0], inside) + data[end:]

    path.write_bytes(into(path.read_bytes(), ("18538067", "1654ae6b", "ae")))
    return path


def _element(name: str, content: bytes) -> bytes:
    return bytes.fromhex(name) + (len(content) | 1 << 56).to_bytes(8, "big") + content


def scrambled(path: Path, pid: int) -> Path:
    """A transport stream in which the packets of a PID say that they are encrypted."""
    data = bytearray(path.read_bytes())
    for at in range(0, len(data), 188):
        if int.from_bytes(data[at + 1 : at + 3], "big") & 0x1FFF == pid:
            data[at + 3] |= 0x80
    path.write_bytes(data)
    return path
