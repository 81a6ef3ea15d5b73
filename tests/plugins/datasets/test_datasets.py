"""Each dataset: its files by hand, what it judges, and what it says of files that are wrong."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from checkout import DOCS
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.io import wavfile
from synth import write_video

from asdkit.core.boxes import iou, pairs
from asdkit.core.component import Component, Context
from asdkit.core.errors import InputError
from asdkit.core.evaluation.metrics import average_precision
from asdkit.core.matching import Label, judge_matches, match
from asdkit.core.types import CLIP_FRAMES, Result, Track, VideoInfo
from asdkit.plugins.datasets import asdkit_components
from asdkit.plugins.datasets.stretches import stretches

DATASETS: dict[str, Component] = {component.name: component for component in asdkit_components()}


def make(dataset: str, **parameters):
    component = DATASETS[dataset]
    values = {name: str(v) if isinstance(v, Path) else v for name, v in parameters.items()}
    return component.build(component.config(**values), Context())


def track(number: int, first: int, boxes, scores=0.0, speaking=()) -> Track:
    boxes = np.array(boxes, float).reshape(-1, 4)
    logits = np.zeros((len(boxes), 2), np.float32)
    logits[:, 1] = scores
    smoothed = np.zeros((len(boxes), 3))
    return Track(number, 0, first, boxes, smoothed, logits, speaking)


def result(*tracks: Track, duration_s: float = 10.0, size=(96, 64)) -> Result:
    info = VideoInfo(Path("clip.mp4"), duration_s, *size, 25.0, has_sound=True)
    return Result(info, ((0, round(duration_s * 25)),), tracks, {}, {})


def square(x: float, y: float, half: float = 5) -> list[float]:
    return [x - half, y - half, x + half, y + half]


def rows(judged) -> list[tuple]:
    """(person, time, speaks, score, decided, found) of each row."""
    columns = (judged.person, judged.time_s, judged.truth, judged.score, judged.decided)
    return list(zip(*(column.tolist() for column in (*columns, judged.found)), strict=True))


# Pairing


@given(
    arrays.arrays(
        np.float64, st.tuples(st.integers(0, 6), st.integers(0, 6)), elements=st.floats()
    ),
    st.floats(-1, 1),
)
def test_pairs_take_each_row_and_column_once_and_leave_no_closer_pair(closeness, least):
    found = pairs(closeness, least)
    assert len({row for row, _ in found}) == len({column for _, column in found}) == len(found)
    taken = [closeness[pair] for pair in found]
    assert taken == sorted(taken, reverse=True)
    assert all(value >= least for value in taken)
    for row, column in np.argwhere(closeness >= least):
        rivals = [closeness[pair] for pair in found if pair[0] == row or pair[1] == column]
        assert max(rivals) >= closeness[row, column]


box_sides = st.tuples(*[st.floats(0, 100) for _ in range(4)])


@given(st.lists(box_sides, min_size=1, max_size=4), st.lists(box_sides, min_size=1, max_size=4))
def test_overlap_is_symmetric_and_within_bounds(a, b):
    a, b = ([[x, y, x + w, y + h] for x, y, w, h in boxes] for boxes in (a, b))
    overlap = iou(np.array(a), np.array(b))
    assert overlap.shape == (len(a), len(b))
    assert ((overlap >= 0) & (overlap <= 1 + 1e-9)).all()
    np.testing.assert_allclose(overlap, iou(np.array(b), np.array(a)).T)


def test_overlap_by_hand():
    a = np.array([[0, 0, 10, 10.0]])
    # half of the width is shared: 50 of 150; nothing is; an empty box
    b = np.array([[5, 0, 15, 10], [20, 0, 30, 10], [3, 3, 3, 3.0]])
    np.testing.assert_allclose(iou(a, b), [[1 / 3, 0, 0]])


@given(
    st.lists(
        st.tuples(st.integers(0, 8), st.integers(0, 60), st.integers(0, 20), st.booleans()),
        max_size=30,
    ),
    st.lists(st.tuples(st.integers(0, 8), st.integers(0, 60)), max_size=6),
)
def test_a_face_found_is_that_of_one_label_at_most(labelled, found):
    labels = sorted(
        (Label(f"p{who}", frame / 25, speaks, square(x, 20)) for frame, x, who, speaks in labelled),
        key=lambda label: label.time_s,
    )
    tracks = [track(k, first, [square(x, 20)] * 3) for k, (first, x) in enumerate(found)]
    matched = match(labels, tracks, iou, 0.3)
    judged = judge_matches(labels, matched, tracks)
    assert len(judged) == len(labels)
    taken = [
        (label.time_s, face[0].id) for label, face in zip(labels, matched, strict=True) if face
    ]
    assert len(set(taken)) == len(taken) == judged.found.sum()
    assert judged.unlabelled == 3 * len(tracks) - len(taken)
    assert (judged.score[~judged.found] == -np.inf).all()


def test_labels_of_another_frame_rate_leave_no_frame_unlabelled():
    for fps in (23.976, 29.97, 50):
        labels = [Label("a", k / fps, False, square(20, 20)) for k in range(round(2 * fps))]
        tracks = [track(0, 0, [square(20, 20)] * 50)]
        judged = judge_matches(labels, match(labels, tracks, iou, 0.5), tracks)
        assert judged.found.all()
        assert judged.unlabelled == 0


def test_no_label_and_no_track_judge_nothing():
    judged = judge_matches([], [], [])
    assert len(judged) == 0
    assert judged.unlabelled == 0


@given(
    st.lists(st.floats(0, 20), min_size=1, max_size=30, unique=True),
    st.floats(0.05, 2),
)
def test_stretches_hold_every_label(times, max_gap_s):
    times = np.array(sorted(times))
    boxes = np.stack([times, times, times + 1, times + 2], 1)
    found = list(stretches(times, boxes, max_gap_s))
    assert len(found) == 1 + (np.diff(times) > max_gap_s).sum()
    covered = {first + k for first, on_grid in found for k in range(len(on_grid))}
    assert {math.ceil(time_s * 25 - 0.5) for time_s in times} <= covered
    for first, on_grid in found:
        on_time = np.arange(first, first + len(on_grid)) / 25
        # x1 is the time itself, but before the first and after the last label
        np.testing.assert_allclose(on_grid[:, 0], on_time, atol=0.02 + 1e-9)


def test_boxes_between_labels_are_interpolated():
    (found,) = stretches(np.array([0.0, 0.16]), np.array([[0, 0, 10, 10], [8, 4, 18, 14.0]]), 0.2)
    assert found[0] == 0
    np.testing.assert_allclose(found[1][2], [4, 2, 14, 12])
    assert len(found[1]) == 5


# dialogue


def dialogue(folder: Path, **changes) -> Path:
    """A video of 10 frames and its labels: two people in 6 frames, then a third in 4."""
    write_video(folder / "talk.mkv", frames=10)
    truth = {
        "fps": 25,
        "shots": [[0, 6], [6, 10]],
        "regions": {"left": [0, 0, 48, 64], "right": [48, 0, 96, 64], "solo": [0, 0, 96, 64]},
        "speaking": {
            "left": [0, 1, 1, 0, 0, 0, 0, 0, 0, 0],
            "right": [0, 0, 0, 0, 1, 1, 0, 0, 0, 0],
            "solo": [0, 0, 0, 0, 0, 0, 0, 1, 1, 1],
        },
    }
    truth.update(changes)
    text = json.dumps({key: value for key, value in truth.items() if value is not None})
    (folder / "talk.json").write_text(text)
    return folder


def test_dialogue_judges_tracks_by_region_and_shot(tmp_path):
    (video,) = make("dialogue", folder=dialogue(tmp_path)).videos()
    assert (video.name, video.path) == ("talk", tmp_path / "talk.mkv")
    judged = video.judge(
        result(
            track(0, 0, [square(20, 30)] * 6, [1, 2, 3, 4, 5, 6], speaking=((0.04, 0.12),)),
            track(1, 2, [square(70, 30, 8)] * 4, 7.0),
            # in the left half, but of the shot in which only "solo" speaks
            track(2, 6, [square(20, 30)] * 3, [8, 9, 10]),
            duration_s=0.4,
        )
    )
    silent = float("-inf")
    assert rows(judged) == [
        ("left", 0.0, False, 1, False, True),
        ("right", 0.0, False, silent, False, False),
        ("left", 0.04, True, 2, True, True),
        ("right", 0.04, False, silent, False, False),
        ("left", 0.08, True, 3, True, True),
        ("right", 0.08, False, 7, False, True),
        ("left", 0.12, False, 4, False, True),
        ("right", 0.12, False, 7, False, True),
        ("left", 0.16, False, 5, False, True),
        ("right", 0.16, True, 7, False, True),
        ("left", 0.2, False, 6, False, True),
        ("right", 0.2, True, 7, False, True),
        ("solo", 0.24, False, 8, False, True),
        ("solo", 0.28, True, 9, False, True),
        ("solo", 0.32, True, 10, False, True),
        ("solo", 0.36, True, silent, False, False),
    ]
    assert judged.on_screen.tolist() == [2] * 12 + [1] * 4
    assert judged.unlabelled == 0
    sizes = dict(zip(judged.person.tolist(), judged.face_px.tolist(), strict=True))
    assert sizes == pytest.approx({"left": 10, "right": 16, "solo": np.nan}, nan_ok=True)


def test_dialogue_counts_what_no_label_is_about(tmp_path):
    folder = dialogue(
        tmp_path, regions={name: [0, 0, 30, 64] for name in ("left", "right", "solo")}
    )
    (video,) = make("dialogue", folder=folder).videos()
    judged = video.judge(
        result(
            track(0, 0, [square(15, 30, 4)] * 5),  # not the largest in its region
            track(1, 0, [square(15, 30)] * 5),
            track(4, 0, [square(15, 30, 3)] * 5),  # nor this
            track(2, 0, [square(60, 30)] * 5),  # in no region
            track(3, 10, [square(15, 30)] * 5),  # after the labels
            duration_s=0.8,
        )
    )
    assert judged.unlabelled == 20
    assert judged.found.sum() == 5
    assert set(judged.face_px[judged.found]) == {10}


def test_a_track_over_two_shots_belongs_to_a_region_in_each(tmp_path):
    (video,) = make("dialogue", folder=dialogue(tmp_path)).videos()
    judged = video.judge(result(track(0, 4, [square(70, 30)] * 4), duration_s=0.4))
    found = [(row[0], row[2]) for row in rows(judged) if row[-1]]
    assert found == [("right", True), ("right", True), ("solo", False), ("solo", True)]


def test_a_silent_region_has_rows_only_where_a_face_is_found(tmp_path):
    nobody = {name: [0] * 10 for name in ("left", "right", "solo")}
    (video,) = make("dialogue", folder=dialogue(tmp_path, speaking=nobody)).videos()
    judged = video.judge(result(track(0, 1, [square(20, 30)] * 2, 3.0), duration_s=0.4))
    # of the regions that hold it, the smaller one
    assert rows(judged) == [("left", t, False, 3, False, True) for t in (0.04, 0.08)]


def test_dialogue_judges_the_shared_clips_as_their_truth_says(shared):
    """Tracks as long as the shots, in the middle of each region, give the truth back."""
    for video in make("dialogue", folder=shared("clips/dialogue.json").parent).videos():
        truth = json.loads(video.path.with_suffix(".json").read_text())
        tracks, expected = [], []
        for first, end in truth["shots"]:
            for name, (x1, y1, x2, y2) in truth["regions"].items():
                speaking = truth["speaking"][name][first:end]
                if any(speaking):
                    boxes = [square((x1 + x2) / 2 - 40, (y1 + y2) / 2)] * (end - first)
                    tracks.append(track(len(tracks), first, boxes, speaking))
                    expected += speaking
        judged = video.judge(result(*tracks, duration_s=truth["shots"][-1][1] / 25))
        assert judged.found.all()
        assert np.array_equal(judged.score > 0.5, judged.truth)
        assert judged.truth.sum() == sum(expected)
        assert len(judged) == len(expected)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"shots": None}, 'talk.json has no "shots"'),
        ({"regions": {}}, 'has no "regions"'),
        ({"speaking": [1]}, 'has no "speaking"'),
        ({"fps": 30}, "at 30 frames a second, not at 25"),
        ({"shots": [[0, 6], [7, 10]]}, r"has \[7, 10\] in \"shots\" where \[6, END\]"),
        ({"shots": [[0, 6.5]]}, r"has \[0, 6.5\]"),
        ({"shots": [7]}, 'has 7 in "shots"'),
        ({"regions": {"left": [0, 0, 9, 9]}}, '"right" in only one of'),
        (
            {"regions": {"left": [0, 0, 9], "right": [0, 0, 9, 9], "solo": [0, 0, 9, 9]}},
            r'has \[0, 0, 9\] as the region "left"',
        ),
        (
            {"regions": {"left": [0, 0, 9, 9], "right": [9, 0, 0, 9], "solo": [0, 0, 9, 9]}},
            r'has \[9, 0, 0, 9\] as the region "right"',
        ),
        ({"speaking": {"left": [0] * 10, "right": [0] * 9, "solo": [0] * 10}}, '10 of 0 .*"right"'),
        ({"speaking": {"left": [0] * 10, "right": [2] * 10, "solo": [0] * 10}}, 'of "right"'),
    ],
)
def test_dialogue_labels_that_are_wrong(tmp_path, changes, message):
    with pytest.raises(InputError, match=message) as caught:
        make("dialogue", folder=dialogue(tmp_path, **changes)).videos()
    assert '"regions": {NAME' in caught.value.hint


def test_dialogue_files_that_are_missing_or_broken(tmp_path):
    with pytest.raises(InputError, match=r"Cannot read the folder .*nowhere"):
        make("dialogue", folder=tmp_path / "nowhere").videos()
    with pytest.raises(InputError, match=r"holds no labels \(\*.json\)"):
        make("dialogue", folder=tmp_path).videos()
    (tmp_path / "talk.json").write_text("{\n  oops\n}")
    with pytest.raises(InputError, match=r"holds no video talk\.\*, but .*talk.json has labels"):
        make("dialogue", folder=tmp_path).videos()
    (tmp_path / "talk.mp4").touch()
    with pytest.raises(InputError, match=r"talk.json is no JSON of labels: line 2,"):
        make("dialogue", folder=tmp_path).videos()
    (tmp_path / "talk.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match=r"Cannot read the labels .*talk.json"):
        make("dialogue", folder=tmp_path).videos()
    (tmp_path / "talk.mkv").touch()
    with pytest.raises(InputError, match="Two videos have the name talk"):
        make("dialogue", folder=tmp_path).videos()


def test_dialogue_labels_after_the_end(tmp_path):
    shots, speaking = [[0, 100]], {name: [1] * 100 for name in ("left", "right", "solo")}
    (video,) = make("dialogue", folder=dialogue(tmp_path, shots=shots, speaking=speaking)).videos()
    with pytest.raises(InputError, match=r"a label at 3.96 s of a video that lasts 0.40 s"):
        video.judge(result(duration_s=0.4))


# ava

HEADER = (
    "video_id,frame_timestamp,entity_box_x1,entity_box_y1,entity_box_x2,entity_box_y2,"
    "label,entity_id\n"
)
SPEAKS, MOUTHS, SILENT = "SPEAKING_AUDIBLE", "SPEAKING_NOT_AUDIBLE", "NOT_SPEAKING"


def ava_truth(folder: Path, *lines: tuple, name: str = "truth.csv") -> Path:
    """Lines (video, time, x1 relative, label, entity); boxes are 0.25 wide and 0.5 high."""
    path = folder / name
    text = "".join(
        f"{video},{time_s},{x},0.25,{x + 0.25},0.75,{label},{video}_{entity}\n"
        for video, time_s, x, label, entity in lines
    )
    path.write_text(HEADER + text)
    return path


def left_and_right(offset_s: float = 0.0) -> list[tuple]:
    """Two faces in 0.2 s of "movie": the left one speaks, unheard at the end."""
    times = [offset_s + k / 25 for k in range(5)]
    left = [("movie", t, 0.125, SPEAKS if k < 3 else MOUTHS, "l:1") for k, t in enumerate(times)]
    return left + [("movie", t, 0.625, SILENT, "r:2") for t in times]


def test_ava_matches_boxes_and_judges(tmp_path):
    write_video(tmp_path / "movie.mkv", frames=10)
    write_video(tmp_path / "other.mkv", frames=10)  # of no label
    truth = ava_truth(tmp_path, *left_and_right())
    (video,) = make("ava", truth=truth, videos=tmp_path).videos()
    assert (video.name, video.path) == ("movie", tmp_path / "movie.mkv")
    # In pixels of 96x64, the left face is 12..36 and 16..48, the right one 60..84.
    moved = [15, 16, 39, 48]  # 21 of 27 shared: 0.78
    far = [72, 16, 96, 48]  # 12 of 36 shared: 0.33
    judged = video.judge(
        result(
            track(0, 0, [moved] * 4, 2.0, speaking=((0, 0.08),)),
            track(1, 0, [far] * 5, 3.0),
            track(2, 1, [[13, 16, 37, 48]], 4.0),  # closer, in one frame
        )
    )
    lost = float("-inf")
    left, right = "movie_l:1", "movie_r:2"
    assert [row for row in rows(judged) if row[0] == left] == [
        (left, 0.0, True, 2, True, True),
        (left, 0.04, True, 4, False, True),
        (left, 0.08, True, 2, False, True),
        (left, 0.12, False, 2, False, True),
        (left, 0.16, False, lost, False, False),
    ]
    assert {row[2:] for row in rows(judged) if row[0] == right} == {(False, lost, False, False)}
    assert judged.on_screen.tolist() == [2] * 10
    assert judged.face_px.tolist() == [32] * 10  # the labelled face's
    assert judged.unlabelled == 1 + 5
    loose = make("ava", truth=truth, videos=tmp_path, iou_threshold=0.3).videos()[0]
    assert loose.judge(result(track(1, 0, [far] * 5))).found.sum() == 5


def test_ava_gives_the_labelled_faces(tmp_path):
    write_video(tmp_path / "movie.mkv", frames=100)
    lines = [("movie", 900 + t, 0.125 + t / 10, SPEAKS, "l:1") for t in (0, 0.05, 0.09, 1, 1.04)]
    videos = make("ava", truth=ava_truth(tmp_path, *lines), videos=tmp_path, offset_s=900).videos()
    first, second = videos[0].faces
    assert (first.first_frame, len(first.boxes)) == (0, 3)
    np.testing.assert_allclose(first.boxes[1], [0.129 * 96, 16, 0.379 * 96, 48])
    assert (second.first_frame, len(second.boxes)) == (25, 2)
    assert first.clips is None
    # A face that stands where the labels say is found in each of them.
    found = [track(k, face.first_frame, face.boxes) for k, face in enumerate(videos[0].faces)]
    judged = videos[0].judge(result(*found))
    assert judged.found.all()
    assert judged.unlabelled == 0


def test_ava_labels_outside_the_video(tmp_path):
    write_video(tmp_path / "movie.mkv", frames=10)
    truth = ava_truth(tmp_path, *left_and_right(900))
    with pytest.raises(
        InputError, match=r"truth.csv has a label at 900.16 s .* lasts 0.40 s"
    ) as caught:
        make("ava", truth=truth, videos=tmp_path).videos()
    assert "dataset.offset_s" in caught.value.hint
    assert len(make("ava", truth=truth, videos=tmp_path, offset_s=900).videos()) == 1
    with pytest.raises(InputError, match=r"a label at -100.00 s"):
        make("ava", truth=truth, videos=tmp_path, offset_s=1000).videos()


def test_ava_files_that_are_missing_or_wrong(tmp_path):
    truth = ava_truth(tmp_path, *left_and_right())
    with pytest.raises(InputError, match=r"holds no video movie\.\*, but .*truth.csv"):
        make("ava", truth=truth, videos=tmp_path).videos()
    with pytest.raises(InputError, match="nowhere"):
        make("ava", truth=truth, videos=tmp_path / "nowhere").videos()
    with pytest.raises(InputError, match=r"missing\.csv"):
        make("ava", truth=tmp_path / "missing.csv", videos=tmp_path).videos()
    again = ava_truth(tmp_path, *left_and_right(), left_and_right()[7])
    with pytest.raises(InputError, match=r"truth.csv:12 labels a face at one moment again"):
        make("ava", truth=again, videos=tmp_path).videos()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({}, "^videos, crops or predictions"),
        ({"videos": "a", "crops": "b"}, "only one of them"),
        ({"videos": "a", "iou_threshold": 0.0}, "iou_threshold"),
        ({"videos": "a", "iou_threshold": 1.1}, "iou_threshold"),
        ({"videos": "a", "max_gap_s": 0.0}, "max_gap_s"),
    ],
)
def test_ava_options_out_of_range(parameters, message):
    with pytest.raises(ValueError, match=message):
        make("ava", truth="truth.csv", **parameters)


def predictions(folder: Path, truth: Path, scores: list[float]) -> Path:
    path = folder / "predictions.csv"
    lines = truth.read_text().splitlines()[1:]
    text = "".join(
        f"{','.join(line.split(',')[:6])},{SPEAKS},{line.split(',')[7]},{score}\n"
        for line, score in zip(lines, scores, strict=True)
    )
    path.write_text(HEADER[:-1] + ",score\n" + text)
    return path


def test_ava_predictions_are_judged_as_they_are(tmp_path):
    truth = ava_truth(tmp_path, *left_and_right())
    scores = [0.75, 1.0, 0.0, 0.5, 0.2, 0.1, 0.1, 0.1, 0.1, "-inf"]
    dataset = make("ava", truth=truth, predictions=predictions(tmp_path, truth, scores))
    judged = dataset.predicted
    assert dataset.videos() == []
    assert judged.truth.tolist() == [True] * 3 + [False] * 7
    np.testing.assert_allclose(judged.probability[:9], scores[:9], atol=1e-7)
    assert judged.decided.tolist() == [True, True, False, True] + [False] * 6
    assert judged.found.tolist() == [True] * 9 + [False]
    assert judged.on_screen.tolist() == [2] * 10
    assert np.isnan(judged.face_px).all()


def test_ava_predictions_beyond_0_to_1_are_logits(tmp_path):
    truth = ava_truth(tmp_path, *left_and_right())
    path = predictions(tmp_path, truth, [-2, 1.5, 0, *[-1] * 7])
    judged = make("ava", truth=truth, predictions=path).predicted
    assert judged.score.tolist() == [-2, 1.5, 0, *[-1] * 7]
    assert judged.decided.tolist() == [False, True, True] + [False] * 7
    with pytest.raises(InputError, match="rows"):
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join(lines[:-1]))
        assert make("ava", truth=truth, predictions=path).predicted


@pytest.mark.parametrize("name", ["random", "rare", "all_positive"])
def test_ava_predictions_have_the_official_average_precision(shared, name):
    folder = shared("reference/ava")
    expected = json.loads((folder / "expected.json").read_text())[name]
    truth, path = (folder / f"{name}_{kind}.csv" for kind in ("truth", "predictions"))
    judged = make("ava", truth=truth, predictions=path).predicted
    found = 100 * average_precision(judged.score, judged.truth)
    assert found == pytest.approx(expected, abs=1e-6)


def test_ava_without_predictions_has_none(tmp_path):
    assert make("ava", truth=tmp_path, videos=tmp_path).predicted is None


def crops(folder: Path, entity: str, split: str = "", *, rate: int = 16_000, seconds: float = 3):
    """Crops every 1/25 s, as bright as their number, and a sound that counts its samples."""
    pictures = folder / "clips_videos" / split / "movie" / entity
    sounds = folder / "clips_audios" / split / "movie"
    pictures.mkdir(parents=True)
    sounds.mkdir(parents=True, exist_ok=True)
    for k in range(round(seconds * 25)):
        cv2.imwrite(
            str(pictures / f"{5 + k / 25:.2f}.jpg"), np.full((32, 24, 3), k % 250, np.uint8)
        )
    samples = (np.arange(round(seconds * rate)) % 20_000).astype(np.int16)
    wavfile.write(sounds / f"{entity}.wav", rate, samples)
    return folder


@pytest.mark.parametrize(("entity", "split"), [("movie_l:1", ""), ("movie_l_1", "val")])
def test_ava_reads_crops_and_sound(tmp_path, entity, split):
    crops(tmp_path, entity, split)
    lines = [("movie", 5 + k / 25, 0.125, SPEAKS, "l:1") for k in range(75)]
    (video,) = make("ava", truth=ava_truth(tmp_path, *lines), crops=tmp_path).videos()
    assert video.path is None
    (face,) = video.faces
    assert (face.first_frame, len(face.boxes)) == (125, 75)
    # The crop of 24x32 px is 0.25 of the width and 0.5 of the height of the video: 96x64.
    np.testing.assert_allclose(face.boxes[0], [12, 16, 36, 48])
    (clip,) = face.clips()
    assert clip.faces[:, 50, 50].tolist() == pytest.approx(range(75), abs=1)
    assert np.array_equal(clip.sound, np.arange(48_000) % 20_000)
    assert clip.sound_before == 0
    assert not clip.sound_after.any()
    judged = video.judge(result(track(0, 125, face.boxes, 1.0), size=(0, 0)))
    assert judged.found.all()
    assert set(judged.face_px) == {32}


def test_ava_crops_of_a_long_face_with_a_gap(tmp_path):
    """A stretch that begins 1 s into the sound, and is longer than a clip may be."""
    crops(tmp_path, "movie_l:1", seconds=63)
    times = [0.0, *(k / 25 for k in range(25, 63 * 25))]
    lines = [("movie", 5 + t, 0.125, SPEAKS, "l:1") for t in times]
    dataset = make("ava", truth=ava_truth(tmp_path, *lines), crops=tmp_path, offset_s=5)
    short, long = dataset.videos()[0].faces
    assert (short.first_frame, len(short.boxes)) == (0, 1)
    assert (long.first_frame, len(long.boxes)) == (25, 62 * 25)
    first, second = long.clips()
    assert (len(first), len(second)) == (CLIP_FRAMES, 50)
    seam = 16_000 * 61
    assert first.sound[0] == 16_000
    assert first.sound_before == 0
    assert np.array_equal(first.sound_after, np.arange(seam, seam + 240) % 20_000)
    assert second.sound_before == (seam - 1) % 20_000
    assert second.sound[0] == seam % 20_000
    assert second.faces[0, 0, 0] == pytest.approx(61 * 25 % 250, abs=1)


def test_ava_crops_show_the_nearest_picture(tmp_path):
    """At 12.5 crops a second, each is seen twice."""
    folder = crops(tmp_path, "movie_l:1")
    for path in sorted((folder / "clips_videos/movie/movie_l:1").glob("*.jpg"))[1::2]:
        path.unlink()
    lines = [("movie", 5 + k / 12.5, 0.125, SPEAKS, "l:1") for k in range(10)]
    (video,) = make("ava", truth=ava_truth(tmp_path, *lines), crops=folder).videos()
    (clip,) = video.faces[0].clips()
    assert len(clip) == 19
    assert set(clip.faces[:, 0, 0].tolist()) == set(range(0, 20, 2))


def test_ava_resamples_the_sound_of_crops(tmp_path):
    crops(tmp_path, "movie_l:1", rate=48_000)
    tone = np.sin(2 * np.pi * 440 * np.arange(3 * 48_000) / 48_000) * 10_000
    stereo = np.stack([tone, tone], 1).astype(np.int16)
    wavfile.write(tmp_path / "clips_audios/movie/movie_l:1.wav", 48_000, stereo)
    lines = [("movie", 5 + k / 25, 0.125, SPEAKS, "l:1") for k in range(75)]
    (video,) = make("ava", truth=ava_truth(tmp_path, *lines), crops=tmp_path).videos()
    (clip,) = video.faces[0].clips()
    expected = np.sin(2 * np.pi * 440 * np.arange(48_000) / 16_000) * 10_000
    assert np.abs(clip.sound[500:-500] - expected[500:-500]).max() < 300


def test_ava_crops_that_are_missing_or_wrong(tmp_path):
    folder = tmp_path / "crops"
    lines = [("movie", 5 + k / 25, 0.125, SPEAKS, "l:1") for k in range(50)]
    truth = ava_truth(tmp_path, *lines)
    dataset = make("ava", truth=truth, crops=folder, max_gap_s=0.21)
    with pytest.raises(InputError, match="clips_videos has nothing of the video movie"):
        dataset.videos()
    crops(folder, "movie_r:2")
    with pytest.raises(InputError, match="lacks the crops or the sound of movie_l:1"):
        dataset.videos()
    crops(folder, "movie_l:1")
    (video,) = dataset.videos()
    sound = folder / "clips_audios/movie/movie_l:1.wav"
    sound.write_bytes(b"no sound")
    with pytest.raises(InputError, match=r"movie_l:1.wav is not a video or sound file"):
        video.faces[0].clips()
    sound.unlink()
    with pytest.raises(InputError, match="lacks the crops or the sound of movie_l:1"):
        dataset.videos()
    pictures = sorted((folder / "clips_videos/movie/movie_l:1").glob("*.jpg"))
    for path in pictures[20:]:
        path.unlink()
    with pytest.raises(InputError, match=r"holds no crop near 6.00 s"):
        video.faces[0].clips()
    pictures[0].write_bytes(b"no picture")
    (pictures[0].parent / "zero.jpg").touch()
    with pytest.raises(InputError, match=r"not named by its time: .*zero"):
        video.faces[0].clips()
    for path in pictures[0].parent.glob("*.jpg"):
        path.unlink()
    with pytest.raises(InputError, match="holds no crop"):
        video.faces[0].clips()


def test_ava_crops_of_boxes_without_a_size(tmp_path):
    crops(tmp_path, "movie_l:1")
    truth = ava_truth(tmp_path, ("movie", 5, 0.125, SPEAKS, "l:1"))
    truth.write_text(truth.read_text().replace("0.375", "0.125"))
    with pytest.raises(InputError, match=r"No box of movie in .*truth.csv has a size"):
        make("ava", truth=truth, crops=tmp_path).videos()


def test_ava_crop_that_is_no_picture(tmp_path):
    crops(tmp_path, "movie_l:1")
    for path in (tmp_path / "clips_videos/movie/movie_l:1").glob("*.jpg"):
        path.write_bytes(b"no picture")
    lines = [("movie", 5 + k / 25, 0.125, SPEAKS, "l:1") for k in range(50)]
    with pytest.raises(InputError, match="cannot be read as a picture"):
        make("ava", truth=ava_truth(tmp_path, *lines), crops=tmp_path).videos()


# columbia


def test_columbia_by_hand(tmp_path):
    """Two people, labels at 29.97 frames a second in a picture half as large.

    Ann, labelled square 5..15 and so 10..30 px, centre (20, 20), frames 0 to 5, speaks in 0 to 3.
    The grid frames nearest to frame / 29.97 s are 0, 1, 2, 3, 3, 4 (0.83, 1.67, 2.50, 3.34, 4.17).
    Her track, centre (24, 18), is decided to speak in grid frames 1 to 3: in labels 1, 2, 3 and 4.
    True positives are labels 1, 2, 3; label 4 is a false one; label 0 is missed:
    F1 = 2 * 3 / (2 * 3 + 1 + 1) = 0.75.
    Bob, centre (60, 40) and 20 px wide, speaks in all of frames 0 to 3. His track begins at grid
    frame 2, and is decided to speak there and in 3: labels 2 and 3 are right, 0 and 1 are missed:
    F1 = 2 * 2 / (2 * 2 + 2) = 2/3. The mean is 17/24.
    """
    write_video(tmp_path / "panel.mkv", frames=10)
    labels = tmp_path / "labels"
    labels.mkdir()
    ann = [f"{k}\t5\t5\t10\t{int(k < 4)}" for k in range(6)]
    (labels / "ann.txt").write_text("\n".join(ann) + "\n")
    (labels / "bob.txt").write_text("".join(f"{k}\t25\t15\t10\t1\r\n" for k in range(4)))
    dataset = make("columbia", labels=labels, video=tmp_path / "panel.mkv", scale=2.0)
    (video,) = dataset.videos()
    judged = video.judge(
        result(
            track(0, 0, [square(24, 18)] * 10, 1.0, speaking=((0.04, 0.16),)),
            track(1, 2, [square(58, 49)] * 4, 2.0, speaking=((0.08, 0.16),)),
            track(2, 0, [square(60, 51)] * 10, 3.0),  # its centre is outside Bob's square
        )
    )
    f1 = {}
    for person in ("ann", "bob"):
        said, true = (x[judged.person == person] for x in (judged.decided, judged.truth))
        f1[person] = 2 * (said & true).sum() / (said.sum() + true.sum())
    assert f1 == pytest.approx({"ann": 0.75, "bob": 2 / 3})
    assert (video.name, dataset.measure.name) == ("panel", "f1_per_person_mean")
    assert judged.found[judged.person == "bob"].tolist() == [False, False, True, True]
    assert judged.on_screen.tolist() == [2] * 8 + [1] * 2
    assert set(judged.face_px) == {20}
    # Ann's frames 5 to 9 and Bob's 4 and 5 have no label near; the third track has none at all.
    assert judged.unlabelled == 4 + 2 + 10


def test_columbia_gives_the_labelled_faces(tmp_path):
    write_video(tmp_path / "panel.mkv", frames=60)
    (tmp_path / "ann.txt").write_text("".join(f"{k}\t{k}\t0\t10\t1\n" for k in (0, 3, 6, 30, 31)))
    dataset = make("columbia", labels=tmp_path, video=tmp_path / "panel.mkv", label_fps=30.0)
    first, second = dataset.videos()[0].faces
    assert (first.first_frame, len(first.boxes)) == (0, 6)
    np.testing.assert_allclose(first.boxes[:, 0], np.arange(6) * 1.2)  # 30 / 25
    assert (second.first_frame, len(second.boxes)) == (25, 2)


def test_columbia_pairs_by_the_nearest_centre(tmp_path):
    write_video(tmp_path / "panel.mkv", frames=2)
    (tmp_path / "ann.txt").write_text("0\t10\t10\t20\t1\n")  # centre (20, 20)
    (tmp_path / "bob.txt").write_text("0\t20\t10\t20\t0\n")  # centre (30, 20)
    (video,) = make("columbia", labels=tmp_path, video=tmp_path / "panel.mkv").videos()
    judged = video.judge(
        result(track(0, 0, [square(24, 20)], 1.0), track(1, 0, [square(22, 20)], 2.0))
    )
    # The second is nearest to Ann; of Bob, the first is what is left.
    assert judged.score.tolist() == [2, 1]


@pytest.mark.parametrize(
    "line",
    [
        *("5\t1\t2\t3", "5\t1\t2\t3\t1\t9", "5\t1\t2\t3\t2", "x\t1\t2\t3\t1"),
        *("-1\t1\t2\t3\t1", "5\t1\t2\t0\t1", "5\t1.5\t2\t3\t1"),
    ],
)
def test_columbia_lines_that_are_wrong(tmp_path, line):
    write_video(tmp_path / "panel.mkv", frames=10)
    (tmp_path / "ann.txt").write_text(f"4\t1\t2\t3\t1\n\n{line}\n")
    with pytest.raises(InputError, match=r"ann.txt:3 holds") as caught:
        make("columbia", labels=tmp_path, video=tmp_path / "panel.mkv").videos()
    assert "FRAME<TAB>X" in caught.value.hint


def test_columbia_files_that_are_missing_or_wrong(tmp_path):
    video = write_video(tmp_path / "panel.mkv", frames=10)
    with pytest.raises(InputError, match="No such file"):
        make("columbia", labels=tmp_path, video=tmp_path / "nothing.mkv").videos()
    with pytest.raises(InputError, match="Cannot read the folder"):
        make("columbia", labels=tmp_path / "nowhere", video=video).videos()
    with pytest.raises(InputError, match=r"holds no labels \(\*.txt\)"):
        make("columbia", labels=tmp_path, video=video).videos()
    (tmp_path / "ann.txt").write_text("\n")
    with pytest.raises(InputError, match=r"ann.txt has no label"):
        make("columbia", labels=tmp_path, video=video).videos()
    (tmp_path / "ann.txt").write_text("4\t1\t2\t3\t1\n4\t1\t2\t3\t1\n")
    with pytest.raises(InputError, match=r"ann.txt:2 labels frame 4 again"):
        make("columbia", labels=tmp_path, video=video).videos()
    (tmp_path / "ann.txt").write_text("30\t1\t2\t3\t1\n")
    with pytest.raises(InputError, match=r"ann.txt has a label at 1.00 s .* lasts 0.40 s"):
        make("columbia", labels=tmp_path, video=video).videos()
    for name in ("label_fps", "scale"):
        with pytest.raises(ValueError, match=name):
            make("columbia", labels=tmp_path, video=video, **{name: 0.0})


# rttm


def speaker(video: str, onset: float, length: float, name: str) -> str:
    return f"SPEAKER {video} 1 {onset} {length} <NA> <NA> {name} <NA> <NA>\n"


def test_rttm_gives_speakers_and_what_is_scored(tmp_path):
    for name in ("one", "two words"):
        write_video(tmp_path / f"{name}.mkv", frames=50)
    (tmp_path / "all.rttm").write_text(
        ";; a comment\n"
        "SPKR-INFO one 1 <NA> <NA> <NA> unknown ann <NA> <NA>\n"
        + speaker("one", 1, 0.5, "bob")
        + speaker("one", 0.25, 0.5, "ann")
        + speaker("one", 0, 0.5, "ann")
        + speaker("one", 1.5, 0.25, "bob")
        + speaker("one", 1.0, 0.25, "ann")
        + speaker("two_words", 0, 2, "cy")
        + speaker("elsewhere", 0, 2, "cy")
    )
    uem = tmp_path / "part.uem"
    uem.write_text("one 1 0.5 1.0\none 1 0.0 0.25\n\ntwo_words 1 0 2\n")
    dataset = make("rttm", videos=tmp_path, rttm=tmp_path / "all.rttm", uem=uem)
    assert (dataset.measure.name, dataset.measure.higher_is_better) == (
        "diarization_error_rate",
        False,
    )
    one, two = dataset.videos()
    assert (one.name, one.path, one.judge) == ("one", tmp_path / "one.mkv", None)
    assert one.speakers == {"ann": ((0, 0.75), (1.0, 1.25)), "bob": ((1.0, 1.75),)}
    assert one.scored == ((0, 0.25), (0.5, 1.0))
    assert (two.name, two.speakers, two.scored) == ("two words", {"cy": ((0, 2),)}, ((0, 2),))


def test_rttm_reads_folders_and_patterns(tmp_path):
    videos, truth = tmp_path / "videos" / "deep", tmp_path / "truth"
    for folder in (videos, truth):
        folder.mkdir(parents=True)
    for name in ("one", "two"):
        write_video(videos / f"{name}.mkv", frames=50)
        (videos / f"{name}.notes").touch()
        (truth / f"{name}.rttm").write_text(speaker(name, 0, 1, "ann"))
    pattern = str(tmp_path / "videos/**/*")
    assert [v.name for v in make("rttm", videos=pattern, rttm=truth).videos()] == ["one", "two"]
    assert make("rttm", videos=videos / "two.mkv", rttm=truth).videos()[0].scored is None


@pytest.mark.parametrize(
    "line",
    [
        "SPEAKER one 1 0 1 <NA> <NA>",
        "SPEECH one 1 0 1 word lex ann 0.5 <NA>",
        "SPEAKER one 1 zero 1 <NA> <NA> ann <NA> <NA>",
        "SPEAKER one 1 -1 2 <NA> <NA> ann <NA> <NA>",
        "SPEAKER one 1 0 inf <NA> <NA> ann <NA> <NA>",
        "SPEAKER one 1 nan 1 <NA> <NA> ann <NA> <NA>",
        "SPEAKER one 1 0 1 <NA> <NA> ann smith <NA> <NA>",
    ],
)
def test_rttm_lines_that_are_wrong(tmp_path, line):
    write_video(tmp_path / "one.mkv", frames=50)
    (tmp_path / "one.rttm").write_text(f"{speaker('one', 0, 1, 'ann')}{line}\n")
    with pytest.raises(InputError, match=r"one.rttm:2 (has|is) ") as caught:
        make("rttm", videos=tmp_path, rttm=tmp_path).videos()
    assert "SPEAKER FILE 1 ONSET" in caught.value.hint


@pytest.mark.parametrize("line", ["one 1 0", "one 1 0 x", "one 1 2 1", "one 1 0 1 2"])
def test_uem_lines_that_are_wrong(tmp_path, line):
    write_video(tmp_path / "one.mkv", frames=50)
    (tmp_path / "one.rttm").write_text(speaker("one", 0, 1, "ann"))
    (tmp_path / "part.uem").write_text(f";; part\n{line}\n")
    with pytest.raises(InputError, match=r"part.uem:2 (has|ends) "):
        make("rttm", videos=tmp_path, rttm=tmp_path, uem=tmp_path / "part.uem").videos()


def test_rttm_files_that_are_missing_or_do_not_fit(tmp_path):
    truth = tmp_path / "all.rttm"
    with pytest.raises(InputError, match="There is no video in"):
        make("rttm", videos=tmp_path, rttm=truth).videos()
    with pytest.raises(InputError, match="There is no video in"):
        make("rttm", videos=tmp_path / "*.mkv", rttm=truth).videos()
    write_video(tmp_path / "one.mkv", frames=50)
    with pytest.raises(InputError, match=r"Cannot read the truth .*all.rttm"):
        make("rttm", videos=tmp_path, rttm=truth).videos()
    with pytest.raises(InputError, match=r"holds no truth \(\*.rttm\)"):
        make("rttm", videos=tmp_path, rttm=tmp_path).videos()
    truth.write_text("")
    with pytest.raises(InputError, match="says nothing of the video one, but holds no line"):
        make("rttm", videos=tmp_path, rttm=truth).videos()
    truth.write_text("".join(speaker(name, 0, 1, "ann") for name in "edcba"))
    with pytest.raises(InputError, match="of the video one, but of a, b, c and others"):
        make("rttm", videos=tmp_path, rttm=truth).videos()
    truth.write_text(speaker("one", 0, 1, "ann"))
    (tmp_path / "part.uem").write_text("two 1 0 1\n")
    with pytest.raises(InputError, match=r"part.uem says nothing of the video one"):
        make("rttm", videos=tmp_path, rttm=truth, uem=tmp_path / "part.uem").videos()
    truth.write_text(speaker("one", 1, 2, "ann"))
    with pytest.raises(InputError, match=r"all.rttm has a label at 3.00 s .* lasts 2.00 s"):
        make("rttm", videos=tmp_path, rttm=truth).videos()
    (tmp_path / "one.mp4").touch()
    with pytest.raises(InputError, match="Two videos have the name one"):
        make("rttm", videos=tmp_path, rttm=truth).videos()


# One's own


def test_the_dataset_of_the_docs_works(tmp_path):
    page = (DOCS / "datasets.md").read_text()
    (block,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    names: dict = {"__name__": "solo"}
    exec(compile(block, "docs/datasets.md", "exec", dont_inherit=True), names)
    (component,) = names["asdkit_components"]()
    (tmp_path / "talk.csv").write_text("0.04,0.12\n0.2,0.28\n")
    dataset = component.build(component.config(str(tmp_path)), Context())
    (video,) = dataset.videos()
    judged = video.judge(result(track(0, 1, [square(20, 30)] * 4, 1.0), duration_s=0.32))
    assert judged.truth.tolist() == [False, True, True, False, False, True, True, False]
    assert judged.found.tolist() == [False, True, True, True, True, False, False, False]
