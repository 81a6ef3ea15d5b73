"""Names of people and of files: odd ones are escaped, told apart, renamed or refused."""

from __future__ import annotations

import csv
import json
import logging
import unicodedata
from dataclasses import replace
from pathlib import Path

import by_hand
import cv2
import numpy as np
import pandas
import pytest
import webvtt
from judging import make
from synth import write_video

import asdkit
from asdkit.core.analysis.people import read_people
from asdkit.core.batch.videos import find_videos, name_folders
from asdkit.core.component import Context
from asdkit.core.config.options import RESULTS_FOLDER
from asdkit.core.errors import InputError, OutputError
from asdkit.core.evaluation import evaluate
from asdkit.core.evaluation.frames_file import write_frames
from asdkit.core.files import is_litter
from asdkit.core.labels import Judged
from asdkit.core.result import Result
from asdkit.core.rttm import read_rttm
from asdkit.core.types import Detections
from asdkit.plugins.datasets.columbia import ColumbiaConfig, read_labels
from asdkit.plugins.datasets.face_crops import FaceCrops
from asdkit.plugins.datasets.rttm import read_uem
from asdkit.plugins.writers import asdkit_components as writers

WRITERS = {component.name: component for component in writers()}
COMPOSED, DECOMPOSED = (unicodedata.normalize(form, "Renée") for form in ("NFC", "NFD"))


def result(*names: str | None, path: str = "talk/clip.mp4", off_screen=()) -> Result:
    """A track for each name, which speaks for half a second at its number."""
    boxes = np.tile([0.0, 0.0, 9.0, 9.0], (2, 1))
    tracks = [
        by_hand.track(number, 0, boxes, speaking=((number, number + 0.5),), identity=name)
        for number, name in enumerate(names)
    ]
    video = {"path": path, "duration_s": 12.0, "size": (640, 360), "shots": ((0, 2),)}
    return by_hand.result(*tracks, **video, off_screen=tuple(off_screen))


def write(name: str, what: Result, folder: Path) -> Path:
    component = WRITERS[name]
    (path,) = component.build(component.config(), Context()).write(what, folder)
    return path


class OneFace:
    """Finds a face in every picture."""

    def detect(self, frames, indices):
        return [Detections(np.array([[2.0, 2.0, 30.0, 30.0]]), np.ones(1)) for _ in frames]


class Ones:
    def embed(self, faces):
        return np.ones((len(faces), 1), np.float32)


def portrait(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(".png", np.full((32, 32, 3), 99, np.uint8))[1].tobytes())
    return path


# WebVTT


@pytest.mark.parametrize(
    "name",
    ["Ann", "Zoë--", "a --> b", "-->", "R&D <lead>", "x-", "&lt;", "two  words", "{curly}", "--"],
)
def test_a_cue_shows_the_name_whatever_it_is(tmp_path, name):
    path = write("webvtt", result(name, "Bob"), tmp_path)
    lines = path.read_text("utf-8").splitlines()
    assert [line.count("-->") for line in lines if "-->" in line] == [1, 1]  # the times alone
    first, second = webvtt.read(str(path))
    shown = " ".join(name.split())
    escaped = shown.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert first.voice.strip() == first.text == escaped
    assert (second.voice, second.text, second.start) == ("Bob", "Bob", "00:00:01.000")


def test_cues_show_tracks_and_who_is_not_seen(tmp_path):
    path = write("webvtt", result(None, off_screen=[(4, 5)]), tmp_path)
    cues = [(cue.voice, cue.text) for cue in webvtt.read(str(path))]
    assert cues == [("Track 0", "Track 0"), ("Off screen", "Off screen")]


# RTTM


def speakers(path: Path) -> list[str]:
    return [line.split()[7] for line in path.read_text("utf-8").splitlines()]


@pytest.mark.parametrize(
    ("names", "fields"),
    [
        (["Ann B", "Ann_B"], ["Ann_B_2", "Ann_B"]),
        (["Ann_B", "Ann B", "Ann\u00a0B"], ["Ann_B", "Ann_B_2", "Ann_B_3"]),
        (["a b", "a_b", "a_b_2"], ["a_b_3", "a_b", "a_b_2"]),
        (["NA", "<NA>", "nan", "Nan"], ["NA_", "<NA>_", "nan_", "Nan"]),
        (["off screen", None], ["off_screen_2", "track_1"]),
        ([None, "track_1"], ["track_0", "track_1"]),
    ],
)
def test_names_stay_apart_and_readable_in_rttm(tmp_path, names, fields):
    path = write("rttm", result(*names, off_screen=[(8, 9)]), tmp_path)
    assert speakers(path) == [*fields, "off_screen"]
    table = pandas.read_csv(path, sep=" ", header=None)
    assert not table[7].isna().any()
    assert len(set(table[7])) == len(fields) + 1


