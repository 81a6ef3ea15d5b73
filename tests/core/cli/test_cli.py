"""The command, as a user meets it: what it prints, how it exits, what it leaves behind."""

from __future__ import annotations

from pathlib import Path

import pytest
from commanding import BOXES, DETECTORS

from asdkit.core.cli import main as cli
from asdkit.core.errors import ConfigError


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["compare"], "it takes folders that hold evaluations"),
        (["compare", "a", "output=b", "output=c"], "output was given twice"),
        (["compare", "--best", "a"], "asd compare: unrecognized arguments: --best"),
        (["repeat"], "takes one folder of results, but got none"),
        (["repeat", "a", "b"], "takes one folder of results, but got a b"),
        (["weights", "verify", "talknet"], "it does not know verify talknet"),
        (["weights", "fetch"], "it does not know fetch"),
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
        (["fly"], "run, demo, batch, repeat, evaluate, compare"),
        (["plugins", "now"], "takes no arguments"),
        (["weights"], "asd weights fetch NAME"),
        (["weights", "fetch", "nothing"], "talknet_talkset"),
        (["run"], "asd run FILE"),
        (["run", "detector=yuent"], ", ".join(DETECTORS)),
        (["run", "x.mp4", "crop_scale=nan"], "crop_scale is nan"),
        (["run", "x.mp4", *BOXES, "tracker.min_face_px=nan"], "tracker.min_face_px: nan"),
        (["run", "experiment=nope"], "fast, offline"),
        (["run", "writers=[jsn]"], "annotated, ava, json"),
        (["run", "x.mp4", "detektor=yunet"], "There is no option detektor"),
        (["run", "x.mp4", "detector.min_face=3"], "longer_side_px, min_face_px, thresholds"),
        (["run", "x.mp4", "+speed=3"], "There is no option speed"),
        (["run", "x.mp4", "detect_every=0"], "detect_every must be at least 1"),
        (["run", "x.mp4", "detect_every=often"], "detect_every"),
        (["run", "x.mp4", "segments.on=2"], "segments.off must lie"),
        (["run", "x.mp4", "start_s=3", "end_s=2"], "end_s must be after start_s"),
        (["run", "x.mp4", "device=gpu"], "device must be auto, cpu, cuda or cuda:N"),
        (["run", "x.mp4", "detector=null"], ", ".join(DETECTORS)),
        (["run", "x.mp4", "detector=boxes"], "detector.path is not set"),
        (["run", "x.mp4", "video=a["], "override"),
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
