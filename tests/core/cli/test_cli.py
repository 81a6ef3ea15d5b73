"""The command, as a user meets it: what it prints, how it exits, what it leaves behind."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import hydra
import numpy as np
import pytest
from checkout import DOCS
from hypothesis import given, settings
from hypothesis import strategies as st
from synth import clicks, steady, write_video

from asdkit.core.batch.settings import BATCH
from asdkit.core.cli import main as cli
from asdkit.core.cli.console import print_summary
from asdkit.core.cli.help import app_help, attributes
from asdkit.core.config.compose import RUN, compose_run
from asdkit.core.config.plan import make_plan
from asdkit.core.errors import ConfigError
from asdkit.core.evaluation.settings import CALIBRATE, EVALUATE
from asdkit.core.types import Result, VideoInfo
from asdkit.export.settings import EXPORT

SOUND = [(0.0, clicks([0.5, 1.0], 2.0))]
CHEAP = ["scorer=lip_motion", "cutter=none", "writers=[json,rttm,pywork]"]
"""No network, no decoding of the result: what a test of the command needs."""


@pytest.fixture(autouse=True)
def nowhere(tmp_path, tmp_path_factory, monkeypatch):
    """Runs in an empty folder, with no weights to be found."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ASDKIT_WEIGHTS", raising=False)
    monkeypatch.setenv("ASDKIT_CACHE", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.setattr(sys, "argv", ["asd"])


@pytest.fixture
def asd(capsys):
    """Runs the command; returns exit code, stdout and stderr."""

    def call(*words):
        capsys.readouterr()
        try:
            cli.main(words)
            code = 0
        except SystemExit as stop:
            code = stop.code or 0
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


@pytest.fixture
def refused(asd):
    """Runs a command that must fail: one line, exit 2, nothing left behind; the line."""

    def call(*words):
        before = sorted(Path().rglob("*"))
        code, out, err = asd(*words)
        lines = [line for line in err.splitlines() if line not in PROGRESS]
        assert (code, out) == (2, ""), err
        assert len(lines) == 1, err
        assert lines[0].startswith("asd: ")
        assert sorted(Path().rglob("*")) == before
        return lines[0]

    return call


PROGRESS = ("asd: loading", "asd: finding speakers", "asd: scoring")


def video(name="clip.mp4", **how):
    """A video of 50 frames of 96x64, and boxes that put a face into each of them."""
    how.setdefault("sounds", SOUND)
    how.setdefault("image", steady)
    write_video(Path(name), **how)
    boxes = [[[20, 10, 60, 50, 1.0]]] * how.get("frames", 50)
    Path("boxes.json").write_text(json.dumps(boxes))
    return name


DETECTORS = ["boxes", "mtcnn", "s3fd", "s3fd_reference", "yunet"]
BOXES = ["detector=boxes", "detector.path=boxes.json"]


def result(folder="asd_results/clip"):
    return json.loads(Path(folder, "result.json").read_text())


def test_a_run_writes_its_files_and_tells_of_them(asd):
    code, out, err = asd("run", video(), *BOXES, *CHEAP)
    assert code == 0, err
    assert "clip.mp4: 2.0 s, 1 shot, 1 face track" in out
    assert "times real time" in out
    for file in ("result.json", "speakers.rttm", "pywork/tracks.pckl"):
        assert Path("asd_results/clip", file).exists()
        assert str(Path("asd_results/clip", file)) in out
    assert "finding speakers" in err
    found = result()
    assert found["shots"] == [[0, 50]]
    assert len(found["tracks"][0]["scores"]) == 50
    assert found["settings"]["detector"]["name"] == "boxes"
    assert not list(Path("asd_results").rglob(".*"))


@pytest.mark.parametrize(
    "name",
    ["a b.mp4", "a=b.mp4", "detector=x.mp4", "a,b.mp4", "[a]{b}.mp4", "говорит.mp4", "${x}.mp4",
     "'quoted\".mp4", "a\\${b.mp4", "~x.mp4", "+x=1.mp4"],
)  # fmt: skip
def test_the_file_is_a_plain_argument_whatever_its_name(asd, name):
    code, _, err = asd("run", video(name), *BOXES, *CHEAP, "output=out")
    assert code == 0, err
    assert result("out")["video"]["path"].endswith(name)


@settings(max_examples=50, deadline=None)
@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1))
def test_any_name_comes_through_the_configuration(name):
    got = make_plan(compose_run(["scorer=lip_motion"], name)).options.video
    assert got == ("./???" if name == "???" else name)


