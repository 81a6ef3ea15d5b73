"""Beginners' pages, from top to bottom: the commands and examples in their blocks are run."""

from __future__ import annotations

import json
import re
import shlex

import pytest
from checkout import DOCS

from asdkit.core.cli.main import main

NAMES = {"schema": "asdkit.names/1", "names": {"track_0": "Anna"}}
NOT_HERE = ("pip install", "asd demo", "experiment=offline", "experiment=accurate")
"""What other tests run, or what takes long; results of the offline preset are made otherwise."""


FLAGS = re.MULTILINE | re.DOTALL


def steps(page: str) -> list[tuple[str, str]]:
    """The blocks of a page: ("shell", a line) or ("python", a block)."""
    text = (DOCS / page).read_text(encoding="utf-8")
    found = re.finditer(r"^ {4}(asd [^\n]*)$|^```python\n(.*?)```", text, FLAGS)
    return [("shell", one[1]) if one[1] else ("python", one[2]) for one in found]


def run(words: list[str]) -> None:
    """Run a command on two seconds, in one thread."""
    if words[0] == "run":
        words = [*words, "end_s=2", "threads=1"]
    try:
        main(words)
    except SystemExit as stop:
        assert not stop.code, words


@pytest.mark.slow
@pytest.mark.weights
@pytest.mark.parametrize("page", ["start.md", "for/clip-makers.md"])
def test_the_page_can_be_followed(page, shared, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("ASDKIT_WEIGHTS", str(shared("weights")))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "talk.mp4").symlink_to(shared("clips/dialogue.mp4"))
    (tmp_path / "names.json").write_text(json.dumps(NAMES))
    tried = 0
    for kind, text in steps(page):
        if any(words in text for words in NOT_HERE):
            continue
        if kind == "python":
            exec(compile(text, page, "exec"), {})
        else:
            run(shlex.split(text)[1:])
        tried += 1
    assert tried >= 2
    assert "error" not in capsys.readouterr().err.lower()
    assert list(tmp_path.rglob("report.html"))
