"""All trackers alike: the contract whatever comes in, and the cases that tell them apart."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest
from following import detections, follow, make
from hypothesis import given, settings
from hypothesis import strategies as st

import asdkit
from asdkit.core.errors import ConfigError, MissingExtraError
from asdkit.core.installation import install_words

OF_THE_LIBRARY = ("bytetrack", "ocsort", "cbiou")
FORESEEING = [
    pytest.param(
        name,
        marks=pytest.mark.skipif(
            find_spec("trackers") is None,
            reason="needs the package trackers: pip install asdkit[trackers]",
        ),
    )
    for name in OF_THE_LIBRARY
]
UNGROWN = {"cbiou": {"grow_ratio": 0}}
"""For cases whose overlap is to mean the same for all."""
every_tracker = pytest.mark.parametrize("name", ["iou", *FORESEEING])
foreseeing = pytest.mark.parametrize("name", FORESEEING)


def face(x: float, y: float = 50, size: float = 60, score: float = 0.9) -> list[float]:
    return [x, y, x + size, y + size, score]


def owners(tracks, frames):
    """Which faces, by their place in their row of `frames`, each track was seen at."""
    places = {tuple(row[:4]): k for rows in frames.values() for k, row in enumerate(rows)}
    return [
        {places[tuple(track.boxes[index - track.first_frame])] for index in track.seen}
        for track in tracks
    ]


@every_tracker
@pytest.mark.parametrize("gap", [1, 2, 9, 10])
def test_a_face_that_returns_within_the_limit_is_the_same(name, gap):
    seen = [*range(15), *range(14 + gap, 30 + gap)]
    [track] = follow(make(name), {i: [face(100 + i)] if i in seen else [] for i in range(30 + gap)})
    assert track.span == (0, 29 + gap)
    assert track.seen == seen


@every_tracker
@pytest.mark.parametrize("gap", [11, 12, 40])
def test_a_face_that_returns_over_the_limit_is_a_new_one(name, gap):
    seen = [*range(15), *range(14 + gap, 30 + gap)]
    tracks = follow(make(name), {i: [face(100 + i)] if i in seen else [] for i in range(30 + gap)})
    assert [track.span for track in tracks] == [(0, 14), (14 + gap, 29 + gap)]


@every_tracker
@pytest.mark.parametrize(("away", "number"), [(range(25, 30), 1), (range(25, 31), 2)])
def test_the_limit_counts_frames_where_few_are_looked_at(name, away, number):
    """10 frames from sight to sight are one look missed, 15 are two."""
    frames = {i: [] if i in away else [face(100 + i / 5)] for i in range(0, 71, 5)}
    tracks = follow(make(name, detect_every=5), frames)
    assert len(tracks) == number
    assert tracks[-1].span[1] == 70


@every_tracker
def test_an_ended_track_is_told_of_in_the_next_update(name):
    tracker = make(name, max_gap_frames=3, min_track_detections=0)
    tracker.update(0, detections([face(0)]))
    assert not tracker.update(3, detections([]))
    [piece] = tracker.update(4, detections([]))
    assert (piece.status, piece.first_frame) == ("kept", 1)


@every_tracker
def test_faces_that_cross(name):
    frames = {i: [face(10 + 4 * i, 50), face(210 - 4 * i, 65)] for i in range(50)}
    tracks = follow(make(name), frames)
    assert [track.seen for track in tracks] == [list(range(50))] * 2
    assert owners(tracks, frames) == [{0}, {1}]


@foreseeing
def test_a_face_hidden_behind_another_comes_out_as_itself(name):
    hidden = range(21, 29)
    there = {i: [face(10 + 4 * i, 50), face(210 - 4 * i, 60)] for i in range(50)}
    frames = {i: rows[:1] if i in hidden else rows for i, rows in there.items()}
    tracks = follow(make(name), frames)
    assert owners(tracks, frames) == [{0}, {1}]


@foreseeing
@pytest.mark.parametrize("step", [1, 5])
def test_a_face_is_awaited_where_its_way_leads(name, step):
    """Unseen for 10 frames, it is 80 px further on; its box is 60 px wide."""
    frames = {i: [] if 20 < i < 30 else [face(8 * i)] for i in range(0, 61, step)}
    assert len(follow(make(name, detect_every=step), frames)) == 1
    assert len(follow(make("iou", detect_every=step), frames)) > 1


@foreseeing
def test_what_is_foreseen_goes_by_frames_not_by_looks(name):
    """A shot's last frame is looked at, though it lies nearer than the others; by then the face
    moves by its own width in five frames."""
    looks = [*range(0, 51, 5), 51]
    frames = {i: [face(2 * i + 0.08 * i * i, size=50)] for i in looks}
    [track] = follow(make(name, detect_every=5, **UNGROWN.get(name, {})), frames)
    assert track.seen == looks


@every_tracker
def test_boxes_that_flicker_and_shake(name):
    rng = np.random.default_rng(0)
    seen = rng.random(200) < 0.6
    seen[0] = seen[-1] = True
    frames = {
        i: [face(*(rng.normal(0, 2, 2) + 100), size=80 + rng.normal(0, 2))] if seen[i] else []
        for i in range(200)
    }
    [track] = follow(make(name), frames)
    assert track.span == (0, 199)
    for index in track.seen:
        np.testing.assert_array_equal(track.boxes[index], frames[index][0][:4])


@every_tracker
def test_several_faces_in_any_order(name):
    """Five faces come one after the other, in rows that change places, some of them faint."""
    rng = np.random.default_rng(1)
    people = {i: [face(100 * k + 2 * i, 40 * k) for k in range(5) if i >= 3 * k] for i in range(60)}
    frames = {}
    for i, rows in people.items():
        order = rng.permutation(len(rows))
        faint = face(20, 300, score=0.1), face(600, 300, score=0.2)
        frames[i] = [faint[0], *(rows[k] for k in order), faint[1]]
    tracks = follow(make(name), frames)
    upper = [track for track in tracks if track.boxes[0, 1] < 250]
    assert owners(upper, people) == [{k} for k in range(5)]
    assert [track.seen[0] for track in upper] == [0, 3, 6, 9, 12]
    assert len(tracks) == (5 if name in ("bytetrack", "cbiou") else 7)


@every_tracker
def test_two_boxes_on_one_face_never_enter_one_track(name):
    frames = {i: [face(10), face(12, 52, score=0.8)] for i in range(12)}
    assert [track.seen for track in follow(make(name), frames)] == [list(range(12))] * 2


@every_tracker
def test_nothing_lives_through_a_cut(name):
    """After a flush all is as with a new tracker, but for the numbers."""
    before = {i: [face(8 * i), face(500 - 8 * i, 120)] for i in range(25)}
    after = {i: [face(8 * i - 20), face(500 - 8 * i, 100)] for i in range(25, 50)}
    tracker = make(name)
    numbers = [track.number for track in follow(tracker, before)]
    second, fresh = follow(tracker, after), follow(make(name), after)
    assert [track.number for track in second] == [len(numbers) + track.number for track in fresh]
    for got, want in zip(second, fresh, strict=True):
        assert (got.span, got.seen, got.status) == (want.span, want.seen, want.status)
        np.testing.assert_array_equal(got.boxes, want.boxes)


@every_tracker
def test_nobody(name):
    assert not follow(make(name), {i: [] for i in range(20)})


@every_tracker
@pytest.mark.parametrize(("frames", "status"), [(10, "dropped"), (11, "kept")])
def test_short_tracks_do_not_count(name, frames, status):
    [track] = follow(make(name), {i: [face(100)] for i in range(frames)})
    assert track.status == status


@every_tracker
def test_filled_frames_do_not_make_a_track_longer(name):
    [track] = follow(make(name), {i: [face(100)] for i in range(0, 20, 2)})
    assert (len(track.boxes), track.status) == (19, "dropped")


@every_tracker
@pytest.mark.parametrize(("size", "status"), [(40, "dropped"), (41, "kept")])
def test_small_faces_do_not_count(name, size, status):
    [track] = follow(make(name, min_face_px=40), {i: [face(9, size=size)] for i in range(20)})
    assert track.status == status


@every_tracker
def test_a_look_just_after_another_stands_for_no_more_frames_than_passed(name):
    """A shot's last frame is always looked at, however soon after the last look."""
    [track] = follow(make(name, detect_every=7), {0: [face(100)], 1: [face(101)]})
    assert track.status == "dropped"


