"""A stranger's component that fails, or answers wrongly, ends the command in one line naming it."""

from __future__ import annotations

import errno
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from failing_parts import installed_in, raises
from synth import clicks, write_video

import asdkit
from asdkit.core.config.chosen import Chosen
from asdkit.core.errors import PluginError
from asdkit.core.registry import registry
from asdkit.export.settings import ExportOptions, ExportPlan
from asdkit.plugin import Clip, Detections, Judged, LabelledFace, LabelledVideo, Measure

RUN = ["clip.mp4", "detector=boxes", "detector.path=boxes.json", "cutter=none", "output=out"]
RUN += ["scorer=lip_motion", "writers=[json,moody]"]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The plugin's module, found as an installed package is."""
    yield from installed_in(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a video of one face."""
    folder = tmp_path_factory.mktemp("folder")
    sounds = [(0.0, clicks([0.2], 0.4))]
    write_video(folder / "clip.mp4", frames=10, size=(64, 48), sounds=sounds)
    (folder / "boxes.json").write_text(json.dumps([[[10, 5, 50, 45, 1.0]]] * 10))
    return folder


@pytest.fixture
def moody(installed, folder, tmp_path, monkeypatch):
    """The plugin's module, and what it is tried on in the current folder."""
    monkeypatch.setenv("ASDKIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(shutil.copytree(folder, tmp_path / "here"))
    return installed


@pytest.fixture
def progress():
    stages = [
        "loading",
        "finding speakers",
        "scoring",
        "deciding",
        "identifying",
        "hearing voices",
        "writing result.json",
        "writing moody.txt",
    ]
    return tuple(f"asd: {stage}" for stage in stages)


def named(kind):
    return f"asd: {kind}=moody (moody_parts 1.0) "


# What is built


class Torch:
    """Has a device that is not text, as PyTorch's are."""

    device = 3

    def speech(self, sound):
        raise NotImplementedError


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (raises(RuntimeError("no such\ntensor")), "failed: RuntimeError: no such tensor. ASDKIT_"),
        (raises(ModuleNotFoundError("No module named 'x'")), "failed: ModuleNotFoundError"),
        (raises(SystemExit(0)), "failed: SystemExit: 0"),
        (lambda: None, "an object with the method speech, but its build returned None"),
        (lambda: [], "an object with the method speech"),
        (Torch, "in its attribute device which it uses, as text"),
    ],
)
def test_what_cannot_be_built_is_named(moody, monkeypatch, refused, made, words):
    monkeypatch.setattr(moody, "made", made)
    line = refused("run", *RUN, "vad=moody", "writers=[json]")
    assert line.startswith(named("vad"))
    assert words in line


@pytest.mark.parametrize(
    ("kind", "method"),
    [("cutter", "starts_shot"), ("detector", "detect"), ("tracker", "update"), ("scorer", "score"),
     ("context", "rescore"), ("embedder", "embed"), ("voice", "embed"), ("writer", "write")],
)  # fmt: skip
def test_every_kind_has_its_method(moody, monkeypatch, refused, kind, method):
    monkeypatch.setattr(moody, "made", object)
    chosen = [f"{kind}=moody"] if kind != "writer" else []
    words = [word for word in RUN if not word.startswith((kind, "writers"))]
    writers = "writers=[moody]" if kind == "writer" else "writers=[json]"
    line = refused("run", *words, *chosen, writers)
    assert line.startswith(f"{named(kind)}must be built as an object with the method {method}, but")


def test_a_part_used_by_itself_is_named_too(moody, monkeypatch):
    monkeypatch.setattr(moody, "made", raises(RuntimeError("broken")))
    with pytest.raises(PluginError, match=r"^detector=moody .* failed: RuntimeError: broken"):
        asdkit.load("detector", "moody")


def test_parameters_that_fail_are_named(moody, monkeypatch, refused):
    monkeypatch.setattr(moody.Config, "__post_init__", raises(KeyError("x")))
    assert refused("run", *RUN).startswith(f"{named('writer')}failed: KeyError: 'x'")


