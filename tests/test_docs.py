"""The examples of docs/python.md run as they stand."""

from __future__ import annotations

import re

import pytest
from checkout import DOCS
from synth import clicks, write_video


@pytest.mark.slow
def test_the_examples_work(tmp_path, monkeypatch, capsys):
    """On a second of one face, which a detector finds."""
    face = pytest.importorskip("skimage.data").astronaut()[:160, 120:320]
    monkeypatch.chdir(tmp_path)
    write_video(
        tmp_path / "clip.mp4",
        frames=25,
        size=(200, 160),
        image=lambda *_: face,
        sounds=[(0.0, clicks([0.5], 1.0))],
    )
    blocks = re.findall(r"```python\n(.*?)```", (DOCS / "python.md").read_text(), re.DOTALL)
    assert len(blocks) >= 6
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, "docs/python.md", "exec"), names)
    printed = capsys.readouterr().out
    assert printed.startswith("1.0 ((0, 25),)\n0 0 25\n")  # the one track, through its loop
    assert "No such file" in printed
    assert "kept" in printed
    assert "(50,) (50,)" in printed
    assert "speakers.rttm" in printed
