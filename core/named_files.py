"""Reads files named by users, possibly from strangers: regular files of bounded size and depth."""

from __future__ import annotations

import errno
import json
import math
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from .errors import AsdError, InputError

MOST_BYTES = 256 << 20
"""Default size limit of a file that is read as a whole."""
_LONGEST = 100
"""Most characters of a value shown in an error."""


def open_file(path: Path) -> BinaryIO:
    """Open a regular file that a user named, for reading.

    Args:
        path: The file. Pipes, which might block for ever, and devices raise an error.

    Raises:
        OSError: The file cannot be read or is not regular; `strerror` says so.
    """
    # Without O_NONBLOCK, opening a pipe waits for a writer.
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except ValueError as error:
        raise OSError(errno.EINVAL, "no file has a name with a NUL in it", str(path)) from error
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return open(descriptor, "rb")  # noqa: PTH123 - a descriptor has no Path
    os.close(descriptor)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    raise OSError(errno.EINVAL, "it is a pipe or a device, not a file", str(path))


def read_file(path: Path, most_bytes: int = MOST_BYTES) -> bytes:
    """Read a regular file that a user named.

    Args:
        path: The file; see `open_file`.
        most_bytes: Largest allowed size.

    Raises:
        OSError: The file cannot be read, is not regular or is too large; `strerror` says so.
    """
    with open_file(path) as file:
        content = file.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise OSError(errno.EFBIG, f"it is larger than {most_bytes} bytes", str(path))
    return content


def read_text_file(path: Path, most_bytes: int = MOST_BYTES) -> str:
    """Read a regular text file that a user named: UTF-8, with or without a byte order mark.

    Args:
        path: The file; see `read_file`.
        most_bytes: Largest allowed size.

    Raises:
        OSError: As for `read_file`.
        UnicodeDecodeError: The file is not UTF-8; a ValueError.
    """
    return read_file(path, most_bytes).decode("utf-8-sig")


def lines_of(path: Path, what: str) -> Iterator[tuple[str, list[str]]]:
    """Yield "FILE:LINE" and the words of each line of a text file that is not empty.

    Raises:
        InputError: The file cannot be read, or is not text.
    """
    for number, line in enumerate(text_of(path, what).splitlines(), 1):
        if words := line.split():
            yield f"{path}:{number}", words


def text_of(path: Path, what: str) -> str:
    """Read a text file.

    Raises:
        InputError: The file cannot be read, or is not text.
    """
    try:
        return read_text_file(path)
    except (OSError, UnicodeDecodeError) as error:
        told = error.strerror if isinstance(error, OSError) else error
        raise InputError(
            f"Cannot read the {what} {path}: {told}", "Give a text file in UTF-8"
        ) from error


def shown(value: object) -> str:
    """Format a value from a file for an error, shortened."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # numbers with too many digits, lists nested too deep
        return f"a very long {type(value).__name__}"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def read_json(
    path: Path,
    kind: str,
    hint: str,
    error: type[AsdError] = InputError,
    most_bytes: int = MOST_BYTES,
) -> Any:
    """Read the values of a JSON file that a user named.

    Args:
        path: The file; see `read_file`.
        kind: What the file should be, such as "a calibration".
        hint: Hint of the error: how to fix the file.
        error: Class of the error to raise.
        most_bytes: Largest allowed size.

    Raises:
        AsdError: Of class `error`: the file cannot be read, or `parse_json` raises.
    """
    try:
        return parse_json(read_text_file(path, most_bytes))
    except OSError as refused:
        raise error(f"{path} cannot be read: {refused.strerror}", hint) from refused
    except ValueError as refused:
        raise error(f"{path} is not {kind}: {refused}", hint) from refused


def parse_json(text: str) -> Any:
    """Parse a JSON text, with limits that no file of asdkit's exceeds.

    Raises:
        ValueError: The text is not JSON, or holds numbers that are not finite or have more than 20
            digits, or values nested deeper than 100.
    """
    try:
        value = json.loads(
            text, parse_int=_whole_number, parse_float=_number, parse_constant=_no_number
        )
    except json.JSONDecodeError as error:
        raise ValueError(f"line {error.lineno}, column {error.colno}: {error.msg}") from error
    except RecursionError as error:
        raise ValueError(_TOO_DEEP) from error
    level, depth = [value], 0
    while level := [one for one in level if isinstance(one, (dict, list))]:
        if (depth := depth + 1) > _DEEPEST:
            raise ValueError(_TOO_DEEP)
        level = [one for holder in level for one in _inside(holder)]
    return value


_DEEPEST = 100
_TOO_DEEP = f"it is nested deeper than {_DEEPEST}"
_MOST_DIGITS = 20


def _inside(holder: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return holder.values() if isinstance(holder, dict) else holder


def _whole_number(text: str) -> int:
    if len(text) > _MOST_DIGITS:
        raise ValueError(f"it holds a number of {len(text)} digits")
    return int(text)


def _number(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"it holds {text[:_MOST_DIGITS]}, which is too large a number")
    return value


def _no_number(text: str) -> float:
    raise ValueError(f"it holds {text}, which is no number")
