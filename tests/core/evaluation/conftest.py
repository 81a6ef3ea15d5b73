"""A dataset of two tiny clips, and what looks at them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from evaluating import FRAMES, REGIONS, SPEAKING, lips
from synth import clicks, write_video


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A dataset of two clips, and the faces in every frame of either."""
    folder = tmp_path_factory.mktemp("dataset")
    truth = {"shots": [[0, FRAMES]], "regions": REGIONS, "speaking": SPEAKING}
    for number, name in enumerate(("one", "two")):
        sound = clicks(np.arange(0.1 + number / 10, 3, 0.2), 3.0)
        write_video(folder / f"{name}.mp4", frames=FRAMES, image=lips, sounds=[(0, sound)])
        (folder / f"{name}.json").write_text(json.dumps(truth))
    boxes = [[[4, 8, 44, 56, 0.9], [52, 8, 92, 56, 0.9]]] * FRAMES
    (folder / "boxes.txt").write_text(json.dumps(boxes))
    (folder / "boxes.txt").rename(folder.parent / "boxes.json")
    return folder


@pytest.fixture
def options(folder, tmp_path, monkeypatch):
    """What all evaluations here are started with, in a folder and with a cache of their own."""
    monkeypatch.setenv("ASDKIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return [
        f"dataset.folder={folder}",
        "detector=boxes",
        f"detector.path={folder.parent / 'boxes.json'}",
        "cutter=none",
        "scorer=lip_motion",
        "plots=false",
    ]


@pytest.fixture
def detected(monkeypatch):
    """The frames handed to the detector, call by call."""
    from asdkit.core.known_faces import KnownFaces

    calls = []
    detect = KnownFaces.detect

    def noted(self, frames, indices):
        calls.append(list(indices))
        return detect(self, frames, indices)

    monkeypatch.setattr(KnownFaces, "detect", noted)
    return calls


@pytest.fixture
def scored(monkeypatch):
    """How many clips each call of the scorer got."""
    from asdkit.plugins.scorers.lip_motion import LipMotion

    calls = []
    score = LipMotion.score

    def noted(self, clips):
        calls.append(len(clips))
        return score(self, clips)

    monkeypatch.setattr(LipMotion, "score", noted)
    return calls
