"""The messages that docs/troubleshooting.md explains are those of the program."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest
from checkout import DOCS, ROOT

TEXT = (DOCS / "troubleshooting.md").read_text(encoding="utf-8")
BY_ITS_LOOK = {"A face that only listens is said to speak"}
"""Headings that quote no message."""
MESSAGES = [
    heading
    for heading in re.findall(r"^### (.*)$", TEXT, re.MULTILINE)
    if heading not in BY_ITS_LOOK
]
HOLE = "\0"


def texts() -> Iterator[str]:
    """Every text in the code, with a hole for what is filled in."""
    for folder in ("core", "plugins", "export"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.JoinedStr):
                    parts = (
                        part.value if isinstance(part, ast.Constant) else HOLE
                        for part in node.values
                    )
                    yield "".join(map(str, parts))
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield node.value


@pytest.fixture(scope="module")
def in_code() -> str:
    return "\n".join(" ".join(text.split()) for text in texts())


@pytest.mark.parametrize("message", MESSAGES)
def test_the_message_is_in_the_code(message, in_code):
    """A capital word stands for what is filled in, or for one of several words."""
    pieces = re.split(r"\b[A-Z]{3,}s?\b", message)
    pattern = r"[^\n]*?".join(re.escape(piece) for piece in pieces)
    assert re.search(pattern, in_code), message


def test_there_are_messages():
    assert len(MESSAGES) > 25
