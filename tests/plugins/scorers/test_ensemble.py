"""`scorer=ensemble`: the mean of several scorers' logits, in runs, caches and calibrations."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from refusing import refusal

import asdkit
from asdkit.core.config import chosen
from asdkit.core.config.chosen import choose
from asdkit.core.config.compose import compose_run
from asdkit.core.config.plan import make_plan
from asdkit.core.decisions.calibration import Calibration
from asdkit.core.errors import ConfigError, PluginError, WeightsError
from asdkit.core.evaluation.cache_keys import described
from asdkit.core.models import Models
from asdkit.core.pipeline import _origin
from asdkit.core.provenance import versions
from asdkit.core.registry import Provider, registry
from asdkit.plugin import BuiltMember, Clip, Component, Context, Member, Scores
from asdkit.plugins.scorers.ensemble import Ensemble
from asdkit.testing import check_scorer


class Flat:
    """Gives every frame the same two logits."""

    def __init__(self, *logits, **more):
        self._logits = logits
        vars(self).update(more)

    def score(self, clips):
        return [Scores(np.tile(np.float32(self._logits), (len(clip), 1))) for clip in clips]


class TooShort(Flat):
    def score(self, clips):
        return [Scores(scores.logits[1:]) for scores in super().score(clips)]


def clip(frames=5):
    return Clip(np.zeros((frames, 112, 112), np.uint8), np.zeros(640 * frames, np.int16))


def of(*parts):
    return Ensemble([BuiltMember(f"scorer={k}", part) for k, part in enumerate(parts)])


def test_scores_are_the_mean_of_the_logits():
    together = of(Flat(1, 2), Flat(-3, 6), Flat(-3, 6))
    first, second = together.score([clip(3), clip(1)])
    assert first.logits == pytest.approx(np.tile([-5 / 3, 14 / 3], (3, 1)))
    assert len(second) == 1
    assert together.score([]) == []
    check_scorer(together, longest_frames=40)


def test_it_overlaps_only_if_all_its_scorers_may_and_says_where_they_are():
    free, bound = Flat(0, 0, concurrent=True, device="cpu"), Flat(0, 0, device="cuda:1")
    assert of(free, free).concurrent
    assert not of(free, bound).concurrent
    assert not of(Flat(0, 0)).concurrent
    assert of(free, free).device == "cpu"
    assert of(free, bound).device == "cuda:1, cpu"  # begins with cuda, for device=cuda


def test_the_scorer_at_fault_is_named():
    with pytest.raises(PluginError, match="scorer=1 must answer with one row per frame"):
        of(Flat(0, 0), TooShort(0, 0)).score([clip()])
    with pytest.raises(PluginError, match="scorer=0 has concurrent='no'"):
        of(Flat(0, 0, concurrent="no"))


def test_a_member_at_fault_is_called_what_the_user_wrote(stranger):
    stranger(lambda config: [Member("scorer", "lip_motion", {}, "acme.of: lip_motion")])
    acme = choose("scorer", {"name": "acme"})
    made: list[BuiltMember] = []

    def build(_, context):
        made.extend(context.members)
        return context.members[0].part

    replace(acme, component=replace(acme.component, build=build)).build(Context())
    assert made[0].in_words.startswith("acme.of: lip_motion: scorer=lip_motion (asdkit ")


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ("[]", "of must name one scorer or more"),
        ("[lip_motion,ensemble]", "of must name other scorers than ensemble"),
        ("[ensemble:x]", "of must name other scorers than ensemble"),
        ("['lr_asd:']", "names 'lr_asd:'"),
        ("['lr_asd@']", "as NAME@WEIGHTS, or as NAME for its default weights, but names 'lr_asd@'"),
        ("[ensemble@ava]", "must name other scorers than ensemble"),
        ("[lr_asb@ava]", r"scorer\.of: lr_asb@ava: There is no scorer 'lr_asb'.*mean lr_asd"),
        ("[':ava']", "names ':ava'"),
        ("[nobody]", r"scorer\.of: nobody: There is no scorer 'nobody'.*; there are light_asd, "),
        ("[lr_asb:ava]", r"scorer\.of: lr_asb:ava: There is no scorer 'lr_asb'.*mean lr_asd"),
        (
            "[lip_motion:ava]",
            r"scorer\.of: lip_motion:ava: scorer=lip_motion takes no weights\. Name it without",
        ),
        ("lr_asd", "scorer.of must be a list"),
    ],
)
def test_what_cannot_be_an_ensemble_is_refused_before_the_run(names, words):
    with pytest.raises((ConfigError, PluginError), match=words):
        make_plan(compose_run(["scorer=ensemble", f"scorer.of={names}"], "talk.mp4"))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("lr_asd", r"There is no file of weights gone\.model\. As weights lr_asd takes talkset, "),
        ("lr_asd_onnx", r"There is no bundle and no ONNX model gone\.model\. Make a bundle with"),
    ],
)
def test_missing_weights_of_a_member_are_named(name, words):
    pytest.importorskip("torch")
    member = f"{name}:gone.model"
    text = refusal(WeightsError, asdkit.load, "scorer", "ensemble", of=["lip_motion", member])
    assert re.match(rf"scorer\.of: {member}: {words}", text)
    assert "scorer.weights" not in text


def test_a_preset_can_be_a_member_with_the_calibration_of_the_same_weights():
    of = "scorer.of=[lr_asd_onnx:ava,lr_asd_onnx:talkset]"
    scorer = make_plan(compose_run(["scorer=ensemble", of], "talk.mp4")).chosen["scorer"]
    assert [(one.component.name, one.config.runtime) for one in scorer.members] == [
        ("lr_asd", "onnx"),
        ("lr_asd", "onnx"),
    ]
    assert [one.config.weights for one in scorer.members] == ["ava", "talkset"]
    assert scorer.calibration is not None


def test_a_preset_of_the_component_itself_is_no_member(monkeypatch, tmp_path):
    def composed(kind, name):
        return {"name": "ensemble", "of": ["both"]} if name == "both" else {"name": name}

    monkeypatch.setattr(chosen, "node_of", composed)
    monkeypatch.setitem(registry().providers, ("scorer", "both"), Provider("acme", "2.0"))
    with pytest.raises(PluginError, match=r"scorer\.of: both: There is no scorer 'both' to make"):
        choose("scorer", {"name": "ensemble", "of": ["both"]})


def test_each_member_has_the_windows_of_its_weights_and_no_calibration():
    plan = make_plan(compose_run(["scorer=ensemble"], "talk.mp4"))
    found = [
        (one.component.name, one.config.weights, one.config.window_seconds, one.calibration)
        for one in plan.chosen["scorer"].members
    ]
    assert found == [
        ("lr_asd", "ava", [60], None),
        ("lr_asd", "talkset", [1, 2, 3, 4, 5, 6], None),
    ]


def test_a_member_file_that_changes_is_another_key(tmp_path):
    bundle = tmp_path / "net.model"
    bundle.write_bytes(b"one")
    node = {"name": "ensemble", "of": [f"lr_asd:{bundle}", "lip_motion"]}
    first = described(choose("scorer", node))
    assert [one["name"] for one in first["members"]] == ["lr_asd", "lip_motion"]
    bundle.write_bytes(b"two")
    assert described(choose("scorer", node)) != first


def test_a_calibration_is_of_all_its_weights(tmp_path, caplog):
    fitted = {"schema": "asdkit.calibration/1", "scorer": "ensemble", "temperature": 1, "bias": 0}
    path = tmp_path / "c.json"
    path.write_text(json.dumps({**fitted, "weights": "lr_asd:ava,lip_motion"}))
    node = {"name": "ensemble", "calibration": str(path)}
    choose("scorer", {**node, "of": ["lr_asd:ava", "lip_motion"]})
    assert not caplog.text
    choose("scorer", {**node, "of": ["lr_asd:talkset", "lip_motion"]})
    assert "fitted with scorer.weights=lr_asd:ava,lip_motion, not lr_asd:talkset" in caplog.text


@pytest.mark.parametrize("context", ["none", "others"])
def test_the_default_scorers_have_calibrations(context):
    def calibration(*words):
        plan = make_plan(compose_run(["scorer=ensemble", f"context={context}", *words], "talk.mp4"))
        return plan.chosen["scorer"].calibration

    found = calibration()
    assert (found.scorer, found.weights) == ("ensemble", "lr_asd:ava,lr_asd:talkset")
    assert (found.context or {"name": "none"})["name"] == context
    assert calibration("scorer.of=[lr_asd:talkset,lr_asd:ava]") == found
    assert calibration("scorer.of=[lr_asd@talkset,lr_asd@ava]") == found
    assert calibration("scorer.of=[lr_asd_onnx@ava,lr_asd:talkset]") == found
    assert calibration("scorer.of=[lr_asd:ava]") is None
    assert calibration("scorer.calibration=null") is None


@dataclass(frozen=True)
class NoParameters:
    """Nothing to choose."""


@pytest.fixture
def stranger(monkeypatch):
    """Adds a stranger's scorer whose `members` is given."""

    def add(members):
        made = Component(
            "scorer", "acme", NoParameters, lambda _, context: context.members[0].part,
            members=members,
        )  # fmt: skip
        monkeypatch.setitem(registry().components, ("scorer", "acme"), made)
        monkeypatch.setitem(registry().providers, ("scorer", "acme"), Provider("acme", "2.0"))

    return add


