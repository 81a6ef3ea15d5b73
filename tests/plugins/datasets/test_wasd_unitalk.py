"""WASD and UniTalk: AVA rows and crops in the published folder, and categories from its lists."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from by_hand import result, track
from judging import make, rows
from scipy.io import wavfile
from synth import write_video

from asdkit import testing
from asdkit.core.errors import InputError

COLUMNS = (
    "video_id,frame_timestamp,entity_box_x1,entity_box_y1,entity_box_x2,entity_box_y2,label,"
    "entity_id,label_id,instance_id\n"
)
DIVISION = """\
# Interview
abc-_1
# Debate
both

# React
both
xyz
"""


def published(
    folder: Path, *names: str, split: str = "val", fps: float = 25, crops: bool = True
) -> Path:
    """The published layout, ten columns: in each video one face, 5 labels from 1 s on, 3 speak."""
    lines = []
    for video in names:
        pictures = folder / "clips_videos" / split / video / f"{video}:0"
        sounds = folder / "clips_audios" / split / video
        for k in range(5):
            at_s = 1 + k / fps
            label = "SPEAKING_AUDIBLE" if k < 3 else "NOT_SPEAKING"
            where = "0.125,0.25,0.375,0.75"
            lines.append(
                f"{video},{at_s:.2f},{where},{label},{video}:0,{int(k < 3)},{video}:0:{k // 3}\n"
            )
            if crops:
                pictures.mkdir(parents=True, exist_ok=True)
                cv2.imwrite(str(pictures / f"{at_s:.2f}.jpg"), np.full((32, 24, 3), 9, np.uint8))
        if crops:
            sounds.mkdir(parents=True, exist_ok=True)
            wavfile.write(sounds / f"{video}:0.wav", 16_000, np.zeros(16_000, np.int16))
    (folder / "csv").mkdir(parents=True, exist_ok=True)
    (folder / "csv" / f"{split}_orig.csv").write_text(COLUMNS + "".join(lines))
    return folder


def division(folder: Path, text: str = DIVISION) -> Path:
    path = folder / "dataset_division.txt"
    path.write_text(text)
    return path


def sub_categories(folder: Path, **lists: str) -> Path:
    where = folder / "sub_categories"
    where.mkdir()
    for name, text in lists.items():
        (where / f"{name}.csv").write_text(text)
    return where


@pytest.mark.parametrize("name", ["wasd", "unitalk"])
@pytest.mark.parametrize("split", ["train", "val"])
def test_the_published_folder_gives_faces_and_labels(tmp_path, name, split):
    published(tmp_path, "one", split=split)
    dataset = make(name, folder=tmp_path, split=split)
    (video,) = testing.check_dataset(dataset)
    assert (video.name, video.path, video.categories) == ("one", None, ())
    assert dataset.measure.name == "average_precision"
    (face,) = video.faces
    assert (face.first_frame, len(face.boxes)) == (25, 5)
    np.testing.assert_allclose(face.boxes[0], [12, 16, 36, 48])
    (clip,) = face.clips()
    assert clip.faces.shape == (5, 112, 112)
    judged = video.judge(result(track(0, 25, face.boxes, 1.0)))
    assert [row[:3] for row in rows(judged)] == [
        ("one:0", time_s, speaks)
        for time_s, speaks in zip(
            (1, 1.04, 1.08, 1.12, 1.16), [True] * 3 + [False] * 2, strict=True
        )
    ]
    assert judged.found.all()


@pytest.mark.parametrize("name", ["wasd", "unitalk"])
def test_the_protocol_of_ava_has_a_row_for_each_label(tmp_path, name):
    published(tmp_path, "one", fps=10)
    lists = {"wasd": division, "unitalk": lambda at: sub_categories(at, test_OC="one")}[name]
    path = lists(tmp_path)
    if name == "wasd":
        path.write_text("# OC\none\n")
    dataset = make(name, folder=tmp_path, categories=path)
    (video,) = dataset.videos()
    assert (dataset.protocol, video.categories) == ("ava", ("OC",))
    assert video.published.rows.entity_id.tolist() == ["one:0"] * 5
    (face,) = video.published.faces
    (clip,) = face.clips()
    assert (len(clip), clip.fps) == (5, 10)
    judged = video.published.judge(result(track(0, 25, face.boxes, range(5))))
    assert judged.truth.tolist() == [True] * 3 + [False] * 2
    assert judged.logits[:, 1].tolist() == [0, 1, 2, 3, 4]


def test_wasd_at_ten_frames_a_second_is_one_track(tmp_path):
    published(tmp_path, "one_0-30", fps=10)
    (video,) = make("wasd", folder=tmp_path).videos()
    (face,) = video.faces
    assert (face.first_frame, len(face.boxes)) == (25, 11)


@pytest.mark.parametrize("name", ["wasd", "unitalk"])
def test_videos_instead_of_crops(tmp_path, name):
    published(tmp_path, "one", crops=False)
    write_video(tmp_path / "one.mkv", frames=50)
    (video,) = make(name, folder=tmp_path, videos=tmp_path).videos()
    assert video.path == tmp_path / "one.mkv"
    assert video.faces[0].first_frame == 25


@pytest.mark.parametrize("name", ["wasd", "unitalk"])
def test_predictions_are_judged_as_they_are(tmp_path, name):
    published(tmp_path, "one", crops=False)
    lines = (tmp_path / "csv/val_orig.csv").read_text().splitlines()[1:]
    told = [[*line.split(",")[:6], "SPEAKING_AUDIBLE", "one:0", "0.75"] for line in lines]
    header = COLUMNS.partition(",label_id")[0] + ",score\n"
    path = tmp_path / "val_res.csv"
    path.write_text(header + "".join(",".join(line) + "\n" for line in told))
    dataset = make(name, folder=tmp_path, predictions=path)
    assert dataset.videos() == []
    assert list(dataset.predicted) == ["one"]
    assert dataset.predicted["one"].truth.tolist() == [True] * 3 + [False] * 2
    np.testing.assert_allclose(dataset.predicted["one"].probability, 0.75)


@pytest.mark.parametrize("name", ["wasd", "unitalk"])
def test_a_folder_without_the_split(tmp_path, name):
    published(tmp_path, "one", split="train", crops=False)
    with pytest.raises(InputError, match=r"has no csv/val_orig\.csv") as caught:
        make(name, folder=tmp_path)
    assert (
        "csv/train_orig.csv, csv/val_orig.csv, clips_videos and clips_audios" in caught.value.hint
    )
    with pytest.raises(InputError, match="clips_videos has nothing of the video one"):
        make(name, folder=tmp_path, split="train").videos()


@pytest.mark.parametrize("name", ["wasd", "unitalk"])
def test_options_that_do_not_go_together(tmp_path, name):
    with pytest.raises(ValueError, match="split must be train or val, got 'test'"):
        make(name, folder=tmp_path, split="test")
    with pytest.raises(ValueError, match="only one of videos and predictions"):
        make(name, folder=tmp_path, videos=tmp_path, predictions=tmp_path)
    with pytest.raises(ValueError, match="categories are of videos, not of predictions"):
        make(name, folder=tmp_path, categories=tmp_path, predictions=tmp_path)


def test_wasd_pieces_are_in_the_categories_of_their_video(tmp_path):
    """As in WASD_evaluation.py: a piece belongs where a part of its name is listed."""
    published(tmp_path, "abc-_1_0-30", "abc-_1_30-60", "both_0-30", "more_0-30", "xyz_90-120")
    dataset = make("wasd", folder=tmp_path, categories=division(tmp_path))
    assert {video.name: video.categories for video in testing.check_dataset(dataset)} == {
        "abc-_1_0-30": ("OC",),
        "abc-_1_30-60": ("OC",),
        "both_0-30": ("SI", "HVN"),
        "more_0-30": (),
        "xyz_90-120": ("HVN",),
    }


def test_wasd_headings_may_be_the_names_of_the_paper(tmp_path):
    published(tmp_path, *"abcde")
    text = "# OC\na\n# SI\nb\n# FO\nc\n#HVN\nd\n# SS\ne\n"
    of_paper = make("wasd", folder=tmp_path, categories=division(tmp_path, text)).videos()
    assert [video.categories for video in of_paper] == [
        ("OC",), ("SI",), ("FO",), ("HVN",), ("SS",)
    ]  # fmt: skip
    as_published = text
    for heading, name in [("Interview", "OC"), ("Debate", "SI"), ("Podcast", "FO")]:
        as_published = as_published.replace(name, heading)
    as_published = as_published.replace("HVN", "React").replace("SS", "Police")
    again = make("wasd", folder=tmp_path, categories=division(tmp_path, as_published)).videos()
    assert [video.categories for video in again] == [video.categories for video in of_paper]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("abc\n# OC\n", r"dataset_division\.txt:1 holds 'abc', which is under no known category"),
        ("# OC\na\n# Surveillance\nb\n", r":3 holds '# Surveillance'"),
    ],
)
def test_wasd_lists_that_are_wrong(tmp_path, text, message):
    published(tmp_path, "a")
    with pytest.raises(InputError, match=message) as caught:
        make("wasd", folder=tmp_path, categories=division(tmp_path, text)).videos()
    assert "# Interview, # Debate" in caught.value.hint
    assert "# OC, # SI" in caught.value.hint


def test_unitalk_lists_name_the_videos_of_a_category(tmp_path):
    published(tmp_path, "abc", "abcd", "efg")
    lists = sub_categories(tmp_path, test_noise="abc\nefg", test_mixed="efg\n\n", other="abcd\n")
    dataset = make("unitalk", folder=tmp_path, categories=lists)
    assert {video.name: video.categories for video in testing.check_dataset(dataset)} == {
        "abc": ("noise",),
        "abcd": (),
        "efg": ("mixed", "noise"),
    }


def test_unitalk_folders_without_lists(tmp_path):
    published(tmp_path, "abc")
    with pytest.raises(InputError, match=r"holds no categories \(\*\.csv\)"):
        make("unitalk", folder=tmp_path, categories=tmp_path).videos()
    with pytest.raises(InputError, match=r"holds no test_CATEGORY\.csv") as caught:
        make("unitalk", folder=tmp_path, categories=tmp_path / "csv").videos()
    assert "sub_categories" in caught.value.hint


@pytest.mark.parametrize("name", ["wasd", "unitalk"])
def test_lists_of_other_videos(tmp_path, name):
    published(tmp_path, "one")
    lists = {
        "wasd": lambda: division(tmp_path),
        "unitalk": lambda: sub_categories(tmp_path, test_noise="abc"),
    }[name]()
    with pytest.raises(
        InputError, match=r"names none of the videos of .*val_orig\.csv, such as one"
    ):
        make(name, folder=tmp_path, categories=lists).videos()
