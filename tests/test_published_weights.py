"""Components with published weights on real clips: what they find against the truth."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from asdkit.core.config.compose import compose_app
from asdkit.core.evaluation.dataset import make_dataset_plan
from asdkit.core.evaluation.evaluate import evaluate
from asdkit.core.evaluation.fitting import fit_calibration
from asdkit.core.evaluation.settings import CALIBRATE, EVALUATE

pytestmark = [pytest.mark.weights, pytest.mark.slow]
ROWS = 975
"""Frames of labelled faces in the three clips."""
REFERENCE_AP = {"ava": 0.84, "talkset": 0.90}
"""Pooled average precision of the published script of LR-ASD, with boxes of MTCNN."""
FLOOR = {"lr_asd": 0.82, "light_asd": 0.77}
WITHIN = {"mtcnn": 0.01, "yunet": 0.03}


@pytest.fixture
def cache(shared, faces_found, monkeypatch):
    monkeypatch.setenv("ASDKIT_WEIGHTS", str(shared("weights")))
    monkeypatch.setenv("ASDKIT_CACHE", str(faces_found))


@pytest.mark.parametrize(
    ("detector", "model", "weights"),
    [  # each model with both weights, LR-ASD with both detectors
        ("mtcnn", "lr_asd", "talkset"),
        ("mtcnn", "lr_asd", "ava"),
        ("yunet", "lr_asd", "talkset"),
        ("yunet", "light_asd", "talkset"),
        ("yunet", "light_asd", "ava"),
    ],
)
def test_who_speaks_as_well_as_the_published_script_says_it(
    detector, model, weights, cache, shared, tmp_path
):
    shared(f"weights/{model}_{weights}.model")
    chosen = [f"detector={detector}", f"scorer={model}", f"scorer.weights={weights}"]
    given = [f"dataset.folder={shared('clips')}", "plots=false", "device=cpu"]
    given += ["scorer.window_seconds=[1,2,3,4,5,6]", "foreign_sound=false"]  # as the script
    plan = make_dataset_plan(EVALUATE, compose_app(EVALUATE, [*given, *chosen]))
    metrics = evaluate(plan, tmp_path / "out", lambda line: None)["metrics"]
    assert (metrics["rows"], metrics["missed"]) == (ROWS, 0)
    found_ap = metrics["average_precision"]
    assert found_ap > FLOOR[model]
    if model == "lr_asd":
        assert found_ap == pytest.approx(REFERENCE_AP[weights], abs=WITHIN[detector])


@pytest.mark.parametrize("model", ["lr_asd", "light_asd"])
def test_the_calibration_that_ships_is_the_one_that_is_fitted(model, cache, shared, tmp_path):
    shared(f"weights/{model}_talkset.model")
    words = ["detector=yunet", f"scorer={model}", "scorer.weights=talkset", "device=cpu"]
    words += [f"dataset.folder={shared('clips')}", "prior=0.5"]
    plan = make_dataset_plan(CALIBRATE, compose_app(CALIBRATE, words))
    fitted = fit_calibration(plan, tmp_path / "fitted.json", lambda line: None)
    shipped = plan.run.chosen["scorer"].calibration
    assert shipped is not None
    assert (shipped.videos, shipped.rows) == (fitted.videos, fitted.rows)
    assert shipped.temperature == pytest.approx(fitted.temperature, rel=0.05)
    assert shipped.bias == pytest.approx(fitted.bias, abs=0.05)


def test_two_detectors_and_two_scorers_are_one_command(shared, tmp_path):
    done = subprocess.run(
        [
            *(sys.executable, "-m", "asdkit", "run", str(shared("clips/dialogue_small.mp4"))),
            *("--multirun", "detector=mtcnn,yunet", "scorer=lip_motion,lr_asd"),
            *("end_s=0.8", "writers=[json]", f"output={tmp_path / 'out'}", "device=cpu"),
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
