"""A run tells of each of its stages, and is ended in any of them without leaving anything."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from synth import clicks, steady, write_video

import asdkit
from asdkit.core import viewing
from asdkit.core.config.chosen import Chosen
from asdkit.core.progress import report

FRAMES = 30
OPTIONS = {"cutter": "none", "detector": "boxes", "detector.path": "boxes.json", "output": "out"}
OPTIONS |= {"scorer": "lip_motion", "writers": ["json", "annotated"], "vad": "energy"}
STAGES = ["loading", "finding speakers", "scoring", "deciding", "identifying"]
STAGES += ["writing result.json", "writing annotated.mp4"]


class Slow:
    """Stands for scorer, embedder and embedder of voices; scores for a second, step by step."""

    concurrent = True
    identity_distance = 0.5
    min_s, max_distance = 0.02, 0.5

    def score(self, clips):
        for _ in range(100):
            time.sleep(0.01)
        return [asdkit.Scores(np.tile(np.float32([0, 3]), (len(one), 1))) for one in clips]

    def embed(self, faces):
        return np.tile(np.float32([1, 0]), (len(faces), 1))


@pytest.fixture
def clip(tmp_path, monkeypatch):
    """A video with a face and a sound, and components that take their time."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(viewing, "cores", lambda: 2)
    build = Chosen.build

    def instead(self, context):
        slow = self.component.kind in ("scorer", "embedder", "voice")
        return Slow() if slow and self.component.name != "none" else build(self, context)

    monkeypatch.setattr(Chosen, "build", instead)
    Path("boxes.json").write_text(json.dumps([[[20, 10, 60, 50, 1.0]]] * FRAMES))
    tone = np.tile(clicks([0.01], 0.02), 60)
    return write_video(tmp_path / "clip.mp4", frames=FRAMES, image=steady, sounds=[(0.0, tone)])


@pytest.fixture
def options(request):
    if request.getfixturevalue("stage") == "hearing voices":
        return {**OPTIONS, "voice": "campplus", "vad": "none"}
    return {**OPTIONS, "embedder": "mobilefacenet"}


class Ending:
    """Ends a run where it is halfway through a stage."""

    def __init__(self, stage, end):
        self.stage, self.end, self.told = stage, end, []

    def __call__(self, stage, done, total):
        self.told.append((stage, done, total))
        halfway = done >= total / 2 or stage in ("scoring", "hearing voices")
        if stage == self.stage and halfway and self.end:
            self.end()


def threads():
    return {thread for thread in threading.enumerate() if thread.name.startswith("asdkit")}


def told_of(result):
    return [(one.boxes.tolist(), one.scores.tolist(), one.speaking) for one in result.tracks]


@pytest.mark.parametrize("stage", [*STAGES, "hearing voices"])
def test_a_pipeline_is_cancelled_in_any_stage_and_goes_on(clip, options, stage):
    pipeline = asdkit.Pipeline(options)
    wanted = pipeline(clip, output="first")
    before = threads(), sorted(Path().rglob("*"))
    cancel = threading.Event()
    ending = Ending(stage, cancel.set)
    begin = time.perf_counter()
    with pytest.raises(asdkit.CancelledError, match="The run was cancelled"):
        pipeline(clip, progress=ending, cancel=cancel)
    if stage == "scoring":
        assert time.perf_counter() - begin < 0.9 * wanted.timings_s["total"]
    assert ending.told[-1][0] == stage
    assert (threads(), sorted(Path().rglob("*"))) == before
    assert told_of(pipeline(clip)) == told_of(wanted)
    assert Path("out/result.json").exists()


class Enough(Exception):  # noqa: N818 - a caller may call it as they like
    """What a caller raises, who knows nothing of asdkit's errors."""


@pytest.mark.parametrize("error", [Enough, asdkit.CancelledError, KeyboardInterrupt])
@pytest.mark.parametrize("stage", ["loading", "scoring", "writing annotated.mp4"])
def test_what_progress_raises_ends_the_run_as_it_is(clip, options, stage, error):
    def end():
        raise error

    before = threads()
    with pytest.raises(error) as raised:
        asdkit.run(clip, options, progress=Ending(stage, end))
    assert raised.type is error
    assert threads() == before
    kept = ["out"] if error is KeyboardInterrupt and stage != "loading" else []
    assert sorted(str(path) for path in Path().iterdir()) == ["boxes.json", "clip.mp4", *kept]
    assert not Path("out/result.json").exists()


@pytest.mark.parametrize("stage", ["loading"])
def test_loading_is_cancelled(clip, options, stage):
    cancel = threading.Event()
    with pytest.raises(asdkit.CancelledError):
        asdkit.Pipeline(options, progress=Ending(stage, cancel.set), cancel=cancel)


@pytest.mark.parametrize("stage", ["all"])
def test_each_stage_is_told_of_in_order_and_at_least_twice_a_second(clip, options, stage):
    ending = Ending(stage, None)
    at = []
    asdkit.run(
        clip, options, progress=lambda *said: (at.append(time.perf_counter()), ending(*said))
    )
    assert list(dict.fromkeys(name for name, *_ in ending.told)) == STAGES
    by_stage = {name: [one[1:] for one in ending.told if one[0] == name] for name in STAGES}
    assert by_stage["finding speakers"][-1] == (FRAMES, FRAMES)
    assert by_stage["scoring"][-1] == (FRAMES, FRAMES)
    assert by_stage["scoring"][0] == (0, FRAMES) or by_stage["scoring"][0] == (0, 0)
    assert len(by_stage["scoring"]) >= 4
    drawn = [done for done, _ in by_stage["writing annotated.mp4"]]
    assert drawn == sorted(drawn)
    assert len(set(drawn)) == FRAMES
    assert {total for _, total in by_stage["writing annotated.mp4"][1:]} == {FRAMES}


def test_a_run_that_is_resumed_keeps_what_was_there_when_it_is_cancelled(clip):
    options = {**OPTIONS, "embedder": "mobilefacenet"}

    def stop():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt, match="go on with"):
        asdkit.run(clip, options, Ending("deciding", stop))
    kept = sorted(Path("out/incomplete").iterdir())
    assert kept
    cancel = threading.Event()
    with pytest.raises(asdkit.CancelledError):
        asdkit.run(clip, options, Ending("deciding", cancel.set), cancel=cancel, resume=True)
    assert sorted(Path("out/incomplete").iterdir()) == kept


def test_nobody_listens_outside_a_run():
    report(1, 2)