# Tables


@pytest.mark.parametrize("stem", ["=1+1", "+A1", "-2+3", "@SUM(A1)", "NA", "null", "<NA>"])
def test_no_cell_is_a_formula_or_missing(tmp_path, stem):
    path = write("ava", result("Ann", path=f"{stem}.mp4"), tmp_path)
    table = pandas.read_csv(path)
    assert not table.isna().any(axis=None)
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            assert row["video_id"].strip("_") == stem
            assert row["video_id"][0] not in "=+-@"
            assert row["entity_id"] == f"{row['video_id']}_0"
    assert write("rttm", result("Ann", path=f"{stem}.mp4"), tmp_path).read_text().split()[1] != "NA"


# Portraits


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (" .png", "is named after nobody"),
        (" /one.png", "is named after nobody"),
        ("off_screen.png", "has the name of whoever speaks without being seen"),
        ("Off Screen/one.png", "has the name of whoever speaks without being seen"),
    ],
)
def test_portraits_whose_names_cannot_be_used_are_refused(tmp_path, name, message):
    portrait(tmp_path / "Ann.png")
    portrait(tmp_path / name)
    with pytest.raises(InputError, match=message) as caught:
        read_people(tmp_path, OneFace(), Ones())
    assert "Give it the name" in caught.value.hint