@pytest.fixture
def scorer(moody, monkeypatch):
    """Gives the plugin's scorer another field."""

    def changed(**fields):
        key = ("scorer", "moody")
        component = replace(registry().components[key], **fields)
        monkeypatch.setitem(registry().components, key, component)
        return component

    return changed


@pytest.mark.parametrize(
    ("settle", "words"),
    [
        (raises(RuntimeError("broken")), "failed: RuntimeError: broken"),
        (lambda config: None, "must settle its parameters with asdkit.plugin.Settled"),
        (lambda config: (config, "a.json"), "of a Config and a tuple of Paths, but answered"),
        (lambda config: (config, ("a",)), "of a Config and a tuple of Paths, but answered"),
        (lambda config: (3, ()), "of a Config and a tuple of Paths, but answered (3, ())"),
    ],
)
def test_parameters_that_are_not_settled_are_named(scorer, refused, settle, words):
    scorer(settle=settle)
    words_of_run = [word for word in RUN if not word.startswith("scorer")]
    line = refused("run", *words_of_run, "scorer=moody", "writers=[json]")
    assert line.startswith(named("scorer"))
    assert words in line


@pytest.mark.parametrize(
    ("export", "words"),
    [(raises(RuntimeError("broken")), "failed: RuntimeError: broken"),
     (lambda config: 3, "must be exported as an Exportable, but was as a int")],
)  # fmt: skip
def test_a_network_that_is_not_handed_out_is_named(scorer, moody, export, words):
    plan = ExportPlan(ExportOptions(), Chosen(scorer(export=export), moody.Config()))
    with pytest.raises(PluginError) as caught:
        plan.network()
    assert f"asd: {caught.value}".startswith(named("scorer"))
    assert words in str(caught.value)


# Voice activity detection


@pytest.mark.parametrize(
    ("says", "words"),
    [
        (raises(ValueError("too loud")), "failed: ValueError: too loud"),
        (
            lambda *_: None,
            "one number from 0 to 1 for each of 10 frames, but",
        ),
        (lambda *_: np.zeros((10, 2)), "but answered with shape (10, 2)"),
        (lambda *_: ["loud"] * 10, "failed: ValueError"),
        (lambda *_: np.full(10, np.nan), "but among its numbers is nan"),
        (lambda *_: np.full(10, 1.5), "but among its numbers is 1.5"),
        (lambda *_: np.full(10, -2), "but among its numbers is -2"),
    ],
)
def test_a_vad_that_answers_wrongly_is_named(moody, monkeypatch, refused, says, words):
    monkeypatch.setattr(moody.Part, "says", says)
    line = refused("run", *RUN, "vad=moody", "writers=[json]")
    assert line.startswith(named("vad"))
    assert words in line


@pytest.mark.parametrize("memory_s", ["long", None, -1, float("inf"), float("nan")])
def test_a_memory_of_no_length_is_named(moody, monkeypatch, refused, memory_s):
    monkeypatch.setattr(moody.Part, "memory_s", memory_s, raising=False)
    line = refused("run", *RUN, "vad=moody", "writers=[json]")
    assert line.startswith(f"{named('vad')}has memory_s={memory_s!r}, which is no number of sec")


def test_a_sum_that_rounds_to_a_little_over_one_is_one(moody, monkeypatch, asd):
    monkeypatch.setattr(moody.Part, "says", lambda *_: np.full(10, np.nextafter(np.float32(1), 2)))
    assert asd("run", *RUN, "vad=moody", "writers=[json]")[0] == 0


@pytest.mark.parametrize("lookahead", [None, "2", -1, True])
def test_a_lookahead_of_no_length_is_named(moody, monkeypatch, refused, lookahead):
    monkeypatch.setattr(moody.Part, "lookahead_frames", lookahead, raising=False)
    line = refused("run", *RUN, "cutter=moody", "writers=[json]")
    assert line.startswith(f"{named('cutter')}has lookahead_frames={lookahead!r}")


