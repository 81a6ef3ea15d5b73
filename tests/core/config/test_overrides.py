"""Overrides of any kind: a plan, or one line that a person understands."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from omegaconf.errors import OmegaConfBaseException

import asdkit
from asdkit.core.config.compose import RUN, compose_run
from asdkit.core.config.plan import make_plan
from asdkit.core.config.refusals import explained
from asdkit.core.errors import AsdError, ConfigError, PluginError

MORE = "segments.on detector.name detector.min_face_px detector.thresholds tracker.x writers.json"
MORE += " scorer.calibration writers.json.name hydra hydra.job.name hydra/launcher experiment a.b"
MORE += " detector@x defaults _target_ segments.off video.x a[0] ключ"
KEYS = [*RUN.keys, *MORE.split()]
VALUES = ["null", "", "???", "[]", "{}", "[null]", "{a:b}", "{name:boxes}", "{name:[1]}", "-1"]
VALUES += ["1.5", "1e999", "-inf", "nan", "true", 400 * "9", 5000 * "9", "${", "${x}", "${video}"]
VALUES += ["${oc.env:NOT_SET}", "'${device}'", "${detector}", "\\${x}", 200 * "[" + 200 * "]"]
VALUES += ["boxes", "[json,json]", "a,b", "range(1,3)", "choice(a)", "int(x)", "'", "(", "\0", "\n"]
VALUES += ["\u00e9", "\ud800", "a=b", " ", "~", "{on:1}", "{on:null}", "off", "2020-01-01"]


@settings(max_examples=60)
@given(
    st.sampled_from(["", "+", "++", "~"]),
    st.sampled_from(KEYS),
    st.one_of(st.sampled_from(VALUES), st.text(max_size=8)),
)
def test_any_override_is_composed_or_refused_in_one_line(prefix, key, value):
    try:
        make_plan(compose_run(["scorer=lip_motion", f"{prefix}{key}={value}"], "a.mp4"))
    except AsdError as error:
        assert len(str(error).splitlines()) == 1
        assert len(str(error)) < 1500


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("device=null", "device must be text, not null. Leave it out for the default, auto"),
        ("max_faces=null", "max_faces must be a whole number, not null"),
        ("detect_every=null", "detect_every must be a whole number or text, not null. Leave it"),
        ("detect_every=often", "detect_every must be a whole number or auto, got 'often'"),
        ("detect_every=1.5", "detect_every must be a whole number or text, got 1.5"),
        (
            "allow_silent=null",
            "must be true or false, not null. Leave it out",
        ),
        ("segments=null", "segments must be options of its own: on, off, min_s, not null"),
        ("segments.on=null", "segments.on must be a number, not null"),
        ("detector=null", "detector=null names no component. There are boxes"),
        ("threads=many", "threads must be a whole number or null, got 'many'"),
        ("detector.thresholds=3", "detector.thresholds must be a list, as in [A,B], got 3"),
        ("video=null", "video must be text, not null"),
        ("output=${nothing}", "output: Interpolation key 'nothing' not found"),
        ("detector.x=1", "There is no option detector.x. There are longer_side_px"),
        ("~detector", "detector is not set"),
        ("device=[", "device=[ cannot be understood"),
    ],
)
def test_what_is_refused_is_said_so_that_a_person_understands(word, says):
    with pytest.raises(AsdError) as caught:
        make_plan(compose_run(["scorer=lip_motion", word], "a.mp4"))
    assert says in str(caught.value)


def test_an_error_that_is_its_own_cause_is_explained():
    error = OmegaConfBaseException("Cannot do it")
    error.__cause__ = error
    assert str(explained(error)) == "Cannot do it"
    other = ValueError("why")
    other.__cause__, error.__cause__ = error, other
    assert str(explained(other)) == "Cannot do it"


def test_words_that_are_no_text():
    with pytest.raises(ConfigError, match="must be text"):
        compose_run([3], "a.mp4")


@pytest.mark.parametrize(
    ("kind", "name", "parameters", "says"),
    [
        ("detector", "mtcnn", {"min_face_px": "big"}, "detector.min_face_px must be a number"),
        ("detector", "mtcnn", {"min_face_px": None}, "detector.min_face_px must be a number, not"),
        ("detector", "mtcnn", {"least": 3}, "There is no option detector.least"),
        ("detector", "boxes", {}, "detector.path is not set"),
        ("tracker", "iou", {"iou_threshold": [1]}, "tracker.iou_threshold must be a number"),
        ("scorer", "lip_motion", {"calibration": 3}, "scorer.calibration must be the path"),
    ],
)
def test_parameters_of_a_component_alone(kind, name, parameters, says):
    with pytest.raises(ConfigError, match="^" + says.replace("[", r"\[")):
        asdkit.load(kind, name, **parameters)


def test_text_is_taken_as_it_stands():
    with pytest.raises(AsdError, match=r"\$\{oc.env:HOME\}"):
        asdkit.load("detector", "boxes", path="${oc.env:HOME}")
    with pytest.raises(PluginError, match="There is no detector"):
        asdkit.load("detector", "${oc.env:HOME}")
