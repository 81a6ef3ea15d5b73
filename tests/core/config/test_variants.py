"""NAME@VALUE: a component with a value of its main parameter, wherever one is chosen."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from asdkit.core.component import Component
from asdkit.core.component_checks import check_component
from asdkit.core.config.compose import RUN, compose_app, compose_run
from asdkit.core.config.plan import make_plan
from asdkit.core.config.variants import SIGN
from asdkit.core.config.words import words_of
from asdkit.core.errors import AsdError, ConfigError
from asdkit.core.registry import registry


def plan_of(*overrides):
    return make_plan(compose_run(overrides, "talk.mp4"))


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("scorer=lr_asd@talkset", ["scorer=lr_asd", "scorer.weights=talkset"]),
        ("scorer=lr_asd@mine.model", ["scorer=lr_asd", "scorer.weights=mine.model"]),
        ("scorer=light_asd_onnx@ava", ["scorer=light_asd_onnx", "scorer.weights=ava"]),
        ("context=others@0.5", ["context=others", "context.weight=0.5"]),
    ],
)
def test_a_variant_is_a_component_and_its_parameter(short, long):
    found = plan_of(short)
    assert found.settings == plan_of(*long).settings
    assert SIGN not in repr(found.settings)


def test_other_parameters_go_with_it():
    scorer = plan_of("scorer=lr_asd@talkset", "scorer.window_seconds=[3]").settings["scorer"]
    assert (scorer["weights"], scorer["window_seconds"]) == ("talkset", [3])


@pytest.mark.parametrize(
    "given",
    [
        {"scorer": "lr_asd@talkset"},
        {"scorer": {"name": "lr_asd@talkset", "calibration": None}},
        "scorer=lr_asd@talkset",
    ],
)
def test_python_takes_it_in_every_form(given):
    assert plan_of(*words_of(given)).settings["scorer"]["weights"] == "talkset"


def test_presets_may_choose_it(tmp_path):
    (tmp_path / "experiment").mkdir()
    preset = tmp_path / "experiment" / "mine.yaml"
    preset.write_text("# @package _global_\ndefaults:\n  - override /scorer: lr_asd@talkset\n")
    (tmp_path / "scorer").mkdir()
    (tmp_path / "scorer" / "few.yaml").write_text("defaults: [lr_asd, _self_]\nbatch_frames: 7\n")
    config = compose_app(RUN, ["experiment=mine"], "talk.mp4", tmp_path)
    assert (config.scorer.name, config.scorer.weights) == ("lr_asd", "talkset")
    config = compose_app(RUN, ["scorer=few@talkset"], "talk.mp4", tmp_path)
    assert (config.scorer.weights, config.scorer.batch_frames) == ("talkset", 7)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            ["scorer=lip_motion@ava"],
            "scorer=lip_motion has no variants: it has no parameter weights. These have variants: "
            "light_asd, loconet, lr_asd, talknet",
        ),
        (["tracker=iou@x"], "tracker=iou has no variants: it has no parameter weights. Name it"),
        (["scorer=lr_asb@ava"], "There is no scorer 'lr_asb'; there are "),
        (["scorer=lr_asd@"], "scorer=lr_asd@ lacks what stands after @. A variant is NAME@VALUE"),
        (["scorer=@ava"], "scorer=@ava lacks what stands before @"),
        (
            ["scorer=lr_asd@runs/best.model"],
            "is a name, and no path. Use: scorer=lr_asd scorer.weights=runs/best.model",
        ),
        (
            ["scorer=lr_asd@ava", "scorer.weights=talkset"],
            "scorer=lr_asd@ava sets scorer.weights, which is given as well. Leave one of them out",
        ),
        (["context=others@half"], "context.weight must be a number, got 'half'"),
        (["writers=[json@x]"], "There is no writer 'json@x'"),
        (["experiment=fast@x"], "There is no experiment 'fast@x'"),
        (["scorer@tracker=lr_asd"], "Could not override 'scorer@tracker'"),  # Hydra's own @
    ],
)
def test_what_is_no_variant_is_refused_in_one_line(words, says):
    with pytest.raises(AsdError) as refused:
        plan_of(*words)
    assert says in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


def test_each_of_several_is_checked_before_any_is_run():
    with pytest.raises(ConfigError, match=r"scorer=lip_motion has no variants"):
        compose_run(["scorer=lr_asd@ava,lip_motion@ava"], "talk.mp4")


@dataclass(frozen=True)
class Strength:
    strength: int = 1


def made(**more):
    return Component("context", "strong", Strength, lambda *_: None, **more)


def test_a_stranger_says_which_parameter_it_is(monkeypatch):
    monkeypatch.setitem(registry().components, ("context", "strong"), made(variant="strength"))
    monkeypatch.setitem(
        registry().providers, ("context", "strong"), registry().providers["context", "none"]
    )
    assert compose_run(["context=strong@4"], "talk.mp4").context == {
        "name": "strong",
        "strength": 4,
    }
    check_component(made())
    with pytest.raises(ValueError, match=r"variant must name a parameter of Strength, but is 'x'"):
        check_component(made(variant="x"))
