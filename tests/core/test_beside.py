"""A run in several threads ends as one in a single thread does, and leaves no thread behind."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from strangers import package
from synth import clicks, steady, write_video

import asdkit
from asdkit.core import cores, viewing
from asdkit.core.errors import PluginError

LUCKY = """
import random
import threading
from dataclasses import dataclass

import numpy as np

import asdkit
from asdkit.core.component import Component
from asdkit.plugins.scorers.lip_motion import LipMotion, LipMotionConfig
from asdkit.plugins.trackers.iou import IouConfig, build as iou

SEEN = []


@dataclass(frozen=True)
class Config:
    \"\"\"Parameters.

    Attributes:
        fails: Whether to fail.
    \"\"\"

    fails: bool = False


class Detector:
    def detect(self, frames, indices):
        luck = 3 * random.random() + 3 * np.random.random()
        return [asdkit.Detections([[20 + luck, 10, 60 + luck, 50]], [1.0]) for _ in indices]


class Tracker:
    \"\"\"Moves what it is given by chance.\"\"\"

    def __init__(self, context):
        self.inner = iou(IouConfig(), context)

    def update(self, index, found):
        luck = random.random() + np.random.random()
        return self.inner.update(index, asdkit.Detections(found.boxes + luck, found.scores))

    def flush(self):
        return self.inner.flush()


class Scorer(LipMotion):
    def __init__(self, fails):
        super().__init__(LipMotionConfig())
        self.fails = fails

    def score(self, clips):
        SEEN.append(threading.current_thread().name)
        if self.fails:
            raise RuntimeError("no more")
        return super().score(clips)


class Alone(Scorer):
    \"\"\"Draws random numbers, and so must run in the thread of the others.\"\"\"

    concurrent = False

    def score(self, clips):
        random.random()
        return super().score(clips)


@asdkit.hookimpl
def asdkit_components():
    return [
        Component("detector", "lucky", Config, lambda config, context: Detector()),
        Component("tracker", "lucky", Config, lambda config, context: Tracker(context)),
        Component("scorer", "beside", Config, lambda config, context: Scorer(config.fails)),
        Component("scorer", "alone", Config, lambda config, context: Alone(config.fails)),
    ]
"""
OPTIONS = ["detector=lucky", "tracker=lucky", "vad=energy", "writers=[json]", "overwrite=true"]
SHOT_FRAMES = 20


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder with an installed plugin."""
    return package(tmp_path_factory.mktemp("site"), "lucky_parts", LUCKY)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """A video of six shots, by turns as it is and inverted."""

    def image(number, width, height):
        plain = steady(number, width, height)
        return 255 - plain // 2 if number // SHOT_FRAMES % 2 else plain

    return write_video(
        tmp_path_factory.mktemp("clip") / "clip.mp4",
        frames=6 * SHOT_FRAMES, size=(96, 64), image=image, sounds=[(0.0, clicks([0.5], 4.8))],
    )  # fmt: skip


@pytest.fixture(autouse=True)
def nowhere(tmp_path, monkeypatch, site, found_in):
    """Runs in an empty folder, with the plugin there, on a machine of two cores."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(viewing, "cores", lambda: 2)
    found_in(site)


@pytest.fixture
def progress():
    """What a run says before it fails."""
    return "asd: loading", "asd: finding speakers", "asd: scoring"


def written(clip, scorer, *more):
    """What result.json says, but for times, and which threads scored."""
    seen = __import__("lucky_parts").SEEN
    seen.clear()
    asdkit.run(str(clip), [*OPTIONS, f"scorer={scorer}", "output=out", *more])
    values = json.loads(Path("out/result.json").read_text())
    del values["timings_s"], values["settings"]["threads"]
    return values, set(seen)


def ours():
    """The threads of runs; one that reads a live source may wait for it a while longer."""
    names = ("asdkit-ahead", "asdkit-scores")
    return [thread for thread in threading.enumerate() if thread.name in names]


def test_the_result_is_the_same_in_one_thread_and_in_several(clip):
    asdkit.run(str(clip), [*OPTIONS, "scorer=beside", "output=out"])  # imports the plugin
    alone, in_main = written(clip, "beside", "threads=1")
    assert in_main == {"MainThread"}
    assert len(alone["shots"]) == len(alone["tracks"]) == 6
    for threads in ("2", "null"):
        beside, of_its_own = written(clip, "beside", f"threads={threads}")
        assert of_its_own == {"asdkit-scores"}
        assert beside == alone
    other, _ = written(clip, "beside", "seed=1")
    assert other["tracks"] != alone["tracks"], "there is no chance in it"
    assert not ours()


def test_a_scorer_that_does_not_allow_it_stays_in_the_thread_of_the_others(clip):
    asdkit.run(str(clip), [*OPTIONS, "scorer=alone", "output=out"])
    alone, in_main = written(clip, "alone", "threads=1")
    several, too = written(clip, "alone", "threads=2")
    assert in_main == too == {"MainThread"}
    assert several == alone


@pytest.mark.parametrize("threads", [1, 2])
def test_an_error_beside_ends_the_run_in_its_one_line(clip, threads, refused):
    words = [*OPTIONS, f"threads={threads}", "scorer=beside", "scorer.fails=true"]
    line = refused("run", str(clip), *words, "output=out")
    assert "scorer=beside (lucky_parts 1.0) failed: RuntimeError: no more" in line
    assert not ours()


def test_stopped_by_the_caller_nothing_goes_on(clip):
    def stop(stage, done, total):
        if done == 3 * SHOT_FRAMES:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        asdkit.run(str(clip), [*OPTIONS, "scorer=beside", "output=out"], progress=stop)
    assert not ours()
    assert not list(Path("out").glob("*.json"))


def test_a_single_core_is_used_by_a_single_thread(clip, monkeypatch):
    monkeypatch.setattr(viewing, "cores", lambda: 1)
    asdkit.run(str(clip), [*OPTIONS, "scorer=beside", "output=out"])
    _, of_its_own = written(clip, "beside")
    assert of_its_own == {"MainThread"}
    with pytest.raises(PluginError, match="no more"):
        asdkit.run(str(clip), [*OPTIONS, "scorer=beside", "scorer.fails=true", "output=out"])


def test_cores_are_those_that_this_process_may_use(monkeypatch):
    monkeypatch.setattr(cores.os, "sched_getaffinity", lambda _: {3, 5, 6}, raising=False)
    assert cores.cores() == 3
    monkeypatch.delattr(cores.os, "sched_getaffinity")
    monkeypatch.setattr(cores.os, "cpu_count", lambda: 7)
    assert cores.cores() == 7
    monkeypatch.setattr(cores.os, "cpu_count", lambda: None)
    assert cores.cores() == 1
