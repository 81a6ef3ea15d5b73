"""Repeating what a result.json tells of, whoever has made or damaged it."""

from __future__ import annotations

import json

import pytest
from good_result import GOOD
from refusing import refusal

from asdkit.core.config.compose import RUN, compose_run, settings_of
from asdkit.core.decisions.conversation import ConversationConfig
from asdkit.core.errors import AsdError, ConfigError, InputError
from asdkit.core.repeat import begin_again


@pytest.fixture(scope="module")
def good():
    """What a result.json holds."""
    words = ["scorer=lip_motion", "detector=boxes", "detector.path=b.json", "writers=[json]"]
    return {**GOOD, "settings": settings_of(RUN, compose_run(words, "a.mp4"))}


@pytest.fixture
def plan(tmp_path):
    """Writes values as a result.json, and makes the plan that repeats them."""

    def make(values, *words):
        (tmp_path / "first").mkdir(exist_ok=True)
        (tmp_path / "first/result.json").write_text(json.dumps(values))
        return begin_again(tmp_path / "first", words).plan()

    return make


def test_a_result_from_before_sync_is_repeated_without(good, plan):
    own = {key: value for key, value in good["settings"].items() if key != "sync"}
    assert plan({**good, "settings": own}).options.sync == "off"


def test_off_is_a_word(good, plan):
    assert plan(good, "sync=off").options.sync == "off"


def test_settings_are_taken_as_they_stand(good, plan, tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET", "hush")
    text = "${oc.env:SECRET}"
    own = {**good["settings"], "video": text, "sound": "\\${video}", "identities": None}
    own = {
        **own,
        "output": "/elsewhere",
        "overwrite": True,
        "detector": {"name": "boxes", "path": text},
    }
    options = plan({**good, "settings": own})
    assert options.options.video == text
    assert options.options.sound == "\\${video}"
    assert options.chosen["detector"].config.path == text
    assert options.options.output == str(tmp_path / "first-again")
    assert options.options.overwrite is False


def test_the_form_before_is_read_its_options_as_they_were(good, plan):
    own = {k: v for k, v in good["settings"].items() if k not in ("rotate", "program")}
    video = {
        "path": "a.mp4",
        "duration_s": 2,
        "width": 9,
        "height": 9,
        "fps": 25,
        "has_sound": True,
    }
    older = {**good, "schema": "asdkit.result/1", "video": video, "settings": own}
    assert plan(older).options.rotate == "auto"
    with pytest.raises(InputError, match=r"damaged, or another version .*settings.program is miss"):
        plan({**good, "settings": own})


def test_before_there_was_a_choice_each_face_was_decided_by_itself(good, plan):
    own = {
        key: value
        for key, value in good["settings"].items()
        if key not in ("context", "decisions", "conversation")
    }
    again = plan({**good, "settings": own})
    assert again.chosen["context"].component.name == "none"
    assert again.options.decisions == "independent"
    assert again.options.conversation == ConversationConfig()
    assert plan({**good, "settings": own}, "decisions=overlap").options.decisions == "overlap"
    chosen = {"decisions": "exclusive", "conversation": {"turn_s": 3.5}}
    again = plan({**good, "settings": {**own, **chosen}})
    assert again.options.decisions == "exclusive"
    assert again.options.conversation == ConversationConfig(turn_s=3.5)


@pytest.mark.parametrize(
    ("settings", "more", "says"),
    [
        ({}, {"tracks": [{}]}, "tracks[0].id is missing"),
        ({}, {"tracks": [{**GOOD["tracks"][0], "boxes": [[1, 2], 3]}]}, "tracks[0].boxes[0]"),
        ({}, {"provenance": {"folder": 3}}, "provenance.folder is 3"),
        ({}, {"provenance": {"weights": {"scorer": [{}]}}}, "provenance.weights.scorer[0].path"),
        ({}, {"schema": "asdkit.result/9"}, "schema is"),
        ({}, {"settings": []}, "settings is an array"),
        ({"video": None}, {}, "settings.video is None"),
        ({"detector": "mtcnn"}, {}, "settings.detector is"),
        ({"detector": {"name": "${oc.env:HOME}"}}, {}, "settings.detector.name is"),
        ({"detector": {"name": "nobody"}}, {}, "There is no detector 'nobody'"),
        ({"writers": {"json],a=[x": {"name": "json"}}}, {}, "There is no writer"),
        ({"writers": ["json"]}, {}, "settings.writers is an array"),
        ({"detector": {"name": "boxes", "path": [1]}}, {}, "detector.path must be text"),
        ({"segments": {"on": {}}}, {}, "segments.on must be a number"),
        ({"segments": 3}, {}, "segments must be options"),
        ({"decisions": "both"}, {}, "decisions must be independent, exclusive or overlap, got"),
        ({"conversation": {"turn_s": 0}}, {}, "conversation.turn_s must be at least 0.2"),
        ({"device": None}, {}, "device must be text, not null"),
        ({"speed": 3}, {}, "There is no option speed"),
        ({"hydra": {"verbose": True}}, {}, "There is no option hydra"),
    ],
)
def test_what_does_not_fit_is_refused_before_the_run(good, plan, settings, more, says):
    with pytest.raises(AsdError) as caught:
        plan({**good, "settings": {**good["settings"], **settings}, **more})
    assert says in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("word", ["diarization=", "scorer.calibration=", "output="])
def test_an_empty_path_is_refused_and_null_is_none(good, plan, word):
    told = rf"^{word} names no file\. Give a path, or {word}null for none$"
    with pytest.raises(ConfigError, match=told):
        plan(good, word)
    plan(good, f"{word}null")


@pytest.mark.parametrize("word", ["x=[1", "a[=1", "segments.on=${", "segments={", "=1", "~video"])
def test_words_that_do_not_fit(good, plan, word):
    with pytest.raises(AsdError) as caught:
        plan(good, word)
    assert len(str(caught.value).splitlines()) == 1


def test_a_live_session_cannot_be_repeated(good, plan):
    own = {key: value for key, value in good["settings"].items() if key != "video"}
    text = refusal(InputError, plan, {**good, "settings": {**own, "live": {}}})
    assert "is of a live session, whose stream cannot be had again" in text
    assert "settings.video is missing" in refusal(InputError, plan, {**good, "settings": own})
