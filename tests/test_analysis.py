"""The one pass: what is looked at, cropped, scored and forgotten."""

from __future__ import annotations

import numpy as np
import pytest

from asdkit.core.analysis import Analysis, Parts
from asdkit.core.components import Context
from asdkit.core.errors import PluginError
from asdkit.core.progress import Stopwatch
from asdkit.core.types import Detections, Frame, Scores, TrackPiece
from asdkit.plugins.trackers.iou import IouConfig, build

SIDE = 64
BOX = [20.0, 20.0, 40.0, 40.0]


class Cuts:
    def __init__(self, *cuts):
        self.cuts = cuts

    def starts_shot(self, frame, index):
        return index in self.cuts


class Faces:
    """Finds the same faces in each frame named, and remembers what it was asked."""

    def __init__(self, boxes=(BOX,), only=lambda index: True):
        self.boxes, self.only, self.asked, self.batches = boxes, only, [], []

    def detect(self, frames, indices):
        assert [int(frame[0, 0, 0]) for frame in frames] == [index % 251 for index in indices]
        self.asked += indices
        self.batches.append(len(indices))
        return [
            Detections(np.array(self.boxes), np.ones(len(self.boxes)))
            if self.only(index)
            else Detections.none()
            for index in indices
        ]


class Remembering:
    """Scores each frame with its number, read back from its crop and its sound."""

    def __init__(self):
        self.clips = []

    def score(self, clips):
        self.clips += clips
        return [
            Scores(np.stack([np.zeros(len(c)), c.sound[::640].astype(np.float32)], 1))
            for c in clips
        ]


class Counting:
    """Sound whose every sample is the number of its frame; knows what it may forget."""

    def __init__(self):
        self.forgotten = 0

    def read(self, first, stop):
        assert first >= self.forgotten or first < 0
        return (np.arange(first, stop) // 640).clip(0).astype(np.int16)

    def forget(self, sample):
        self.forgotten = max(self.forgotten, sample)


def picture(index):
    return np.full((SIDE, SIDE, 3), index % 251, np.uint8)


def analyse(
    frames, *, cutter=None, detector=None, tracker=None, scorer=None, every=1, batch=8, first=0
):
    parts = Parts(
        cutter or Cuts(),
        detector or Faces(),
        tracker or build(IouConfig(), Context(detect_every=every)),
        scorer or Remembering(),
    )
    sound = Counting()
    analysis = Analysis(
        parts,
        sound,
        Stopwatch(),
        crop_scale=0.4,
        detect_every=every,
        batch_frames=batch,
        embed_every=1,
    )
    for index in range(first, first + frames):
        analysis.feed(Frame(index, picture(index)))
    room = analysis._frames.room  # what a user notices as memory, but no user needs to know
    tracks, _ = analysis.finish()
    return analysis, tracks, room, sound


def test_every_frame_of_a_track_is_cropped_and_scored_once_in_order():
    analysis, tracks, _, _ = analyse(100)
    assert analysis.shots == [(0, 100)]
    assert len(tracks) == 1
    assert tracks[0].frames == range(100)
    assert tracks[0].scores.tolist() == list(range(100))
    assert tracks[0].smoothed[50].tolist() == [30, 30, 10]


def test_a_cut_ends_tracks_and_numbers_go_by_time_and_place():
    two = Faces([[40.0, 20, 60, 40], [2.0, 20, 22, 40]])
    analysis, tracks, _, _ = analyse(60, cutter=Cuts(30), detector=two, first=10)
    assert analysis.shots == [(10, 30), (30, 70)]
    assert [(t.id, t.shot, t.first_frame, len(t)) for t in tracks] == [
        (0, 0, 10, 20),
        (1, 0, 10, 20),
        (2, 1, 30, 40),
        (3, 1, 30, 40),
    ]
    assert [track.boxes[0, 0] for track in tracks] == [2, 40, 2, 40]


def test_long_tracks_are_scored_a_minute_at_a_time_without_a_seam():
    scorer = Remembering()
    _, tracks, room, sound = analyse(3100, scorer=scorer)
    assert [len(clip) for clip in scorer.clips] == [1500, 1500, 100]
    assert tracks[0].scores.tolist() == list(range(3100))
    assert [clip.sound_before for clip in scorer.clips] == [0, 1499, 2999]
    assert [clip.sound_after[0] for clip in scorer.clips] == [1500, 3000, 3100]
    assert room < 30
    assert sound.forgotten >= 2999 * 640


@pytest.mark.parametrize("every", [1, 3, 10])
@pytest.mark.parametrize("batch", [1, 4])
def test_frames_are_forgotten(every, batch):
    """With no face, and with faces that come and go, only a few frames are kept."""
    for detector in (Faces(only=lambda _: False), Faces(only=lambda index: index % 90 < 40)):
        _, _, room, _ = analyse(300, detector=detector, every=every, batch=batch)
        assert room <= 10 + 6 + batch * every + 3


@pytest.mark.parametrize("every", [2, 7])
def test_detecting_now_and_then_still_covers_each_shot(every):
    detector = Faces()
    analysis, tracks, _, _ = analyse(100, cutter=Cuts(41), detector=detector, every=every)
    assert analysis.shots == [(0, 41), (41, 100)]
    looked_at = {*range(0, 41, every), 40, *range(41, 100, every), 99}
    assert sorted(detector.asked) == sorted(looked_at)
    assert [track.frames for track in tracks] == [range(41), range(41, 100)]
    assert tracks[1].scores.tolist() == list(range(41, 100))


def test_gaps_are_filled_from_the_frames_themselves():
    detector = Faces(only=lambda index: not 20 <= index < 28)
    _, tracks, _, _ = analyse(50, detector=detector)
    assert [track.frames for track in tracks] == [range(50)]
    assert tracks[0].scores.tolist() == list(range(50))


def test_tracks_that_do_not_count_are_not_scored():
    scorer = Remembering()
    _, tracks, _, _ = analyse(60, detector=Faces(only=lambda i: i < 10), scorer=scorer)
    assert tracks == ()
    assert scorer.clips == []


def test_detection_goes_in_batches():
    detector = Faces()
    analyse(20, detector=detector, batch=8)
    assert detector.batches == [8, 8, 4]


def test_no_frame_at_all_is_no_shot():
    analysis, tracks, _, _ = analyse(0)
    assert analysis.shots == []
    assert tracks == ()


class Late:
    """A tracker that tells of a track only after its frames are gone."""

    def update(self, index, found):
        return [TrackPiece(0, 0, np.array([BOX] * (index + 1)))] if index == 80 else []

    def flush(self):
        return []


class Short:
    """Answers with too little, whatever it is asked."""

    def detect(self, frames, indices):
        return []

    def score(self, clips):
        return [Scores(np.zeros((1, 2))) for _ in clips]


def test_components_that_break_their_contract_are_named():
    with pytest.raises(PluginError, match="told of frame 0 too late"):
        analyse(100, tracker=Late())
    with pytest.raises(
        PluginError, match="detector must answer with one Detections for each of 8 frames"
    ):
        analyse(20, detector=Short())
    with pytest.raises(PluginError, match="one row per frame"):
        analyse(20, scorer=Short())
