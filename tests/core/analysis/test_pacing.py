"""How often the detector looks with `detect_every=auto`, and what comes of it."""

from __future__ import annotations

import numpy as np
import pytest
from analysing import analyse

from asdkit.core.analysis.pacing import LONGEST_STEP, longest_step
from asdkit.core.component import Context
from asdkit.core.config.options import AnalysisOptions
from asdkit.core.errors import ConfigError
from asdkit.core.types import Detections
from asdkit.plugins.trackers.iou import IouConfig, build

SIDE = 160
PICTURES = [np.full((90, SIDE, 3), k % 251, np.uint8) for k in range(120)]


class Acted:
    """Finds the faces that a function of the frame tells of, and remembers where it looked."""

    def __init__(self, faces):
        self.faces, self.asked, self.batches = faces, [], []

    def detect(self, frames, indices):
        self.asked += indices
        self.batches.append(len(indices))
        return [detections(self.faces(index)) for index in indices]


def detections(boxes):
    return Detections(np.array(boxes, float).reshape(-1, 4), np.ones(len(boxes)))


def face(x, y=20, size=24):
    return [x, y, x + size, y + size]


def followed(faces, pictures=PICTURES, every="auto", **more):
    """The frames looked at, and the tracks."""
    detector = Acted(faces)
    _, tracks = analyse(pictures, detector=detector, every=every, **more)
    return detector, tracks


def overlaps(track, other):
    """The intersection over union of two tracks of the same frames, frame by frame."""
    assert track.frames == other.frames
    a, b = track.boxes, other.boxes
    shared = np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2])
    shared = shared.clip(0).prod(1)
    return shared / ((a[:, 2:] - a[:, :2]).prod(1) + (b[:, 2:] - b[:, :2]).prod(1) - shared)


def test_faces_that_rest_are_seldom_looked_at():
    detector, (track,) = followed(lambda index: [face(20)])
    assert detector.asked == [0, 1, 3, 7, *range(15, 119, LONGEST_STEP), 119]
    assert set(detector.batches) == {1}
    assert track.frames == range(120)


def test_a_picture_without_faces_is_seldom_looked_at():
    detector, tracks = followed(lambda index: [])
    assert len(detector.asked) < 120 / LONGEST_STEP + 4
    assert tracks == ()


def test_a_face_that_moves_is_looked_at_more_often_the_faster_it_is():
    looks = []
    for speed in (0.1, 0.7, 1.0):
        detector, (track,) = followed(lambda index, speed=speed: [face(10 + speed * index)])
        assert track.boxes[:, 0] == pytest.approx(10 + speed * np.arange(120))
        looks.append(len(detector.asked))
    assert looks[0] < looks[1] < looks[2] < 60


def test_looks_are_close_while_a_face_moves_and_rare_again_afterwards():
    detector, (track,) = followed(lambda index: [face(10 + 4 * min(max(index - 40, 0), 20))])
    assert np.diff([k for k in detector.asked if 44 <= k <= 60]).max() <= 2
    assert np.diff(sorted(k for k in detector.asked if 76 <= k < 119)).min() == LONGEST_STEP
    _, (every,) = followed(lambda index: [face(10 + 4 * min(max(index - 40, 0), 20))], every=1)
    assert overlaps(track, every).mean() > 0.97


@pytest.mark.parametrize("first", range(40, 49))
def test_a_face_that_comes_and_goes_is_found_in_its_first_and_its_last_frame(first):
    """Wherever it comes between two looks; beside a face that rests."""
    end = first + 37

    def faces(index):
        return [face(20), face(100)] if first <= index < end else [face(20)]

    detector, tracks = followed(faces)
    assert [track.frames for track in tracks] == [range(120), range(first, end)]
    assert len(detector.asked) < 40
    assert len(set(detector.asked)) == len(detector.asked)


@pytest.mark.parametrize("jump", range(40, 49))
def test_a_track_that_would_break_between_two_looks_goes_on(jump):
    """A face that makes a quick move of ten frames is followed all the way."""

    def faces(index):
        return [face(20 + 5 * min(max(index - jump, 0), 10))]

    _, (track,) = followed(faces)
    assert track.frames == range(120)
    assert len(followed(faces, every=LONGEST_STEP)[1]) > 1  # at steady steps it breaks


def test_a_face_missed_for_a_while_goes_on():
    def faces(index):
        return [] if 50 <= index < 56 else [face(20)]

    detector, (track,) = followed(faces)
    assert track.frames == range(120)
    assert {49, 50, 55, 56} <= {*detector.asked}


def test_each_shot_is_looked_at_from_its_first_frame_to_its_last():
    def faces(index):
        return [face(20 if index < 43 else 100)]

    detector, tracks = followed(faces, cuts=(43, 44, 60))
    assert {0, 42, 43, 44, 59, 60, 119} <= {*detector.asked}
    assert [track.frames for track in tracks] == [range(43), range(44, 60), range(60, 120)]


def test_tracks_too_short_to_count_at_every_frame_do_not_count_either():
    for length, kept in ((10, 0), (11, 1)):
        for cuts in ((), (length,)):  # at its first frame a shot's faces have not been looked for
            _, tracks = followed(lambda index, end=length: [face(20)] * (index < end), cuts=cuts)
            assert len(tracks) == kept


def test_a_picture_that_is_repeated_is_looked_at_once_in_whatever_order():
    """Twelve pictures a second, with a face that comes between two looks."""
    pictures = [PICTURES[k // 2] for k in range(120)]
    detector, tracks = followed(lambda index: [face(20)] if index >= 52 else [], pictures)
    assert len({k // 2 for k in detector.asked}) == len(detector.asked)
    assert [track.frames for track in tracks] == [range(52, 120)]


def test_the_same_comes_out_each_time():
    rng = np.random.default_rng(3)
    places = rng.uniform(0, 130, (120, 2)).cumsum(0) % 130

    def faces(index):
        return [face(x) for x in places[index]]

    first, second = followed(faces), followed(faces)
    assert first[0].asked == second[0].asked
    assert [t.boxes.tolist() for t in first[1]] == [t.boxes.tolist() for t in second[1]]


@pytest.mark.parametrize("gap", [LONGEST_STEP - 1, LONGEST_STEP])
def test_a_tracker_whose_gaps_are_shorter_than_the_longest_step_is_refused(gap):
    context = Context(detect_every=longest_step("auto"))
    if gap < LONGEST_STEP:
        with pytest.raises(ConfigError, match=r"up to 8 frames .*detect_every.*max_gap_frames=7"):
            build(IouConfig(max_gap_frames=gap), context)
    else:
        build(IouConfig(max_gap_frames=gap), context)


def test_only_a_number_or_auto_is_a_pace():
    assert AnalysisOptions(detect_every="auto").detect_every == "auto"
    with pytest.raises(ValueError, match="a whole number or auto, got 'often'"):
        AnalysisOptions(detect_every="often")