@every_tracker
@pytest.mark.parametrize("looks", [(0, 4, 8, 11), (0, 1, 2, 4, 5, 11)])
def test_each_detection_stands_for_the_frames_up_to_the_next_look(name, looks):
    """So a track counts as much as with looks at every frame."""
    frames = {i: [face(100)] for i in looks}
    [track] = follow(make(name, detect_every=6, min_track_detections=11), frames)
    assert track.status == "kept"  # the detections stand for 12 frames
    [track] = follow(make(name, detect_every=6, min_track_detections=12), frames)
    assert track.status == "dropped"


@every_tracker
def test_a_detection_stands_for_no_frame_in_which_the_face_was_looked_for_in_vain(name):
    frames = {i: [face(100)] if i in (0, 4, 16) else [] for i in (0, 4, 8, 12, 16)}
    [track] = follow(make(name, detect_every=4, min_track_detections=8, max_gap_frames=12), frames)
    assert (track.span, track.status) == ((0, 16), "kept")  # 4 + 4 + 1
    [track] = follow(make(name, detect_every=4, min_track_detections=9, max_gap_frames=12), frames)
    assert track.status == "dropped"


@every_tracker
def test_detecting_less_often_than_the_gap_is_refused(name):
    with pytest.raises(ConfigError, match=r"up to 11 frames .*detect_every.*max_gap_frames=10"):
        make(name, detect_every=11)