# Writers


def tells(name):
    """A writer that writes one file and tells of another."""

    def says(self, result, folder):
        (folder / "moody.txt").write_text("whole")
        return [folder / name if name else folder]

    return says


@pytest.mark.parametrize(
    ("says", "words"),
    [
        (raises(RuntimeError("not\ntoday")), "failed: RuntimeError: not today"),
        (raises(SystemExit("usage: moody")), "failed: SystemExit: usage: moody"),
        (raises(FileNotFoundError(2, "No such file", "ffmpeg")), "failed: FileNotFoundError"),
        (raises(ConnectionRefusedError(111, "refused")), "failed: ConnectionRefusedError"),
        (lambda *_: None, "must answer with a list of Path, but answered None"),
        (lambda *_: "moody.txt", "must answer with a list of Path, but answered 'moody.txt'"),
        (lambda *_: ["moody.txt"], "must answer with a list of Path, but in it is 'moody.txt'"),
        (tells("other.txt"), "says it has written other.txt, which is not there"),
        (tells("../moody.txt"), "must write into the folder that it is given"),
        (tells(""), "must write into the folder that it is given"),
        (tells("/etc/passwd"), "must write into the folder that it is given"),
    ],
)
def test_a_writer_that_fails_is_named_and_leaves_nothing(moody, monkeypatch, refused, says, words):
    monkeypatch.setattr(moody.Part, "says", says)
    line = refused("run", *RUN)
    assert line.startswith(named("writer"))
    assert words in line


def test_a_full_disk_is_not_the_writers_fault(moody, monkeypatch, refused):
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    monkeypatch.setattr(moody.Part, "says", raises(full))
    assert refused("run", *RUN).startswith("asd: Cannot write to out: No space left on device. Ch")


def test_nor_is_what_is_wrong_with_its_folder(moody, monkeypatch, refused):
    monkeypatch.setattr(moody.Part, "says", lambda _, result, folder: (folder / "a/b").touch())
    assert refused("run", *RUN).startswith("asd: Cannot write to out: No such file or directory")


def test_ctrl_c_in_a_component_stops_the_command(moody, monkeypatch, asd):
    monkeypatch.setattr(moody.Part, "says", raises(KeyboardInterrupt))
    code, _, err = asd("run", *RUN)
    assert code == 130
    assert err.splitlines()[-1].startswith("asd: stopped")


def test_a_file_told_of_by_another_way_to_it_is_put_in_place(moody, monkeypatch, asd):
    def says(self, result, folder):
        (folder / "moody.txt").write_text("whole")
        return [(folder / "moody.txt").resolve()]

    monkeypatch.setattr(moody.Part, "says", says)
    code, out, err = asd("run", *RUN)
    assert code == 0, err
    assert out.splitlines()[-1] == "out/moody.txt"


# Detectors, where their answers are asked for by the way


def test_a_smallest_face_of_no_size_is_named(moody, monkeypatch, refused):
    none = Detections(np.empty((0, 4)), np.empty(0))
    monkeypatch.setattr(moody.Part, "says", lambda _, frames, at: [none for _ in at])
    monkeypatch.setattr(moody.Part, "smallest_face_px", lambda *_: None, raising=False)
    words = [word for word in RUN if not word.startswith("detector")]
    line = refused("run", *words, "detector=moody", "writers=[json]")
    assert line.startswith(f"{named('detector')}failed: TypeError")


