"""Components with published weights on real clips: what they find against the truth."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, replace

import numpy as np
import pytest

import asdkit
from asdkit.benchmarks.clips import average_precision, judged
from asdkit.core.components import Component, Provider, registry
from asdkit.core.types import Scores

pytestmark = [pytest.mark.weights, pytest.mark.slow]
CLIPS = ("dialogue", "dialogue_30fps", "dialogue_small")
REFERENCE_AP = {"ava": 0.84, "talkset": 0.90}
"""Pooled average precision of the published script of LR-ASD, with boxes of MTCNN."""
FLOOR = {"lr_asd": 0.82, "light_asd": 0.77}
WITHIN = {"mtcnn": 0.01, "yunet": 0.03}


@dataclass(frozen=True)
class NoConfig:
    """No parameters."""


class Recording:
    """A scorer that keeps the clips, to be scored by others later; its score is their number."""

    clips: list[asdkit.Clip] = []

    def score(self, clips):
        first = len(self.clips)
        self.clips += [replace(clip, faces=clip.faces.copy()) for clip in clips]
        return [Scores(np.full((len(clip), 2), first + k)) for k, clip in enumerate(clips)]


@pytest.fixture(scope="module", params=["mtcnn", "yunet"])
def followed(request, shared):
    """The results of a detector on the clips, each track's clip at hand, and the truth."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASDKIT_WEIGHTS", str(shared("weights")))
        patch.setattr(registry(), "components", dict(registry().components))
        patch.setattr(registry(), "providers", dict(registry().providers))
        component = Component("scorer", "recording", NoConfig, lambda *_: Recording())
        registry().add(component, Provider("tests", "1"))
        found = []
        for name in CLIPS:
            patch.setattr(Recording, "clips", [])
            result = asdkit.run(
                shared(f"clips/{name}.mp4"),
                [f"detector={request.param}", "scorer=recording", "writers=[]", "device=cpu"],
            )
            truth = json.loads(shared(f"clips/{name}.json").read_text())
            found.append((result, Recording.clips, truth))
    return request.param, found


@pytest.mark.parametrize("model", ["lr_asd", "light_asd"])
@pytest.mark.parametrize("weights", ["talkset", "ava"])
def test_who_speaks_as_well_as_the_published_script_says_it(
    followed, model, weights, shared, monkeypatch
):
    monkeypatch.setenv("ASDKIT_WEIGHTS", str(shared(f"weights/{model}_{weights}.model").parent))
    detector, found = followed
    scorer = asdkit.load("scorer", model, weights=weights, device="cpu")
    scores, truths = [], []
    for result, clips, truth in found:
        answers = scorer.score(clips)
        tracks = tuple(
            replace(track, logits=answers[int(track.scores[0])].logits) for track in result.tracks
        )
        said, spoken = judged(replace(result, tracks=tracks), truth)
        scores.append(said)
        truths.append(spoken)
    found_ap = average_precision(np.concatenate(scores), np.concatenate(truths))
    assert found_ap > FLOOR[model]
    if model == "lr_asd":
        assert found_ap == pytest.approx(REFERENCE_AP[weights], abs=WITHIN[detector])


def test_two_detectors_and_two_scorers_are_one_command(shared, tmp_path):
    done = subprocess.run(
        [
            *(sys.executable, "-m", "asdkit", "run", str(shared("clips/dialogue.mp4"))),
            *("--multirun", "detector=mtcnn,yunet", "scorer=lip_motion,lr_asd"),
            *("end_s=1.5", "writers=[json]", f"output={tmp_path / 'out'}", "device=cpu"),
        ],
        env={**os.environ, "ASDKIT_WEIGHTS": str(shared("weights"))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = [json.loads(path.read_text()) for path in sorted(tmp_path.glob("out/*/result.json"))]
    chosen = [[r["settings"][kind]["name"] for kind in ("detector", "scorer")] for r in found]
    assert [tuple(names) for names in chosen] == [
        ("mtcnn", "lip_motion"), ("mtcnn", "lr_asd"), ("yunet", "lip_motion"), ("yunet", "lr_asd"),
    ]  # fmt: skip
    assert all(len(r["tracks"]) == 2 for r in found)