@every_tracker
def test_the_same_comes_out_each_time_and_nothing_is_said(name, capfd, caplog):
    rng = np.random.default_rng(2)
    frames = {i: [face(*rng.uniform(0, 99, 2)) for _ in range(4)] for i in range(40)}
    first, second = follow(make(name), frames), follow(make(name), frames)
    assert len(first) == len(second)
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one.boxes, other.boxes)
    assert capfd.readouterr() == ("", "")
    assert not caplog.records


@pytest.mark.parametrize("name", [p for p in FORESEEING if p.values[0] != "ocsort"])
def test_faint_faces_carry_a_track_on_but_begin_none(name):
    scores = [0.59] * 5 + [0.6] + [0.4] * 20
    frames = {i: [face(100 + i, score=score)] for i, score in enumerate(scores)}
    [track] = follow(make(name), frames)
    assert track.seen == list(range(5, 26))
    assert not follow(make(name, sure_score=0.61), frames)
    [track] = follow(make(name, sure_score=0.4), frames)
    assert track.seen == list(range(26))


@every_tracker
def test_how_much_of_a_face_must_overlap(name):
    """Half of each box lies in the other: a third of both."""
    frames = {0: [face(0, score=1)], 1: [face(30, score=1)]}
    for threshold, number in ((0.3, 1), (0.35, 2)):
        tracker = make(name, iou_threshold=threshold, **UNGROWN.get(name, {}))
        assert len(follow(tracker, frames)) == number


@pytest.mark.parametrize("name", [p for p in FORESEEING if p.values[0] == "cbiou"])
def test_grown_boxes_reach_further(name):
    frames = {0: [face(0)], 1: [face(60)]}
    assert len(follow(make(name), frames)) == 1
    assert len(follow(make(name, grow_ratio=0), frames)) == 2


@pytest.mark.parametrize("name", [p for p in FORESEEING if p.values[0] == "ocsort"])
def test_a_face_that_keeps_its_direction_is_preferred(name):
    """Where the track is awaited, at 80, two faces lie: a nearer one behind, one before."""
    frames = {i: [face(5 * i)] for i in range(16)}
    frames[16] = [face(60), face(105)]
    chosen = {
        weight: follow(make(name, direction_weight=weight), frames)[0].boxes[-1][0]
        for weight in (0, 2)
    }
    assert chosen == {0: 60, 2: 105}


rows_ = st.tuples(
    *[st.floats(-50, 500)] * 2, *[st.just(0.0) | st.floats(0.001, 200)] * 2, st.floats(0, 1)
).map(lambda b: [b[0], b[1], b[0] + b[2], b[1] + b[3], b[4]])


@every_tracker
@settings(max_examples=100)
@given(
    frames=st.lists(st.lists(rows_, max_size=4), max_size=20),
    step=st.integers(1, 3),
    gap=st.integers(3, 8),
    threshold=st.floats(0.01, 0.9),
)
def test_whatever_comes_in(name, frames, step, gap, threshold):
    """The contract holds, gaps stay within bounds, and no sure face is lost."""
    tracker = make(name, step, iou_threshold=threshold, max_gap_frames=gap, min_track_detections=0)
    looked_at = {step * k: rows for k, rows in enumerate(frames)}
    placed = {index: [] for index in looked_at}
    for track in follow(tracker, looked_at):
        assert max(np.diff(track.seen), default=0) <= gap
        for index in track.seen:
            placed[index].append(tuple(track.boxes[index - track.first_frame]))
    for index, rows in looked_at.items():
        assert {tuple(row[:4]) for row in rows if row[4] >= 0.6} <= set(placed[index])


@pytest.mark.parametrize(
    ("name", "parameter"),
    [
        *[(name, {"max_gap_frames": 0}) for name in ("iou", *OF_THE_LIBRARY)],
        ("iou", {"min_track_detections": -1}),
        ("iou", {"min_face_px": -1.0}),
        ("iou", {"iou_threshold": 1.0}),
        *[(name, {"iou_threshold": 0.0}) for name in OF_THE_LIBRARY],
        ("bytetrack", {"sure_score": 1.1}),
        ("cbiou", {"sure_score": -0.1}),
        ("cbiou", {"grow_ratio": -0.1}),
        ("ocsort", {"direction_weight": -0.1}),
    ],
)
def test_parameters_out_of_range(name, parameter):
    with pytest.raises(ConfigError, match=next(iter(parameter))):
        asdkit.load("tracker", name, **parameter)


@pytest.mark.parametrize("name", OF_THE_LIBRARY)
@pytest.mark.parametrize("package", ["trackers", "supervision"])
def test_without_the_library(name, package, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError) as caught:
        make(name)
    assert f"tracker={name} needs the package trackers" in str(caught.value)
    assert f"{install_words('trackers')}, or choose tracker=iou" in str(caught.value)


def test_the_library_is_imported_when_it_is_needed():
    program = (
        "import sys; from asdkit.core.registry import registry; "
        "registry().find('tracker', 'ocsort').config(); assert 'supervision' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