def test_a_strangers_component_is_made_of_others_too(stranger):
    stranger(lambda config: [Member("scorer", "lip_motion", {"motion_px": 0.3})])
    part = asdkit.load("scorer", "acme")
    alone = asdkit.load("scorer", "lip_motion", motion_px=0.3)
    assert type(part) is type(alone)
    of_acme = SimpleNamespace(chosen={"scorer": choose("scorer", {"name": "acme"})}, writers=())
    assert versions(of_acme)["acme"] == "2.0"


def test_what_members_are_made_of_counts_for_versions_files_and_keys(stranger, tmp_path):
    """Two levels down: an ensemble of a stranger's component that is made of another one."""
    bundle = tmp_path / "net.model"
    bundle.write_bytes(b"one")
    stranger(lambda config: [Member("scorer", "lr_asd", {"weights": str(bundle)})])
    words = ["scorer=ensemble", "scorer.of=[acme]", "detector=yunet"]
    plan = make_plan(compose_run(words, "talk.mp4"))
    assert [one.component.name for one in plan.chosen["scorer"].whole()] == [
        *("ensemble", "acme", "lr_asd"),
    ]
    assert versions(plan)["acme"] == "2.0"

    video = tmp_path / "talk.mp4"
    video.write_bytes(b"a video")

    def origin():
        media = SimpleNamespace(info=SimpleNamespace(path=video), sound_path=None)
        return _origin(plan, Models(plan), media, None), described(plan.chosen["scorer"])

    before = origin()
    bundle.write_bytes(b"two")
    (stored, key), (stored_then, key_then) = origin(), before
    assert stored["files"] != stored_then["files"]
    assert key != key_then


