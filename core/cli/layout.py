"""Lays out help: in two columns, as wide as the terminal."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterable

WIDEST = 100
"""Most characters of a line of help; narrower terminals have shorter lines."""
_LEAST = 40
"""Narrower than this nothing can be read, nor is it tried."""


def help_width() -> int:
    """How wide lines of help may be: as the terminal, but no more than `WIDEST`."""
    if not sys.stdout.isatty():
        return WIDEST
    return max(_LEAST, min(WIDEST, shutil.get_terminal_size((WIDEST, 24)).columns))


def entry(left: str, about: str, column: int, width: int) -> list[str]:
    """The lines of an entry: its name, and what is said of it in a second column.

    Args:
        left: The name.
        about: What is said of it.
        column: Where the second column begins; further left where there is little room.
        width: How wide lines may be.
    """
    column = min(column, width * 2 // 5)
    left = f"  {left}"
    lines = []
    if len(left) >= column - 1:
        lines.append(left)
        left = ""
    for text in textwrap.wrap(about, width - column) or [""]:
        lines.append(f"{left:<{column}}{text}".rstrip())
        left = ""
    return lines


def heading(chosen: str, choices: Iterable[str], width: int) -> list[str]:
    """The lines that say what is chosen, and of what."""
    text = f"{chosen}  (of {', '.join(choices)})"
    return textwrap.wrap(text, width, subsequent_indent="  ", break_on_hyphens=False)


def reflowed(text: str, width: int) -> str:
    """A text whose paragraphs fit the width; those that do stay as they are."""
    return "\n\n".join(_paragraph(paragraph, width) for paragraph in text.split("\n\n"))


def _paragraph(text: str, width: int) -> str:
    lines = text.split("\n")
    if all(len(line) <= width for line in lines):
        return text
    if any(line.startswith(" ") for line in lines):
        wrapped = [_wrapped_entry(line, width) for line in lines]
        return "\n".join(wrapped)
    return textwrap.fill(text, width) + ("\n" if text.endswith("\n") else "")


def _wrapped_entry(line: str, width: int) -> str:
    """A line of a list, whose second column, if it has one, begins after several spaces."""
    indent = len(line) - len(line.lstrip())
    second = line.rfind("  ") + 2
    return textwrap.fill(line.rstrip(), width, subsequent_indent=" " * max(indent, second))