def test_video_as_an_override_and_after_two_dashes(asd):
    assert asd("run", f"video={video()}", *BOXES, *CHEAP)[0] == 0
    Path("clip.mp4").rename("-x.mp4")
    assert asd("run", *BOXES, *CHEAP, "output=out", "--", "-x.mp4")[0] == 0


def test_two_videos_at_once(refused):
    video("a.mp4")
    assert "'a.mp4' and 'b.mp4'" in refused("run", "a.mp4", "b.mp4")


def test_hydra_shows_the_configuration(asd):
    code, out, _ = asd("run", "x.mp4", "detector=yunet", "detector.min_face_px=33", "--cfg", "job")
    assert code == 0
    assert "video: x.mp4" in out
    assert "name: yunet" in out
    assert "min_face_px: 33.0" in out


def test_multirun_gives_each_job_a_folder(asd):
    name = video()
    sweep = ["tracker.min_face_px=1,900", "--multirun"]
    code, out, err = asd("run", name, *BOXES, *CHEAP, *sweep, "output=out")
    assert code == 0, err
    assert [len(result(f"out/{job}")["tracks"]) for job in (0, 1)] == [1, 0]
    assert "job 1: " in out
    assert asd("run", name, *BOXES, *CHEAP, *sweep)[0] == 0
    assert len(list(Path("asd_results/multirun").glob("*/[01]/result.json"))) == 2


def test_a_job_of_a_multirun_fails_alone(asd):
    video()
    videos = "video=nowhere.mp4,clip.mp4"
    code, _, err = asd("run", "--multirun", videos, *BOXES, *CHEAP, "output=o")
    assert code == 2
    assert err.count("No such file") == 1
    assert "Traceback" not in err
    assert result("o/1")["shots"] == [[0, 50]]
    assert not Path("o/0/result.json").exists()


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("asd r", {"repeat", "run"}),
        ("asd run detector=", {f"detector={name}" for name in DETECTORS}),
        ("asd run clip.mp4 detector.m", {"detector.min_face_px="}),
        ("asd weights f", {"fetch"}),
    ],
)
def test_completion(asd, monkeypatch, line, offered):
    monkeypatch.setenv("COMP_LINE", line)
    monkeypatch.setenv("COMP_POINT", str(len(line)))
    code, out, _ = asd("-sc", "query=bash")
    assert code == 0
    assert set(out.split()) == offered