def test_litter_among_portraits_is_passed_over(tmp_path):
    portrait(tmp_path / "Ann.png")
    portrait(tmp_path / "Bob" / "one.png")
    for name in ("._Ann.png", ".DS_Store", "Thumbs.db", "Bob/._one.png", "__MACOSX/Eve.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"\0\5\26\7")
    assert list(read_people(tmp_path, OneFace(), Ones())) == ["Ann", "Bob"]


# Files that systems leave


@pytest.mark.parametrize("name", ["._a.mp4", ".DS_Store", "Thumbs.db", "desktop.ini", "__MACOSX"])
def test_what_systems_leave_is_litter(name):
    assert is_litter(Path("folder", name))


@pytest.mark.parametrize("name", ["a.mp4", "_a.mp4", "thumbs.mp4", "a.b.mp4"])
def test_other_files_are_not(name):
    assert not is_litter(Path(".folder", name))


TRUTH = {
    "shots": [[0, 2]],
    "regions": {"left": [0, 0, 48, 64]},
    "speaking": {"left": [0, 1]},
}


def test_folders_that_a_mac_wrote_are_datasets(tmp_path):
    write_video(tmp_path / "talk.mkv", frames=2)
    (tmp_path / "talk.json").write_text(json.dumps(TRUTH))
    (tmp_path / "talk.rttm").write_text("SPEAKER talk 1 0 0.04 <NA> <NA> ann <NA> <NA>\n")
    (tmp_path / "ann.txt").write_text("0\t1\t1\t5\t1\n")
    for path in list(tmp_path.iterdir()):
        (tmp_path / f"._{path.name}").write_bytes(b"\0\5\26\7" + bytes(100))
    names = [
        [video.name for video in dataset.videos()]
        for dataset in (
            make("dialogue", folder=tmp_path),
            make("rttm", videos=tmp_path, rttm=tmp_path),
            make("rttm", videos=tmp_path / "*talk.mkv", rttm=tmp_path),
            make("columbia", labels=tmp_path, video=tmp_path / "talk.mkv"),
        )
    ]
    assert names == [["talk"]] * 4


def test_a_batch_passes_over_what_a_mac_left(tmp_path):
    for name in ("talk.mp4", "._talk.mp4", "more/talk.mp4", "more/._talk.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(bytes.fromhex("00051607" if "._" in name else "00"))
    wanted = [str(tmp_path / "more/talk.mp4"), str(tmp_path / "talk.mp4")]
    for given in (str(tmp_path), str(tmp_path / "**"), [str(tmp_path / "more/*"), str(tmp_path)]):
        assert find_videos(given, tmp_path / "out") == wanted
    with pytest.raises(InputError, match="names no video"):
        find_videos(str(tmp_path / "._*.mp4"), tmp_path / "out")


# Two forms of one name


@pytest.mark.parametrize(("in_labels", "on_disk"), [(COMPOSED, DECOMPOSED), (DECOMPOSED, COMPOSED)])
def test_names_are_compared_in_one_form(tmp_path, in_labels, on_disk):
    videos, labels = tmp_path / "videos", tmp_path / "labels"
    labels.mkdir()
    videos.mkdir()
    write_video(videos / f"{on_disk}.mkv", frames=2)
    (labels / "all.rttm").write_text(
        f"SPEAKER {in_labels} 1 0 0.04 <NA> <NA> {in_labels} <NA> <NA>\n"
        f"SPEAKER {in_labels} 1 0.04 0.04 <NA> <NA> {on_disk} <NA> <NA>\n",
        encoding="utf-8",
    )
    (labels / "all.uem").write_text(f"{in_labels} 1 0 1\n", encoding="utf-8")
    (labels / "truth.csv").write_text(
        f"{in_labels},0.04,0.1,0.1,0.5,0.5,SPEAKING_AUDIBLE,{in_labels}_0\n", encoding="utf-8"
    )
    rttm = make("rttm", videos=videos, rttm=labels / "all.rttm", uem=labels / "all.uem")
    (video,) = rttm.videos()
    assert (video.name, list(video.speakers)) == (COMPOSED, [COMPOSED])
    (video,) = make("ava", truth=labels / "truth.csv", videos=videos).videos()
    assert video.name == COMPOSED
    write_video(labels / f"{on_disk}.mkv", frames=2)
    truth = {**TRUTH, "regions": {in_labels: [0, 0, 48, 64]}, "speaking": {on_disk: [0, 1]}}
    (labels / f"{in_labels}.json").write_text(json.dumps(truth))
    (video,) = make("dialogue", folder=labels).videos()
    assert video.name == COMPOSED
    written = write("rttm", result(in_labels, path=f"{on_disk}.mp4"), tmp_path)
    assert written.read_text("utf-8").split()[1:8:6] == [COMPOSED, COMPOSED]


# RTTM of others


def test_rttm_is_read_as_nist_allows(tmp_path, caplog):
    (tmp_path / "a.rttm").write_text(
        ";; a comment\n"
        "SPKR-INFO talk 1 <NA> <NA> <NA> unknown ann <NA>\n"
        "SPEAKER talk 1 0.00 1.00 <NA> <NA> ann\n"
        "SPEAKER talk 1 2.00 1.00 <NA> <NA> bob <NA>\n"
        "SPEAKER talk 1 4.00 0.00 <NA> <NA> bob <NA> <NA>\n"
        "SPEAKER talk 1 5.00 1.00 <NA> <NA> bob 0.9 <NA>\n"
        "LEXEME talk 1 0.10 0.20 hello lex ann 0.9\n"
        "NON-SPEECH talk 1 1.10 0.20 <NA> noise <NA> <NA>\n"
        "NOSCORE talk 1 6.10 0.20 <NA> <NA> <NA> <NA>\n"
        "SPEAKER empty 1 4.00 0.00 <NA> <NA> eve <NA> <NA>\n"
    )
    with caplog.at_level(logging.WARNING):
        turns = read_rttm([tmp_path / "a.rttm"])
    assert turns == {"talk": {"ann": ((0.0, 1.0),), "bob": ((2.0, 3.0), (5.0, 6.0))}}
    (said,) = caplog.messages
    assert said == f"2 turns of no length are left out, the first in {tmp_path / 'a.rttm'}:5"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("SPEAKER talk 1 0.00 1.00 <NA> <NA>", "has 7 fields, not 8 to 10"),
        ("SPEAKER talk 1 0 1 <NA> <NA> my name <NA> <NA> x", "has 12 fields, not 8 to 10"),
        ("SPEAKER talk 1 0.00 -1.00 <NA> <NA> ann", "has '-1.00' where seconds from 0 on belong"),
        ("SPEAKER talk 1 nan 1 <NA> <NA> ann", "has 'nan' where seconds"),
        ("SPEAKER talk 1 0 inf <NA> <NA> ann", "has 'inf' where seconds"),
        ("SPEAKER talk 1 0 1e999 <NA> <NA> ann", "has '1e999' where seconds"),
        ("SPEAKER talk 1 <NA> 1 <NA> <NA> ann", "has '<NA>' where seconds"),
        (f"SPEAKER talk 1 0 {'9' * 5000} <NA> <NA> ann", "has '9999"),
        ("SPEKER talk 1 0.00 1.00 <NA> <NA> ann", "is of no type of RTTM, 'SPEKER'"),
        ("\0 talk", r"is of no type of RTTM, '\\x00'"),
    ],
)
def test_rttm_that_is_refused_says_why(tmp_path, line, why):
    (tmp_path / "a.rttm").write_text(f"\n{line}\n")
    with pytest.raises(InputError, match=rf"a.rttm:2 {why}") as caught:
        read_rttm([tmp_path / "a.rttm"])
    assert "SPEAKER FILE 1 ONSET" in caught.value.hint
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize(
    ("line", "why"),
    [("talk 1 2 1", "ends before"), ("talk 1 0", "has 3 fields"), ("talk 1 0 nan", "has 'nan'")],
)
def test_uem_that_is_refused_says_why(tmp_path, line, why):
    (tmp_path / "a.uem").write_text(f"{line}\n")
    with pytest.raises(InputError, match=f"a.uem:1 {why}"):
        read_uem(tmp_path / "a.uem")


