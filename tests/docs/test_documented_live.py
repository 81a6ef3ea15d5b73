"""The Python of docs/live.md and of the README on live sessions, on a clip in place of a camera."""

from __future__ import annotations

import re

import pytest
from checkout import DOCS, ROOT

CAMERA = '"camera", sound="microphone"'
CLIP = '"clip.mp4", pace="fast", scorer="lip_motion"'


def blocks(text: str) -> list[str]:
    """The blocks of Python, with two seconds of the clip for a minute of the camera."""
    found = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert found
    assert any(CAMERA in block for block in found)
    swapped = [block.replace(CAMERA, CLIP).replace("end_s=60", "end_s=2") for block in found]
    return [block.replace("live(feed)", 'live(feed, scorer="lip_motion")') for block in swapped]


@pytest.fixture(autouse=True)
def clip(shared, tmp_path, monkeypatch):
    """A clip, and the weights of the detector."""
    monkeypatch.setenv("ASDKIT_WEIGHTS", str(shared("weights")))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clip.mp4").symlink_to(shared("clips/dialogue_small.mp4"))


@pytest.mark.slow
@pytest.mark.weights
def test_the_page_s_examples_work(capsys, tmp_path):
    names: dict[str, object] = {}
    for block in blocks((DOCS / "live.md").read_text(encoding="utf-8")):
        exec(compile(block, "docs/live.md", "exec"), names)
    printed = capsys.readouterr().out
    assert "speaking" in printed
    assert "Counts(pictures=" in printed
    assert "look at" in printed
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]


@pytest.mark.slow
@pytest.mark.weights
def test_the_readme_s_example_works(capsys):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (block,) = blocks(text.partition("## Live\n")[2].partition("## Weights\n")[0])
    block = block.replace(CLIP, f"{CLIP}, end_s=2")
    exec(compile(block, "README.md", "exec"), {"asdkit": __import__("asdkit")})
    assert " speaks" in capsys.readouterr().out
