"""Words are completed in a shell."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from commanding import DETECTORS

WRITERS = [
    *("annotated", "ava", "clips", "eaf", "mot", "otio", "pywork", "reframe", "report", "rttm"),
    *("srt", "textgrid", "timeline", "webvtt"),
]
ADDRESSES = ("udp://", "srt://", "rtmp://", "rtmps://", "rtsp://", "rtsps://")
SOURCES = ("camera", "v4l2:", "avfoundation:", "dshow:", *ADDRESSES)
SOUNDS = ("microphone", "none", "alsa:", "pulse:", "avfoundation:", "dshow:", *ADDRESSES)
TALKS = {"talk.mp4", "talks/"}


@pytest.fixture(autouse=True)
def files():
    """Something to complete."""
    Path("talks").mkdir()
    for name in ("talk.mp4", "talk two.mp4", "tale.txt", "talks/one.MKV", "my.model", "boxes.json"):
        Path(name).touch()


@pytest.mark.usefixtures("own_alone")
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("asd r", {"repeat", "run"}),
        ("asd ta", TALKS),
        ("asd ru", {"run"}),
        ("asd --v", {"--version"}),
        ("asd run ta", TALKS),
        ("asd run talks/", {"talks/one.MKV"}),
        ("asd batch talk.mp4 ta", TALKS),
        ("asd data ", {"check", "crops", "dialogues"}),
        ("asd data crops ta", {*TALKS, "tale.txt"}),
        ("asd data crops dataset=ava dataset.tr", {"dataset.truth="}),
        ("asd data check dataset=a", {"dataset=asw", "dataset=ava"}),
        ("asd data dialogues over", {"overlap="}),
        ("asd run talk.mp4 tal", set()),
        ("asd talk.mp4 detector=yu", {"detector=yunet"}),
        ("asd run detector=", {f"detector={name}" for name in DETECTORS}),
        ("asd run detector=mtcnn,yu", {"detector=mtcnn,yunet"}),
        ("asd run clip.mp4 detector.m", {"detector.min_face_px="}),
        ("asd run clip.mp4 detector=yunet detector.", {
            f"detector.{name}=" for name in
            ("longer_side_px", "min_face_px", "nms_threshold", "runtime", "score_threshold")}),
        ("asd run clip.mp4 experiment=fast detector.s", {"detector.score_threshold="}),
        ("asd run clip.mp4 detector=yunet wrong=1 detector.s", {"detector.score_threshold="}),
        ("asd run clip.mp4 detector=boxes detector.p", {"detector.path="}),
        ("asd run clip.mp4 detector=boxes detector.path=bo", {"detector.path=boxes.json"}),
        ("asd run clip.mp4 tracker.min_face_px=3 tracker.min", {"tracker.min_track_detections="}),
        ("asd run clip.mp4 embedde", {"embedder="}),
        ("asd run clip.mp4 embedder=facenet embedde", {"embedder."}),
        ("asd run clip.mp4 scorer.weights=", {"scorer.weights=ava", "scorer.weights=talkset"}),
        ("asd run clip.mp4 scorer=lr_asd@", {"scorer=lr_asd@ava", "scorer=lr_asd@talkset"}),
        ("asd run clip.mp4 scorer=talknet,lr_asd_onnx@a", {"scorer=talknet,lr_asd_onnx@ava"}),
        ("asd run clip.mp4 scorer=lip_motion@", set()),
        ("asd run clip.mp4 scorer=nobody@", set()),
        ("asd run clip.mp4 scorer.weights=my", {"scorer.weights=my.model"}),
        ("asd run clip.mp4 detector=s3fd detector.weights=", {"detector.weights=wider_face"}),
        ("asd run clip.mp4 scorer.calibration=", {f"scorer.calibration={w}" for w in
                                                  ("auto", "null")}),
        ("asd run clip.mp4 dev", {"device="}),
        ("asd run clip.mp4 device=", {"device=auto", "device=cpu", "device=cuda"}),
        ("asd run clip.mp4 device=cpu dev", set()),
        ("asd run clip.mp4 decisions=e", {"decisions=exclusive"}),
        ("asd run clip.mp4 quiet=", {"quiet=true", "quiet=false"}),
        ("asd run clip.mp4 output=ta", {"output=tale.txt", *(f"output={one}" for one in TALKS)}),
        ("asd run clip.mp4 segments.o", {"segments.on=", "segments.off="}),
        ("asd run clip.mp4 seg", {"segments."}),
        ("asd run clip.mp4 dataset", set()),
        ("asd run clip.mp4 writers=[json,", {f"writers=[json,{name}" for name in WRITERS}),
        ("asd run clip.mp4 writers.", {"writers.annotated.", "writers.report."}),
        ("asd run clip.mp4 experiment=o", {"experiment=offline"}),
        ("asd run clip.mp4 --m", {"--multirun"}),
        ("asd demo detector=y", {"detector=yunet"}),
        ("asd repeat talks device=c", {"device=cpu", "device=cuda"}),
        ("asd li", {"live"}),
        ("asd live c", {"camera", "capture.", "context=", "crop_scale=", "cutter=", "cutter.",
                        "conversation."}),
        ("asd live ta", {*TALKS, "tale.txt"}),
        ("asd live rts", {"rtsp://", "rtsps://"}),
        ("asd live camera cam", set()),
        ("asd live source=", {f"source={one}" for one in
                              (*SOURCES, "boxes.json", "my.model", "tale.txt", *TALKS)}),
        ("asd live source=rtm", {"source=rtmp://", "source=rtmps://"}),
        ("asd live camera sound=", {f"sound={one}" for one in SOUNDS}),
        ("asd live camera sound=ta", {f"sound={one}" for one in ("tale.txt", *TALKS)}),
        ("asd live camera pace=", {"pace=fast", "pace=real"}),
        ("asd live camera live.h", {"live.hop_s="}),
        ("asd live camera capture.", {f"capture.{one}=" for one in ("format", "fps", "size")}),
        ("asd live camera embedder=mob", {"embedder=mobilefacenet"}),
        ("asd live camera serve=", {"serve=true", "serve=false"}),
        ("asd evaluate dataset=r", {"dataset=results", "dataset=rttm"}),
        ("asd evaluate dataset=rttm dataset.u", {"dataset.uem="}),
        ("asd evaluate faces=", {"faces=found", "faces=labelled"}),
        ("asd export precision=", {"precision=fp16", "precision=fp32", "precision=int8"}),
        ("asd export c", {"calibration=", "check"}),
        ("asd compare ta", {"tale.txt", *TALKS}),
        ("asd weights f", {"fetch"}),
        ("asd weights fetch talk", {"talknet_ava", "talknet_talkset"}),
        ("asd weights fetch talknet_ava talk", {"talknet_talkset"}),
        ("asd plugins n", {"new"}),
        ("asd export check out d", {"device="}),
        ("asd batch sta", {"status"}),
        ("asd batch status w", set()),
        ("asd batch worker", {"workers="}),
        ("asd help r", {"repeat", "run"}),
        ("asd wr", {"write"}),
        ("asd write out/result.json segments.o", {"segments.off=", "segments.on="}),
        ("asd write out writers=rt", {"writers=rttm"}),
        ("asd write out nam", {"names="}),
        ("asd write out calibration=", {"calibration=kept", "calibration=null"}),
        ("asd write out calibration=bo", {"calibration=boxes.json"}),
        ("asd write out writers=[annotated] writers.annotated.colour=",
         {"writers.annotated.colour=score", "writers.annotated.colour=speaking"}),
        ("asd run clip.mp4 detector=yunet detector.runtime=",
         {f"detector.runtime={name}" for name in ("auto", "onnx", "opencv")}),
        ("asd batch decide ta", {"tale.txt", *TALKS}),
        ("asd batch decide out nam", set()),
        ("asd batch decide out video=ta", set()),
        ("asd batch decide out o", {"output=", "overwrite="}),
        ("asd batch decide out output=talk", {f"output={one}" for one in TALKS}),
        ("asd batch decide out segments.o", {"segments.off=", "segments.on="}),
        ("asd batch decide out calibration=", {"calibration=kept", "calibration=null"}),
    ],
)  # fmt: skip
def test_completion(asd, monkeypatch, line, offered):
    monkeypatch.setenv("COMP_LINE", line)
    code, out, err = asd("-sc", "query=bash")
    assert (code, err) == (0, "")
    assert set(out.split("\n")) - {""} == offered


@pytest.mark.parametrize("words", [["-sc"], ["-sc", "install=tcsh"], ["-sc", "query="]])
def test_shells_that_are_not_known(refused, words):
    assert "for bash, fish or zsh" in refused(*words)


def in_shell(shell, *words, script):
    """What a shell prints that has evaluated the script of `asd -sc install`."""
    if not shutil.which(shell):
        pytest.skip(f"needs {shell}")
    folder = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        [shell, *words, script], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stderr == ""
    return done.stdout.split()


BASH = """
eval "$(asd -sc install=bash)"
COMP_LINE='{line}'; COMP_POINT=${{#COMP_LINE}}
{breaks}
_asd
echo "${{COMPREPLY[@]}}"
"""


@pytest.mark.usefixtures("own_alone")
@pytest.mark.parametrize(
    ("line", "breaks", "words"),
    [
        ("asd run x.mp4 embedder=mob", "", ["mobilefacenet"]),  # embedder= is on the line already
        ("asd run x.mp4 embedder=mob", "COMP_WORDBREAKS=' '", ["embedder=mobilefacenet"]),
        ("asd run x.mp4 scorer=lr_asd@ta", "", ["talkset"]),
        ("asd run x.mp4 scorer=lr_asd@ta", "COMP_WORDBREAKS=' ='", ["lr_asd@talkset"]),
        ("asd export precis", "", ["precision="]),
        ("asd talk", "", ["talk.mp4", "talks/"]),
        ("asd run x.mp4 nothing_of_that", "", []),
    ],
)
def test_in_bash(line, breaks, words):
    script = BASH.format(line=line, breaks=breaks)
    assert in_shell("bash", "--norc", "-c", script=script) == words


def test_in_bash_it_can_be_taken_back():
    there_and_back = "; ".join(f'eval "$(asd -sc {how}=bash)"' for how in ("install", "uninstall"))
    script = f"{there_and_back}; complete -p asd 2> /dev/null || echo gone"
    assert in_shell("bash", "--norc", "-c", script=script) == ["gone"]


def test_in_fish():
    script = 'asd -sc install=fish | source; complete -C "asd run x.mp4 embedder=mob"'
    assert in_shell("fish", "--no-config", "-c", script=script) == ["embedder=mobilefacenet"]


def test_in_zsh():
    """`compadd` works in its line editor alone, so one that prints stands in for it."""
    script = """
    autoload -Uz compinit && compinit -u -D
    eval "$(asd -sc install=zsh)"
    compadd() { print -l -- ${@:#-*}; }
    LBUFFER='asd run x.mp4 embedder=mob'
    _asd; print $_comps[asd]
    """
    assert in_shell("zsh", "-f", "-c", script=script) == ["embedder=mobilefacenet", "_asd"]
