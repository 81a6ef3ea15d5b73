"""`asd write`: files of a result that is there already."""

from __future__ import annotations

import json
from pathlib import Path

import by_hand
import hostile
import numpy as np
import pytest
from commanding import video

from asdkit.core.cli.console import ProgressLine
from asdkit.core.decisions.calibration import Calibration
from asdkit.core.result import Result


@pytest.fixture
def talk(tmp_path, monkeypatch) -> Result:
    """A folder with a result.json of two faces, of which one speaks for 0.8 s; and a video."""
    monkeypatch.chdir(tmp_path)
    video("clip.mp4")
    likely = np.full(50, -2.0)
    likely[10:30] = 1.0  # a probability of 0.73
    boxes = np.tile([20.0, 10, 60, 50], (50, 1))
    tracks = [by_hand.track(0, 0, boxes, likely), by_hand.track(1, 0, boxes + 20, -1.0)]
    result = by_hand.result(*tracks, duration_s=2.0, shots=[(0, 50)])
    object.__setattr__(result, "settings", {"scorer": {"name": "lip_motion"}, "crop_scale": 0.4})
    Path("talk").mkdir()
    result.decide(segments={"off": 0.3}).save("talk")
    return Result.load("talk")


def rttm(path="talk/speakers.rttm"):
    lines = map(str.split, Path(path).read_text().splitlines())
    return [(fields[3], fields[4], fields[7]) for fields in lines]


def names(folder="talk"):
    return sorted(path.name for path in Path(folder).iterdir())


@pytest.mark.usefixtures("talk")
def test_files_are_written_beside_the_result(asd):
    code, out, err = asd("write", "talk", "writers=[rttm,webvtt]")
    assert (code, err) == (0, "asd: writing speakers.rttm\nasd: writing speakers.vtt\n")
    assert out == "talk/speakers.rttm\ntalk/speakers.vtt\n"
    assert rttm() == [("0.400", "0.800", "track_0")]
    assert names() == ["result.json", "speakers.rttm", "speakers.vtt"]


@pytest.mark.usefixtures("talk")
def test_it_tells_how_far_each_writer_is(asd, monkeypatch):
    told = []
    monkeypatch.setattr(ProgressLine, "__call__", lambda self, *said: told.append(said))
    names = ["annotated", "clips", "reframe", "report"]
    assert asd("write", "talk", f"writers=[{','.join(names)}]")[0] == 0
    stages = {stage: [] for stage, *_ in told}
    for stage, done, total in told:
        stages[stage].append((done, total))
    assert list(stages) == [
        "writing annotated.mp4",
        "writing clips/index.csv",
        "writing reframe.json, reframe.mp4",
        "writing report.html",
    ]
    *videos, report = stages.values()
    for said in videos:
        assert said[-1] in {(49, 50), (31, 50)}  # clips end with the last turn
        assert len({done for done, _ in said}) > 30
    assert report == [(0, 0), (0, 2), (2, 2)]


@pytest.mark.usefixtures("talk")
def test_or_into_another_folder(asd):
    code, out, _ = asd("write", "talk/result.json", "writers=[annotated]", "output=new/one")
    assert (code, out) == (0, "new/one/annotated.mp4\n")
    assert names("new/one") == ["annotated.mp4"] and names() == ["result.json"]


@pytest.mark.usefixtures("talk")
def test_files_that_are_there_are_replaced_when_asked_to(asd):
    Path("talk/speakers.rttm").write_text("old")
    code, _, err = asd("write", "talk", "writers=[rttm]")
    assert code == 2 and "already holds results (speakers.rttm)" in err
    assert Path("talk/speakers.rttm").read_text() == "old"
    assert asd("write", "talk", "writers=[rttm]", "overwrite=true")[0] == 0
    assert len(rttm()) == 1


