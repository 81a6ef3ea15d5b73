"""asd calibrate, and scorers that are calibrated."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from evaluating import evaluated

import asdkit
from asdkit.core.cli.console import print_calibration
from asdkit.core.cli.main import main
from asdkit.core.config.compose import compose_run
from asdkit.core.config.plan import make_plan
from asdkit.core.decisions.calibration import Calibration
from asdkit.core.errors import ConfigError


def test_calibrating(options, capsys):
    wanted = [word for word in options if word != "plots=false"]
    main(["calibrate", *wanted, "output=c.json"])
    out = capsys.readouterr().out
    assert "on videos it was not fitted to: expected calibration error" in out
    fitted = json.loads(Path("c.json").read_text())
    assert (fitted["scorer"], fitted["videos"], fitted["rows"]) == (
        "lip_motion",
        ["one", "two"],
        300,
    )
    plain = evaluated(options)["metrics"]
    better = evaluated([*options, "scorer.calibration=c.json"], "second")
    assert better["metrics"]["nll"] == pytest.approx(fitted["fitted"]["after"]["nll"], rel=1e-5)
    assert better["metrics"]["nll"] < plain["nll"]
    assert better["metrics"]["average_precision"] == plain["average_precision"]
    assert better["provenance"]["weights"]["calibration"][0]["path"] == "c.json"
    for words, says in (
        ([], "already there"),
        (["overwrite=true", "scorer.calibration=c.json"], "fitted without one"),
    ):
        with pytest.raises(SystemExit):
            main(["calibrate", *wanted, "output=c.json", *words])
        assert says in capsys.readouterr().err


def test_a_calibration_is_fitted_with_the_context_and_used_with_it(options, caplog):
    wanted = [word for word in options if word != "plots=false"]
    main(["calibrate", *wanted, "output=plain.json"])
    main(["calibrate", *wanted, "output=c.json", "context=others", "context.weight=0.5"])
    plain, fitted = (json.loads(Path(f"{name}.json").read_text()) for name in ("plain", "c"))
    assert plain["context"] is None
    assert fitted["context"] == {"name": "others", "weight": 0.5}
    assert fitted["temperature"] != plain["temperature"]
    own = [word for word in wanted if not word.startswith("dataset")]

    def warned(*words):
        caplog.clear()
        make_plan(compose_run([*own, *words], "x.mp4"))
        return caplog.text

    others = ["context=others", "context.weight=0.5"]
    assert not warned("scorer.calibration=c.json", *others)
    assert not warned("scorer.calibration=plain.json")
    assert "fitted with context=others, so" in warned("scorer.calibration=c.json")
    assert "fitted with context=none, so" in warned("scorer.calibration=plain.json", *others)
    assert "fitted with context=others, so" in warned("scorer.calibration=c.json", "context=others")


def test_a_prior_keeps_few_people_from_moving_a_calibration_far(options, capsys):
    wanted = [word for word in options if word != "plots=false"]
    main(["calibrate", *wanted, "output=free.json"])
    main(["calibrate", *wanted, "output=held.json", "prior=0.1"])
    free, held = (json.loads(Path(f"{name}.json").read_text()) for name in ("free", "held"))
    assert (free["prior"], held["prior"]) == (None, 0.1)
    assert abs(np.log(held["temperature"])) < abs(np.log(free["temperature"])) / 2
    assert held["held_out"] != free["held_out"]
    with pytest.raises(SystemExit):
        main(["calibrate", *wanted, "output=none.json", "prior=0"])
    assert "prior must be more than 0, got 0" in capsys.readouterr().err


def test_a_calibration_of_another_scorer(options):
    Path("c.json").write_text(
        json.dumps(
            {"schema": "asdkit.calibration/1", "scorer": "lr_asd", "temperature": 2, "bias": 0}
        )
    )
    with pytest.raises(ConfigError, match="fitted on scorer=lr_asd, not lip_motion"):
        compose = [word for word in options if not word.startswith(("dataset", "plots"))]
        make_plan(compose_run([*compose, "scorer.calibration=c.json"], "x.mp4"))


def test_a_loaded_scorer_is_calibrated(options):
    Path("c.json").write_text(
        json.dumps(
            {"schema": "asdkit.calibration/1", "scorer": "lip_motion", "temperature": 2, "bias": 1}
        )
    )
    rng = np.random.default_rng(0)
    faces = rng.integers(0, 255, (20, 112, 112)).astype(np.uint8)
    clip = asdkit.Clip(faces, rng.integers(-999, 999, 20 * 640).astype(np.int16))
    plain = asdkit.load("scorer", "lip_motion").score([clip])[0]
    better = asdkit.load("scorer", "lip_motion", calibration="c.json").score([clip])[0]
    odds = np.log(plain.probability / (1 - plain.probability)).astype(np.float64)
    assert better.probability == pytest.approx(1 / (1 + np.exp(-(odds / 2 + 1))), abs=1e-4)
    assert np.array_equal(better.score, plain.score)


def test_how_to_use_it_names_the_weights_it_was_fitted_with(capsys):
    fitted = Calibration("lr_asd", 1.0, 0.0, weights="mine/best.model", rows=9)
    print_calibration(fitted, Path("mine.json"))
    use = "scorer=lr_asd scorer.weights=mine/best.model scorer.calibration=mine.json"
    assert capsys.readouterr().out.splitlines()[-1] == f"to use it: asd run FILE {use}"
    print_calibration(Calibration("lip_motion", 1.0, 0.0), Path("mine.json"))
    use = "scorer=lip_motion scorer.calibration=mine.json"
    assert capsys.readouterr().out.splitlines()[-1] == f"to use it: asd run FILE {use}"
