"""Which frames of which faces a training learns from, and with what labels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from by_hand import square
from judging import make
from learning import FacesGiven
from refusing import refusal
from synth import write_video

from asdkit.core.errors import InputError
from asdkit.core.labels import LabelledFace, LabelledVideo
from asdkit.core.matching import Label, judge_matches
from asdkit.plugins.datasets.ava import judge_boxes
from asdkit.training.examples import examples_of

LEFT, RIGHT = np.array(square(20, 30)), np.array(square(70, 30))


def labelled(*labels: Label, faces: tuple[LabelledFace, ...] = ()) -> LabelledVideo:
    """A video with labels of boxes, as AVA has them."""
    ordered = sorted(labels, key=lambda label: label.time_s)
    return LabelledVideo(
        "talk",
        Path("talk.mp4"),
        lambda result: judge_boxes(ordered, result, iou_threshold=0.5),
        faces,
    )


def labels_at(person: str, box: np.ndarray, times_s, speaks) -> list[Label]:
    return [Label(person, float(t), bool(s), box) for t, s in zip(times_s, speaks, strict=True)]


def face(first: int, box: np.ndarray, frames: int) -> LabelledFace:
    return LabelledFace(first, np.tile(box, (frames, 1)))


def test_each_face_gets_its_own_labels_frame_by_frame():
    left, right = [1, 1, 0, 0, 1], [0, 1, 0]
    video = labelled(
        *labels_at("ann", LEFT, np.arange(10, 15) / 25, left),
        *labels_at("ben", RIGHT, np.arange(11, 14) / 25, right),
        faces=(face(10, LEFT, 5), face(11, RIGHT, 3)),
    )
    one, other = examples_of([video], FacesGiven())
    assert (one.video, one.person, one.labels.tolist()) == ("talk", "ann", left)
    assert (other.person, other.labels.tolist()) == ("ben", right)
    assert one.labels.dtype == np.int8
    assert one.read().faces[:, 0, 0].tolist() == [0, 1, 2, 3, 4]
    assert set(other.read().sound) == {200}, "the second face's own"


@pytest.mark.parametrize("per_s", [24, 24000 / 1001, 29.97, 30, 50])
def test_labels_at_other_rates_leave_no_gaps(per_s):
    """Each frame of the grid has the label that is nearest in time."""
    times = np.arange(0, 4, 1 / per_s)
    speaks = times % 1 < 0.5
    frames = round(times[-1] * 25) + 1
    video = labelled(*labels_at("ann", LEFT, times, speaks), faces=(face(0, LEFT, frames),))
    (found,) = examples_of([video], FacesGiven())
    assert (found.labels >= 0).all()
    nearest = np.abs(times - np.arange(frames)[:, None] / 25).argmin(1)
    clear = np.abs((np.arange(frames) / 25) % 0.5 - 0.25) < 0.2  # not beside a change
    assert (found.labels[clear] == speaks[nearest][clear]).all()


def test_sparse_labels_reach_half_way_to_the_next():
    """Five labels a second, of which three are missing later."""
    places = np.array([0, 5, 10, 15, 35, 40])
    speaks = [0, 1, 0, 1, 0, 1]
    video = labelled(*labels_at("ann", LEFT, places / 25, speaks), faces=(face(0, LEFT, 41),))
    (found,) = examples_of([video], FacesGiven())
    expected = [0] * 3 + [1] * 5 + [0] * 5 + [1] * 5 + [-1] * 15 + [0] * 5 + [1] * 3
    assert found.labels.tolist() == expected


def test_very_sparse_labels_reach_half_a_second():
    video = labelled(*labels_at("ann", LEFT, [0, 4, 8], [1, 1, 1]), faces=(face(0, LEFT, 201),))
    (found,) = examples_of([video], FacesGiven())
    assert np.flatnonzero(found.labels == 1).tolist() == [
        *range(13),
        *range(88, 113),
        *range(188, 201),
    ]


@pytest.mark.parametrize("shift_s", [0.0, 0.013, 0.02, 0.027])
@pytest.mark.parametrize("per_s", [24, 25, 30])
def test_labels_with_rounded_times_leave_no_gaps(per_s, shift_s):
    """Published times have two decimals."""
    times = np.round(np.arange(0, 4, 1 / per_s) + shift_s, 2)
    frames = round(times[-1] * 25)
    video = labelled(*labels_at("ann", LEFT, times, times < 2), faces=(face(1, LEFT, frames - 1),))
    (found,) = examples_of([video], FacesGiven())
    assert (found.labels >= 0).all()


def test_frames_between_labelled_ones_stay_unknown_if_nobody_labelled_them():
    """Such as those of which a run was not sure, even where they are few."""
    sure = np.array([0, 1, 2, 3, 5, 6, 7, 10, 11, 12, 13, 14, 15])
    video = labelled(*labels_at("ann", LEFT, sure / 25, sure < 5), faces=(face(0, LEFT, 16),))
    (found,) = examples_of([video], FacesGiven())
    expected = [1] * 4 + [-1] + [0] * 3 + [-1] * 2 + [0] * 6
    assert found.labels.tolist() == expected


def test_frames_and_faces_that_nobody_labelled_do_not_count():
    video = labelled(*labels_at("ann", LEFT, np.arange(4) / 25, [1, 0, 1, 0]))
    boxes = np.tile(LEFT, (8, 1))
    (found,) = examples_of([video], FacesGiven((0, boxes), (0, np.tile(RIGHT, (8, 1)))))
    assert found.person == "ann"
    assert found.labels.tolist() == [1, 0, 1, 0, -1, -1, -1, -1]


def test_a_part_of_an_example_is_a_part_of_its_face():
    video = labelled(
        *labels_at("ann", LEFT, np.arange(20) / 25, np.arange(20) % 2), faces=(face(0, LEFT, 20),)
    )
    (found,) = examples_of([video], FacesGiven())
    part = found.part(3, 11).part(2, 5)
    assert len(part) == 3
    assert part.labels.tolist() == [1, 0, 1]
    assert part.read().faces[:, 0, 0].tolist() == [5, 6, 7]


def test_the_labels_of_regions_are_those_of_the_faces_found_in_them(tmp_path):
    write_video(tmp_path / "talk.mkv", frames=10)
    (tmp_path / "talk.json").write_text(
        '{"shots": [[0, 10]], "regions": {"l": [0, 0, 48, 64], "r": [48, 0, 96, 64]},'
        '"speaking": {"l": [0,0,1,1,1,0,0,0,0,0], "r": [0,0,0,0,0,0,1,1,1,1]}}'
    )
    videos = make("dialogue", folder=tmp_path).videos()
    found = FacesGiven((2, np.tile(LEFT, (6, 1))), (4, np.tile(RIGHT, (5, 1))))
    one, other = examples_of(videos, found)
    assert (one.person, one.labels.tolist()) == ("l", [1, 1, 1, 0, 0, 0])
    assert (other.person, other.labels.tolist()) == ("r", [0, 0, 1, 1, 1])


def test_labels_that_are_not_of_faces_are_refused(tmp_path):
    write_video(tmp_path / "talk.mkv", frames=10)
    (tmp_path / "talk.rttm").write_text("SPEAKER talk 1 0.2 0.1 <NA> <NA> ann <NA> <NA>\n")
    videos = make("rttm", videos=tmp_path, rttm=tmp_path).videos()
    text = refusal(InputError, examples_of, videos, FacesGiven((0, np.tile(LEFT, (8, 1)))))
    assert "does not label faces of talk" in text
    assert "dataset=ava" in text


def test_videos_without_any_labelled_face_are_refused():
    video = labelled(*labels_at("ann", LEFT, [0.0], [1]))
    text = refusal(InputError, examples_of, [video], FacesGiven((0, np.tile(RIGHT, (8, 1)))))
    assert text.startswith("No face of the 1 videos has a label")


def test_a_judge_that_keeps_the_scores_to_itself_is_at_fault():
    def judge(result):
        judged = judge_matches([Label("ann", 0.0, True)], [(result.tracks[0], 0)], result.tracks)
        return replace(judged, logits=np.full((1, 2), 0.5, np.float32))

    video = LabelledVideo("talk", Path("talk.mp4"), judge)
    text = refusal(InputError, examples_of, [video], FacesGiven((0, np.tile(LEFT, (8, 1)))))
    assert "does not hand on the scores of the faces that it matches in talk" in text
    assert "judge_matches" in text
