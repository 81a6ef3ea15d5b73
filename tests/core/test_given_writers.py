"""Writers named from Python: all forms come to the same, and what is wrong is said."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest

from asdkit.core.config.compose import compose_run
from asdkit.core.config.plan import make_plan
from asdkit.core.errors import ConfigError
from asdkit.core.given_writers import read_writers

RUN = ["detector=boxes", "detector.path=x", "scorer=lip_motion"]


@pytest.mark.parametrize(
    "given",
    [
        ["json", {"name": "clips", "crf": 30}],
        ({"name": "json"}, MappingProxyType({"crf": 30, "name": "clips"})),
        iter(["json", {"name": "clips", "crf": 30}]),
        {"json": None, "clips": {"crf": 30}},
        {"json": {}, "clips": {"name": "clips", "crf": 30}},
    ],
)
def test_all_forms_come_to_the_same(given):
    found = read_writers(given)
    assert list(found.items()) == [("json", {}), ("clips", {"crf": 30})]


def test_paths_and_numbers_of_numpy_are_taken_as_everywhere():
    given = {"title": Path("a b"), "crf": np.int64(30), "sizes": (np.float32(0.5), 2)}
    found = read_writers({"clips": given})["clips"]
    assert found == {"title": "a b", "crf": 30, "sizes": [0.5, 2]}
    assert [type(value) for value in (found["crf"], *found["sizes"])] == [int, float, int]


def test_one_name_is_one_writer_and_none_is_none():
    assert read_writers("json") == {"json": {}}
    assert read_writers([]) == read_writers({}) == {}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (3, "writers must be names in a list, or a dict, got 3"),
        (b"json", "writers must be names in a list, or a dict, got b'json'"),
        ([3], "A writer must be a name, or a dict with a name, got 3"),
        ({3: None}, "A writer must be a name, or a dict with a name, got 3"),
        ([{"crf": 3}], "A writer must be a name, or a dict with a name, got {'crf': 3}"),
        ({"clips": 3}, "writers.clips must be a dict of its options, got 3"),
        ({"clips": {3: 4}}, "3 is no name of an option of writers.clips"),
        ({"clips": {"name": "json"}}, "writers.clips has the name 'json', which is another one"),
        (["clips", {"name": "clips", "crf": 3}], "The writer clips was named twice"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(given, says):
    with pytest.raises(ConfigError) as error:
        read_writers(given)
    assert says in str(error.value) and "\n" not in str(error.value)


def test_a_preset_that_names_another_writer_is_refused():
    words = [*RUN, "writers=[json]", "+writers.clips.name=json"]
    with pytest.raises(ConfigError, match=r"writers\.clips has the name 'json'"):
        make_plan(compose_run(words, "a.mp4"))


def test_settings_hold_all_parameters_of_a_writer_of_which_some_were_given():
    given = ["+writers.clips.name=clips", "+writers.clips.crf=33"]
    partly = make_plan(compose_run([*RUN, "writers=[json]", *given], "a.mp4")).settings
    words = [*RUN, "writers=[json,clips]", "writers.clips.crf=33"]
    assert partly == make_plan(compose_run(words, "a.mp4")).settings
    assert partly["writers"]["clips"]["picture"] == "face"