@pytest.mark.usefixtures("talk")
def test_parameters_of_writers_are_heeded(asd):
    code, _, err = asd("write", "talk", "writers=[annotated]", "writers.annotated.crf=77")
    assert code == 2 and "writers.annotated.crf must be from 0 to 51, got 77" in err
    for crf in (0, 50):
        words = ["writers=[annotated]", f"writers.annotated.crf={crf}", f"output=crf{crf}"]
        assert asd("write", "talk", *words)[0] == 0
    sizes = [Path(f"crf{crf}/annotated.mp4").stat().st_size for crf in (0, 50)]
    assert sizes[0] > sizes[1]


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["segments.on=0.8"], []),
        (["segments.min_s=1"], []),
        (["segments.min_s=0.7"], [("0.400", "0.800", "track_0")]),
        # Others have a probability of 0.12.
        (["segments.on=0.1", "segments.off=0.1"], [("0.000", "2.000", "track_0")]),
        (["calibration=calm.json"], []),
        (["decisions=exclusive", "conversation.neutral=0.9"], []),
    ],
)
def test_decided_anew(words, wanted, talk, asd):
    Calibration("lip_motion", 1.0, -2.0).write(Path("calm.json"))
    code, _, err = asd("write", "talk", "writers=[rttm,json]", "output=new", "quiet=true", *words)
    assert (code, err) == (0, "")
    assert [turn for turn in rttm("new/speakers.rttm") if turn[2] == "track_0"] == wanted
    settings = Result.load("new").settings
    assert settings["segments"]["off"] == (0.1 if "segments.off=0.1" in words else 0.3)
    assert Result.load("talk").settings["segments"] == talk.settings["segments"]


@pytest.mark.usefixtures("talk")
def test_files_that_contradict_the_result_are_not_put_beside_it(asd):
    code, _, err = asd("write", "talk", "writers=[rttm]", "segments.on=0.8")
    assert code == 2 and "would contradict the result.json beside them" in err
    assert len(err.splitlines()) == 1 and names() == ["result.json"]
    words = ["writers=[rttm,json]", "segments.on=0.8", "overwrite=true"]
    assert asd("write", "talk", *words)[0] == 0
    assert rttm() == [] and Result.load("talk").tracks[0].speaking == ()


@pytest.mark.usefixtures("talk")
def test_nor_is_a_result_that_contradicts_the_files_beside_it(asd):
    assert asd("write", "talk", "writers=[rttm,webvtt]")[0] == 0
    before = {path: path.read_bytes() for path in Path("talk").iterdir()}
    words = ["writers=[json,rttm]", "segments.on=0.8", "overwrite=true"]
    code, _, err = asd("write", "talk", *words)
    assert code == 2 and len(err.splitlines()) == 1
    assert "the result would contradict speakers.vtt in talk, which would stay as before" in err
    assert "with 'writers=[json,rttm,webvtt]' overwrite=true, or name another folder" in err
    assert before == {path: path.read_bytes() for path in Path("talk").iterdir()}
    words[0] = "writers=[json,rttm,webvtt]"
    assert asd("write", "talk", *words)[0] == 0
    assert "track_0" not in Path("talk/speakers.vtt").read_text()


@pytest.fixture
def of_a_run(talk):
    """The result, as a run with three writers and a parameter left it, with its files."""
    settings = {
        "writers": {
            "json": {"name": "json"},
            "rttm": {"name": "rttm"},
            "report": {"name": "report", "title": "A ${talk}, 'it is'", "thumbnails": 0},
        }
    }
    object.__setattr__(talk, "settings", {**talk.settings, **settings})
    talk.write(["json", "rttm", "report"], "talk", overwrite=True)


@pytest.mark.usefixtures("of_a_run")
def test_without_writers_it_is_the_files_of_the_run(asd):
    named = {"schema": "asdkit.names/1", "names": {"track_0": "Anna"}}
    Path("names.json").write_text(json.dumps(named))
    assert asd("write", "talk", "names=names.json")[0] == 2, "they are there already"
    code, out, _ = asd("write", "talk", "names=names.json", "overwrite=true")
    assert code == 0
    assert out == "talk/result.json\ntalk/speakers.rttm\ntalk/report.html\n"
    assert rttm() == [("0.400", "0.800", "Anna")]
    assert Result.load("talk").tracks[0].name == "Anna"
    page = Path("talk/report.html").read_text()
    assert "Anna" in page and "A ${talk}, " in page
    words = ["segments.on=0.8", "writers.report.title=Other", "output=new"]
    assert asd("write", "talk", *words)[0] == 0
    assert names("new") == ["report.html", "result.json", "speakers.rttm"]
    assert rttm("new/speakers.rttm") == [] and "Other" in Path("new/report.html").read_text()