def test_completion_in_bash():
    """What the README tells to do, in a real shell."""
    asd_script = Path(sys.executable).with_name("asd")
    script = (
        f'export PATH="{asd_script.parent}:$PATH"; eval "$(asd -sc install=bash)"; '
        "COMP_LINE='asd run x.mp4 detector=y'; COMP_POINT=${#COMP_LINE}; COMP_CWORD=3; "
        'hydra_bash_completion; echo "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["detector=yunet"]
    done = subprocess.run(
        ["bash", "--norc", "-c", script.replace("run x.mp4 detector=y", "export precis")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["precision="]


def test_help_is_quick_and_light():
    """The time itself is not asserted; what costs it is."""
    code = (
        "import sys; from asdkit.core.cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'cv2', 'numpy', 'hydra', 'av', 'scipy', 'rich'} & set(sys.modules)\n"
        "sys.exit(f'imported: {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "asd run FILE" in done.stdout


def test_help_of_run_tells_of_every_option(asd):
    code, out, _ = asd("run", "detector=boxes", "--help")
    assert code == 0
    assert "detector.path=???" in out
    for name, said in attributes(type(make_plan(compose_run([], "x")).options)).items():
        assert said, name
        assert name in out
    assert "asd run detector=yunet --help" in out


def test_options_in_the_docs_are_those_of_the_program():
    documented = (DOCS / "options.md").read_text()
    for app in (RUN, BATCH, EVALUATE, CALIBRATE, EXPORT):
        assert app_help(app, []) in documented


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["help"], "asd weights fetch NAME"),
        (["-h"], "asd weights fetch NAME"),
        (["demo", "-h"], "Makes a clip on the spot"),
        (["plugins", "--help"], "into the folder asdkit-NAME"),
        (["plugins", "new", "--help"], "into the folder asdkit-NAME"),
        (["weights", "--help"], "fetch NAME ...   download some"),
        (["weights", "fetch", "-h"], "fetch NAME ...   download some"),
        (["compare", "--help"], "output=VALUE  where the table goes"),
        (["repeat", "--help"], "says what differs, number for number"),
    ],
)
def test_help_of_the_other_commands(asd, words, says):
    code, out, err = asd(*words)
    assert (code, err) == (0, "")
    assert says in out
    if words[0] not in ("help", "-h", "demo"):
        assert out.startswith(f"usage: asd {words[0]}")


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


def test_version_and_no_command(asd):
    assert asd("--version")[1].startswith("asdkit 0.")
    assert asd()[0] == 2


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


def broken(name, content):
    Path(name).write_bytes(content)
    return name


def test_files_that_are_no_video(refused, tmp_path):
    whole = Path(video()).read_bytes()
    assert "empty" in refused("run", broken("empty.mp4", b""), *BOXES, *CHEAP)
    assert "end_s=" in refused("run", cut_off(whole), *BOXES, *CHEAP)
    refused("run", broken("half.mp4", whole[: len(whole) // 2]), *BOXES, *CHEAP)
    refused("run", broken("noise.mp4", bytes(range(256)) * 40), *BOXES, *CHEAP)
    refused("run", broken("text.mp4", b"this is not a video\n" * 50), *BOXES, *CHEAP)


def cut_off(whole):
    """An MP4 with its index in front, its end missing."""
    import av

    with (
        av.open("clip.mp4") as source,
        av.open("front.mp4", "w", options={"movflags": "faststart"}) as copy,
    ):
        streams = {s: copy.add_stream_from_template(s) for s in source.streams}
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream]
                copy.mux(packet)
    front = Path("front.mp4").read_bytes()
    return broken("cut.mp4", front[: len(front) * 2 // 3])


def test_picture_or_sound_alone(refused, asd):
    write_video(Path("sound.mp4"), frames=0, sounds=SOUND)
    assert "no picture" in refused("run", "sound.mp4", *BOXES, *CHEAP)
    line = refused("run", video("silent.mp4", sounds=()), *BOXES, *CHEAP)
    assert "allow_silent=true" in line
    assert "sound=FILE" in line
    code, _, err = asd("run", "silent.mp4", *BOXES, *CHEAP, "allow_silent=true")
    assert code == 0, err
    found = result("asd_results/silent")
    assert found["video"]["has_sound"] is False
    assert found["tracks"][0]["speaking"] == []


def test_sound_from_another_file(asd, refused):
    video("silent.mp4", sounds=())
    video("voice.mp4")
    code, _, err = asd("run", "silent.mp4", "sound=voice.mp4", *BOXES, *CHEAP)
    assert code == 0, err
    assert result("asd_results/silent")["video"]["has_sound"] is True
    assert "nothere.wav" in refused("run", "silent.mp4", "sound=nothere.wav", *BOXES, *CHEAP)


def test_nobody_is_an_empty_result(asd):
    video()
    Path("boxes.json").write_text("[]")
    code, out, _ = asd("run", "clip.mp4", *BOXES, *CHEAP)
    assert code == 0
    assert "No face was found" in out
    assert "rotate=90" in out
    assert "min_face_px" not in out  # these faces come from a file
    assert result()["tracks"] == []


def test_a_picture_on_its_side_may_be_turned(asd):
    Path("boxes.json").write_text("[]")
    video(size=(96, 64))
    code, _, err = asd("run", "clip.mp4", "rotate=90", *BOXES, *CHEAP)
    assert code == 0, err
    said = result()["video"]
    assert (said["width"], said["height"]) == (64, 96)
    assert any("turned clockwise by 90 degrees" in note for note in said["notes"])


@pytest.mark.parametrize("settings", [{"name": "yunet", "min_face_px": 20.0}, {"name": "boxes"}])
def test_when_no_face_is_found_small_faces_are_thought_of(settings, capsys):
    info = VideoInfo(Path("clip.mp4"), 2.0, 96, 64, 25.0, has_sound=True)
    print_summary(
        Result(
            video=info,
            shots=((0, 50),),
            tracks=(),
            settings={"detector": settings, "device": "cpu"},
            timings_s={"total": 1.0},
        )
    )
    out = capsys.readouterr().out
    assert ("detector.min_face_px=10 " in out) == ("min_face_px" in settings)


def test_one_frame_and_odd_sizes(asd):
    code, out, err = asd("run", video(frames=1), *BOXES, *CHEAP)
    assert code == 0, err
    assert result()["shots"] == [[0, 1]]
    assert "No face was found" in out
    video("odd.mkv", size=(97, 63))
    code, _, err = asd("run", "odd.mkv", *BOXES, *CHEAP)
    assert code == 0, err
    assert result("asd_results/odd")["video"]["width"] == 97


def test_sound_that_ends_early_is_said(asd, caplog):
    name = video(sounds=[(0.0, clicks([0.2], 0.8))])
    code, _, err = asd("run", name, *BOXES, *CHEAP)
    assert code == 0, err
    assert "The sound ends at 0.8" in caplog.text
    assert len(result()["tracks"][0]["scores"]) == 50


def test_a_part_of_the_video(asd):
    code, _, err = asd("run", video(), *BOXES, *CHEAP, "start_s=0.4", "end_s=1.2")
    assert code == 0, err
    assert result()["shots"] == [[10, 30]]
    assert result()["tracks"][0]["first_frame"] == 10


def test_results_are_not_written_over(asd, refused):
    run = ["run", video(), *BOXES, "scorer=lip_motion", "cutter=none", "output=out"]
    assert asd(*run, "writers=[json,rttm]")[0] == 0
    assert "overwrite=true" in refused(*run, "writers=[ava]")
    Path("out/mine.txt").write_text("kept")
    assert asd(*run, "writers=[ava]", "overwrite=true")[0] == 0
    assert sorted(path.name for path in Path("out").iterdir()) == ["ava.csv", "mine.txt"]


def test_folders_that_cannot_be_written(refused):
    Path("file").write_text("in the way")
    assert "output=FOLDER" in refused("run", video(), *BOXES, *CHEAP, "output=file/out")


def test_nothing_is_written_without_writers(asd):
    code, _, err = asd("run", video(), *BOXES, "scorer=lip_motion", "writers=[]")
    assert code == 0, err
    assert not Path("asd_results").exists()


def test_weights_that_are_nowhere(refused, monkeypatch):
    from asdkit.plugins.scorers.talknet import MODEL

    closed = replace(MODEL.published["talkset"], url="http://127.0.0.1:9/pretrain_TalkSet.model")
    monkeypatch.setitem(MODEL.published, "talkset", closed)
    line = refused("run", video(), *BOXES, "cutter=none")
    for said in ("talknet_talkset", "ASDKIT_WEIGHTS", "asd weights fetch", "experiment=offline"):
        assert said in line


def test_checkpoints_that_do_not_fit(refused):
    from extras import torch

    video()
    broken("noise.model", np.random.default_rng(0).bytes(5000))
    torch.save({"encoder.weight": torch.zeros(3)}, "other.model")
    run = ["run", "clip.mp4", *BOXES, "cutter=none"]
    assert "damaged" in refused(*run, "scorer.weights=noise.model")
    line = refused(*run, "scorer.weights=other.model")
    assert "no checkpoint of TalkNet" in line
    assert "encoder.weight" in line
    assert "no file" in refused(*run, "scorer.weights=nothere.model")


def test_a_cuda_that_is_not_there(refused):
    from extras import torch

    if torch.cuda.is_available():
        pytest.skip("needs a machine without CUDA")
    video()
    assert "nothing here can use it" in refused("run", "clip.mp4", *BOXES, *CHEAP, "device=cuda")
    line = refused("run", "clip.mp4", *BOXES, "cutter=none", "device=cuda:3")
    assert "device=cpu or device=auto" in line


def test_debugging_shows_the_traceback(monkeypatch):
    monkeypatch.setenv("ASDKIT_DEBUG", "1")
    with pytest.raises(ConfigError):
        cli.main(["fly"])


def test_an_interrupted_run_leaves_nothing(asd, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("asdkit.core.analysis.one_pass.Analysis.feed", interrupt)
    code, _, err = asd("run", video(), *BOXES, *CHEAP)
    assert code == 130
    assert "asd: stopped" in err
    assert not Path("asd_results").exists()


# asd export


def test_help_of_export_tells_of_every_option(asd):
    assert asd("export", "check", "--help")[0] == 0
    code, out, _ = asd("export", "precision=int8", "--help")
    assert code == 0
    assert "precision=int8 " in out
    assert "asd export check FOLDER" in out
    for name, said in attributes(EXPORT.options).items():
        assert said, name
        assert f"  {name}=" in out
    assert re.search(r"scorer=talknet  \(of light_asd, .*, talknet, talknet_onnx\)", out)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["precision=fp64"], "precision must be fp32, fp16, int8, but got 'fp64'"),
        (["opset=x"], "opset must be a whole number, got 'x'"),
        (["video=a.mp4"], "There is no option video. There are output, overwrite, precision"),
        (["scorer=lip_motion", "output=out"], "lip_motion has no network to export"),
        (["scorer.weights=nowhere.model", "output=out"], "There is no file of weights"),
        (["check"], "asd export check takes one folder, but got none"),
        (["check", "."], "is not a bundle"),
        (["check", "a", "b"], "takes one folder, but got a b"),
        (["device=gpu", "output=out"], "device must be auto, cpu, cuda or cuda:N, got gpu"),
    ],
)
def test_exports_that_are_refused(refused, words, said):
    assert said in refused("export", *words)
    assert not Path("out").exists()


@pytest.mark.slow
def test_a_bundle_is_checked_again(asd, bundle):
    code, out, err = asd("export", "check", str(bundle))
    assert code == 0, err
    assert "window.onnx: batch 2, frames 150: (2, 150, 2) differs from PyTorch by" in out
    assert out.endswith(f"{bundle} is as it should be\n")
    from extras import onnxruntime

    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        code, _, err = asd("export", "check", str(bundle), "device=cuda")
        assert code == 2
        assert err.startswith("asd: device=cuda needs the CUDAExecutionProvider")


@pytest.mark.slow
def test_a_check_says_what_it_does_not_read(refused, bundle):
    assert "does not read opset=20" in refused("export", "check", str(bundle), "opset=20")


def test_several_exports_at_once(asd, monkeypatch):
    from types import SimpleNamespace

    from asdkit.export import bundles

    made = []

    def export(plan, say):
        made.append((plan.options.precision, plan.options.output))
        return SimpleNamespace(folder=Path(plan.options.output))

    monkeypatch.setattr(bundles, "export", export)
    words = ["--multirun", "precision=fp32,int8", "output=talknet_${precision}"]
    code, out, err = asd("export", *words)
    assert code == 0, err
    assert made == [("fp32", "talknet_fp32"), ("int8", "talknet_int8")]
    assert "asd run FILE scorer=talknet scorer.weights=talknet_int8" in out
    assert not Path("talknet_fp32").exists()


def test_a_run_inside_another_hydra_application(tmp_path, monkeypatch):
    import asdkit

    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.yaml").write_text("mine: 3\n")
    words = [video(), [*BOXES, *CHEAP]]
    with hydra.initialize_config_dir(str(tmp_path), version_base="1.3"):
        assert len(asdkit.run(words[0], words[1]).tracks) == 1
        assert hydra.compose("own").mine == 3
