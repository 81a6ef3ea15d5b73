"""Words are completed in a shell."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from commanding import DETECTORS

from asdkit.core.registry import registry


@pytest.mark.usefixtures("own_alone")
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("asd r", {"repeat", "run"}),
        ("asd run detector=", {f"detector={name}" for name in DETECTORS}),
        ("asd run clip.mp4 detector.m", {"detector.min_face_px="}),
        ("asd weights f", {"fetch"}),
        ("asd weights fetch talk", {"talknet_ava", "talknet_talkset"}),
        ("asd weights fetch talknet_ava talk", {"talknet_talkset"}),
        ("asd plugins n", {"new"}),
        ("asd export check out d", {"device="}),
        ("asd batch sta", {"status"}),
        ("asd batch status w", set()),
        ("asd batch worker", {"workers="}),
        ("asd help r", {"repeat", "run"}),
        ("asd wr", {"write"}),
        ("asd write out/result.json segments.o", {"segments.off=", "segments.on="}),
        ("asd write out writers=rt", {"writers=rttm"}),
    ],
)
def test_completion(asd, monkeypatch, line, offered):
    monkeypatch.setenv("COMP_LINE", line)
    monkeypatch.setenv("COMP_POINT", str(len(line)))
    code, out, _ = asd("-sc", "query=bash")
    assert code == 0
    assert set(out.split()) == offered


def test_completion_in_bash():
    """What the README tells to do, in a real shell."""
    asd_script = Path(sys.executable).with_name("asd")
    script = (
        f'export PATH="{asd_script.parent}:$PATH"; eval "$(asd -sc install=bash)"; '
        "COMP_LINE='asd run x.mp4 detector=y'; COMP_POINT=${#COMP_LINE}; COMP_CWORD=3; "
        'hydra_bash_completion; echo "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", script], capture_output=True, text=True, check=True
    )
    strangers = {
        f"detector={name}"
        for (kind, name), provider in registry().providers.items()
        if kind == "detector" and provider.name != "asdkit"
    }
    assert set(done.stdout.split()) - strangers == {"detector=yunet"}
    done = subprocess.run(
        ["bash", "--norc", "-c", script.replace("run x.mp4 detector=y", "export precis")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["precision="]