@pytest.mark.parametrize("kind", ["detector", "embedder"])
def test_what_fails_on_a_portrait_is_named(moody, monkeypatch, refused, kind):
    Path("people").mkdir()
    cv2.imwrite("people/Ann.png", np.full((40, 40, 3), 90, np.uint8))
    face = Detections(np.array([[5.0, 5, 30, 30]]), np.ones(1))

    def says(self, shown, *at):
        if at and kind == "embedder":
            return [face]
        return None

    monkeypatch.setattr(moody.Part, "says", says)
    words = [word for word in RUN if not word.startswith("detector")]
    line = refused(
        "run", *words, "detector=moody", "embedder=moody", "identities=people", "writers=[json]"
    )
    assert line.startswith(f"{named(kind)}must answer with one")


# Datasets


EVALUATE = ["dataset=moody", "detector=boxes", "detector.path=boxes.json", "cutter=none"]
EVALUATE += ["scorer=lip_motion", "plots=false", "output=out"]
CLIP = Path("clip.mp4")


def rows(**values):
    base = {
        "person": ["ann", "ann"],
        "time_s": [0.0, 0.04],
        "truth": [True, False],
        "logits": np.zeros((2, 2)),
        "decided": [True, False],
        "found": [True, True],
        "face_px": [30.0, 30.0],
        "on_screen": [1, 1],
    }
    return Judged(**{**base, **values})


def video(name="clip", judge=lambda result: rows(), **values):
    return LabelledVideo(name, CLIP, judge=judge, **values)


WRONG = {
    "raises": (raises(RuntimeError("not\ntoday")), "failed: RuntimeError: not today"),
    "nothing": (lambda _: None, "must answer with a sequence of LabelledVideo, but answered"),
    "once": (lambda _: iter([video()]), "a sequence of LabelledVideo, but answered with a list_it"),
    "paths": (lambda _: [CLIP], "must answer with a sequence of LabelledVideo, but in it is a"),
    "twice": (lambda _: [video(), video()], "gives two videos one name: clip"),
    "name": (lambda _: [video("../clip")], "LabelledVideo.name must be a name without path sep"),
    "text": (lambda _: [LabelledVideo("clip", "clip.mp4")], "LabelledVideo.path must be a Path"),
    "faces": (lambda _: [video(faces=[3])], "LabelledVideo.faces must be a tuple of LabelledFace"),
    "box": (lambda _: [LabelledFace(0, np.full((1, 4), np.nan))], "LabelledFace.boxes must be fin"),
    "empty": (lambda _: [LabelledFace(0, np.empty((0, 4)))], "must hold at least one box"),
    "frame": (lambda _: [LabelledFace(-1, np.zeros((1, 4)))], "LabelledFace.first_frame must be"),
    "spans": (lambda _: [video(speakers={"ann": [(2, 1)]})], "speakers['ann'] must be pairs"),
    "off screen": (lambda _: [video(off_screen=True)], "LabelledVideo.off_screen must have shape"),
    "scored": (lambda _: [video(scored=[3])], "failed: TypeError"),
    "judge raises": (lambda _: [video(judge=raises(KeyError("x")))], "failed: KeyError: 'x'"),
    "judge": (lambda _: [video(judge=lambda result: 0.5)], "must judge with Judged, but did with"),
    "nan": (
        lambda _: [video(judge=lambda result: rows(logits=np.full((2, 2), np.nan)))],
        "failed: ValueError: Judged.logits must not be nan",
    ),
    "time": (
        lambda _: [video(judge=lambda result: rows(time_s=[0, np.inf]))],
        "failed: ValueError: Judged.time_s must be finite",
    ),
}


def ends(asd, *words):
    """Runs a command that must fail; its last line, and nothing is left where it writes."""
    code, _, err = asd(*words)
    assert code == 2, err
    assert "Traceback" not in err
    assert not Path("out").exists()
    return err.splitlines()[-1]


@pytest.mark.parametrize(
    ("command", "wrong"),
    [*(("evaluate", wrong) for wrong in WRONG), ("calibrate", "raises"), ("calibrate", "judge")],
)
def test_a_dataset_that_fails_is_named(moody, monkeypatch, asd, command, wrong):
    says, words = WRONG[wrong]
    monkeypatch.setattr(moody.Part, "says", says)
    monkeypatch.setattr(moody.Part, "measure", Measure("average_precision"), raising=False)
    given = [word for word in EVALUATE if command == "evaluate" or word != "plots=false"]
    line = ends(asd, command, *given)
    assert line.startswith(named("dataset"))
    assert words in line


