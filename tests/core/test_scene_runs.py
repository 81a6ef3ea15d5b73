"""Runs and batches with a scorer that needs the other faces; runs that are stopped and go on."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import scenes
from synth import clicks, write_video

import asdkit
from asdkit.core import resume as kept
from asdkit.core.config.chosen import Chosen
from asdkit.core.registry import registry

FRAMES = 100
CUT = 50
OPTIONS = {
    "detector": "boxes",
    "detector.path": "boxes.json",
    "cutter": "csv",
    "cutter.path": "scenes.csv",
    "scorer": "most_moving",
    "writers": ["json"],
}


def two(number, width, height):
    """Two faces, of which the left one moves first, and then the right one."""
    image = np.full((height, width, 3), 120, np.uint8)
    x = 12 if number < CUT + 20 else 60
    image[30 : 34 + 8 * (number % 2), x : x + 24] = 20
    return image


@pytest.fixture(autouse=True)
def clip(tmp_path, monkeypatch):
    """A video of two shots with two faces, and the scorer among those that can be chosen."""
    monkeypatch.chdir(tmp_path)
    boxes = [[[4, 8, 44, 56, 0.9], [52, 8, 92, 56, 0.9]]] * FRAMES
    Path("boxes.json").write_text(json.dumps(boxes))
    Path("scenes.csv").write_text(f"Start Time (seconds)\n0\n{CUT / 25}\n")
    Path("talks").mkdir()
    sound = clicks([0.5, 2.5], FRAMES / 25)
    write_video(Path("talks/clip.mp4"), frames=FRAMES, image=two, sounds=[(0.0, sound)])
    registry().add_all(scenes.asdkit_components(), registry().providers["scorer", "lip_motion"])
    yield "talks/clip.mp4"
    registry.cache_clear()


@pytest.fixture
def built(monkeypatch):
    """The scorers that runs have built."""
    made = []
    build = Chosen.build

    def noted(self, context):
        part = build(self, context)
        if self.component.kind == "scorer":
            made.append(part)
        return part

    monkeypatch.setattr(Chosen, "build", noted)
    return made


def speaking(tracks):
    """By shot: for each face, from left to right, whether it speaks, frame by frame."""
    ordered = sorted(tracks, key=lambda one: (one["first_frame"], one["boxes"][0][0]))
    return [[score > 0 for score in one["scores"]] for one in ordered]


def test_a_run_and_a_batch_score_faces_together(clip, asd):
    asdkit.run(clip, OPTIONS, output="out")
    found = json.loads(Path("out/result.json").read_text())["tracks"]
    first_left, first_right, left, right = speaking(found)
    assert all(first_left[2:]) and not any(first_right[2:])
    assert all(left[2:20]) and not any(right[2:20])
    assert not any(left[21:]) and all(right[21:])
    registry.cache_clear()  # its workers know it from its file alone
    code, _, err = asd(
        *("batch", "videos=talks", "output=all", "detector=boxes", "detector.path=boxes.json"),
        *("cutter=csv", "cutter.path=scenes.csv", "scorer=most_moving", "writers=[json]"),
        f"plugins=['{scenes.__file__}']",
    )
    assert code == 0, err
    assert json.loads(Path("all/clip/result.json").read_text())["tracks"] == found


def test_a_run_that_was_stopped_scores_only_the_scenes_that_are_left(clip, built, monkeypatch):
    monkeypatch.setattr(kept, "_EVERY_S", 0.0)
    asdkit.run(clip, OPTIONS, output="whole")
    assert built[0].scenes == [[(0, CUT), (0, CUT)]] * 2
    score = scenes.MostMoving.score_scene

    def stopped(self, scene):
        if self.scenes:
            raise KeyboardInterrupt
        return score(self, scene)

    with monkeypatch.context() as patch:
        patch.setattr(scenes.MostMoving, "score_scene", stopped)
        with pytest.raises(KeyboardInterrupt):
            asdkit.run(clip, OPTIONS, output="out")
    asdkit.run(clip, OPTIONS, output="out", resume=True)
    assert built[-1].scenes == [[(0, CUT), (0, CUT)]]
    whole, resumed = (
        json.loads(Path(folder, "result.json").read_text())["tracks"] for folder in ("whole", "out")
    )
    assert resumed == whole


def test_a_pipeline_of_several_threads_and_a_loaded_scorer_know_scenes(clip):
    pipeline = asdkit.Pipeline(OPTIONS)
    assert len(pipeline(clip).tracks) == 4
    scorer = asdkit.load("scorer", "most_moving")
    assert isinstance(scorer, asdkit.plugin.SceneScorer)


def test_an_ensemble_takes_no_such_scorer():
    with pytest.raises(asdkit.AsdError, match="looks at all faces of a moment at once, but an en"):
        asdkit.load("scorer", "ensemble", of=["lip_motion", "most_moving"])
