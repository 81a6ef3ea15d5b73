"""ASW: face tracks in JSON, of which some moments are not evaluated."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import numpy as np
import pytest
from by_hand import result, track
from judging import make, rows
from synth import write_video

from asdkit import testing
from asdkit.core.errors import InputError

LEFT, RIGHT = [0.125, 0.25, 0.375, 0.75], [0.625, 0.25, 0.875, 0.75]


def moment(time_s: float, bbox: list[float], label: int = 0, evaluated: int = 1) -> dict:
    return {"time": time_s, "bbox": bbox, "label": label, "eval": evaluated}


def left_and_right() -> dict:
    """Two faces, labelled every 0.2 s from 0.2 s on: the left one speaks from 0.4 s on."""
    times = [round(0.2 * k, 1) for k in range(1, 5)]
    left = [moment(t, LEFT, int(t > 0.3), int(t not in (0.2, 0.8))) for t in times]
    return {"track_000000": left, "track_000001": [moment(t, RIGHT) for t in times[1:3]]}


def dataset(folder: Path, *, split: str = "test", listed: str = "talk.json\n", **videos: dict):
    """The published layout: json/VIDEO.json and split/SPLITset.list; talk.mkv is there."""
    for name in ("json", "split", "original"):
        (folder / name).mkdir(exist_ok=True)
    for name, content in (videos or {"talk": left_and_right()}).items():
        (folder / "json" / f"{name}.json").write_text(json.dumps(content))
    (folder / "split" / f"{split}set.list").write_text(listed)
    if not (folder / "original/talk.mkv").exists():
        write_video(folder / "original/talk.mkv", frames=25)
    return make("asw", labels=folder, videos=folder / "original", split=split)


def test_asw_rows_are_the_evaluated_moments(tmp_path):
    """Of 4 moments of the left face 2 are evaluated, at the track's ends they are not.

    In pixels of 96x64 the left face is 12..36 and 16..48, the right one 60..84.
    """
    asw = dataset(tmp_path)
    (video,) = testing.check_dataset(asw)
    assert (video.name, video.path) == ("talk", tmp_path / "original/talk.mkv")
    assert (asw.measure.name, video.categories) == ("average_precision", ())
    judged = video.judge(result(track(0, 0, [[13, 16, 37, 48]] * 13, 2.0, speaking=((0, 0.44),))))
    lost = float("-inf")
    assert sorted(rows(judged)) == [
        ("talk:track_000000", 0.4, True, 2.0, True, True),
        ("talk:track_000000", 0.6, True, lost, False, False),
        ("talk:track_000001", 0.4, False, lost, False, False),
        ("talk:track_000001", 0.6, False, lost, False, False),
    ]
    assert judged.time_s.tolist() == sorted(judged.time_s)
    assert judged.face_px.tolist() == [32] * 4
    # One grid frame has a label that counts: 12 of the track's 13 have none.
    assert judged.unlabelled == 12


def test_asw_a_moment_that_does_not_count_keeps_its_face(tmp_path):
    """Both labels overlap the one face found; the closer one is not evaluated."""
    near = [moment(0.4, LEFT, 1, 0)]
    far = [moment(0.4, [0.15, 0.25, 0.4, 0.75], 0, 1)]
    (video,) = dataset(tmp_path, talk={"a": near, "b": far}).videos()
    judged = video.judge(result(track(0, 10, [[12, 16, 36, 48]], 1.0)))
    assert judged.person.tolist() == ["talk:b"]
    assert not judged.found.any()
    (alone,) = dataset(tmp_path, talk={"b": far}).videos()
    assert alone.judge(result(track(0, 10, [[12, 16, 36, 48]], 1.0))).found.all()


def test_asw_gives_each_track_whole(tmp_path):
    """Labels 0.2 s apart are one track, with boxes in between; it may leave the picture."""
    content = {"a": [moment(0.2, [-0.05, 0, 0.2, 0.5]), moment(0.4, [0.05, 0, 0.3, 0.5], 1)]}
    (video,) = dataset(tmp_path, talk=content).videos()
    (face,) = video.faces
    assert (face.first_frame, len(face.boxes)) == (5, 6)
    np.testing.assert_allclose(face.boxes[:, 0], np.linspace(-0.05 * 96, 0.05 * 96, 6))


def test_asw_has_three_splits(tmp_path):
    for split in ("dev", "val", "test"):
        (video,) = dataset(tmp_path, split=split).videos()
        assert video.name == "talk"
        (tmp_path / "split" / f"{split}set.list").unlink()
    with pytest.raises(InputError, match=r"has no split/devset\.list") as caught:
        make("asw", labels=tmp_path, videos=tmp_path / "original", split="dev").videos()
    assert "json/VIDEO.json" in caught.value.hint
    with pytest.raises(ValueError, match="split must be dev, val or test, got 'train'"):
        make("asw", labels=tmp_path, videos=tmp_path, split="train")


def test_asw_videos_that_vanished_are_left_out(tmp_path, caplog):
    asw = dataset(tmp_path, listed="talk.json\ngone.json\n", talk=left_and_right(), gone={})
    with caplog.at_level(logging.WARNING):
        assert [video.name for video in asw.videos()] == ["talk"]
    (message,) = caplog.messages
    assert "1 of the 2 videos" in message
    assert message.endswith(": gone")
    (tmp_path / "original/talk.mkv").unlink()
    with pytest.raises(InputError, match=r"holds none of the 2 videos that .*testset\.list names"):
        asw.videos()


def test_asw_labels_outside_the_video(tmp_path):
    asw = dataset(tmp_path, talk={"a": [moment(1.6, LEFT)]})
    with pytest.raises(InputError, match=r"talk\.json has a label at 1\.60 s .* lasts 1\.00 s"):
        asw.videos()


GOOD = moment(0.2, LEFT)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "has no face track"),
        ({}, "has no face track"),
        ({"a": []}, "has no moment of 'a'"),
        ({"a": [[0.2, LEFT, 0, 1]]}, "in 'a'"),
        ({"a": [{**GOOD, "time": "0.2"}]}, "'time': '0.2'"),
        ({"a": [{**GOOD, "time": 1e9}]}, "'time': 1000000000.0"),
        ({"a": [GOOD, GOOD]}, "in 'a'"),
        ({"a": [{**GOOD, "bbox": LEFT[:3]}]}, "in 'a'"),
        ({"a": [{**GOOD, "bbox": [0.5, 0, 0.25, 1]}]}, "in 'a'"),
        ({"a": [{**GOOD, "bbox": [0, 0.5, 1, 0.25]}]}, "in 'a'"),
        ({"a": [{**GOOD, "label": 2}]}, "in 'a'"),
        ({"a": [{**GOOD, "eval": None}]}, "in 'a'"),
        ({"a": [{"time": 0.2, "bbox": LEFT, "label": 0}]}, "in 'a'"),
    ],
)
def test_asw_files_that_are_wrong(tmp_path, content, message):
    asw = dataset(tmp_path, talk=content)
    with pytest.raises(InputError, match=r"talk\.json") as caught:
        asw.videos()
    assert message in str(caught.value)
    assert '"bbox": [x1, y1, x2, y2]' in caught.value.hint


def test_asw_a_listed_json_that_is_missing(tmp_path):
    asw = dataset(tmp_path)
    (tmp_path / "json/talk.json").unlink()
    with pytest.raises(InputError, match=r"talk\.json cannot be read"):
        asw.videos()
