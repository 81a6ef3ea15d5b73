"""The examples of docs/python.md run as they stand."""

from __future__ import annotations

import re

import pytest
from checkout import DOCS

from asdkit.core.demo.clip import make_clip


@pytest.mark.slow
def test_the_examples_work(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    make_clip(tmp_path / "clip.mp4")
    blocks = re.findall(r"```python\n(.*?)```", (DOCS / "python.md").read_text(), re.DOTALL)
    assert len(blocks) >= 6
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, "docs/python.md", "exec"), names)
    printed = capsys.readouterr().out
    assert "No such file" in printed
    assert "kept" in printed
    assert "(50,) (50,)" in printed
    assert "speakers.rttm" in printed
