"""Faces of a shot reach scorers of scenes together, each where it was, in bounded memory."""

from __future__ import annotations

import numpy as np
import pytest
from analysing import Silence, analyse, frames_of
from scenes import MostMoving

from asdkit.core.analysis import gathering
from asdkit.core.analysis.gathering import next_cut
from asdkit.core.analysis.one_pass import Analysis
from asdkit.core.analysis.parts import Parts
from asdkit.core.component import Context
from asdkit.core.config.options import AnalysisOptions
from asdkit.core.errors import PluginError
from asdkit.core.progress import Stopwatch
from asdkit.core.scenes import Scene, SceneFace
from asdkit.core.types import CLIP_FRAMES, Detections
from asdkit.plugins.trackers.iou import IouConfig, build

LEFT, RIGHT = [4, 8, 44, 56], [52, 8, 92, 56]


class Seen:
    """A detector that knows from when to when each face is seen."""

    def __init__(self, *spans):
        self.spans = spans

    def detect(self, frames, indices):
        boxes = [[box for box, first, end in self.spans if first <= k < end] for k in indices]
        return [Detections(np.reshape(b, (-1, 4)), np.full(len(b), 0.9)) for b in boxes]


def tracker():
    return build(IouConfig(min_track_detections=1), Context())


def moving(number, left):
    """Two grey faces, of which one has something that moves."""
    image = np.full((64, 96, 3), 120, np.uint8)
    x = 12 if left else 60
    image[30 : 34 + 8 * (number % 2), x : x + 24] = 20
    return image


def test_who_moves_most_is_known_from_the_others():
    pictures = [moving(k, k < 40) for k in range(80)]
    scorer = MostMoving()
    _, tracks = analyse(pictures, detector=Seen((LEFT, 0, 80), (RIGHT, 0, 80)), scorer=scorer)
    assert scorer.scenes == [[(0, 80), (0, 80)]]
    left, right = (track.logits[:, 1] > 0 for track in tracks)
    assert (left[1:40].all(), left[41:].any()) == (True, False)
    assert (right[1:40].any(), right[41:].all()) == (False, True)
    # Alone, each face is the one that moves most.
    _, (only,) = analyse(pictures, detector=Seen((RIGHT, 0, 80)), scorer=MostMoving())
    assert (only.logits[:, 1] > 0).all()


def test_faces_come_where_they_were_seen():
    scorer = MostMoving()
    seen = Seen((LEFT, 3, 40), (RIGHT, 20, 60))
    analyse(
        [moving(k, True) for k in range(80)],
        detector=seen,
        scorer=scorer,
        tracker=tracker(),
        cuts=[30],
    )
    assert scorer.scenes == [[(0, 27), (17, 10)], [(0, 10), (0, 30)]]


def test_all_tracks_are_cut_at_the_same_frames_of_a_shot():
    scorer = MostMoving()
    last = CLIP_FRAMES + 40
    seen = Seen((LEFT, 0, last), (RIGHT, 100, last))
    _, tracks = analyse(
        [moving(k, True) for k in range(last)],
        detector=seen,
        scorer=scorer,
        tracker=tracker(),
        cuts=[10],
    )
    assert scorer.scenes == [
        [(0, 10)],
        [(0, CLIP_FRAMES), (90, CLIP_FRAMES - 90)],
        [(0, 30), (0, 30)],
    ]
    assert [len(track.logits) for track in tracks] == [10, last - 10, last - 100]


class Heard(Silence):
    """Sound that counts its samples, of which those that were forgotten cannot be read."""

    gone = 0

    def read(self, first, stop):
        assert first >= self.gone
        return (np.arange(first, stop) % 30000).astype(np.int16)

    def forget(self, sample):
        self.gone = max(self.gone, sample)


def test_a_scene_has_the_sound_of_all_its_frames_and_is_scored_as_soon_as_it_is_whole(monkeypatch):
    monkeypatch.setattr(gathering, "CLIP_FRAMES", 50)  # cut more often
    found = []

    class Listening(MostMoving):
        def score_scene(self, scene):
            found.append((analysis._faces.end, len(scene), scene.sound_before, scene.sound[0]))
            assert np.array_equal(np.diff(scene.sound[:1000]), np.ones(999))
            return super().score_scene(scene)

    seen = Seen((LEFT, 5, 30), (RIGHT, 20, 160))
    sound = Heard()
    parts = Parts(None, seen, tracker(), Listening())
    analysis = Analysis(parts, sound, Stopwatch(), AnalysisOptions(batch_frames=1))
    for frame in frames_of([moving(k, True) for k in range(160)]):
        analysis.feed(frame, cut=False)
        held = analysis._gathering._waiting.values()
        assert sum(len(clip) for group in held for _, clip in group) <= 100
        assert sound.gone >= 640 * (frame.index - 130)
    analysis.finish()
    assert [one[1:] for one in found] == [
        (45, 640 * 5 - 1, 640 * 5),
        (50, 640 * 50 % 30000 - 1, 640 * 50 % 30000),
        (50, 640 * 100 % 30000 - 1, 640 * 100 % 30000),
        (10, 640 * 150 % 30000 - 1, 640 * 150 % 30000),
    ]
    assert [one[0] for one in found] == sorted(one[0] for one in found)
    assert found[0][0] < 100  # long before the end of the shot


def test_next_cut():
    assert [next_cut(10, k) for k in (10, 11, 1509, 1510)] == [1510, 1510, 1510, 3010]


def test_a_scorer_of_scenes_shifts_no_sound():
    class Both(MostMoving):
        def score_shifted(self, clips):
            return self.score(clips)

    with pytest.raises(PluginError, match="looks at all faces of a moment at once, so it cannot"):
        analyse([], detector=Seen(), scorer=Both(), sync="check")


@pytest.mark.parametrize(
    ("faces", "samples", "says"),
    [
        ([], 640, "must hold at least one face"),
        ([(0, 2)], 640, "640 samples for each of 2 to 1500 frames, but has 640"),
        ([(0, 1)], 700, "but has 700"),
        ([(-1, 1)], 640, "none before 0, but holds 1 from -1 on"),
        ([(0, 0)], 640, "at least one frame"),
    ],
)
def test_what_is_no_scene(faces, samples, says):
    with pytest.raises(ValueError, match=says):
        Scene(
            tuple(SceneFace(at, np.zeros((n, 112, 112), np.uint8)) for at, n in faces),
            np.zeros(samples, np.int16),
        )
