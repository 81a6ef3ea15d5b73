"""The benchmark of identities: which pairs of faces it compares, and what it prints."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import pytest
from synth import write_video

from asdkit.benchmarks import identities
from asdkit.core.component import Component
from asdkit.core.registry import Provider, registry
from asdkit.core.types import Detections


@dataclass(frozen=True)
class NoConfig:
    """No parameters."""


class Middle:
    """Finds a face in the middle of each picture."""

    def detect(self, frames, indices):
        height, width = frames.shape[1:3]
        box = np.array([[width / 4, height / 4, 3 * width / 4, 3 * height / 4]])
        points = box[:, None, :2] + np.linspace(0.2, 0.8, 5)[:, None] * [width / 2, height / 2]
        return [Detections(box, np.ones(1), points) for _ in frames]


class MeanColour:
    identity_distance = 0.25

    def embed(self, faces):
        means = faces.mean((1, 2)).astype(np.float32)
        return means / np.linalg.norm(means, axis=1, keepdims=True)


@pytest.fixture
def colours(monkeypatch):
    """`detector=middle embedder=colour`."""
    found = registry()
    monkeypatch.setattr(found, "components", dict(found.components))
    monkeypatch.setattr(found, "providers", dict(found.providers))
    for kind, name, made in (("detector", "middle", Middle), ("embedder", "colour", MeanColour)):
        component = Component(kind, name, NoConfig, lambda _, __, made=made: made())
        found.add(component, Provider("strangers", "1"))


def test_pictures_and_videos_of_people_are_compared(colours, tmp_path, capsys):
    for name, colours_of in {"Ann": [(200, 0, 0), (200, 20, 0)], "Bob": [(0, 200, 0)]}.items():
        (tmp_path / name).mkdir()
        for k, colour in enumerate(colours_of):
            picture = np.full((64, 64, 3), colour[::-1], np.uint8)
            cv2.imwrite(str(tmp_path / name / f"{k}.png"), picture)
    image = np.full((64, 96, 3), (0, 200, 40), np.uint8)
    write_video(tmp_path / "Bob" / "talk.mkv", frames=25, image=lambda *_: image)
    (tmp_path / "Bob" / ".hidden").write_text("no face")
    identities.main([str(tmp_path), "detector=middle", "embedder=colour", "cutter=none"])
    said = capsys.readouterr().out
    assert "landmarks in boxes, mean: [[0.2, 0.2], [0.35, 0.35], [0.5, 0.5]" in said
    assert "2 people, 4 faces" in said
    assert "one person: 2 pairs; least, 5 %, median, 95 %, most: 0.0" in said
    assert "different people: 4 pairs" in said
    assert "identity_distance=0.3: 2 of one person, 0 of different people" in said
    assert "the embedder's own identity_distance: 0.25" in said


def test_the_distance_of_each_pair_counts_once():
    faces = [("a", np.eye(3)[0]), ("a", np.eye(3)[1]), ("b", np.eye(3)[0])]
    same, different = identities.distances(faces)
    assert same.tolist() == [1]
    assert different.tolist() == [0, 1]
