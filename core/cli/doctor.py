"""`asd doctor`: says what works on this machine, what is missing, and what to do about it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ConfigError
from .parser import Parser

if TYPE_CHECKING:
    from ..doctor.finding import Finding

_ABOUT = """\
Looks at this installation and machine: Python, packages, extras, weights, GPU, codecs, folders and
the speed of each stage, and says at the end what to install or do, most important first. It
downloads nothing and asks no server. Exit status 2 if something that every run needs is broken.
"""
_MARKS = {"ok": "   ", "lacking": " - ", "broken": " ! "}
_COLUMN = 32


def command(words: list[str]) -> None:
    """Run the command with its arguments.

    Raises:
        AsdError: An argument is invalid, or the file cannot be written.
        SystemExit: Something that is needed is broken.
    """
    parser = Parser("doctor", _ABOUT, "asd doctor [speed=false] [output=FILE]")
    parser.add_keys(
        speed="false leaves out the measurement, which takes the longest",
        output="a file for all of it as JSON, such as doctor.json; - prints that alone",
    )
    given, keys = parser.read(words)
    if given:
        parser.error(f"takes no arguments but KEY=VALUE, but got {' '.join(given)}")
    from ..doctor.look import broken, findings, plain, to_do

    measure = _yes_or_no("speed", keys.get("speed", "true"))
    output = keys.get("output")
    looked = findings(measure=measure)
    found = list(looked if output == "-" else _told(looked))
    text = json.dumps(plain(found), indent=2) + "\n"
    if output == "-":
        print(text, end="")
    else:
        _print_to_do(to_do(found), works=not broken(found))
        if output is not None:
            _write(Path(output), text)
    if broken(found):
        sys.exit(2)


def _told(found: Iterable[Finding]) -> Iterator[Finding]:
    """Print what was found as soon as it is, under the heading of its part."""
    part = ""
    for one in found:
        if one.part != part:
            print(f"{chr(10) if part else ''}{one.part}")
            part = one.part
        print(f"{_MARKS[one.state]}{one.name:<{_COLUMN}}{one.said}", flush=True)
        yield one


def _print_to_do(lines: list[str], *, works: bool) -> None:
    if works:
        print("\nWhat every run needs is here." + (" To get more:" if lines else ""))
    else:
        print("\nSomething that every run needs is broken (!). Most important first:")
    for number, line in enumerate(lines, 1):
        print(f"  {number}. {line}")


def _yes_or_no(key: str, value: str) -> bool:
    if value.lower() not in ("true", "false"):
        raise ConfigError(f"{key} must be true or false, got {value!r}")
    return value.lower() == "true"


def _write(path: Path, text: str) -> None:
    """Write the file, whole or not at all.

    Raises:
        OutputError: It cannot be written.
    """
    from ..files import whole

    with whole(path) as aside:
        aside.write_text(text, "utf-8")
