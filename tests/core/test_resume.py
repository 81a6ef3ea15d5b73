"""A run that is killed or stopped at any moment goes on, and leaves nothing behind."""

from __future__ import annotations

import json
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from strangers import package
from synth import clicks, steady, write_video

import asdkit
from asdkit.core import resume as kept
from asdkit.core.errors import OutputError
from asdkit.core.file_patterns import INCOMPLETE

SLOW = """
import os
import random
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import asdkit
from asdkit.core import resume as kept
from asdkit.core.component import Component

kept._EVERY_S = float(os.environ.get("KEEP_EVERY_S", "0.05"))


def asked(kind, count):
    with Path("asked.txt").open("a") as file:
        file.write(f"{kind} {count}\\n")


@dataclass(frozen=True)
class Config:
    \"\"\"Parameters.

    Attributes:
        wait_s: Before each answer.
        once_s: Once, in one go of a library that lets no signal through.
        shift: Moves what is answered.
    \"\"\"

    wait_s: float = 0.01
    once_s: float = 0.0
    shift: float = 0.0


class Slow:
    def __init__(self, config):
        self.config = config

    def detect(self, frames, indices):
        asked("detector", len(indices))
        time.sleep(self.config.wait_s)
        if self.config.once_s and indices[0] > 20:
            Path("computing").touch()
            import cv2
            end = time.monotonic() + self.config.once_s
            held = np.random.default_rng(0).random((700, 700))
            while time.monotonic() < end:
                try:
                    held @ held
                except KeyboardInterrupt:
                    pass  # as if it came from a library that does not care
        luck = 3 * random.random() + 3 * np.random.random() + self.config.shift
        return [asdkit.Detections([[20 + luck, 10, 60 + luck, 50]], [1.0]) for _ in indices]

    def score(self, clips):
        asked("scorer", sum(map(len, clips)))
        time.sleep(self.config.wait_s)
        return [
            asdkit.Scores(np.stack([c.faces.mean((1, 2)), np.full(len(c), random.random())], 1))
            for c in clips
        ]

    def embed(self, faces):
        asked("embedder", len(faces))
        vectors = np.random.random((len(faces), 8)).astype(np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def build(config, context):
    return Slow(config)


@asdkit.hookimpl
def asdkit_components():
    return [Component(kind, "slow", Config, build) for kind in ("detector", "scorer", "embedder")]
"""
OPTIONS = ["detector=slow", "scorer=slow", "embedder=slow", "embed_every=5", "cutter=csv"]
OPTIONS += ["cutter.path=scenes.csv", "batch_frames=2", "writers=[json,rttm,pywork]", "output=out"]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder with an installed plugin."""
    return package(tmp_path_factory.mktemp("site"), "slow_parts", SLOW)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """A video of four seconds."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    return write_video(
        path, frames=100, size=(96, 64), image=steady, sounds=[(0.0, clicks([0.5], 4.0))]
    )


@pytest.fixture(autouse=True)
def nowhere(tmp_path, monkeypatch, site, found_in, interruptible):
    """Runs in an empty folder, with the plugin there, and three shots in a list."""
    monkeypatch.chdir(tmp_path)
    found_in(site)
    monkeypatch.setattr(kept, "_EVERY_S", 0.0)
    monkeypatch.setenv("KEEP_EVERY_S", "0")
    rows = "Start Timecode,Start Time (seconds)\n,0\n,1.2\n,2.0\n"
    Path("scenes.csv").write_text(rows)


def found(folder="out"):
    """What result.json says, but for times."""
    values = json.loads(Path(folder, "result.json").read_text())
    del values["timings_s"]
    return values


def files(folder="out"):
    return sorted(str(p.relative_to(folder)) for p in Path(folder).rglob("*") if p.is_file())


WHOLE = ["pywork/scores.pckl", "pywork/tracks.pckl", "result.json", "speakers.rttm"]


