"""Real clips of people talking, from end to end, no setting changed between them."""

from __future__ import annotations

import json

import numpy as np
import pytest

import asdkit
from asdkit.core.config.compose import compose_app
from asdkit.core.evaluation.dataset import make_dataset_plan
from asdkit.core.evaluation.evaluate import evaluate
from asdkit.core.evaluation.settings import EVALUATE

CLIPS = {"dialogue": (2, 3), "dialogue_30fps": (1, 2), "dialogue_small": (1, 2)}


@pytest.mark.slow
def test_offline_finds_who_speaks(shared, faces_found, tmp_path, monkeypatch):
    monkeypatch.setenv("ASDKIT_CACHE", str(faces_found))
    given = [f"dataset.folder={shared('clips')}", "experiment=offline", "writers=[json]"]
    plan = make_dataset_plan(EVALUATE, compose_app(EVALUATE, [*given, "plots=false", "device=cpu"]))
    found = evaluate(plan, tmp_path / "out", lambda line: None)
    assert found["metrics"]["average_precision"] >= 0.80
    for name, (shots, tracks) in CLIPS.items():
        truth = json.loads(shared(f"clips/{name}.json").read_text())
        result = json.loads((tmp_path / "out" / name / "result.json").read_text())
        assert result["shots"] == truth["shots"]
        assert (len(result["shots"]), len(result["tracks"])) == (shots, tracks)


@pytest.mark.slow
@pytest.mark.parametrize("weights", ["checkpoint", "bundle"])
def test_talknet_scores_the_reference_tracks(shared, request, weights):
    """From the reference's smoothed faces to its scores, all but the last frame, as it does."""
    from asdkit.core.analysis.crops import face
    from asdkit.core.media.picture import frames
    from asdkit.core.media.probe import probe
    from asdkit.core.media.sound import Sound

    reference = np.load(shared("reference/dialogue.pipeline.npz"))
    path = request.getfixturevalue(weights)
    scorer = asdkit.load("scorer", "talknet", weights=str(path), device="cpu")
    media = probe(shared("clips/dialogue.mp4"))
    pictures = [frame.image for frame in frames(media)]
    clips = []
    with Sound(media) as sound:
        for i in range(3):
            numbers = reference[f"track{i}_frame"]
            rows = np.stack([reference[f"track{i}_{name}"] for name in "xys"], 1)
            crops = [face(pictures[n], *row, 0.4) for n, row in zip(numbers, rows, strict=True)]
            first, stop = int(numbers[0]) * 640, int(numbers[-1]) * 640
            assert list(reference[f"track{i}_audio_span"]) == [first, stop + 640]
            heard, after = np.split(sound.read(first, stop + 240), [stop - first])
            clips.append(asdkit.Clip(np.stack(crops[:-1]), heard, sound_after=after))
    for i, scores in enumerate(scorer.score(clips)):
        assert scores.score == pytest.approx(reference[f"track{i}_score"], abs=1e-3)
