"""`asd data check`: what breaks trainings is found, with where it is and what to do."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from labelling import result, rows, speech, talk, write_truth
from synth import steady, write_video

DATASET = ["dataset=ava", "dataset.truth=truth.csv", "dataset.videos=videos"]
CROPS = ["dataset=ava", "dataset.truth=out/labels.csv", "dataset.crops=out"]


@pytest.fixture(autouse=True)
def talks(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("videos").mkdir()
    talk(Path("videos/talk.mkv"), 1)
    write_truth("truth.csv", *rows("talk"))


@pytest.fixture
def found(asd):
    """Checks, and returns (kind, video, face, time) of each problem, and all of the file."""

    def call(*words, wrong=True):
        code, out, err = asd("data", "check", *words, "output=check.json")
        assert code == wrong, out + err
        values = json.loads(Path("check.json").read_text())
        listed = [(p["kind"], p["video"], p["face"], p["time_s"]) for p in values["problems"]]
        for one in values["problems"]:
            assert f"{one['kind']}: " in out
            assert one["said"] in out
            assert one["remedy"] in out
        return listed, values

    return call


def test_good_data_have_no_problem(found, asd):
    listed, values = found(*DATASET, wrong=False)
    assert listed == []
    assert (values["videos"], values["faces"], values["labels"]) == (1, 2, 80)
    assert values["speaking"] == 40
    asd("data", "crops", *DATASET, "output=out")
    assert found(*CROPS, wrong=False)[0] == []


def test_quiet_prints_nothing_and_exits_all_the_same(asd):
    write_truth("truth.csv", *rows("talk", frames=[5]))
    assert asd("data", "check", *DATASET, "quiet=true") == (1, "", "")


def test_labels_at_another_rate_are_off_the_grid(found):
    lines = rows("talk", faces=["ann"], frames=range(5, 45), fps=24.0)
    write_truth("truth.csv", *lines, *rows("talk", faces=["bob"]))
    listed, values = found(*DATASET)
    assert [(kind, face) for kind, _, face, _ in listed] == [("off_grid", "ann")]
    assert "labels are up to 0.020 s from the nearest picture" in values["problems"][0]["said"]


def test_labels_at_the_rate_of_the_video_are_on_its_grid(found):
    talk(Path("videos/talk.mkv"), 1, fps=30)
    write_truth("truth.csv", *rows("talk", fps=30.0))
    assert found(*DATASET, wrong=False)[0] == []


def test_results_are_on_their_own_grid_whatever_the_rate_of_the_video(found):
    talk(Path("videos/talk.mkv"), 1, fps=30, frames=60)
    result("asd_results/talk", "videos/talk.mkv")
    assert found("asd_results", wrong=False)[0] == []
    lines = [*rows("talk", faces=["ann"]), *rows("talk", faces=["bob"], fps=24.0)]
    write_truth("truth.csv", *lines)  # a dataset's labels have the video's clock
    listed, _ = found(*DATASET)
    assert [(kind, face) for kind, _, face, _ in listed] == [
        ("off_grid", "ann"),
        ("off_grid", "bob"),
    ]
    listed, _ = found(*DATASET, "results=asd_results")
    assert [(kind, face) for kind, _, face, _ in listed] == [("off_grid", "bob")]


def test_five_labels_a_second_are_of_one_face(found):
    lines = rows("talk", faces=["ann"], frames=range(8), fps=5.0)
    write_truth("truth.csv", *lines)
    _, values = found("dataset=ava", "dataset.truth=truth.csv", "dataset.videos=videos")
    assert (values["faces"], values["labels"]) == (1, 8)


def test_labels_outside_the_picture_and_after_its_end_are_told(found):
    lines = [
        *rows("talk"),
        *(f"talk,{k / 25:.2f},0.9,0.2,1.3,0.6,NOT_SPEAKING,cat" for k in range(5, 20)),
        *(f"talk,{k / 25:.2f},0.0,0.0,0.2,0.2,NOT_SPEAKING,dog" for k in range(45, 56)),
    ]
    write_truth("truth.csv", *lines)
    listed, values = found(*DATASET)
    assert listed == [("outside", "talk", "cat", 0.2), ("outside", "talk", "dog", 2.08)]
    assert values["problems"][1]["said"].startswith("4 labels are outside the video, which lasts 2")


def test_boxes_without_size_and_without_a_pixel_are_told(found):
    lines = [
        *rows("talk"),
        *(f"talk,{k / 25:.2f},0.5,0.5,0.5,0.6,NOT_SPEAKING,cat" for k in range(5, 20)),
        *(f"talk,{k / 25:.2f},0.501,0.5,0.509,0.6,NOT_SPEAKING,dog" for k in range(5, 20)),
    ]
    write_truth("truth.csv", *lines)
    listed, _ = found(*DATASET)
    assert ("no_face", "talk", "cat", 0.2) in listed
    assert ("no_face", "talk", "dog", 0.2) in listed


def test_silence_is_told(found):
    write_video(Path("videos/mute.mkv"), frames=50)
    rest = np.zeros(88200 // 2, np.int16)
    talk(Path("videos/half.mkv"), 2, sounds=[(0.0, speech(2, 1.0)), (1.0, rest)])
    late = rows("half", faces=["ann"], frames=range(30, 45))
    write_truth("truth.csv", *rows("mute"), *late, *rows("half", faces=["bob"]))
    listed, _ = found(*DATASET)
    assert listed == [("silent", "half", "ann", 1.2), ("silent", "mute", "", None)]


def test_sound_that_ends_before_a_face_is_told(found, asd):
    talk(Path("videos/talk.mkv"), 1, sounds=[(0.0, speech(1, 1.2))])
    write_truth("truth.csv", *rows("talk"))
    listed, values = found(*DATASET)
    assert listed == [("short_sound", "talk", "ann", 0.2), ("short_sound", "talk", "bob", 0.2)]
    assert values["problems"][0]["said"] == "the sound ends 0.56 s before the face does"
    asd("data", "crops", *DATASET, "output=out")
    assert [kind for kind, *_ in found(*CROPS)[0]] == ["short_sound"] * 2


def test_pictures_of_nothing_and_still_ones_are_told(found):
    talk(Path("videos/still.mkv"), 2, image=steady)
    grey = lambda _, width, height: np.full((height, width, 3), 90, np.uint8)  # noqa: E731
    talk(Path("videos/grey.mkv"), 3, image=grey)
    write_truth("truth.csv", *rows("still", faces=["ann"]), *rows("grey", faces=["bob"]))
    listed, _ = found(*DATASET)
    assert listed == [("blank", "grey", "bob", 0.2), ("frozen", "still", "ann", 0.2)]


def test_one_frame_and_two_labels_of_one_face_are_told(found):
    later = range(10, 45)
    again = [line.replace(",ann", ",eve") for line in rows("talk", ["ann"], later)]
    write_truth("truth.csv", *rows("talk", frames=later), *again, rows("talk", frames=[1])[0])
    listed, _ = found(*DATASET)
    assert listed == [("one_frame", "talk", "ann", 0.04), ("twice", "talk", "eve", 0.4)]


def test_labels_of_one_kind_are_told(found):
    lines = [line.replace("NOT_SPEAKING", "SPEAKING_AUDIBLE") for line in rows("talk")]
    write_truth("truth.csv", *lines)
    listed, values = found(*DATASET)
    assert listed == [("one_class", "", "", None)]
    assert values["problems"][0]["said"] == "all 80 labels speak"


def test_a_file_twice_is_told_once(found):
    shutil.copy("videos/talk.mkv", "videos/copy.mkv")
    write_truth("truth.csv", *rows("talk"), *rows("copy"))
    listed, values = found(*DATASET)
    assert listed == [("same_video", "talk", "", None)]
    assert values["problems"][0]["said"] == "it is the same file as copy"


def test_a_copy_that_was_coded_again_is_told_between_two_sets(found, asd):
    found(*DATASET, wrong=False)
    Path("check.json").rename("train.json")
    talk(Path("videos/again.mp4"), 1)
    talk(Path("videos/news.mkv"), 2)
    write_truth("truth.csv", *rows("again"), *rows("news", faces=["bob"]))
    listed, values = found(*DATASET, "other=train.json")
    assert listed == [("same_face", "again", "ann", 0.2), ("same_face", "again", "bob", 0.2)]
    said = "it looks and sounds like ann at 0.20 s of talk of the other set"
    assert values["problems"][0]["said"] == said
    assert values["notes"] == ["2 names of people are in both sets: ann, bob"]


def test_crops_that_are_missing_or_broken_are_told(found, asd):
    asd("data", "crops", *DATASET, "output=out")
    ann, bob = (Path(f"out/clips_videos/train/talk_______/talk________{n}") for n in ("ann", "bob"))
    for frame in range(10, 25):
        (ann / f"{frame / 25:.2f}.jpg").unlink()
    (bob / "0.80.jpg").write_bytes(b"broken")
    listed, values = found(*CROPS)
    assert [(kind, face[-3:]) for kind, _, face, _ in listed] == [
        ("unreadable", "ann"),
        ("unreadable", "bob"),
    ]
    assert "holds no crop near" in values["problems"][0]["said"]
    assert "0.80.jpg cannot be read as a picture" in values["problems"][1]["said"]


def test_crops_of_another_size_and_labels_without_one_are_told(found, asd):
    asd("data", "crops", *DATASET, "output=out")
    ann, bob = (Path(f"out/clips_videos/train/talk_______/talk________{n}") for n in ("ann", "bob"))
    for frame in (20, 21):
        crop = cv2.imread(str(ann / f"{frame / 25:.2f}.jpg"))
        cv2.imwrite(str(ann / f"{frame / 25:.2f}.jpg"), crop[:20])
    (bob / "0.40.jpg").unlink()
    listed, values = found(*CROPS)
    assert listed == [
        ("wrong_size", "talk_______", "talk________ann", 0.8),
        ("no_crop", "talk_______", "talk________bob", 0.4),
    ]
    said = "2 crops have another size than their box, the first 24x20 for 24x32"
    assert values["problems"][0]["said"] == said
    for path in Path("out/clips_videos").rglob("*.jpg"):  # scaled on purpose
        cv2.imwrite(str(path), cv2.resize(cv2.imread(str(path)), (112, 112)))
    assert [kind for kind, *_ in found(*CROPS)[0]] == ["no_crop"]


def test_results_are_checked(found):
    result("asd_results/talk", "videos/talk.mkv")
    _, values = found("asd_results", wrong=False)
    assert (values["labels"], values["speaking"], values["people"]) == (
        100,
        10,
        ["track_0", "track_1"],
    )
    Path("videos/talk.mkv").unlink()
    assert found("asd_results")[0] == [("unreadable", "talk", "", None)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{}", "other.json is not a check of data"),
        (
            '{"schema": "asdkit.data_check/1", "digests": {}, "people": [], "prints": [{"video": '
            '"a", "face": "b", "first_s": 0, "labels": 20, "looks": "00", "level": [0]}]}',
            "other.json is not a check of data: a fingerprint has another length",
        ),
    ],
)
def test_another_file_than_a_check_is_told(refused, text, said):
    Path("other.json").write_text(text)
    assert said in refused("data", "check", *DATASET, "other=other.json")


def test_an_empty_name_is_told(refused):
    assert "other names no file" in refused("data", "check", *DATASET, "other=")
