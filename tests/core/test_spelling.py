"""Misspelt words are answered with what they were meant to be, wherever they stand."""

from __future__ import annotations

from pathlib import Path

import pytest

from asdkit.core.config.compose import RUN, compose_app
from asdkit.core.config.plan import make_plan
from asdkit.core.errors import AsdError, WeightsError
from asdkit.core.evaluation.dataset import make_dataset_plan
from asdkit.core.evaluation.settings import EVALUATE
from asdkit.core.registry import registry
from asdkit.core.spelling import alike, guess, one_of
from asdkit.core.weights import Weights, chosen_path
from asdkit.export.settings import EXPORT, make_export_plan

PLANS = {"run": (RUN, make_plan), "export": (EXPORT, make_export_plan)}
PLANS["evaluate"] = (EVALUATE, lambda config: make_dataset_plan(EVALUATE, config))


@pytest.mark.usefixtures("own_alone")
@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("run detecter=yunet", "There is no option detecter. Did you mean detector?"),
        ("run experimnt=fast", "There is no option experimnt. Did you mean experiment?"),
        ("run identity=people", "Did you mean identity_distance or identities?"),
        ("run detector=yunett", "Did you mean yunet?"),
        ("run scorer=TalkNet", "Did you mean talknet?"),
        ("run experiment=ofline", "Did you mean offline?"),
        ("run scorer=talknet_onx", "Did you mean talknet_onnx?"),
        ("run detector=yunet detector.min_fce_px=3",
         "There is no option detector.min_fce_px. Did you mean detector.min_face_px?"),
        ("run detector=yunet detector.confidense=3", "There are runtime, longer_side_px, min_face"),
        ("run detector=yunet detector.thresholds=[1]",
         "no option detector.thresholds here. It belongs to detector=mtcnn"),
        ("run segments.onn=1", "Did you mean segments.on?"),
        ("run writers=[jsn]", "Did you mean json?"),
        ("run writers.annotatd.fps=3", "Did you mean annotated?"),
        ("run writers=[json] writers.annotated.x=3", "first, as in: writers=[json,annotated]"),
        ("run decisions=exclusiv", "Did you mean exclusive?"),
        ("run sync=chek", "Did you mean check?"),
        ("run device=cudda", "Did you mean cuda?"),
        ("run device=gpu", "Did you mean cuda?"),
        ("run overwrite=ture", "Did you mean true?"),
        ("run scorer.runtime=onx", "auto, torch or onnx, got 'onx'. Did you mean onnx?"),
        ("run detector=yunet detector.runtime=opencb", "Did you mean opencv?"),
        ("run completely=other", "There is no option completely. --help tells of all that there"),
        ("evaluate dataset=dialoge", "Did you mean dialogue?"),
        ("evaluate dataset.folder=x faces=labeled", "Did you mean labelled?"),
        ("export precision=fp61", "Did you mean fp16?"),
    ],
)  # fmt: skip
def test_options_and_values(line, told):
    command, *words = line.split()
    app, plan = PLANS[command]
    video = "x.mp4" if command == "run" else None
    with pytest.raises(AsdError) as refused:
        plan(compose_app(app, words, video))
    assert told in str(refused.value)
    assert len(str(refused.value)) < 250


def test_kinds():
    with pytest.raises(AsdError, match=r"Did you mean detector\?"):
        registry().find("detectr", "yunet")


PUBLISHED = {
    short: Weights(f"net_{short}", "https://nowhere.invalid", f"{short}.bin", "", None, "MIT")
    for short in ("talkset", "ava")
}


@pytest.mark.parametrize("given", ["talksett", "net_talkset", "net_talkst", "Talkset"])
def test_names_of_weights(given):
    with pytest.raises(WeightsError, match=rf"no weights {given} here.*Did you mean talkset\?"):
        chosen_path(PUBLISHED, given)


@pytest.mark.parametrize(
    ("published", "told"),
    [(PUBLISHED, "Give talkset, ava or the path of a file"), ({}, "Give the path of a file")],
)
def test_weights_that_are_not_named(published, told):
    with pytest.raises(WeightsError, match=rf"weights= names nothing. {told}$"):
        chosen_path(published, "")


@pytest.mark.parametrize("given", ["talksett", "nothing.model", "folder/talksett"])
def test_files_of_weights_are_taken_as_they_are(given, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if given == "talksett":
        Path(given).touch()  # a file of a name like a published one
    assert chosen_path(PUBLISHED, given) == Path(given)


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("rnu", ["run"]),
        ("RUN", ["run"]),
        ("re", ["repeat"]),
        ("--rum", ["run"]),
        ("c", ["calibrate", "compare"]),
        ("xyz", []),
        ("", []),
    ],
)
def test_what_words_are_alike(word, meant):
    assert alike(word, ["run", "repeat", "calibrate", "compare"]) == meant


def test_how_it_is_said():
    assert guess("rnu", ["run"], "Then go on") == "Did you mean run? Then go on"
    assert guess("xyz", ["run"], "Go on") == "Go on"
    assert (
        one_of("sync", "of", ("off", "on")) == "sync must be off or on, got 'of'. Did you mean off?"
    )
    assert one_of("sync", "x", ("off", "a", "b")) == "sync must be off, a or b, got 'x'"