@contextmanager
def started(*words):
    """The command in a process of its own, which does not outlive the block."""
    with subprocess.Popen(
        [sys.executable, "-m", "asdkit", *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()


def wait_for(path, process):
    end = time.monotonic() + 60
    while not Path(path).exists():
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < end
        time.sleep(0.01)


def uninterrupted(clip, *more):
    """The result of a run that nobody disturbs, elsewhere."""
    words = [*OPTIONS[:-1], "output=other", "detector.wait_s=0", "scorer.wait_s=0", *more]
    shutil.rmtree("other", ignore_errors=True)
    asdkit.run(str(clip), words)
    expected = found("other")
    expected["settings"]["output"] = "out"
    return expected


def asked():
    path = Path("asked.txt")
    lines = path.read_text().split("\n")[:-1] if path.exists() else []
    path.unlink(missing_ok=True)
    return lines


def test_killed_again_and_again_it_ends_as_if_nothing_had_been(clip):
    fast = ["detector.wait_s=0", "scorer.wait_s=0"]
    expected = uninterrupted(clip)
    calls = len(asked())
    chance = random.Random(4)
    kills = 0
    total = 0
    for _ in range(4):
        with started("run", str(clip), *OPTIONS, "detector.wait_s=0.02", "resume=true") as process:
            wait_for("asked.txt", process)
            time.sleep(chance.uniform(0.0, 0.5))
            process.kill()
            kills += process.wait() == -signal.SIGKILL
        total += len(asked())
        assert not Path("out/result.json").exists()
    assert kills == 4
    # Parameters of components are part of what must be the same; waiting is one, here.
    with pytest.raises(OutputError, match="not of the same detector"):
        asdkit.run(str(clip), [*OPTIONS, *fast, "resume=true"])
    asdkit.run(str(clip), [*OPTIONS, "detector.wait_s=0.02", "resume=true"])
    total += len(asked())
    result = found()
    for values in (result, expected):
        for kind in ("detector", "scorer"):
            del values["settings"][kind]["wait_s"]
    assert result == expected
    assert files() == WHOLE
    assert not Path("out", INCOMPLETE).exists()
    assert calls < total < calls + 2 * 5  # at most what was in the making was asked again


@pytest.mark.parametrize(("how", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_stopped_it_ends_at_once_and_says_how_to_go_on(clip, how, code):
    with started("run", str(clip), *OPTIONS, "detector.wait_s=0.03") as process:
        wait_for("asked.txt", process)
        time.sleep(0.4)
        process.send_signal(how)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (code, "")
    last = err.splitlines()[-1]
    assert last.startswith("asd: stopped. What was found up to ")
    assert last.endswith("is kept in out/incomplete: go on with the same options and resume=true")
    assert "Traceback" not in err
    about = json.loads(Path("out/incomplete/about.json").read_text())
    assert about["complete"] is False
    assert 0 < about["reached_s"] < 4
    names = files()
    assert names[-1] == "incomplete/about.json"
    assert all(name.endswith(".npz") for name in names[:-1])
    before = len(asked())
    asdkit.run(str(clip), [*OPTIONS, "detector.wait_s=0.03", "resume=true"])
    expected = uninterrupted(clip, "detector.wait_s=0.03", "scorer.wait_s=0.01")
    assert found() == expected
    assert files() == WHOLE
    assert before > 0


def test_what_a_library_computes_is_not_waited_for(clip):
    words = [*OPTIONS, "detector.once_s=30", "detector.wait_s=0"]
    with started("run", str(clip), *words) as process:
        wait_for("computing", process)
        process.send_signal(signal.SIGTERM)
        err = process.communicate(timeout=20)[1]  # it would compute for 30 s
    assert process.returncode == 143
    assert "resume=true" in err.splitlines()[-1]
    assert all(name.endswith((".npz", "about.json")) for name in files())


def test_stopped_before_anything_was_found_it_leaves_nothing(clip, monkeypatch):
    monkeypatch.setenv("KEEP_EVERY_S", "100")
    words = [*OPTIONS, "detector.wait_s=5"]
    with started("run", str(clip), *words) as process:
        wait_for("asked.txt", process)
        process.send_signal(signal.SIGINT)
        err = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert err.splitlines()[-1] == "asd: stopped"
    assert not Path("out").exists()


class HaltError(Exception):
    """What a progress function raises, to break a run off."""


def broken_off(clip, *words, after=40):
    """A run that breaks off at a frame, with what it has kept."""

    def halt(stage, done, total):
        if done >= after:
            raise HaltError

    with pytest.raises(HaltError):
        asdkit.run(str(clip), [*OPTIONS, "detector.wait_s=0", "scorer.wait_s=0", *words], halt)


def test_only_what_fits_is_gone_on_with(clip, tmp_path):
    fast = [*OPTIONS, "detector.wait_s=0", "scorer.wait_s=0", "resume=true"]
    expected = uninterrupted(clip)
    asked()
    broken_off(clip)
    asked()
    for word, told in (("detector.shift=1", "detector"), ("scorer.shift=1", "scorer"),
                       ("embedder.shift=1", "embedder"), ("seed=1", "seed")):  # fmt: skip
        with pytest.raises(OutputError, match=f"not of the same {told}. Give the same again"):
            asdkit.run(str(clip), [*fast, word])
    other = write_video(tmp_path / "other.mp4", frames=90, sounds=[(0.0, clicks([0.5], 4.0))])
    with pytest.raises(OutputError, match="not of the same files"):
        asdkit.run(str(other), fast)
    assert not asked()
    # What only changes what is asked, or comes after, may be another.
    asdkit.run(str(clip), [*fast, "segments.on=0.6", "output=out", "batch_frames=3"])
    assert asked()
    again = uninterrupted(clip, "segments.on=0.6", "batch_frames=3")
    assert found() == again
    assert again != expected


def test_with_nothing_to_go_on_from_it_begins(clip):
    fast = [*OPTIONS, "detector.wait_s=0", "scorer.wait_s=0"]
    expected = uninterrupted(clip)
    asdkit.run(str(clip), [*fast, "resume=true"])
    assert found() == expected
    assert found()["settings"]["resume"] is False
    with pytest.raises(OutputError, match=r"out already holds results \(result.json\)"):
        asdkit.run(str(clip), [*fast, "resume=true"])
    asdkit.run(str(clip), [*fast, "resume=true", "overwrite=true"])
    assert files() == WHOLE


def test_without_resume_it_starts_anew_and_says_so(clip, caplog):
    broken_off(clip)
    calls = len(asked())
    broken_off(clip, "seed=3", after=1)
    assert "stopped at 1.6 s; this one starts anew, resume=true would go on" in caplog.text
    asked()
    asdkit.run(str(clip), [*OPTIONS, "detector.wait_s=0", "scorer.wait_s=0"])
    assert len(asked()) > calls
    assert files() == WHOLE


def test_damaged_answers_are_asked_again(clip):
    expected = uninterrupted(clip)
    asked()
    broken_off(clip)
    kept_files = sorted(Path("out/incomplete").glob("*.npz"))
    kept_files[0].write_bytes(b"")
    kept_files[1].write_bytes(kept_files[1].read_bytes()[:-9])
    data = bytearray(kept_files[2].read_bytes())
    data[len(data) // 2] ^= 255
    kept_files[2].write_bytes(data)
    np.savez(kept_files[3], reached=3, **{"detector.keys": np.array([1])})
    asdkit.run(str(clip), [*OPTIONS, "detector.wait_s=0", "scorer.wait_s=0", "resume=true"])
    assert found() == expected
    assert files() == WHOLE


def test_answers_that_cannot_be_kept_do_not_end_the_run(clip, monkeypatch, caplog):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(kept.np, "savez", full)
    asdkit.run(str(clip), [*OPTIONS, "detector.wait_s=0", "scorer.wait_s=0"])
    assert caplog.text.count("cannot be kept for resume=true") == 1
    assert files() == WHOLE


def test_two_runs_do_not_share_a_folder(clip):
    with started("run", str(clip), *OPTIONS, "detector.wait_s=0.2") as process:
        wait_for("asked.txt", process)
        with pytest.raises(OutputError, match="Another asd run is at work in out"):
            asdkit.run(str(clip), [*OPTIONS, "resume=true"])
        process.kill()
    asdkit.run(str(clip), [*OPTIONS, "detector.wait_s=0.2", "resume=true", "end_s=1"])
    assert files() == WHOLE


def test_from_python_no_signal_is_touched(clip):
    seen = []

    def note(stage, done, total):
        seen.append((signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)))

    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    words = [*OPTIONS, "detector.wait_s=0", "scorer.wait_s=0", "writers=[]"]
    asdkit.run(str(clip), words, note)
    thread = threading.Thread(target=asdkit.run, args=(str(clip), words, note))
    thread.start()
    thread.join()
    assert set(seen) == {before}
    assert len(seen) > 200


def test_an_interrupted_call_says_how_to_go_on(clip):
    def halt(stage, done, total):
        if done == 40:
            raise KeyboardInterrupt

    words = [*OPTIONS, "detector.wait_s=0", "scorer.wait_s=0"]
    with pytest.raises(KeyboardInterrupt, match=r"up to 1.6\d s is kept in out/incomplete"):
        asdkit.run(str(clip), words, halt)
    expected = uninterrupted(clip)
    asdkit.run(str(clip), [*words, "resume=true"])
    assert found() == expected
    assert files() == WHOLE


def test_what_was_looked_at_as_often_as_faces_move_is_gone_on_with(clip):
    words = ["detector.wait_s=0", "scorer.wait_s=0", "detect_every=auto"]
    expected = uninterrupted(clip, *words)
    calls = len(asked())
    broken_off(clip, *words)
    calls_before = len(asked())
    asdkit.run(str(clip), [*OPTIONS, *words, "resume=true"])
    assert found() == expected
    assert calls_before + len(asked()) == calls
