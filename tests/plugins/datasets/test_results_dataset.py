"""results: what earlier runs decided, as labels."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from pathlib import Path

import by_hand
import numpy as np
import pytest
from judging import make, rows
from learning import FacesGiven
from refusing import refusal
from synth import write_video

from asdkit import testing
from asdkit.core.errors import InputError
from asdkit.core.sync import Fit, Sync
from asdkit.training.examples import examples_of

LEFT, RIGHT = by_hand.square(20, 30), by_hand.square(70, 30)
SURE = np.log([0.99 / 0.01, 0.8 / 0.2, 0.3 / 0.7, 0.02 / 0.98])
"""Log odds of speaking: surely, rather, rather not, surely not."""


def saved(folder: Path, name: str = "talk", **more) -> Path:
    """A result of a video that is there: track 0 speaks in two frames of four, track 1 in none."""
    folder.mkdir(parents=True, exist_ok=True)
    video = write_video(folder / f"{name}.mkv", frames=10, sounds=[(0, np.zeros(17_640, np.int16))])
    tracks = (
        by_hand.track(0, 2, [LEFT] * 4, SURE, speaking=((0.08, 0.16),)),
        by_hand.track(1, 4, [RIGHT] * 3, -3.0),
    )
    result = by_hand.result(
        *tracks, path=video, duration_s=0.4, sound_path=video, off_screen=((0.2, 0.28),)
    )
    (folder / "out" / name).mkdir(parents=True)
    return replace(result, **more).save(folder / "out" / name)


def labels(dataset) -> dict[str, list[int]]:
    """By person: the labels that a training gets."""
    return {one.person: one.labels.tolist() for one in examples_of(dataset.videos(), FacesGiven())}


def test_decisions_are_labels_of_the_faces_that_were_found(tmp_path):
    saved(tmp_path)
    (video,) = testing.check_dataset(make("results", folder=tmp_path / "out"))
    assert (video.name, video.path) == ("talk", tmp_path / "talk.mkv")
    assert [(face.first_frame, len(face.boxes)) for face in video.faces] == [(2, 4), (4, 3)]
    assert video.faces[0].boxes[0].tolist() == LEFT
    assert video.speakers == {"track_0": ((0.08, 0.16),), "off_screen": ((0.2, 0.28),)}
    assert np.flatnonzero(video.off_screen).tolist() == [5, 6]
    found = by_hand.track(0, 0, [by_hand.square(21, 31)] * 4, 2.0, speaking=((0.0, 0.16),))
    judged = rows(video.judge(by_hand.result(found)))
    assert [(person, speaks, found) for person, _, speaks, _, _, found in judged] == [
        *[("track_0", True, True)] * 2,
        ("track_0", False, False),
        ("track_1", False, False),
        ("track_0", False, False),
        *[("track_1", False, False)] * 2,
    ]
    assert labels(make("results", folder=tmp_path / "out")) == {
        "track_0": [1, 1, 0, 0],
        "track_1": [0, 0, 0],
    }


@pytest.mark.parametrize(
    ("least", "expected"),
    [(0.5, [0, 1, 2, 3]), (0.75, [0, 1, 3]), (0.9, [0, 3]), (0.985, [0])],
)
def test_only_decisions_that_are_sure_enough_are_labels(tmp_path, least, expected):
    saved(tmp_path)
    (video,) = make("results", folder=tmp_path / "out", min_confidence=least).videos()
    times = [
        time_s for person, time_s, *_ in rows(video.judge(by_hand.result())) if person == "track_0"
    ]
    assert times == pytest.approx([(2 + place) / 25 for place in expected])


def test_a_decision_against_its_own_probability_is_not_sure(tmp_path):
    """A pause that was closed is decided as speech, whatever its probability."""
    path = saved(tmp_path)
    values = json.loads(path.read_text())
    values["tracks"][0]["speaking"] = [[0.08, 0.24]]
    path.write_text(json.dumps(values))
    dataset = make("results", folder=tmp_path / "out", min_confidence=0.5)
    (video,) = dataset.videos()
    mine = [row for row in rows(video.judge(by_hand.result())) if row[0] == "track_0"]
    assert [row[1:3] for row in mine] == [(0.08, True), (0.12, True)]


def test_names_and_turns_put_right_are_the_labels(tmp_path):
    """By the names that the report saves, and an RTTM on the clock of the file."""
    path = saved(tmp_path)
    saved(tmp_path, "other")
    values = json.loads(path.read_text())
    values["video"]["start_s"] = 1.0
    path.write_text(json.dumps(values))
    (tmp_path / "names").mkdir()
    names = {"schema": "asdkit.names/1", "names": {"track_0": "Ann B", "track_1": "Ben"}}
    (tmp_path / "names/talk.json").write_text(json.dumps(names))
    (tmp_path / "turns").mkdir()
    (tmp_path / "turns/talk.rttm").write_text(
        "SPEAKER talk 1 1.12 0.04 <NA> <NA> Ann_B <NA> <NA>\n"
        "SPEAKER talk 1 1.16 0.08 <NA> <NA> Ben <NA> <NA>\n"
    )
    dataset = make(
        "results",
        folder=tmp_path / "out",
        names=tmp_path / "names",
        turns=tmp_path / "turns",
        min_confidence=0.9,
    )
    other, talk = testing.check_dataset(dataset)
    assert (other.name, talk.name) == ("other", "talk")
    assert list(other.speakers) == ["track_0", "off_screen"], "as it was decided"
    assert talk.speakers["Ann B"][0] == pytest.approx((0.12, 0.16))
    assert talk.off_screen is None, "who is not seen is not known of"
    of_talk = {one.person: one.labels.tolist() for one in examples_of([talk], FacesGiven())}
    assert of_talk == {"Ann B": [0, 1, 0, 0], "Ben": [1, 1, 0]}


@pytest.mark.parametrize(("option", "suffix"), [("turns", ".rttm"), ("names", ".json")])
def test_a_folder_that_corrects_none_of_the_results_is_told(tmp_path, option, suffix):
    saved(tmp_path)
    (tmp_path / "mine").mkdir()
    (tmp_path / f"mine/talks{suffix}").touch()
    dataset = make("results", folder=tmp_path / "out", **{option: tmp_path / "mine"})
    text = refusal(InputError, dataset.videos)
    assert "mine has a file for none of the 1 results. Each should be called like" in text
    assert text.endswith(f"the folder of its result: talk{suffix}")


def test_videos_that_were_moved_are_looked_for_by_name(tmp_path):
    saved(tmp_path)
    (tmp_path / "new").mkdir()
    (tmp_path / "talk.mkv").rename(tmp_path / "new/talk.mkv")
    folder = tmp_path / "out"
    text = refusal(InputError, make("results", folder=folder).videos)
    assert f"{tmp_path / 'talk.mkv'}, which {folder / 'talk/result.json'} is about" in text
    assert "dataset.videos=FOLDER" in text
    (video,) = make("results", folder=folder, videos=tmp_path / "new").videos()
    assert video.path == tmp_path / "new/talk.mkv"
    (tmp_path / "new/talk.mkv").rename(tmp_path / "new/other.mkv")
    text = refusal(InputError, make("results", folder=folder, videos=tmp_path / "new").videos)
    assert "holds no video talk.*" in text


def test_a_moved_video_is_not_taken_for_two_of_one_name(tmp_path):
    for folder in ("a", "b"):
        saved(tmp_path / folder)
    (tmp_path / "b/out/talk").rename(tmp_path / "a/out/talk_2")
    dataset = make("results", folder=tmp_path / "a/out", videos=tmp_path / "b")
    text = refusal(InputError, dataset.videos)
    assert f"{tmp_path / 'b/talk.mkv'} would be taken for two videos" in text
    assert str(tmp_path / "a/talk.mkv") in text
    assert len(make("results", folder=tmp_path / "a/out").videos()) == 2


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"sound_path": None}, "it is of a video without sound"),
        ({"sync": Sync(Fit(), moved_s=0.2)}, "its sound had to be moved by 0.2 s"),
        ({"settings": {"sound": "voice.wav"}}, "its sound is in a file of its own, voice.wav"),
        ({"settings": {"sound_track": 1}}, "it was read with sound_track=1"),
        ({"settings": {"sound_track": None, "rotate": "90"}}, "it was read with rotate=90"),
    ],
)
def test_results_whose_sound_is_not_that_of_the_video_are_left_out(tmp_path, caplog, more, why):
    path = saved(tmp_path, "bad", **more)
    if more == {"sound_path": None}:
        values = json.loads(path.read_text())
        values["video"]["has_sound"] = False
        path.write_text(json.dumps(values))
    saved(tmp_path, "good")
    with caplog.at_level(logging.WARNING):
        videos = make("results", folder=tmp_path / "out").videos()
    assert [video.name for video in videos] == ["good"]
    assert f"{path} is left out: {why}" in caplog.text


def test_files_that_are_not_of_a_result_are_told(tmp_path):
    path = saved(tmp_path)
    folder = tmp_path / "out"
    names = tmp_path / "names.json"
    names.write_text('{"schema": "asdkit.names/1", "names": {"track_7": "Ann"}}')
    text = refusal(InputError, make("results", folder=folder, names=names).videos)
    assert text.startswith(f"{names} is not of {path}: There is nobody called 'track_7'")
    path.write_text("{}")
    text = refusal(InputError, make("results", folder=folder).videos)
    assert str(path) in text
    text = refusal(InputError, make("results", folder=tmp_path / "none").videos)
    assert "no folder that holds one" in text


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"min_confidence": 1.1}, "min_confidence must be from 0 to 1, got 1.1"),
        ({"iou_threshold": 0.0}, "iou_threshold must be above 0, up to 1; got 0.0"),
    ],
)
def test_parameters_out_of_range_are_refused(values, said):
    with pytest.raises(ValueError, match=said):
        make("results", folder="out", **values)
