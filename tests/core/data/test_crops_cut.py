"""`asd data crops`: training data in AVA's form, cut out of labelled videos."""

from __future__ import annotations

import csv
import json
import os
import shutil
from pathlib import Path

import by_hand
import cv2
import numpy as np
import pytest
from judging import make
from labelling import BOXES, result, rows, speaks, talk, write_truth
from scipy.io import wavfile
from synth import write_video

from asdkit.core.data import crops as making
from asdkit.core.errors import InputError
from asdkit.core.files import claim
from asdkit.core.media.probe import Sound, frames, probe

DATASET = ["dataset=ava", "dataset.truth=truth.csv", "dataset.videos=videos"]
ID = "talk_______"


@pytest.fixture
def talks(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("videos").mkdir()
    talk(Path("videos/talk.mkv"), 1)
    talk(Path("videos/news.mkv"), 2)
    write_truth("truth.csv", *rows("talk"), *rows("news", faces=["bob"]))


def table(path):
    with Path(path).open(newline="") as file:
        return list(csv.reader(file))


def labels(path="out/labels.csv"):
    """(video, time, label, entity) of each row."""
    return [(row[0], row[1], row[6], row[7]) for row in table(path)[1:]]


@pytest.mark.usefixtures("talks")
def test_labels_come_back_through_the_crops(asd):
    code, out, _ = asd("data", "crops", *DATASET, "output=out")
    assert code == 0
    assert "The crops that are missing need about 0.00 GB" in out
    assert "out: videos 2, of them new 2, faces 3, labels 120" in out
    expected = {
        (ID, f"{k / 25:.2f}", "SPEAKING_AUDIBLE" if speaks(face, k) else "NOT_SPEAKING", face)
        for k in range(5, 45)
        for face in ("ann", "bob")
    }
    got = {(v, t, label, e.removeprefix(f"{ID}_")) for v, t, label, e in labels() if v == ID}
    assert got == expected
    again = make("ava", truth="out/labels.csv", crops="out").videos()
    assert [video.name for video in again] == ["news_______", ID]
    assert [len(face.boxes) for face in again[1].faces] == [40, 40]
    for face in again[1].faces:
        assert sum(map(len, face.clips())) == 40
    # The size of the video follows from the crops, so the boxes are those of its pixels.
    assert np.allclose(again[1].faces[0].boxes[0], [12, 16, 36, 48], atol=0.5)


@pytest.mark.usefixtures("talks")
def test_a_crop_is_the_box_of_its_frame_and_the_sound_is_the_videos(asd):
    asd("data", "crops", *DATASET, "output=out")
    media = probe(Path("videos/talk.mkv"))
    shown = [frame.picture.rgb() for frame in frames(media)]
    folder = Path(f"out/clips_videos/train/{ID}/{ID}_bob")
    assert len(list(folder.iterdir())) == 40
    for frame in (5, 20, 44):
        crop = cv2.imread(str(folder / f"{frame / 25:.2f}.jpg"))
        box = np.ascontiguousarray(shown[frame][16:48, 48:72, ::-1])
        expected = cv2.imdecode(cv2.imencode(".jpg", box)[1], cv2.IMREAD_COLOR)
        assert np.array_equal(crop, expected)
    rate, samples = wavfile.read(f"out/clips_audios/train/{ID}/{ID}_bob.wav")
    with Sound(media) as sound:
        expected_sound = sound.read(round(5 / 25 * 16000), round(44 / 25 * 16000))
    assert rate == 16000
    assert np.array_equal(samples, expected_sound)


@pytest.mark.usefixtures("talks")
def test_times_are_on_the_clock_of_the_file(asd):
    talk(Path("videos/late.mkv"), 1, starts_s=0.4)
    write_truth("truth.csv", *rows("late", faces=["ann"], frames=range(20, 50)))
    assert asd("data", "crops", *DATASET, "output=out")[0] == 0
    times = [f"{k / 25:.2f}" for k in range(20, 50)]
    assert [time for _, time, *_ in labels()] == times
    folder = Path("out/clips_videos/train/late_______/late________ann")
    assert sorted(path.stem for path in folder.iterdir()) == times
    shown = [frame.picture.rgb() for frame in frames(probe(Path("videos/late.mkv")))]
    box = np.ascontiguousarray(shown[10][16:48, 12:36, ::-1])
    expected = cv2.imdecode(cv2.imencode(".jpg", box)[1], cv2.IMREAD_COLOR)
    assert np.array_equal(cv2.imread(str(folder / "0.80.jpg")), expected)


@pytest.mark.usefixtures("talks")
def test_labels_at_another_rate_have_a_crop_each(asd):
    talk(Path("videos/talk.mkv"), 1, fps=30)
    write_truth("truth.csv", *rows("talk", faces=["ann"], fps=30.0))
    assert asd("data", "crops", *DATASET, "output=out")[0] == 0
    times = [f"{k / 30:.2f}" for k in range(5, 45)]
    assert [time for _, time, *_ in labels()] == times
    line = Path("out/csv/train_loader.csv").read_text().split("\t")
    assert (line[1], float(line[2])) == ("40", pytest.approx(30, abs=0.1))
    words = ["dataset=ava", "dataset.truth=out/labels.csv", "dataset.crops=out"]
    assert asd("data", "check", *words)[0] == 0


@pytest.mark.usefixtures("talks")
def test_the_published_lists_are_in_one_order(asd):
    asd("data", "crops", *DATASET, "output=out")
    orig = table("out/csv/train_orig.csv")
    assert orig[0][-3:] == ["entity_id", "label_id", "instance_id"]
    loader = [line.split("\t") for line in Path("out/csv/train_loader.csv").read_text().split("\n")]
    from_loader = []
    for entity, count, fps, marks, _ in loader[:-1]:
        said = [int(mark) for mark in marks.strip("[]").split(",")]
        assert (len(said), float(fps)) == (int(count), 25)
        # Published loaders find the folder of a video by so many letters of the face's name.
        assert len(list(Path("out/clips_videos/train", entity[:11], entity).iterdir())) == len(said)
        assert Path("out/clips_audios/train", entity[:11], f"{entity}.wav").exists()
        from_loader += [(entity, str(mark)) for mark in said]
    assert from_loader == [(row[7], row[8]) for row in orig[1:]]
    assert [row[9] for row in orig[1:] if row[7] == f"{ID}_ann"][4:6] == [
        f"{ID}_ann:0",
        f"{ID}_ann:1",
    ]


@pytest.mark.usefixtures("talks")
def test_it_goes_on_where_it_stopped(asd, monkeypatch):
    cut = making.cut
    calls = []

    def stopped(media, *rest):
        calls.append(media.info.path.stem)
        if len(calls) == 2:
            raise KeyboardInterrupt
        cut(media, *rest)

    monkeypatch.setattr(making, "cut", stopped)
    code, _, err = asd("data", "crops", *DATASET, "output=out")
    assert code == 130
    assert "The same command goes on with what is left" in err
    assert [path.name for path in Path("out/clips_videos/train").iterdir()] == ["news_______"]
    assert not Path("out/labels.csv").exists()
    code, out, _ = asd("data", "crops", *DATASET, "output=out")
    assert (code, calls) == (0, ["news", "talk", "talk"])
    assert "faces 3" in out
    write_truth("truth.csv", *rows("talk", frames=range(5, 30)), *rows("news", faces=["bob"]))
    asd("data", "crops", *DATASET, "output=out")
    assert calls == ["news", "talk", "talk", "talk"]
    assert len(list(Path(f"out/clips_videos/train/{ID}/{ID}_bob").iterdir())) == 25
    assert len(labels()) == 90


@pytest.mark.usefixtures("talks")
def test_a_video_that_was_changed_and_crops_that_are_gone_are_cut_again(asd):
    asd("data", "crops", *DATASET, "output=out")
    assert "of them new 0" in asd("data", "crops", *DATASET, "output=out")[1]
    pictures = Path("out/clips_videos/train", ID)
    crop = pictures / f"{ID}_ann" / "0.40.jpg"
    before = crop.read_bytes()
    written = Path("out/labels/train", f"{ID}.csv").stat().st_mtime
    talk(Path("videos/talk.mkv"), 3)  # with the same labels
    os.utime("videos/talk.mkv", (written + 9, written + 9))
    assert "of them new 1" in asd("data", "crops", *DATASET, "output=out")[1]
    assert crop.read_bytes() != before
    os.utime("videos/talk.mkv", (written, written))
    shutil.rmtree(pictures)
    assert "of them new 1" in asd("data", "crops", *DATASET, "output=out")[1]
    assert crop.exists()


@pytest.mark.usefixtures("talks")
def test_a_video_that_cannot_be_used_leaves_the_others(asd):
    write_video(Path("videos/mute.mkv"), frames=50)
    write_truth("truth.csv", *rows("mute"), *rows("news"))
    code, out, err = asd("data", "crops", *DATASET, "output=out")
    assert code == 2
    assert "mute: videos/mute.mkv has no sound. Leave the video out" in out
    said = "1 of 2 videos could not be used, the first mute: videos/mute.mkv has no sound. "
    assert f"{said}Leave the video out. The others are in out" in err
    assert {row[0] for row in labels()} == {"news_______"}
    assert not Path("out/clips_videos/train/mute_______").exists()


@pytest.mark.usefixtures("talks")
def test_a_box_without_a_pixel_is_told(asd):
    line = "talk,1.00,0.5,0.5,0.501,0.6,NOT_SPEAKING,cat"
    write_truth("truth.csv", *rows("talk"), line)
    code, out, _ = asd("data", "crops", *DATASET, "output=out")
    assert code == 2
    assert "The box of cat at 1.00 s of videos/talk.mkv covers no pixel of its picture" in out


@pytest.mark.usefixtures("talks")
def test_whole_videos_are_for_validation(asd):
    _, out, _ = asd("data", "crops", *DATASET, "output=out", "validation_part=0.5")
    parts = {row[1]: row[3] for row in table("out/videos.csv")[1:]}
    assert sorted(parts.values()) == ["train", "val"]
    for part in ("train", "val"):
        (name,) = (name for name, its in parts.items() if its == part)
        folders = [path.name for path in Path("out/clips_videos", part).iterdir()]
        assert folders == [name.ljust(11, "_")]
        assert {row[0] for row in table(f"out/csv/{part}_orig.csv")[1:]} == set(folders)
    assert len({row[0] for row in labels()}) == 2
    told = out.splitlines()[-1].removeprefix("Train with: ")
    words = dict(word.split("=") for word in told.split())
    for kind, part in (("dataset", "train"), ("validation", "val")):
        assert words[kind] == "ava"
        read = make("ava", **{key: words[f"{kind}.{key}"] for key in ("truth", "crops")}).videos()
        assert [video.name for video in read] == [table(f"out/csv/{part}_orig.csv")[1][0]]


@pytest.mark.usefixtures("talks")
def test_a_folder_of_other_things_is_left_alone(refused, asd):
    Path("own").mkdir()
    Path("own/labels.csv").write_text("mine")
    words = ["data", "crops", *DATASET]
    assert "own holds something other than crops" in refused(*words, "output=own")
    asd(*words, "output=out")
    said = refused(*words, "output=out", "validation_part=0.5")
    assert "out holds crops made with other options" in said


@pytest.mark.usefixtures("talks")
def test_what_a_killed_process_left_is_removed(asd):
    asd("data", "crops", *DATASET, "output=out")
    left = Path("out/clips_videos/train/.talk_______.x1y2", "new")
    left.mkdir(parents=True)
    assert asd("data", "crops", *DATASET, "output=out")[0] == 0
    assert not left.parent.exists()


@pytest.mark.usefixtures("talks")
def test_two_processes_do_not_write_to_one_folder(asd):
    asd("data", "crops", *DATASET, "output=out")
    lock = claim(Path("out/.crops.lock"))
    assert lock is not None
    with lock:
        code, _, err = asd("data", "crops", *DATASET, "output=out")
    assert code == 2
    assert "Another process writes to out. Wait until it has ended" in err


@pytest.mark.usefixtures("talks")
def test_too_little_room_is_told_before_anything_is_cut(asd, monkeypatch):
    room = shutil.disk_usage(".")._replace(free=(1 << 20) + 1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: room)
    code, _, err = asd("data", "crops", *DATASET, "output=out")
    assert code == 2
    assert "The crops need about 0.0 GB, but 0.0 GB are free" in err
    assert not Path("out/clips_videos").exists()


@pytest.mark.usefixtures("talks")
def test_two_videos_of_one_published_name_are_told(refused):
    shutil.copy("videos/news.mkv", "videos/news_.mkv")
    write_truth("truth.csv", *rows("news"), *rows("news_"))
    said = refused("data", "crops", *DATASET, "output=out")
    assert "news and news_ would both be called news_______" in said


@pytest.mark.usefixtures("talks")
def test_labels_of_columbia_are_cut(asd):
    Path("people").mkdir()
    lines = [f"{k}\t12\t16\t24\t{int(k >= 20)}\n" for k in range(10, 40)]
    Path("people/ann.txt").write_text("".join(lines))
    words = ["dataset=columbia", "dataset.labels=people", "dataset.label_fps=25"]
    asd("data", "crops", *words, "dataset.video=videos/talk.mkv", "output=out")
    assert labels() == [
        (ID, f"{k / 25:.2f}", "SPEAKING_AUDIBLE" if k >= 20 else "NOT_SPEAKING", f"{ID}_ann")
        for k in range(10, 40)
    ]
    crop = cv2.imread(f"out/clips_videos/train/{ID}/{ID}_ann/0.40.jpg")
    assert crop.shape == (24, 24, 3)


STRANGER = """
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

import asdkit
from asdkit.plugin import Label, LabelledFace, LabelledVideo, Measure, judge_matches


@dataclass(frozen=True)
class OwnConfig:
    folder: str = "???"


class Own:
    measure = Measure("f1")

    def __init__(self, folder):
        self._folder = folder

    def videos(self):
        face = LabelledFace(5, np.tile([12.0, 16, 36, 48], (10, 1)))
        return [
            LabelledVideo(path.stem, path, judge, (face,))
            for path in sorted(self._folder.glob("*.mkv"))
        ]


def judge(found):
    (track,) = found.tracks
    labels = [Label("zoe", frame / 25, frame % 2 == 0) for frame in track.frames]
    return judge_matches(labels, [(track, k) for k in range(len(track))], found.tracks)


@asdkit.hookimpl
def asdkit_components():
    build = lambda config, context: Own(Path(config.folder))
    return [asdkit.Component("dataset", "own", OwnConfig, build)]
"""


@pytest.mark.usefixtures("talks")
def test_labels_of_a_strangers_dataset_are_cut(asd):
    Path("own.py").write_text(STRANGER)
    words = ["plugins=[own.py]", "dataset=own", "dataset.folder=videos", "output=out"]
    code, _, err = asd("data", "crops", *words)
    assert code == 0, err
    assert [row[1:] for row in labels() if row[0] == ID] == [
        (f"{k / 25:.2f}", "NOT_SPEAKING" if k % 2 else "SPEAKING_AUDIBLE", f"{ID}_zoe")
        for k in range(5, 15)
    ]


@pytest.fixture
def results(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    talk(Path("talk.mkv"), 1)
    result("asd_results/talk", "talk.mkv")


def speaking(face):
    return [float(time) for _, time, label, who in labels() if (label[0], who) == ("S", face)]


@pytest.mark.usefixtures("results")
def test_decisions_of_results_are_labels(asd):
    assert asd("data", "crops", "asd_results", "output=out")[0] == 0
    assert speaking(f"{ID}_track_0") == [k / 25 for k in range(10, 20)]
    assert speaking(f"{ID}_track_1") == []
    assert len(labels()) == 100


@pytest.mark.usefixtures("results")
def test_corrected_names_and_turns_are_labels(asd):
    names = {"schema": "asdkit.names/1", "names": {"track_1": "Bob Lee"}}
    Path("names.json").write_text(json.dumps(names))
    lines = [("0.40", "0.20", "track_0"), ("1.00", "0.40", "Bob_Lee"), ("1.5", "0.1", "off_screen")]
    Path("turns.rttm").write_text(
        "".join(f"SPEAKER talk 1 {a} {b} <NA> <NA> {who} <NA> <NA>\n" for a, b, who in lines)
    )
    words = ["data", "crops", "asd_results/talk/result.json", "output=out"]
    asd(*words)
    code, out, _ = asd(*words, "names=names.json", "turns=turns.rttm")
    assert (code, "of them new 1" in out) == (0, True)
    assert speaking(f"{ID}_track_0") == [k / 25 for k in range(10, 15)]
    assert speaking(f"{ID}_Bob_Lee") == [k / 25 for k in range(25, 35)]
    assert sorted(p.name for p in Path(f"out/clips_videos/train/{ID}").iterdir()) == [
        f"{ID}_Bob_Lee",
        f"{ID}_track_0",
    ]


@pytest.mark.usefixtures("results")
def test_turns_of_somebody_else_are_told(asd):
    Path("turns.rttm").write_text("SPEAKER talk 1 0 1 <NA> <NA> carl <NA> <NA>\n")
    code, out, _ = asd("data", "crops", "asd_results", "turns=turns.rttm", "output=out")
    assert code == 2
    assert "turns.rttm has turns of carl, whom nobody sees in talk" in out
    Path("turns.rttm").write_text("SPEAKER walk 1 0 1 <NA> <NA> carl <NA> <NA>\n")
    _, out, _ = asd("data", "crops", "asd_results", "turns=turns.rttm", "output=out")
    assert "turns.rttm says nothing of the video talk, but of walk" in out
    Path("turns").mkdir()
    Path("turns.rttm").rename("turns/walk.rttm")
    code, _, err = asd("data", "crops", "asd_results", "turns=turns", "output=out")
    assert code == 2
    assert "The folder turns has a file for none of the" in err


@pytest.mark.usefixtures("results")
def test_names_of_several_results_come_from_a_folder(asd, refused):
    result("asd_results/news", "talk.mkv")
    Path("names").mkdir()
    names = {"schema": "asdkit.names/1", "names": {"track_1": "Bob"}}
    Path("names/news.json").write_text(json.dumps(names))
    said = refused("data", "crops", "asd_results", "names=names/news.json")
    assert "names=names/news.json is one file, but there are 2 results" in said
    asd("data", "crops", "asd_results", "names=names", "output=out")
    assert {row[3] for row in labels()} == {
        *("news_______" + one for one in ("_Bob", "_track_0")),
        *(ID + one for one in ("_track_0", "_track_1")),
    }


@pytest.mark.usefixtures("results")
def test_results_without_a_face_do_not_disturb(asd):
    Path("asd_results/empty").mkdir()
    video = talk(Path("empty.mkv"), 2).absolute()
    by_hand.result(path=video, duration_s=2.0).save("asd_results/empty")
    code, out, _ = asd("data", "crops", "asd_results", "output=out")
    assert (code, "empty: 0 faces, 0 labels" in out) == (0, True)
    assert {row[0] for row in labels()} == {ID}
    assert asd("data", "check", "asd_results")[0] == 0


@pytest.mark.usefixtures("results")
def test_labels_of_regions_are_put_to_faces_of_results(asd, refused):
    """The dataset `dialogue` has regions but no faces: those of a result get its labels."""
    Path("dialogue").mkdir()
    shutil.copy("talk.mkv", "dialogue/talk.mkv")
    truth = {"shots": [[0, 50]], "regions": {"left": [0, 0, 48, 64], "right": [48, 0, 96, 64]}}
    truth["speaking"] = {"left": [0] * 25 + [1] * 25, "right": [1] * 5 + [0] * 45}
    Path("dialogue/talk.json").write_text(json.dumps(truth))
    words = ["data", "crops", "dataset=dialogue", "dataset.folder=dialogue", "output=out"]
    assert "does not say where faces are. Find them with asd batch" in refused(*words)
    assert asd(*words, "results=asd_results")[0] == 0
    assert speaking(f"{ID}_left") == [k / 25 for k in range(25, 50)]
    assert speaking(f"{ID}_right") == [k / 25 for k in range(5)]


@pytest.mark.usefixtures("results")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["data"], "data needs to know what to do, one of crops, check"),
        (["data", "chek"], "data does not know 'chek'"),
        (["data", "crops"], "got neither a dataset nor results"),
        (["data", "crops", "nowhere"], "nowhere is no result.json, and no folder that holds one"),
        (["data", "crops", "results="], "results must name files or folders"),
        (["data", "crops", "asd_results", "names="], "names names no file"),
        (["data", "crops", "asd_results", "validation_part=1"], "must be from 0 to below 1"),
        (
            ["data", "crops", "asd_results", "validation_part=0.5"],
            "leaves no video for training",
        ),
        (
            ["data", "crops", *DATASET, "turns=turns.rttm"],
            "names and turns correct results, but the labels here are a dataset's",
        ),
    ],
)
def test_what_is_wrong_is_told(refused, words, said):
    assert said in refused(*words)


def test_a_judge_that_hides_which_face_it_matched_is_told(tmp_path):
    from dataclasses import replace

    from asdkit.core.data.labelled import labels_of

    talk(tmp_path / "talk.mkv", 1)
    write_truth(str(tmp_path / "truth.csv"), *rows("talk"))
    (video,) = make("ava", truth=tmp_path / "truth.csv", videos=tmp_path).videos()
    judge = video.judge

    def hiding(found):
        judged = judge(found)
        return replace(judged, logits=judged.logits + 0.5)

    info = probe(tmp_path / "talk.mkv").info
    assert [face.person for face in labels_of(video, info).faces] == list(BOXES)
    with pytest.raises(InputError, match="does not hand on the scores of the faces"):
        labels_of(replace(video, judge=hiding), info)
