"""The command where it is interrupted, and where nobody takes what it prints."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from synth import clicks, steady, write_video

COMMAND = [sys.executable, "-m", "asdkit"]


@pytest.fixture(autouse=True)
def nowhere(tmp_path, monkeypatch, interruptible):
    """Runs in an empty folder."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def run_words():
    """The arguments of a run that needs no network."""
    write_video(
        Path("clip.mp4"), frames=25, size=(64, 48), image=steady, sounds=[(0.0, clicks([0.5], 1.0))]
    )
    Path("boxes.json").write_text(json.dumps([[[10, 5, 50, 45, 1.0]]] * 25))
    words = ["run", "clip.mp4", "detector=boxes", "detector.path=boxes.json", "cutter=none"]
    return [*words, "scorer=lip_motion", "writers=[json,rttm]", "output=out"]


def shell(words, redirection):
    """Run the command in a shell, with its streams redirected."""
    line = " ".join(f"'{word}'" for word in (*COMMAND, *words))
    return subprocess.run(
        ["bash", "-c", f"{line} {redirection}"], capture_output=True, text=True, check=False
    )


full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")


@full
@pytest.mark.parametrize("words", [["plugins"], ["--version"], ["help"], ["run", "--help"]])
def test_a_full_stdout_is_told_of_in_one_line(words):
    done = shell(words, ">/dev/full")
    assert done.returncode == 2
    assert done.stderr == "asd: What was to be printed cannot be: No space left on device\n"


@full
def test_a_run_whose_summary_cannot_be_printed_has_its_results(run_words):
    done = shell(run_words, ">/dev/full")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("asd: What was to be printed cannot be")
    assert sorted(os.listdir("out")) == ["result.json", "speakers.rttm"]  # noqa: PTH208


@full
def test_a_full_stderr_does_not_end_a_run(run_words):
    done = shell(run_words, "2>/dev/full")
    assert done.returncode == 0
    assert "1 face track" in done.stdout
    assert shell(["run", "none.mp4"], "2>/dev/full").returncode == 2


@pytest.mark.parametrize("redirection", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_closed_streams_do_no_harm(run_words, redirection):
    done = shell(run_words, redirection)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert json.loads(Path("out/result.json").read_text())["shots"] == [[0, 25]]
    assert "asd:" not in Path("out/speakers.rttm").read_text()
    refused = shell(["run", "none.mp4"], redirection)
    assert refused.returncode == 2
    assert "Traceback" not in refused.stderr


def test_nobody_reads_on():
    done = shell(["help"], "| true; exit ${PIPESTATUS[0]}")
    assert done.returncode in (0, 1)
    assert done.stderr == ""


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc")
@pytest.mark.parametrize("library", ["numpy", "cv2", "av"])
@pytest.mark.parametrize(("how", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_while_libraries_are_imported(run_words, library, how, code):
    with subprocess.Popen(
        [*COMMAND, *run_words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        maps = Path(f"/proc/{process.pid}/maps")
        end = time.monotonic() + 60
        while f"/{library}" not in maps.read_text():
            assert time.monotonic() < end
        process.send_signal(how)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (code, "")
    assert [line for line in err.splitlines() if line != "asd: loading"] == ["asd: stopped"]
    assert not Path("out").exists()


IMPATIENT = """
import os, signal, time
from asdkit.core.stopping import stoppable

with stoppable(print):
    try:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(60)
    except KeyboardInterrupt:
        time.sleep(0.2)  # by now the thread that watches knows of it
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.1)
        print("put in order")
"""


def test_interrupted_twice_nothing_more_is_said():
    done = subprocess.run(
        [sys.executable, "-c", IMPATIENT], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "put in order\n", "")


def test_what_ignores_signals_still_does(run_words):
    done = shell(run_words, "").returncode
    assert done == 0
    line = " ".join(f"'{word}'" for word in (*COMMAND, *run_words, "overwrite=true"))
    script = f"trap '' INT; {line} & sleep 0.7; kill -INT $!; wait $!"
    assert subprocess.run(["bash", "-c", script], capture_output=True, check=False).returncode == 0


ASKED = """
import os, signal, threading
from asdkit.core.stopping import Stopped, asked_first, stoppable

with stoppable(print):
    ended = threading.Event()
    with asked_first(ended.set) as got:
        os.kill(os.getpid(), signal.SIGTERM)
        assert ended.wait(60)
        print("asked", got == [signal.SIGTERM])
    {more}
    try:
        os.kill(os.getpid(), signal.SIGINT)
        ended.clear()
        ended.wait(60)
    except Stopped as stop:
        print("stopped", stop.number == signal.SIGINT)
"""
AGAIN = """with asked_first(ended.set) as got:
        ended.clear()
        os.kill(os.getpid(), signal.SIGINT)
        assert ended.wait(60)
        print("asked", got == [signal.SIGINT])"""


@pytest.mark.parametrize("more", ["", AGAIN])
def test_what_is_asked_first_is_stopped_by_the_next_signal(more):
    script = ASKED.format(more=more)
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    asked = ["asked True"] * (2 if more else 1)
    assert (done.stdout.splitlines(), done.stderr) == ([*asked, "stopped True"], "")


WITHIN = """
import os, signal, threading
from asdkit.core.stopping import Stopped, asked_first, stoppable

with stoppable(print):
    ended = threading.Event()
    with asked_first(ended.set):
        os.kill(os.getpid(), signal.SIGINT)
        assert ended.wait(60)
        try:
            os.kill(os.getpid(), signal.SIGINT)
            threading.Event().wait(60)
        except Stopped:
            print("stopped")
"""


def test_what_does_not_end_when_asked_is_stopped():
    done = subprocess.run(
        [sys.executable, "-c", WITHIN], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("stopped\n", "")