@pytest.mark.usefixtures("of_a_run")
def test_files_without_the_names_that_the_result_gets_are_told(asd, caplog):
    Path("names.json").write_text('{"schema": "asdkit.names/1", "names": {"track_0": "Anna"}}')
    words = ["names=names.json", "overwrite=true"]
    assert asd("write", "talk", "writers=[rttm]", "output=new", *words)[0] == 0
    assert not caplog.messages
    assert asd("write", "talk", "writers=[json]", *words)[0] == 0
    assert caplog.messages == [
        "The new names are not in report.html, speakers.rttm in talk. "
        "Put them there with: asd write talk 'writers=[report,rttm]' overwrite=true"
    ]
    assert asd("write", "talk", "writers=[report,rttm]", "overwrite=true")[0] == 0
    assert rttm() == [("0.400", "0.800", "Anna")]


@pytest.mark.usefixtures("of_a_run")
@pytest.mark.parametrize(
    ("writers", "says"),
    [
        (3, "writers must be a list such as [json,rttm], got 3"),
        ({"rtm": {"name": "rtm"}}, "There is no writer 'rtm'"),
        ({"rttm": {"name": "rttm", "a=1 hydra.run.dir": 3}}, "There is no option writers.rttm.a=1"),
        ({"rttm": {"name": "rttm", "b": {"c": 1}}}, "There is no option writers.rttm.b"),
        ({"x": {"name": "rttm"}}, "writers.x has the name 'rttm', which is another one"),
    ],
)
def test_writers_of_a_stranger_end_in_one_line(writers, says, asd):
    values = json.loads(Path("talk/result.json").read_text())
    values["settings"]["writers"] = writers
    Path("talk/result.json").write_text(json.dumps(values))
    code, _, err = asd("write", "talk", "output=new")
    assert code == 2 and says in err and len(err.splitlines()) == 1
    assert not Path("new").exists()


@pytest.mark.usefixtures("talk")
def test_people_get_the_names_of_a_file(asd):
    values = {"schema": "asdkit.names/1", "names": {"track_0": "Anna"}}
    Path("names.json").write_text(json.dumps(values))
    assert asd("write", "talk", "writers=[rttm]", "names=names.json")[0] == 0
    assert rttm() == [("0.400", "0.800", "Anna")]
    values["names"] = {"person_1": "Ben"}
    Path("names.json").write_text(json.dumps(values))
    code, _, err = asd("write", "talk", "writers=[webvtt]", "names=names.json")
    assert code == 2 and "nobody called 'person_1' in the result. There are track_0, track_1" in err
    assert names() == ["result.json", "speakers.rttm"]


@pytest.mark.usefixtures("talk")
def test_a_video_that_was_moved_is_named(asd):
    Path("clip.mp4").rename("moved.mp4")
    code, _, err = asd("write", "talk", "writers=[annotated]")
    assert code == 2 and "clip.mp4, which the result is of, is not there any more" in err
    assert "asd write RESULT video=FILE" in err and names() == ["result.json"]
    assert asd("write", "talk", "writers=[annotated]", "video=moved.mp4")[0] == 0


@pytest.mark.usefixtures("talk")
def test_a_sweep_writes_a_folder_each(asd):
    words = ["writers=[rttm]", "segments.on=0.6,0.8", "-m", "hydra.sweep.dir=swept"]
    assert asd("write", "talk", *words)[0] == 0
    assert len(rttm("swept/segments.on=0.6/speakers.rttm")) == 1
    assert rttm("swept/segments.on=0.8/speakers.rttm") == []


