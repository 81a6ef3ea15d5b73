"""The command, as a user meets it: what it prints, how it exits, what it leaves behind."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from commanding import BOXES, DETECTORS

from asdkit.core.cli import main as cli
from asdkit.core.errors import ConfigError


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["compare"], "compare takes folders that hold evaluations"),
        (["compare", "a", "output=b", "output=c"], "takes output once, but it was given twice"),
        (["compare", "--best", "a"], "There is no flag --best; there are -h, --help"),
        (["compare", "a", "--output=b"], "--output=b is written output=b. Options have no dashes"),
        (["compare", "a", "ouput=b"], "There is no option ouput. Did you mean output?"),
        (["compare", "--", "--best"], "--best is not a folder"),
        (["repeat"], "asd: repeat takes one folder of results, but got none"),
        (["repeat", "a", "b"], "takes one folder of results, but got a b"),
        (["repeat", "--foo"], "There is no flag --foo; there are -h, --help"),
        (
            ["repeat", "a", "--device", "cpu"],
            "--device cpu is written device=cpu. Options have no dashes",
        ),
        (["repeat", "a", "+device=cpu"], "result.json cannot be read"),
        (["weights"], "weights needs to know what to do, one of list, fetch, verify"),
        (["weights", "verify", "talknet"], "weights verify takes no names, but got talknet"),
        (["weights", "lst"], "it knows list, fetch, verify. Did you mean list?"),
        (
            ["weights", "fetch"],
            "weights fetch needs names; there are campplus_zh_en, face_detection_yunet_2023mar",
        ),
        (["weights", "fetch", "talknet"], "Did you mean talknet_ava or talknet_talkset?"),
        (["plugins", "new"], "plugins new takes one name, such as my-faces, but got none"),
        (["plugins", "nwe", "x"], "but got nwe x. Did you mean new?"),
        (["plugins", "new", "--name", "x"], "There is no flag --name"),
        *([[command, ""], "An argument is empty"] for command in ("run", "demo", "compare")),
    ],
)
def test_arguments_that_a_command_does_not_take(refused, words, says):
    assert says in refused(*words)


def test_plugins_and_weights_are_listed(asd):
    _, out, _ = asd("plugins")
    assert ["scorer", "talknet", "asdkit"] in [line.split()[:3] for line in out.splitlines()]
    _, out, _ = asd("weights", "list")
    rows = {line.split()[0]: line.split()[1] for line in out.splitlines()}
    assert rows["talknet_talkset"] == rows["face_detection_yunet_2023mar"] == "missing"


@pytest.mark.weights
def test_weights_are_verified(asd, shared, monkeypatch):
    good = shared("weights/face_detection_yunet_2023mar.onnx")
    folder = Path("weights")
    folder.mkdir()
    copy = folder / good.name
    copy.write_bytes(good.read_bytes())
    monkeypatch.setenv("ASDKIT_WEIGHTS", str(folder))
    assert asd("weights", "verify")[0] == 0
    copy.write_bytes(b"something else")
    code, out, err = asd("weights", "verify")
    assert code == 2
    assert "damaged" in out
    assert "asd weights fetch face_detection_yunet_2023mar" in err


@pytest.mark.usefixtures("own_alone")
@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["fly"], "run, live, demo, batch, write, repeat, evaluate, compare"),
        (["help", "fly"], "There is no command 'fly'"),
        (["rum", "x.mp4"], "Did you mean run?"),
        (["version"], "Did you mean --version?"),
        (["completion"], "Did you mean --shell-completion?"),
        (["detector=yunet", "x.mp4"], "asd run detector=yunet x.mp4"),
        (["--shell-completion"], "install=SHELL"),
        (["demo", "video=x.mp4"], "demo makes its own video, and takes no other"),
        (["demo", "--", "x"], "asd: demo takes options of the form KEY=VALUE, but got --"),
        (["demo", "output"], "but got 'output'. Use: output=VALUE"),
        (["batch", "x.mp4"], "videos=x.mp4 names no video"),
        (["run", "x.mp4", "--detector.min-face-px", "30"], "is written detector.min_face_px=30"),
        (["run", "--overwrite", "boxes.json"], "--overwrite is written overwrite=true"),
        (["run", "x.mp4", "--multrun"], "Did you mean --multirun?"),
        (["run", "x.mp4", "overwrite"], "If overwrite is meant as an option: overwrite=VALUE"),
        (["run", "x.mp4", "video=y.mp4"], "Two videos were named, 'x.mp4' and 'y.mp4'"),
        (["run", "video=x.mp4", "video=y.mp4"], "Two videos were named, 'x.mp4' and 'y.mp4'"),
        (["run", "video="], "video names no file"),
        (["run", "x.mp4", "sound="], "sound names no file"),
        (["run", "x.mp4", "device="], "cuda or cuda:N, got nothing"),
        (["plugins", "now"], "takes no arguments"),
        (["weights"], "asd weights fetch NAME"),
        (["weights", "fetch", "nothing"], "talknet_talkset"),
        (["run"], "asd run FILE"),
        (["run", "detector=yuent"], f"{', '.join(DETECTORS)}. Did you mean yunet?"),
        (["run", "x.mp4", "crop_scale=nan"], "crop_scale is nan"),
        (["run", "x.mp4", *BOXES, "tracker.min_face_px=nan"], "tracker.min_face_px: nan"),
        (["run", "experiment=nope"], "fast, offline"),
        (["run", "writers=[jsn]"], "annotated, ava, clips, eaf, json"),
        (["run", "x.mp4", "detektor=yunet"], "no option detektor. Did you mean detector?"),
        (["run", "detektor=yunet", "--help"], "no option detektor. Did you mean detector?"),
        (["run", "x.mp4", "detector.speed=3"], "longer_side_px, min_face_px, thresholds"),
        (["run", "x.mp4", "+speed=3"], "There is no option speed"),
        (["run", "x.mp4", "detect_every=0"], "detect_every must be at least 1"),
        (["run", "x.mp4", "detect_every=often"], "detect_every"),
        (["run", "x.mp4", "segments.on=2"], "segments.off must lie"),
        (["run", "x.mp4", "start_s=3", "end_s=2"], "end_s must be after start_s"),
        (["run", "x.mp4", "device=gpu"], "device must be auto, cpu, cuda or cuda:N"),
        (["run", "x.mp4", "detector=null"], ", ".join(DETECTORS)),
        (["run", "x.mp4", "detector=boxes"], "=VALUE; or choose detector=NAME, of boxes, mtcnn"),
        (["run", "video=a["], "override"),
        (["run", "nowhere.mp4", "scorer=lip_motion"], "No such file"),
        (["run", ".", "scorer=lip_motion"], "folder"),
    ],
)  # fmt: skip
def test_wrong_words_are_answered_in_one_line(refused, words, says):
    assert says in refused(*words)


def test_debugging_shows_the_traceback(monkeypatch):
    monkeypatch.setenv("ASDKIT_DEBUG", "1")
    with pytest.raises(ConfigError):
        cli.main(["fly"])


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({}, {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "10000"}),
        ({"OMP_WAIT_POLICY": "ACTIVE"}, {"OMP_WAIT_POLICY": "ACTIVE"}),
        ({"GOMP_SPINCOUNT": "7"}, {"GOMP_SPINCOUNT": "7"}),
    ],
)
def test_threads_of_openmp_sleep_soon_unless_the_user_has_chosen(monkeypatch, given, wanted):
    names = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")
    for name in names:
        monkeypatch.setenv(name, "")  # so that it is put back afterwards
        monkeypatch.delenv(name)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    cli.main(["--version"])
    assert {name: os.environ[name] for name in names if name in os.environ} == wanted