# Labels that no program should trip over


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"a":' * 50_000,
        '{"fps": ' + "9" * 5_000 + "}",
        json.dumps({**TRUTH, "fps": 10**400}),
        json.dumps({**TRUTH, "fps": [[[]]]}),
        json.dumps({**TRUTH, "shots": [[0, 10**400]]}),
        json.dumps({**TRUTH, "shots": [[0, None]]}),
        json.dumps({**TRUTH, "shots": [{}]}),
        json.dumps({**TRUTH, "regions": {"left": [0, 0, 10**400, 5]}}),
        json.dumps({**TRUTH, "regions": {"left": [0, 0, float("inf"), 5]}}),
        json.dumps({**TRUTH, "regions": {"left": [float("nan"), 0, 5, 5]}}),
        json.dumps({**TRUTH, "regions": {"l" * 9_000: [0, 0, 5, 5]}}),
        json.dumps({**TRUTH, "speaking": {"left": [0, {}]}}),
        json.dumps(
            {**TRUTH, "regions": {"l" * 2_000: [0, 0, 5, 5]}, "speaking": {"l" * 2_000: [0, 1]}}
        ),
        json.dumps({**TRUTH, "speaking": {"left": "01"}}),
        json.dumps([TRUTH]),
        "null",
        "\0",
    ],
)
def test_dialogue_labels_of_any_kind_are_refused_in_a_line(tmp_path, text):
    write_video(tmp_path / "talk.mkv", frames=2)
    (tmp_path / "talk.json").write_text(text)
    with pytest.raises(InputError, match=r"talk\.json") as caught:
        make("dialogue", folder=tmp_path).videos()
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 900


@pytest.mark.parametrize(
    "number", ["9" * 400, "9" * 5_000, "nan", "inf", "\0", "1e3", "10000000000"]
)
@pytest.mark.parametrize("place", range(5))
def test_columbia_labels_of_any_kind_are_refused_in_a_line(tmp_path, number, place):
    words = ["4", "1", "2", "3", "1"]
    words[place] = number
    (tmp_path / "ann.txt").write_text("\t".join(words))
    with pytest.raises(InputError, match=r"ann.txt:1 holds") as caught:
        read_labels(tmp_path / "ann.txt", 25.0, 1.0)
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 0.0])
def test_columbia_scales_that_are_none(value):
    for name in ("label_fps", "scale"):
        with pytest.raises(ValueError, match=f"{name} must be above 0"):
            ColumbiaConfig(**{name: value})


@pytest.mark.parametrize("number", ["9" * 400, "nan", "-inf", "\0", "1e300", ""])
@pytest.mark.parametrize("place", range(1, 6))
def test_ava_labels_of_any_kind_are_refused_in_a_line(tmp_path, number, place):
    write_video(tmp_path / "a.mkv", frames=2)
    row = ["a", "0.04", "0.1", "0.1", "0.5", "0.5", "SPEAKING_AUDIBLE", "a_0"]
    row[place] = number
    (tmp_path / "truth.csv").write_text(",".join(row))
    with pytest.raises(InputError, match=r"truth\.csv") as caught:
        make("ava", truth=tmp_path / "truth.csv", videos=tmp_path).videos()
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize(
    "video", ["..", "../a", "/tmp/a", "a/b", "a\\b", "", " ", "a\0b", "a" * 2_000]
)
@pytest.mark.parametrize("source", ["videos", "crops"])
def test_ava_videos_whose_names_lead_elsewhere_are_refused(tmp_path, video, source):
    (tmp_path / "truth.csv").write_text(f"{video},1,0.1,0.1,0.5,0.5,SPEAKING_AUDIBLE,a_0")
    with pytest.raises(InputError, match=r"truth\.csv") as caught:
        make("ava", truth=tmp_path / "truth.csv", **{source: tmp_path}).videos()
    assert "video" in str(caught.value)