@pytest.mark.parametrize(
    ("context", "files"),
    [("none", 1), ("others", 2)],  # the first of two is that without context
)
def test_shipped_calibrations_are_read_once(monkeypatch, context, files):
    read = []
    original = Calibration.read

    def reading(path):
        read.append(path)
        return original(path)

    monkeypatch.setattr(Calibration, "read", reading)
    make_plan(compose_run(["scorer=lr_asd", f"context={context}"], "talk.mp4"))
    assert len(read) == len(set(read)) == files


@pytest.mark.parametrize(
    ("members", "words"),
    [
        (lambda config: ["lip_motion"], "must name its members with asdkit.plugin.Member"),
        (lambda config: None, "acme 2.0.* failed: TypeError"),
        (lambda config: 1 / 0, "acme 2.0.* failed: ZeroDivisionError"),
        (lambda config: [Member("scorer", "gone")], "There is no scorer 'gone'"),
    ],
)
def test_members_that_are_none_are_named(stranger, members, words):
    stranger(members)
    with pytest.raises(PluginError, match=words):
        choose("scorer", {"name": "acme"})


def test_a_run_records_all_weights_and_scores_by_their_mean(shared, monkeypatch):
    pytest.importorskip("torch")
    for name in ("lr_asd_ava.model", "lr_asd_talkset.model", "face_detection_yunet_2023mar.onnx"):
        folder = shared(f"weights/{name}").parent
    monkeypatch.setenv("ASDKIT_WEIGHTS", str(folder))

    def run(*scorer: str):
        words = ["detector=yunet", "end_s=1", "writers=[]", "scorer.calibration=null", *scorer]
        return asdkit.run(shared("clips/dialogue_small.mp4"), words)

    result = run("scorer=ensemble")
    files = [Path(file["path"]).name for file in result.provenance["weights"]["scorer"]]
    assert files == ["lr_asd_ava.model", "lr_asd_talkset.model"]
    ava, talkset = (run("scorer=lr_asd", f"scorer.weights={name}") for name in ("ava", "talkset"))
    assert len(result.tracks) == 2
    for mine, one, other in zip(result.tracks, ava.tracks, talkset.tracks, strict=True):
        assert mine.logits == pytest.approx((one.logits + other.logits) / 2, abs=1e-5)