@pytest.mark.usefixtures("talk")
@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "write takes a result.json, or the folder of a run, but got none. Use: asd write"),
        (["talk"], "No writer was named. As in writers=[rttm], of annotated, ava"),
        (["talk", "writers=[rtm]"], "There is no writer 'rtm'"),
        (["talk", "talk", "writers=[rttm]"], "Two results were named, 'talk' and 'talk'"),
        (["nobody", "writers=[rttm]"], "nobody cannot be read: No such file"),
        (["talk", "writers=[rttm]", "segmets.on=0.8"], "no option segmets. Did you mean segments"),
        (["talk", "writers=[rttm]", "segments.on=0.1"], "segments.off must lie from 0 to on"),
        (["talk", "writers=[rttm]", "output=new", "decisions=all"], "decisions must be indep"),
        (["talk", "writers=[rttm]", "names="], "names names no file"),
        (["talk", "writers=[rttm]", "detector=yunet"], "There is no option detector. There are "),
        (["talk", "writers=[rttm]", "experiment=fast"], "There is no option experiment. There are"),
        (["talk", "writers=[rttm]", "+experiment=fast"], "There is no option experiment. "),
        (["talk", "writers=[rttm]", "resume=true"], "speech, conversation, writers\n"),
        (["talk", "writers=[rttm]", "resume=true", "--cfg", "job"], "conversation, writers\n"),
        (["talk", "writers=[rttm]", "output="], "output names no folder. Name one: output=FOLDER"),
    ],
)
def test_what_does_not_fit_is_refused(words, says, asd):
    code, _, err = asd("write", *words)
    assert code == 2
    assert says in err and len(err.splitlines()) == 1
    assert names() == ["result.json"]


def test_help_tells_of_every_option(asd):
    code, out, _ = asd("write", "--help")
    assert code == 0 and out.startswith("asd write RESULT [writers=[NAME,...]]")
    for option in ("output=null", "names=null", "calibration=kept", "segments.on=0.5", "writers=["):
        assert option in out
    assert "experiment=" not in out
    code, out, _ = asd("help", "write", "writers=[annotated]")
    assert code == 0 and "writers.annotated.colour=speaking" in out


def test_the_thresholds_of_the_result_are_not_those_of_nobody():
    """What a file says is taken for numbers, and for nothing else."""
    from asdkit.core.finished.settings import words_of

    settings = {
        "decisions": "exclusive",
        "segments": {"on": 0.7, "off": "${oc.env:HOME}", "min_s": 0.2, "new": 3},
        "speech": ["on"],
        "conversation": {"turn_s": 5},
    }
    assert words_of(settings) == ["decisions=exclusive", "segments.on=0.7", "conversation.turn_s=5"]
    assert words_of({}) == [] and words_of({"decisions": "${video}"}) == []


@pytest.mark.parametrize("name", hostile.results())
def test_a_result_of_a_stranger_ends_in_one_line(name, asd):
    Path("given").mkdir()
    Path("given/result.json").write_text(hostile.results()[name])
    code, out, err = asd("write", "given", "writers=[json,rttm]", "output=out")
    assert (code, out) == (2, "")
    assert "Traceback" not in err and len(err.splitlines()) == 1 and len(err) < 1000
    assert not Path("out").exists()


@pytest.mark.usefixtures("talk")
@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"video": {"path": "/etc/passwd"}}, "passwd"),
        ({"video": {"path": "a\x00b.mp4"}}, "is not there any more"),
        ({"video": {"path": "http://127.0.0.1:9/clip.mp4"}}, "is not there any more"),
        ({"provenance": {"folder": "/proc/self"}, "video": {"path": "mem"}}, "mem"),
        ({"settings": {"sound": "/etc/passwd"}}, "passwd"),
        ({"settings": {"start_s": 1e12}}, "no picture from 1e+12 s on"),
    ],
)
def test_what_it_names_is_read_as_a_video_or_not_at_all(changes, says, asd):
    values = json.loads(Path("talk/result.json").read_text())
    for key, value in changes.items():
        values[key] |= value
    Path("talk/result.json").write_text(json.dumps(values))
    code, _, err = asd("write", "talk", "writers=[annotated]", "output=out", "quiet=true")
    assert code == 2 and says in err and len(err.splitlines()) == 1
    assert not Path("out").exists()
