"""dialogue: who speaks in which region of the picture."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from by_hand import result, square, track
from judging import make, rows
from synth import write_video

from asdkit import testing
from asdkit.core.errors import InputError


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
    (video,) = testing.check_dataset(make("dialogue", folder=dialogue(tmp_path)))
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
        ({"off_screen": [0] * 9}, 'should have 10 of 0 or 1 as "off_screen", as its shots'),
        ({"off_screen": [3] * 10}, '10 of 0 or 1 as "off_screen"'),
        ({"off_screen": 1}, '10 of 0 or 1 as "off_screen"'),
    ],
)
def test_dialogue_labels_that_are_wrong(tmp_path, changes, message):
    with pytest.raises(InputError, match=message) as caught:
        make("dialogue", folder=dialogue(tmp_path, **changes)).videos()
    assert '"regions": {NAME' in caught.value.hint


def test_dialogue_tells_who_speaks_if_an_rttm_lies_beside(tmp_path):
    (video,) = make("dialogue", folder=dialogue(tmp_path)).videos()
    assert video.speakers is None
    lines = ["talk 1 0.04 0.08 <NA> <NA> left", "talk 1 0.1 0.3 <NA> <NA> voice"]
    text = "".join(f"SPEAKER {line} <NA> <NA>\n" for line in [*lines, "other 1 0 9 <NA> <NA> x"])
    (tmp_path / "talk.rttm").write_text(text)
    (video,) = testing.check_dataset(make("dialogue", folder=tmp_path))
    assert {name: list(map(pytest.approx, spans)) for name, spans in video.speakers.items()} == {
        "left": [(0.04, 0.12)],
        "voice": [(0.1, 0.4)],
    }
    assert video.judge(result(duration_s=0.4)) is not None
    for text, says in (
        ("SPEAKER other 1 0 9 <NA> <NA> x\n", r"talk\.rttm says nothing of the video talk, but of"),
        ("SPEAKER talk 1 8 1 <NA> <NA> x\n", r"talk\.rttm has a label at 9\.00 s of a video"),
        ("SPEAKER talk 1 0\n", r"talk\.rttm:1 has 4 fields"),
    ):
        (tmp_path / "talk.rttm").write_text(text)
        with pytest.raises(InputError, match=says):
            make("dialogue", folder=tmp_path).videos()


def test_dialogue_times_in_an_rttm_are_on_the_clock_of_the_file(tmp_path):
    dialogue(tmp_path)
    write_video(tmp_path / "talk.mkv", frames=10, starts_s=0.2, sounds=[(0.0, np.ones(9000, "i2"))])
    (tmp_path / "talk.rttm").write_text("SPEAKER talk 1 0.3 0.2 <NA> <NA> ann <NA> <NA>\n")
    (video,) = make("dialogue", folder=tmp_path).videos()
    assert video.speakers == {"ann": (pytest.approx((0.1, 0.3), abs=0.002),)}


def test_dialogue_tells_who_speaks_off_screen_if_the_labels_do(tmp_path):
    (video,) = make("dialogue", folder=dialogue(tmp_path)).videos()
    assert video.off_screen is None
    told = [0, 0, 1, 1, 0, 0, 0, 0, 0, 1]
    (video,) = testing.check_dataset(make("dialogue", folder=dialogue(tmp_path, off_screen=told)))
    assert video.off_screen.dtype == np.bool_
    assert video.off_screen.tolist() == [bool(one) for one in told]


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
