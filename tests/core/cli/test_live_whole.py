"""`asd live` as a whole, on a clip: what it writes and prints, and Ctrl-C."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from asdkit.core.live.lines import event_of
from asdkit.core.result import Result

WORDS = ["live", "clip.mp4", "scorer=lip_motion"]

pytestmark = [pytest.mark.slow, pytest.mark.weights]


@pytest.fixture(autouse=True)
def clip(shared, nowhere, monkeypatch):
    """A clip, and the weights of the detector."""
    monkeypatch.setenv("ASDKIT_WEIGHTS", str(shared("weights")))
    Path("clip.mp4").symlink_to(shared("clips/dialogue_small.mp4"))


def test_what_is_written_is_what_is_printed(asd):
    code, out, err = asd(*WORDS, "pace=fast", "end_s=3", "live.part_s=2")
    assert (code, err) == (0, "")
    changes = out.partition("clip: 0:03.0\n")[0].splitlines()
    assert any(line.endswith(" appears") for line in changes)
    folder = Path("asd_results/clip")
    assert f"{folder}/events.jsonl\n{folder}/parts/: 2 parts\n" in out
    parts = [Result.load(folder / "parts" / name) for name in ("0001", "0002")]
    assert [part.shots[-1][1] for part in parts] == [50, 75]
    kept = (folder / "events.jsonl").read_text(encoding="utf-8")
    told = [event_of(json.loads(line)) for line in kept.splitlines()]
    assert (told[0].event, told[-1].event) == ("begun", "ended")
    printed = asd(*WORDS, "pace=fast", "end_s=3", "output=-")[1]
    lines = [event_of(json.loads(line)) for line in printed.splitlines()]
    kinds = ("appeared", "left", "speaking", "silent", "cut")
    assert [one for one in lines if one.event in kinds] == [
        one for one in told if one.event in kinds
    ]


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_leaves_whole_results():
    command = [sys.executable, "-m", "asdkit", *WORDS, "output=out"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        lines = iter(process.stdout.readline, "")
        assert any(line.endswith(" appears\n") for line in lines)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert "out/events.jsonl" in out
    assert err == "asd: stopped. All up to then is in out\n"
    told = [json.loads(text) for text in Path("out/events.jsonl").read_text().splitlines()]
    assert told[-1]["event"] == "ended"
    assert told[-1]["about"]["why"] == "stopped"
    assert Result.load("out/parts/0001").shots
