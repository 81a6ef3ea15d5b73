"""Reads ONNX graphs without the package onnx.

A graph may refer to other files for its weights, which the runtime opens wherever they are. So a
stranger's graph could make it read any file of this machine; asdkit runs single-file graphs only,
and `hold_in_one_file` checks that. `with_free_axes` lets a graph of fixed sizes take any size.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path

from .errors import WeightsError

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
"""Wire types of protocol buffers."""
_DEEPEST = 32
"""Most levels of nested graphs that are searched; asdkit's own graphs have none."""
# Fields of onnx.proto, by message: field number to the message it contains.
_PARTS: dict[str, dict[int, str]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {},
}
_EXTERNAL_DATA, _DATA_LOCATION = 13, 14
"""Fields of a tensor; either can say that its values are in another file."""
_GRAPH, _INPUTS, _OUTPUTS, _SIZES_WITHIN = 7, 11, 12, 13
"""Fields of a model (the graph) and of a graph; the last holds the sizes of values in between."""
_NAME, _AXES, _AXIS_NAME = 1, (2, 1, 2, 1), 2
"""Fields of an input or output: its name, and the way to its axes (type, tensor, shape, axis);
of an axis: its name, which stands in place of its size."""


def hold_in_one_file(path: Path) -> Path:
    """Check that a graph has its weights in its own file.

    Args:
        path: The file of the graph.

    Raises:
        WeightsError: The graph refers to another file, or the file is not a graph or unreadable.
    """
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            elsewhere = _elsewhere(data, 0, len(data), "model", 0)
    except OSError as error:
        raise WeightsError(
            f"{path} cannot be read: {error.strerror}", "Check its name and permissions"
        ) from error
    except (ValueError, IndexError) as error:  # empty, or not a protocol buffer
        raise WeightsError(
            f"{path} is not an ONNX graph, or is damaged ({error})",
            "Copy it again, or make it anew with: asd export",
        ) from error
    if elsewhere:
        raise WeightsError(
            f"{path} keeps weights in other files, which asdkit does not open",
            "Save the graph as one file, with its weights in it",
        )
    return path


def with_free_axes(graph: bytes, axes: Mapping[str, Mapping[int, str]]) -> bytes:
    """Free axes of a graph's inputs and outputs.

    Only the declared sizes change: whether the nodes can compute other sizes is for the caller to
    know. What the graph declares for values in between is left out; runtimes infer these sizes.

    Args:
        graph: The content of an ONNX file.
        axes: By name of an input or output: for the number of each axis to free, a name for its
            size. Axes of the same name have the same size.

    Returns:
        The content with these changes.

    Raises:
        ValueError: The content is not a graph.
        IndexError: The content is cut off.
    """

    def freed(value: bytes) -> bytes:
        parts = _fields(value, 0, len(value))
        name = b"".join(value[first:last] for field, _, first, last in parts if field == _NAME)
        names, numbers = axes.get(name.decode(), {}), count()

        def axis(size: bytes) -> bytes:
            number = next(numbers)
            return _field(_AXIS_NAME, names[number].encode()) if number in names else size

        return _changed(value, _AXES, axis)

    for field in (_INPUTS, _OUTPUTS):
        graph = _changed(graph, (_GRAPH, field), freed)
    return _changed(graph, (_GRAPH, _SIZES_WITHIN), lambda value: None)


def _changed(message: bytes, path: Sequence[int], change: Callable[[bytes], bytes | None]) -> bytes:
    """A message with a change of all messages within it at a path of field numbers.

    Args:
        message: The message.
        path: The field of the message, of the message in that field, and so on.
        change: Returns the new content, or None to leave the field out.
    """
    parts, start = [], 0
    for field, _, first, last in _fields(message, 0, len(message)):
        if field != path[0]:
            parts.append(message[start:last])
        else:
            content = message[first:last]
            new = _changed(content, path[1:], change) if path[1:] else change(content)
            parts.append(b"" if new is None else _field(field, new))
        start = last
    return b"".join(parts)


def _field(number: int, content: bytes) -> bytes:
    """Encode a field that holds a message or text."""
    return _encoded(number << 3 | _BYTES) + _encoded(len(content)) + content


def _encoded(value: int) -> bytes:
    """Encode a varint."""
    found = bytearray()
    while value >= 0x80:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def _elsewhere(data: mmap.mmap, start: int, end: int, message: str, depth: int) -> bool:
    """Whether a tensor within a message has its values in another file."""
    if depth > _DEEPEST:
        raise ValueError("graphs within graphs, too deep")
    for field, wire, first, last in _fields(data, start, end):
        if message == "tensor":
            if field == _EXTERNAL_DATA or (field == _DATA_LOCATION and data[first:last] != b"\0"):
                return True
        elif (
            wire == _BYTES
            and field in _PARTS[message]
            and _elsewhere(data, first, last, _PARTS[message][field], depth + 1)
        ):
            return True
    return False


def _fields(data: mmap.mmap | bytes, start: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield number, wire type, and begin and end of the content, of each field of a message.

    Raises:
        ValueError: The data is not a message.
        IndexError: The message extends beyond the file.
    """
    at = start
    while at < end:
        key, at = _varint(data, at)
        if key >= 1 << 32:
            raise ValueError("a field of no number")
        field, wire = key >> 3, key & 7
        first = at
        if wire == _VARINT:
            _, at = _varint(data, at)
        elif wire == _FIXED64:
            at += 8
        elif wire == _FIXED32:
            at += 4
        elif wire == _BYTES:
            size, first = _varint(data, at)
            at = first + size
        else:
            raise ValueError(f"wire type {wire}")
        if at > end:
            raise ValueError("cut off")
        yield field, wire, first, at


def _varint(data: mmap.mmap | bytes, at: int) -> tuple[int, int]:
    """Decode a varint: the number and where it ends; 7 bits per byte, lowest first."""
    value = 0
    for shift in range(0, 70, 7):
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError("a number of more than 10 bytes")
