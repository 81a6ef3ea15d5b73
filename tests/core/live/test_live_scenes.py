"""Scorers that look at all faces of a moment at once get those of the last seconds, hop by hop."""

from __future__ import annotations

import numpy as np
from hopping import Numbers, hops_of, joined
from scenes import MostMoving

from asdkit.core.analysis.parts import Parts
from asdkit.core.component import Context
from asdkit.core.config.options import AnalysisOptions
from asdkit.core.live.passing import LivePass
from asdkit.core.live.settings import LiveConfig
from asdkit.core.notes import Notes
from asdkit.core.pictures import ArrayPicture, Frame
from asdkit.core.progress import Stopwatch
from asdkit.core.types import Detections
from asdkit.plugins.trackers.iou import IouConfig, build

LEFT, RIGHT = [4, 8, 44, 56], [52, 8, 92, 56]
SMOOTHED = 6


class Seen:
    """A detector that knows from when to when each face is seen."""

    looks = False

    def __init__(self, *spans):
        self.spans = spans

    def detect(self, pictures, indices):
        boxes = [[box for box, first, end in self.spans if first <= k < end] for k in indices]
        return [Detections(np.reshape(b, (-1, 4)), np.full(len(b), 0.9)) for b in boxes]


class CutsAt:
    """A cutter that cuts at given frames."""

    def __init__(self, *cuts):
        self.cuts = cuts

    def starts_shot(self, picture, index):
        return index in self.cuts


class Listening(MostMoving):
    """Remembers the scenes whole."""

    def __init__(self):
        super().__init__()
        self.whole = []

    def score_scene(self, scene):
        self.whole.append(scene)
        return super().score_scene(scene)


def moving(number, left):
    """Two grey faces, of which one has something that moves."""
    image = np.full((64, 96, 3), 120, np.uint8)
    x = 12 if left else 60
    image[30 : 34 + 8 * (number % 2), x : x + 24] = 20
    return Frame(number, ArrayPicture(image))


def passed(frames, *spans, cuts=(), **config):
    scorer = Listening()
    parts = Parts(CutsAt(*cuts), Seen(*spans), build(IouConfig(), Context()), scorer)
    live = LivePass(parts, Numbers(), Stopwatch(), AnalysisOptions(), LiveConfig(**config), Notes())
    hops = hops_of(live, (moving(k, k < 40) for k in range(frames)))
    return scorer, hops, joined(hops)


def test_who_moves_most_is_known_from_the_others():
    scorer, _, tracks = passed(80, (LEFT, 0, 80), (RIGHT, 0, 80), context_s=4)
    left, right = (np.concatenate(tracks[number].logits)[:, 1] > 0 for number in (0, 1))
    assert (left[1:40].all(), left[41:].any()) == (True, False)
    assert (right[1:40].any(), right[41:].all()) == (False, True)
    assert scorer.scenes[0] == [(0, 4), (0, 4)]
    assert scorer.scenes[-1] == [(0, 80), (0, 80)]


def test_a_scene_is_the_last_seconds_of_all_with_their_sound():
    scorer, _, _ = passed(80, (LEFT, 0, 80), (RIGHT, 30, 80), context_s=1)
    stops = [*range(10 - SMOOTHED, 80 - SMOOTHED, 5), 80 - SMOOTHED, 80]
    for scene, stop in zip(scorer.whole, stops, strict=True):
        first = max(stop - 25, 0)
        assert scene.sound[::640].tolist() == list(range(first, stop))
        assert scene.sound_before == max(first - 1, 0)
        assert set(scene.sound_after.tolist()) == {stop}
        faces = sorted((face.first_frame, len(face)) for face in scene.faces)
        right = [(max(30 - first, 0), min(stop - 30, 25))] if stop > 30 else []
        assert faces == sorted([(0, stop - first), *right])


def test_who_has_left_is_in_the_scene_for_as_long_as_it_goes_back():
    scorer, _, tracks = passed(120, (LEFT, 0, 120), (RIGHT, 0, 40), context_s=1)
    assert tracks[1].end == 40
    both = [sorted(len(face) for face in scene.faces) for scene in scorer.whole]
    stops = [*range(10 - SMOOTHED, 120 - SMOOTHED, 5), 120 - SMOOTHED, 120]
    alone = [stop for stop, faces in zip(stops, both, strict=True) if len(faces) == 1]
    assert alone == [stop for stop in stops if stop - 25 >= 40]
    assert min(len(scene) for scene in scorer.whole[5:-1]) == 25


def test_faces_of_two_shots_are_two_scenes():
    scorer, _, tracks = passed(40, (LEFT, 0, 40), (RIGHT, 0, 40), cuts=(18,))
    assert [(track.begin, track.end) for track in tracks.values()] == [
        (0, 18),
        (0, 18),
        (18, 40),
        (18, 40),
    ]
    assert all(len(scene) <= 22 for scene in scorer.whole)
    ends = [scene for scene in scorer.whole if len(scene) == 18]
    assert [scene.sound[0] for scene in ends] == [0]


def test_a_face_that_nobody_follows_is_in_no_scene():
    scorer, _, tracks = passed(80, (LEFT, 0, 80), (RIGHT, 20, 29))
    assert len(tracks) == 1
    assert {len(scene.faces) for scene in scorer.whole[-7:]} == {1}
