"""Whole sweeps of `asd evaluate` over scorers of which only one has weights and parameters."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from asdkit.core.cli.main import main
from asdkit.core.registry import registry

SCORER = '''
"""Gives each face the brightness of its picture, or the opposite."""
from dataclasses import dataclass

import numpy as np

import asdkit
from asdkit.plugin import Component, Scores


@dataclass(frozen=True)
class Config:
    """Parameters of `scorer=bright`.

    Attributes:
        weights: plus or minus.
        times: A factor.
    """

    weights: str = "plus"
    times: float = 1.0


class Bright:
    def __init__(self, config):
        self._times = config.times * (1 if config.weights == "plus" else -1)

    def score(self, clips):
        means = [clip.faces.mean(axis=(1, 2)) / 255 * self._times for clip in clips]
        return [Scores(np.stack([-one, one], axis=1).astype(np.float32)) for one in means]


@asdkit.hookimpl
def asdkit_components():
    return [Component("scorer", "bright", Config, lambda config, context: Bright(config))]
'''


@pytest.fixture
def sweep(options):
    """Evaluates with the scorer above to choose from; gives the rows of the table by folder."""
    pytest.importorskip("matplotlib")
    Path("bright.py").write_text(SCORER)

    def swept(*words):
        rest = [word for word in options if not word.startswith("scorer=")]
        common = ["plugins=[bright.py]", "foreign_sound=false", "output=sweep", "--multirun"]
        main(["evaluate", *rest, *common, *words])
        with Path("sweep/compare.csv").open(newline="") as file:
            return {Path(row["folder"]).name: row for row in csv.DictReader(file)}

    registry.cache_clear()
    yield swept
    registry.cache_clear()


def settings(folder):
    return json.loads(Path("sweep", folder, "evaluation.json").read_text())["settings"]["scorer"]


def test_variants_beside_a_scorer_without_weights(sweep):
    rows = sweep("scorer=bright@plus,bright@minus,lip_motion")
    assert set(rows) == {"scorer=bright@plus", "scorer=bright@minus", "scorer=lip_motion"}
    assert settings("scorer=bright@minus") == {
        "name": "bright", "weights": "minus", "times": 1.0, "calibration": "auto",
    }  # fmt: skip
    assert {name: row["scorer.weights"] for name, row in rows.items()} == {
        "scorer=bright@plus": "plus",
        "scorer=bright@minus": "minus",
        "scorer=lip_motion": "",
    }
    found = [float(rows[f"scorer=bright@{one}"]["AP"]) for one in ("plus", "minus")]
    assert found[0] != found[1]
    assert "scorer=bright@minus" in Path("sweep/compare.svg").read_text()


def test_a_parameter_that_one_scorer_has(sweep, capsys):
    rows = sweep("scorer=bright,lip_motion", "scorer.weights=plus,minus", "scorer.times=2")
    assert set(rows) == {
        "scorer=bright,scorer.times=2,scorer.weights=plus",
        "scorer=bright,scorer.times=2,scorer.weights=minus",
        "scorer=lip_motion",
    }
    out = capsys.readouterr().out
    assert "asd: scorer.times is left out of 2 of 4 jobs, whose part has none\n" in out
    assert "asd: 1 of 4 jobs are the same as others\n" in out
    assert settings("scorer=bright,scorer.times=2,scorer.weights=plus")["times"] == 2


def test_a_parameter_of_no_scorer(options, capsys):
    words = [word for word in options if not word.startswith("scorer=")]
    with pytest.raises(SystemExit):
        main(["evaluate", *words, "-m", "scorer=lip_motion,ensemble", "scorer.off=[a]"])
    assert "There is no option scorer.off. Did you mean scorer.of?" in capsys.readouterr().err
    assert not Path("asd_evaluation").exists()
