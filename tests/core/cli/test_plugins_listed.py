"""`asd plugins`: what each component is, what it lacks here, and how to get it."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace

import pytest

from asdkit.core.component import Component
from asdkit.core.component_checks import LONGEST_ABOUT, check_component
from asdkit.core.config.presets import first_comment
from asdkit.core.installation import install_words
from asdkit.core.lacking import Lack, is_there, lack_of, remedies
from asdkit.core.registry import CONF, registry


@dataclass(frozen=True)
class Config:
    """No parameters."""


GOOD = Component("vad", "mine", Config, lambda config, context: None)


def line_of(listed: str, kind: str, name: str) -> str:
    return next(line for line in listed.splitlines() if line.split()[:2] == [kind, name])


def test_each_of_asdkits_own_says_what_it_is(asd, own_alone):
    _, listed, _ = asd("plugins")
    for (kind, name), component in registry().components.items():
        assert component.about, name
        assert component.about in line_of(listed, kind, name)
    assert "preset: TalkNet by ONNX Runtime" in line_of(listed, "scorer", "talknet_onnx")


def test_what_is_missing_is_told_and_how_to_get_it(asd, own_alone, monkeypatch):
    """Weights are not here at all (see conftest); an extra is not installed."""
    monkeypatch.setattr("asdkit.core.lacking.find_spec", lambda name: None)
    _, listed, _ = asd("plugins")
    assert line_of(listed, "detector", "s3fd").endswith("extra torch, weights s3fd")
    assert line_of(listed, "scorer", "lr_asd").endswith("extra torch, weights lr_asd_ava")
    assert line_of(listed, "vad", "silero").endswith("extra cpu")
    assert line_of(listed, "vad", "energy").endswith("background")
    assert f"  extra torch: {install_words('torch')}" in listed
    assert "  weights: asd weights fetch s3fd" in listed


def test_nothing_is_missing_where_all_is_here(monkeypatch):
    torch = replace(GOOD, needs=("json", "csv"))
    assert str(lack_of(torch, "asdkit")) == ""
    assert remedies([Lack()]) == []


def test_a_strangers_module_is_named_by_itself():
    lack = lack_of(replace(GOOD, needs=("no_such_module",)), "no-such-package")
    assert str(lack) == "no_such_module"


def test_a_module_that_cannot_be_looked_for_is_not_there(monkeypatch):
    monkeypatch.setitem(sys.modules, "half_imported", type(sys)("half_imported"))
    sys.modules["half_imported"].__spec__ = None
    assert not is_there("half_imported")
    assert not is_there("no_such_parent.module")


def test_needs_are_what_a_component_imports(own_alone):
    """Each of them comes with an extra, so that the command can be told."""
    for (_, name), component in registry().components.items():
        for module in component.needs:
            lack = lack_of(replace(component, needs=(f"{module}",), weights=()), "asdkit")
            assert is_there(module) or lack.extra, name


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"about": "two\nlines"}, "about must be one line"),
        ({"about": "x" * (LONGEST_ABOUT + 1)}, "about must be one line of at most 80"),
        ({"about": None}, "about must be one line"),
        ({"needs": ["torch"]}, "needs must be a tuple of str"),
        ({"needs": "torch"}, "needs must be a tuple of str"),
    ],
)
def test_what_a_component_says_of_itself_is_checked(fields, words):
    check_component(replace(GOOD, about="x" * LONGEST_ABOUT, needs=("torch",)))
    with pytest.raises(ValueError, match=words):
        check_component(replace(GOOD, **fields))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("# @package _global_\n# One thing. And another.\na: 1\n", "One thing"),
        ("# It goes\n# on here\n", "It goes on here"),
        ("a: 1\n# Not at the head\n", ""),
        ("", ""),
    ],
)
def test_a_preset_is_told_by_its_first_comment(tmp_path, text, line):
    (tmp_path / "x.yaml").write_text(text)
    assert first_comment(tmp_path / "x.yaml") == line


def test_a_preset_that_cannot_be_read_is_told_by_nothing(tmp_path):
    assert first_comment(tmp_path / "gone.yaml") == ""


def test_all_of_asdkits_presets_have_one():
    assert all(first_comment(file) for file in CONF.glob("*/*.yaml"))


def test_help_says_what_the_chosen_component_is(asd, own_alone):
    _, out, _ = asd("run", "detector=yunet", "--help")
    about = registry().find("detector", "yunet").about
    assert about in out