def test_ava_offsets_that_are_none():
    with pytest.raises(ValueError, match="offset_s must be a number"):
        make("ava", truth="t.csv", videos="v", offset_s=float("nan"))


# Names of videos


@pytest.mark.parametrize("name", ["...mp4", "..mp4", "....mkv", " .mp4"])
def test_results_never_land_in_another_folder(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    source = write_video(tmp_path / "a.mp4", frames=3)
    source.rename(tmp_path / name)
    (tmp_path / "none.json").write_text("[]")
    options = ["detector=boxes", "detector.path=none.json", "scorer=lip_motion", "writers=[json]"]
    found = asdkit.run(name, [*options, "allow_silent=true", "cutter=none"])
    assert found.folder.parent == Path(RESULTS_FOLDER)
    assert found.folder.name.startswith("video-")
    assert {path.name for path in tmp_path.iterdir()} == {name, "none.json", RESULTS_FOLDER}
    (folder,) = name_folders([str(tmp_path / name)], {}).values()
    assert folder[0] != "." and folder.strip(". ")


def test_results_of_a_hidden_video_are_seen(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_video(tmp_path / "talk.mp4", frames=3).rename(tmp_path / ".talk.mp4")
    (tmp_path / "none.json").write_text("[]")
    options = ["detector=boxes", "detector.path=none.json", "scorer=lip_motion", "writers=[json]"]
    found = asdkit.run(".talk.mp4", [*options, "allow_silent=true", "cutter=none"])
    assert found.folder == Path(RESULTS_FOLDER, "talk")


def test_a_dot_within_a_name_changes_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_video(tmp_path / "a.b.mp4", frames=3)
    (tmp_path / "none.json").write_text("[]")
    options = ["detector=boxes", "detector.path=none.json", "scorer=lip_motion", "writers=[json]"]
    found = asdkit.run("a.b.mp4", [*options, "allow_silent=true", "cutter=none"])
    assert found.folder == Path(RESULTS_FOLDER, "a.b")


def test_tracks_without_names_are_told_apart(tmp_path):
    two = result(None, None)
    renamed = replace(two, tracks=(two.tracks[0], replace(two.tracks[1], identity="track_0 ")))
    assert speakers(write("rttm", renamed, tmp_path)) == ["track_0", "track_0_"]


def test_no_name_in_the_table_of_an_evaluation_is_a_formula(tmp_path):
    one = np.ones(1)
    judged = Judged(
        person=np.array(["@SUM(A1)"]),
        time_s=one,
        truth=one > 0,
        logits=np.zeros((1, 2)),
        decided=one > 0,
        found=one > 0,
        face_px=one,
        on_screen=one,
    )
    write_frames(tmp_path / "frames.csv", {"=1+1": judged, "NA": judged})
    table = pandas.read_csv(tmp_path / "frames.csv")
    assert table["video"].tolist() == ["_=1+1", "NA_"]
    assert table["person"].tolist() == ["_@SUM(A1)"] * 2


def test_a_folder_with_litter_alone_is_free_for_an_evaluation(tmp_path):
    (tmp_path / ".DS_Store").touch()
    evaluate._check_free(tmp_path, overwrite=False)
    (tmp_path / "notes.txt").touch()
    with pytest.raises(OutputError, match=r"notes\.txt"):
        evaluate._check_free(tmp_path, overwrite=True)


@pytest.mark.parametrize("name", ["nan.jpg", "inf.jpg", "-inf.jpg", "one.jpg"])
def test_crops_that_are_not_named_by_a_time_are_refused(tmp_path, name):
    portrait(tmp_path / name)
    with pytest.raises(InputError, match="is not named by its time"):
        FaceCrops(tmp_path, tmp_path / "s.wav", 0.0).picture_near(0.0)


def test_litter_among_crops_is_passed_over(tmp_path):
    portrait(tmp_path / "1.00.jpg")
    (tmp_path / "._1.00.jpg").write_bytes(b"\0\5\26\7")
    assert FaceCrops(tmp_path, tmp_path / "s.wav", 0.0).picture_near(0.0).shape == (32, 32, 3)
