"""Boxes as arrays: checked, brought to the grid by time, and looked up."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import asdkit
from asdkit.core.analysis.known_tracks import MOST_GAP_FRAMES, KnownTracks
from asdkit.core.analysis.parts import Parts
from asdkit.core.errors import ConfigError, InputError, PluginError
from asdkit.core.kept_answers import Answer, packed, rebuilt, taken_apart, unpacked
from asdkit.core.kept_parts import asked_of
from asdkit.core.known_faces import KnownFaces
from asdkit.core.resume import Answers
from asdkit.core.types import Detections

BOX = [10.0, 20.0, 30.0, 50.0]


def at(x):
    return [x, 20.0, x + 20.0, 50.0]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"frames": [0.5]}, "Boxes.frames must be whole numbers from 0 on, got 0.5"),
        ({"frames": [-1]}, "Boxes.frames must be whole numbers from 0 on, got -1"),
        ({"frames": [np.nan]}, "Boxes.frames must be whole numbers from 0 on, got nan"),
        ({"frames": ["a"]}, "Boxes.frames must be whole numbers from 0 on, got a"),
        ({"frames": [[0]]}, "Boxes.frames cannot be used"),
        ({"boxes": [BOX, BOX]}, "Boxes.boxes cannot be used: .*shape .1, 4., but got shape .2, 4."),
        ({"boxes": [[3, 2, 1, 4]]}, r"Boxes.boxes\[0\] is \[3.0, 2.0, 1.0, 4.0\], which encloses"),
        ({"boxes": [[0, 0, np.inf, 1]]}, "Boxes.boxes must be finite, but one is inf"),
        ({"scores": [0.5, 0.6]}, "Boxes.scores cannot be used"),
        ({"ids": [7, 8]}, "Boxes.ids cannot be used"),
        ({"ids": [-2]}, "Boxes.ids must be whole numbers from 0 on, got -2"),
        ({"clock": "file"}, "Boxes.clock must be one of grid, source, got 'file'"),
        (
            {"frames": [3, 3], "boxes": [BOX, BOX], "ids": [7, 7]},
            "two boxes of the id 7 in frame 3",
        ),
    ],
)
def test_arrays_that_do_not_fit_are_refused_in_one_line(given, says):
    with pytest.raises(InputError, match=says):
        asdkit.Boxes(**{"frames": [0], "boxes": [BOX], **given})


def test_rows_may_be_in_any_order_and_of_any_kind_of_array():
    boxes = asdkit.Boxes(np.float32([2, 0]), np.float32([at(4), at(0)]), [0.5, 1], ids=(8, 7))
    found = KnownFaces(boxes).detect(np.zeros((4, 9, 9, 3), np.uint8), [0, 1, 2, 3])
    assert [faces.boxes.tolist() for faces in found] == [[at(0)], [], [at(4)], []]
    assert [None if not len(faces) else faces.ids.tolist() for faces in found] == [
        [7],
        None,
        [8],
        None,
    ]
    assert found[2].scores.tolist() == [0.5]


def test_no_boxes_are_no_faces():
    for ids in (None, []):
        boxes = asdkit.Boxes([], np.empty((0, 4)), ids=ids, clock="source")
        moved = boxes.on_grid(np.arange(3) / 10, np.array([0, 0, 1, 1, 2]))
        assert (len(moved), moved.clock) == (0, "grid")
        assert not len(KnownFaces(moved).detect(np.zeros((1, 9, 9, 3), np.uint8), [0])[0])


def test_pictures_are_asked_for_on_the_grid_alone_and_never_portraits():
    frames = np.zeros((1, 9, 9, 3), np.uint8)
    with pytest.raises(ConfigError, match="needs the times of the video's pictures"):
        KnownFaces(asdkit.Boxes([0], [BOX], clock="source")).detect(frames, [0])
    with pytest.raises(ConfigError, match="not those of portraits"):
        KnownFaces(asdkit.Boxes([0], [BOX])).detect(frames, [-1])


def test_what_is_on_the_grid_stays_as_it_is():
    boxes = asdkit.Boxes([0, 5], [BOX, BOX])
    assert boxes.on_grid(np.empty(0), np.empty(0, np.int64)) is boxes


@pytest.mark.parametrize("ids", [None, [7] * 4])
def test_a_frame_of_the_grid_has_the_boxes_of_its_picture(ids):
    boxes = asdkit.Boxes([0, 1, 2, 3], [at(0), at(10), at(20), at(30)], ids=ids, clock="source")
    slow = boxes.on_grid(np.arange(4) / 10, np.array([0, 0, 1, 1, 1, 2, 2, 3]))
    assert slow.frames.tolist() == list(range(8))
    assert slow.boxes[:, 0].tolist() == [0, 0, 10, 10, 10, 20, 20, 30]
    fast = boxes.on_grid(np.arange(4) / 50, np.array([0, 2]))
    assert fast.boxes[:, 0].tolist() == [0, 20]


def test_an_id_is_interpolated_by_time_where_its_picture_has_no_box():
    times_s = np.array([0.0, 0.02, 0.03, 0.06, 0.08, 0.1])
    boxes = asdkit.Boxes([1, 3], [at(0), at(40)], [0.5, 1.0], [7, 7], clock="source")
    moved = boxes.on_grid(times_s, np.array([0, 2, 4]))
    assert moved.frames.tolist() == [1]
    assert moved.boxes[0, 0] == pytest.approx(10)  # 0.01 s of 0.04 s
    assert moved.confidence[0] == pytest.approx(0.625)
    assert moved.ids.tolist() == [7]


def test_an_id_that_is_away_for_longer_than_a_second_is_not_interpolated():
    times_s = np.arange(60) / 25
    shown = np.arange(60)
    for last, count in ((25, 26), (26, 2)):
        boxes = asdkit.Boxes([0, last], [at(0), at(40)], ids=[7, 7], clock="source")
        assert len(boxes.on_grid(times_s, shown)) == count


def test_without_ids_a_picture_has_the_boxes_of_the_last_one_skipped():
    boxes = asdkit.Boxes([1, 1, 5], [at(0), at(50), at(20)], clock="source")
    moved = boxes.on_grid(np.arange(9) / 75, np.array([0, 3, 6, 8]))
    assert moved.frames.tolist() == [1, 1, 2]
    assert moved.boxes[:, 0].tolist() == [0, 50, 20]
    held = boxes.on_grid(np.arange(9) / 10, np.array([1, 1, 2, 2, 5]))
    assert held.frames.tolist() == [0, 0, 1, 1, 4]


@given(st.data())
def test_every_box_comes_from_the_boxes_around_it(data):
    count = data.draw(st.integers(1, 12))
    times_s = np.cumsum(data.draw(st.lists(st.floats(0.01, 0.5), min_size=count, max_size=count)))
    shown = np.sort(data.draw(st.lists(st.integers(0, count - 1), min_size=1, max_size=20)))
    keys = data.draw(
        st.lists(st.tuples(st.integers(0, count + 2), st.integers(0, 2)), unique=True, max_size=20)
    )
    x = np.array(data.draw(st.lists(st.floats(0, 99), min_size=len(keys), max_size=len(keys))))
    frames, ids = np.array(keys, np.int64).reshape(-1, 2).T
    rows = np.array([at(one) for one in x]).reshape(-1, 4)
    moved = asdkit.Boxes(frames, rows, ids=ids, clock="source").on_grid(times_s, shown)
    found = dict(
        zip(
            zip(moved.frames.tolist(), moved.ids.tolist(), strict=True),
            moved.boxes[:, 0],
            strict=True,
        )
    )
    for number in range(3):
        own = dict(zip(frames[ids == number].tolist(), x[ids == number], strict=True))
        for frame, picture in enumerate(shown.tolist()):
            before = max((one for one in own if one <= picture), default=None)
            after = min((one for one in own if picture <= one < count), default=None)
            known = before is not None and after is not None
            if not known or times_s[after] - times_s[before] > 1:
                assert (frame, number) not in found
                continue
            part = [times_s[before], times_s[after]]
            wanted = np.interp(times_s[picture], part, [own[before], own[after]])
            assert found[frame, number] == pytest.approx(wanted)


def test_about_tells_boxes_apart():
    one = asdkit.Boxes([0], [BOX], ids=[1])
    others = [
        asdkit.Boxes([1], [BOX], ids=[1]),
        asdkit.Boxes([0], [at(0)], ids=[1]),
        asdkit.Boxes([0], [BOX], ids=[2]),
        asdkit.Boxes([0], [BOX]),
        asdkit.Boxes([0], [BOX], [0.5], ids=[1]),
        asdkit.Boxes([0], [BOX], ids=[1], clock="source"),
    ]
    assert one.about() == asdkit.Boxes([0], [BOX], ids=[1]).about()
    assert one.about()["sha256"] not in [other.about()["sha256"] for other in others]


# Followed by their ids


def faces(*found):
    ids, boxes = zip(*found, strict=True) if found else ((), np.empty((0, 4)))
    return Detections(boxes, np.ones(len(boxes)), ids=ids)


def test_each_id_has_a_track_however_its_boxes_move():
    tracker = KnownTracks("the detector")
    pieces = tracker.update(0, faces((7, at(0)), (3, at(90))))
    pieces += tracker.update(1, faces((3, at(0)), (7, at(90))))
    pieces += tracker.update(4, faces((7, at(0))))
    pieces += tracker.flush()
    pieces += tracker.update(5, faces((7, at(0))))
    assert tracker.ids == {0: 7, 1: 3, 2: 7}
    seven = [piece for piece in pieces if piece.track == 0]
    assert np.concatenate([one.boxes for one in seven])[:, 0].tolist() == [0, 90, 60, 30, 0]
    assert seven[-1].status == "kept"


def test_an_id_that_is_away_for_long_comes_back_as_another_track():
    for gap, tracks in ((MOST_GAP_FRAMES, [0, 0]), (MOST_GAP_FRAMES + 1, [0, 0, 1])):
        tracker = KnownTracks("the detector")
        pieces = tracker.update(0, faces((7, at(0)))) + tracker.update(gap, faces((7, at(0))))
        assert [piece.track for piece in pieces] == tracks
        assert set(tracker.ids.values()) == {7}


@pytest.mark.parametrize(
    "found",
    [
        Detections([BOX], [1.0]),
        Detections([BOX, BOX], [1.0, 1.0], ids=[7, 7]),
        Detections([BOX], [1.0], ids=[-1]),
    ],
    ids=["none", "twice", "negative"],
)
def test_a_detector_that_leaves_ids_out_is_named(found):
    with pytest.raises(PluginError, match="boxes= has knows_ids=True, but the ids of"):
        KnownTracks("boxes=").update(3, found)


@pytest.mark.parametrize("attribute", ["knows_ids", "looks"])
def test_what_a_detector_says_of_itself_is_checked_where_its_answers_are_kept(attribute):
    class Broken:
        def __getattr__(self, name):
            if name == attribute:
                raise RuntimeError("not today")
            raise AttributeError(name)

    with pytest.raises(PluginError, match=r"^The detector failed: RuntimeError: not today"):
        asked_of(Answers(None), Parts(None, Broken(), None, None))


def test_ids_are_kept_for_resuming():
    answer = [faces((7, at(0)), (3, at(9))), faces(), Detections([BOX], [1.0])]
    arrays = packed([Answer("detector", "detector key", taken_apart("detector", answer))])
    ((key, items),) = unpacked("detector", arrays)
    again = rebuilt("detector", items)
    assert key == "detector key"
    assert [None if one.ids is None else one.ids.tolist() for one in again] == [[7, 3], None, None]
