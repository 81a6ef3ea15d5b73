"""Options as Python code gives them: lists, strings, dicts and keywords come to the same."""

from __future__ import annotations

import shlex
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asdkit.core.config.compose import compose_run
from asdkit.core.config.plan import make_plan
from asdkit.core.config.words import typed, words_of
from asdkit.core.errors import ConfigError, PluginError

SAME = ["scorer=lip_motion", "detector=boxes", "detector.path=a b,c.json", "segments.on=0.75"]
SAME += ["writers=[json,annotated]", "writers.annotated.crf=30", "threads=null"]


def settings_for(overrides, **options):
    return dict(make_plan(compose_run(words_of(overrides, options), "a.mp4")).settings)


@pytest.mark.parametrize(
    "overrides",
    [
        [*SAME[:2], "detector.path='a b,c.json'", *SAME[3:]],
        "scorer=lip_motion  detector=boxes\tdetector.path='a b,c.json' segments.on=0.75\n"
        "writers=[json, annotated] writers.annotated.crf=30 threads=null",
        'scorer=lip_motion "detector=boxes" "detector.path=\'a b,c.json\'" segments={on: 0.75} '
        "writers=[json,annotated] 'writers.annotated.crf=30' threads=null",
        {
            "scorer": "lip_motion",
            "detector": "boxes",
            "detector.path": Path("a b,c.json"),
            "segments.on": np.float32(0.75),
            "writers": ("json", "annotated"),
            "writers.annotated.crf": np.int64(30),
            "threads": None,
        },
        {
            "scorer": {"name": "lip_motion"},
            "detector": {"name": "boxes", "path": "a b,c.json"},
            "segments": {"on": 0.75},
            "writers": {"json": None, "annotated": {"crf": 30}},
        },
        {
            "scorer": {"name": "lip_motion"},
            "detector": {"name": "boxes", "path": "a b,c.json"},
            "segments": {"on": 0.75},
            "writers": ["json", {"name": "annotated", "crf": 30}],
        },
    ],
)
def test_all_forms_come_to_the_same_settings(overrides):
    found = settings_for(overrides)
    assert found["detector"] == {
        "name": "boxes",
        "path": "a b,c.json",
        "clock": "auto",
        "ids": True,
    }
    assert found["scorer"]["name"] == "lip_motion"
    assert found["segments"]["on"] == 0.75
    assert found["writers"] == {
        "json": {"name": "json"},
        "annotated": {"name": "annotated", "crf": 30, "colour": "speaking"},
    }
    assert found["threads"] is None


def test_keywords_go_before_the_overrides():
    found = settings_for("scorer=lip_motion seed=1", seed=2, allow_silent=True, segments={"on": 1})
    assert (found["seed"], found["allow_silent"], found["segments"]["on"]) == (2, True, 1.0)


def test_settings_are_overrides():
    once = settings_for("scorer=lip_motion detector=boxes detector.path=x writers=[]", seed=3)
    assert settings_for({key: value for key, value in once.items() if key != "video"}) == once


@settings(max_examples=25)
@given(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1).filter(
        lambda text: text != "???"
    )
)
def test_text_arrives_as_it_is(text):
    found = settings_for({"scorer": "lip_motion", "output": text})
    assert found["output"] == text


@pytest.mark.parametrize(
    "text",
    [
        "null",
        "True",
        "1",
        "1e3",
        "on",
        "it's",
        'a "b" c',
        "a\\",
        "\\'",
        "${x}",
        "\\${x}",
        "a=b",
        "[a,b]",
        "{a:b}",
        "a, b",
        " a ",
        "ключ",
        "日本 語.mp4",
        "~",
        "a\nb",
        "$",
        "(",
        "a:b",
    ],
)
def test_text_that_looks_like_something_else_is_text(text):
    assert settings_for({"scorer": "lip_motion", "output": text})["output"] == text


def test_lists_and_numbers_keep_their_types():
    found = settings_for(scorer="talknet", overrides={"scorer.window_seconds": [1, 2]})
    assert found["scorer"]["window_seconds"] == [1, 2]
    assert settings_for({"scorer": "lip_motion", "end_s": float("inf")})["end_s"] == float("inf")
    found = settings_for({"detector.thresholds": [0.5, 0.6, np.float64(0.7)]})
    assert found["detector"]["thresholds"] == [0.5, 0.6, 0.7]


@pytest.mark.parametrize(
    ("overrides", "says"),
    [
        (3, "overrides must be a list, a string or a dict, got 3"),
        ([3], "An override must be text such as device=cpu, got 3"),
        ({"seed": {1}}, "seed must be None, a bool, a number, text, a path, or a list or dict"),
        ({"seed": "one"}, "seed must be a whole number, got 'one'"),
        ({"nothing": 1}, "no option nothing"),
        ({"detector": {"name": "mtcnn", "nothing": 1}}, "There is no option detector.nothing"),
        ({"detector": None}, "detector=null names no component. There are boxes"),
        ({"writers": {"json": 3}}, "writers.json must be a dict of its options, got 3"),
        ({"writers": ["json", "json"]}, "The writer json was named twice"),
        ({"writers": None}, "writers must be names in a list, or a dict, got None"),
        ({"a b": 1}, "'a b' is no name of an option"),
        ({3: 1}, "3 is no name of an option"),
        ("output='a", "The overrides \"output='a\" end within a value: ' is missing"),
        ("writers=[json", "] is missing. Give each as a word of its own in a list"),
        ("detector", "detector"),
    ],
)
def test_what_is_wrong_is_said(overrides, says):
    with pytest.raises(ConfigError) as error:
        settings_for(overrides)
    assert says in str(error.value)


def test_a_component_that_is_not_there_is_named():
    with pytest.raises(PluginError, match=r"There is no detector 'yunnet'.*yunet"):
        settings_for({"detector": "yunnet"})


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("mine/best.model", "scorer.weights=mine/best.model"),
        ("runs/rate=0.1/best.model", "\"scorer.weights='runs/rate=0.1/best.model'\""),
        ("my runs/a,b/best.model", "\"scorer.weights='my runs/a,b/best.model'\""),
        ("$HOME's/best.model", None),
        ("gräfin/${x}`.model", None),
    ],
)
def test_what_is_typed_in_a_shell_is_read_back(path, shown):
    word = typed("scorer.weights", Path(path))
    assert shown in (word, None)
    (read,) = shlex.split(word)
    config = compose_run(["scorer=lr_asd", read], "a.mp4")
    assert config.scorer.weights == path


def test_a_list_is_typed_in_a_shell_as_the_pages_have_it():
    """Within quotes, as zsh takes brackets for a pattern."""
    assert typed("plugins", ["my.py", "other.py"]) == "'plugins=[my.py,other.py]'"
    assert shlex.split(typed("plugins", ["my own.py"])) == ["plugins=['my own.py']"]
