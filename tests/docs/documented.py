"""The commands that the pages tell readers to type."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from itertools import product, takewhile
from pathlib import Path

from checkout import DOCS, ROOT
from hydra.core.override_parser.overrides_parser import OverridesParser

PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md")), ROOT / "examples/plugin/README.md"]
MADE = {"options.md", "components.md"}
"""Pages that are made from the program."""


def commands() -> Iterator[tuple[str, tuple[str, ...]]]:
    """The page and the words of each command, once."""
    found = {
        (str(page.relative_to(ROOT)), tuple(_words(line)))
        for page in PAGES
        if page.name not in MADE
        for line in _lines(page)
    }
    yield from sorted(command for command in found if len(command[1]) > 2)


def _lines(page: Path) -> Iterator[str]:
    text = page.read_text(encoding="utf-8")
    blocks = re.sub(r"\\\n\s*", "", text)
    yield from re.findall(r"^(?: {4})?(?:[A-Z_]+=\S+ )?(asd [^`\n]*)$", blocks, re.MULTILINE)
    yield from (" ".join(inline.split()) for inline in re.findall(r"`(asd [^`]+)`", text))


def _words(line: str) -> list[str]:
    """The words as a shell passes them on to the first program of a line."""
    words = shlex.split(line.rstrip("&"), comments=True)
    return list(takewhile(lambda word: word not in (";", "|", ">"), words))


def each_of(overrides: list[str]) -> Iterator[list[str]]:
    """The overrides of every job of a sweep; those given, if there is none."""
    choices = []
    for word, parsed in zip(
        overrides, OverridesParser.create().parse_overrides(overrides), strict=True
    ):
        swept = parsed.sweep_string_iterator() if parsed.is_sweep_override() else None
        key = parsed.get_key_element()
        choices.append([f"{key}={value}" for value in swept] if swept else [word])
    yield from map(list, product(*choices))