@pytest.mark.parametrize(
    ("measure", "words"),
    [
        (None, "must have a Measure as its measure, but has None"),
        ("f1", "must have a Measure as its measure, but has 'f1'"),
    ],
)
def test_a_dataset_without_a_measure_is_named(moody, monkeypatch, asd, measure, words):
    monkeypatch.setattr(moody.Part, "says", lambda _: [video()])
    assert "failed: AttributeError" in ends(asd, "evaluate", *EVALUATE)
    monkeypatch.setattr(moody.Part, "measure", measure, raising=False)
    line = ends(asd, "evaluate", *EVALUATE)
    assert line.startswith(named("dataset"))
    assert words in line


@pytest.mark.parametrize("videos", [[video(judge=None)], [video(judge=None), video("again")]])
def test_a_measure_that_nothing_is_known_of_is_told(moody, monkeypatch, asd, videos):
    monkeypatch.setattr(moody.Part, "says", lambda _: videos)
    monkeypatch.setattr(moody.Part, "measure", Measure("beauty"), raising=False)
    assert ends(asd, "evaluate", *EVALUATE).startswith("asd: There is no measure beauty with this")


@pytest.mark.parametrize("predicted", [3, property(raises(RuntimeError("broken")))])
def test_predictions_that_are_none_are_named(moody, monkeypatch, asd, predicted):
    monkeypatch.setattr(moody.Part, "measure", Measure("average_precision"), raising=False)
    monkeypatch.setattr(moody.Part, "predicted", predicted, raising=False)
    assert ends(asd, "evaluate", *EVALUATE).startswith(named("dataset"))


@pytest.mark.parametrize(
    ("clips", "scores", "kind"),
    [(raises(RuntimeError("broken")), None, "dataset"), (lambda: [], None, "dataset"),
     (None, None, "scorer"), (None, [], "scorer")],
)  # fmt: skip
def test_crops_and_their_scores_are_checked(moody, monkeypatch, asd, clips, scores, kind):
    def whole():
        return [Clip(np.zeros((5, 112, 112), np.uint8), np.zeros(3200, np.int16))]

    face = LabelledFace(0, np.tile([5.0, 5, 30, 30], (5, 1)), clips or whole)
    one = LabelledVideo("crops", None, judge=lambda result: rows(), faces=(face,))
    monkeypatch.setattr(moody.Part, "says", lambda _, *asked: scores if asked else [one])
    monkeypatch.setattr(moody.Part, "measure", Measure("average_precision"), raising=False)
    words = [word for word in EVALUATE if not word.startswith("scorer")]
    line = ends(asd, "evaluate", *words, "scorer=moody", "faces=labelled")
    assert line.startswith(named(kind))


def test_a_writer_that_fails_in_an_evaluation_is_named(moody, monkeypatch, asd):
    def says(self, *asked):
        if asked:
            raise RuntimeError("not today")
        return [video()]

    monkeypatch.setattr(moody.Part, "says", says)
    monkeypatch.setattr(moody.Part, "measure", Measure("average_precision"), raising=False)
    line = ends(asd, "evaluate", *EVALUATE, "writers=[moody]")
    assert line.startswith(f"{named('writer')}failed: RuntimeError: not today")


def test_what_is_right_is_evaluated(moody, monkeypatch, asd):
    monkeypatch.setattr(moody.Part, "says", lambda _: [video()])
    monkeypatch.setattr(moody.Part, "measure", Measure("average_precision"), raising=False)
    code, _, err = asd("evaluate", *EVALUATE)
    assert code == 0, err
    assert json.loads(Path("out/evaluation.json").read_text())["metrics"]["rows"] == 2
