"""The one pass: what is looked at, cropped, scored and forgotten."""

from __future__ import annotations

import numpy as np
import pytest
from analysing import Cuts, feed, frames_of

from asdkit.core.analysis.one_pass import Analysis
from asdkit.core.analysis.pacing import longest_step
from asdkit.core.analysis.parts import Parts
from asdkit.core.analysis.square_pixels import Square
from asdkit.core.component import Context
from asdkit.core.config.options import AnalysisOptions
from asdkit.core.errors import PluginError
from asdkit.core.notes import Notes
from asdkit.core.progress import Stopwatch
from asdkit.core.types import Detections, Scores, TrackPiece
from asdkit.plugins.trackers.iou import IouConfig, build

SIDE = 64
BOX = [20.0, 20.0, 40.0, 40.0]


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
    frames,
    *,
    cutter=None,
    detector=None,
    tracker=None,
    scorer=None,
    embedder=None,
    every=1,
    batch=8,
    first=0,
    names=None,
    notes=None,
    shown=None,
    pixel_aspect=1.0,
    **options,
):
    parts = Parts(
        cutter or Cuts(),
        detector or Faces(),
        tracker or build(IouConfig(), Context(detect_every=longest_step(every))),
        scorer or Remembering(),
        embedder,
        names=names or {},
    )
    sound = Counting()
    given = {"detect_every": every, "batch_frames": batch, "embed_every": 1}
    asked = AnalysisOptions(**{**given, **options})
    analysis = Analysis(parts, sound, Stopwatch(), asked, notes, pixel_aspect=pixel_aspect)
    numbers = range(first, first + frames)
    feed(analysis, parts, frames_of((shown[k] if shown else picture(k) for k in numbers), first))
    room = len(analysis._faces.frames)  # what a user notices as memory, but no user needs to know
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


@pytest.mark.parametrize("every", [1, 3, 10, "auto"])
@pytest.mark.parametrize("batch", [1, 4])
def test_frames_are_forgotten(every, batch):
    """With no face, and with faces that come and go, only a few frames are kept."""
    for detector in (Faces(only=lambda _: False), Faces(only=lambda index: index % 90 < 40)):
        _, _, room, _ = analyse(300, detector=detector, every=every, batch=batch)
        assert room <= 10 + 6 + batch * longest_step(every) + 3


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


class Answers:
    """A component of any kind that answers the same whatever it is asked."""

    def __init__(self, answer, end=()):
        self.answer, self.end_answer, self.asked = answer, end, 0

    def _say(self, *asked):
        self.asked += 1
        answer = self.answer
        return answer(self.asked, *asked) if callable(answer) else answer

    detect = score = update = starts_shot = embed = _say

    def flush(self):
        return self.end_answer


def boxed(*box):
    return Detections(np.array([box], float), np.ones(1))


def piece(number, first, frames, status="live"):
    return TrackPiece(number, first, np.array([BOX] * frames).reshape(-1, 4), status)


def broken():
    raise RuntimeError("no such tensor")


@pytest.mark.parametrize(
    ("kind", "answer", "words"),
    [
        ("cutter", None, "must answer True or False, but answered None"),
        ("cutter", 1, "must answer True or False, but answered 1"),
        ("cutter", lambda *_: broken(), "failed: RuntimeError: no such tensor"),
        ("detector", [], "one Detections for each of 8 frames, but answered with 0"),
        ("detector", None, "but answered None"),
        ("detector", [None] * 8, "must answer with Detections, but for frame 0 it answered None"),
        ("detector", [np.zeros((1, 4))] * 8, "it answered an array of shape"),
        ("detector", [boxed(*BOX)] * 7 + [boxed(70, 2, 90, 9)], "frame 7 has a face at"),
        ("detector", [boxed(-1e9, -1e9, 1e9, 1e9)] * 8, "far larger than the picture of 64x64"),
        ("detector", lambda *_: [boxed(np.nan, 0, 1, 1)], "boxes must be finite"),
        ("detector", lambda *_: [boxed(9, 0, 1, 1)], "in order, but one is"),
        ("tracker", None, "a list of TrackPiece, but answered None"),
        ("tracker", [3], "must answer with TrackPiece, but answered 3"),
        ("tracker", lambda n, *_: [piece(0, n - 1, 1, "gone")], "must be one of live, kept, dr"),
        ("tracker", lambda n, *_: [piece(0, 2 * n - 2, 1)], "from frame 2 on, where frame 1 was"),
        ("tracker", lambda n, *_: [piece(0, 0, 1)], "from frame 0 on, where frame 1 was due"),
        ("tracker", lambda n, *_: [piece(0, n - 1, 2)], "in frame 1, but has seen none after 0"),
        ("tracker", lambda n, *_: [piece(0, n - 1, 1, "kept")], "track 0, which has ended"),
        ("tracker", [piece(0, 0, 0, "kept")], "tells of track 0 without a face"),
        ("tracker", lambda n, *_: [piece(0, n - 1, 1)], "did not end track 0 at the end of a shot"),
        ("tracker", lambda n, *_: [TrackPiece(0, n, [[np.inf, 0, 1, 1]])], "must be finite"),
        ("scorer", None, "one Scores for each of 1 clips, but answered None"),
        ("scorer", [np.zeros((20, 2))], "must answer with Scores"),
        ("scorer", [Scores(np.zeros((1, 2)))], "with 1 rows for a clip of 20"),
        ("scorer", lambda *_: [Scores(np.full((20, 2), np.nan))], "logits must be finite"),
        ("embedder", None, "one finite vector for each of 16 faces"),
        ("embedder", lambda n, faces: np.ones((len(faces), n)), "after 1 numbers came 2"),
        ("embedder", lambda n, faces: np.full((len(faces), 2), np.nan), "one finite vector"),
        ("embedder", "abc", "failed: ValueError"),
    ],
)
def test_a_component_that_breaks_its_contract_is_named(kind, answer, words):
    name = f"{kind}=acme (acme-faces 1.2)"
    with pytest.raises(PluginError) as caught:
        analyse(20, **{kind: Answers(answer)}, names={kind: name})
    assert str(caught.value).startswith(name)
    assert words in str(caught.value)


def test_a_late_tracker_is_named():
    late = Answers(lambda n, index, found: [piece(0, 0, index + 1)] if index == 80 else [])
    with pytest.raises(PluginError, match="The tracker told of frame 0 too late"):
        analyse(100, tracker=late)


def test_a_tracker_need_not_know_of_single_tracks():
    _, tracks, _, _ = analyse(30, tracker=Answers([]))
    assert tracks == ()


def test_no_more_faces_than_wanted():
    """The surest, and where there are more it is said once."""
    many = [[float(x), 0, x + 20, 20] for x in range(40)]
    sure = np.linspace(0.1, 0.9, 40)
    detector = Answers(lambda n, frames, indices: [Detections(many, sure)] * len(indices))
    notes = Notes()
    _, tracks, _, _ = analyse(20, detector=detector, notes=notes, max_faces=3)
    assert [track.boxes[0, 0] for track in tracks] == [37, 38, 39]
    assert len(list(notes)) == 1
    assert "Frame 0 has 40 faces" in next(iter(notes))
    assert "max_faces" in next(iter(notes))


def test_a_picture_that_stands_still_is_looked_at_once():
    detector = Answers(lambda n, frames, indices: [boxed(*BOX)] * len(indices))
    shown = [picture(1)] * 40 + [picture(2)] + [picture(3)] * 19
    _, tracks, room, _ = analyse(60, detector=detector, batch=1, shown=shown)
    assert detector.asked == 3
    assert [track.frames for track in tracks] == [range(60)]
    assert room <= 4
    detector.looks = False  # it knows the faces of each frame, whatever is seen
    detector.asked = 0
    analyse(60, detector=detector, batch=1, shown=shown)
    assert detector.asked == 60


def test_who_does_not_look_is_shown_black_pictures():
    """Whose conversion costs nothing, though they have the size that boxes are in."""
    seen = []

    def say(n, frames, indices):
        seen.append((frames.shape[0], frames.any(), frames.strides))
        return [boxed(*BOX)] * len(indices)

    detector = Answers(say)
    detector.looks = False
    _, (track,), _, _ = analyse(20, detector=detector, shown=[picture(9)] * 20)
    assert len(track) == 20
    assert sum(frames for frames, _, _ in seen) == 20
    assert {(painted, strides) for _, painted, strides in seen} == {(False, (0, 0, 0, 0))}


def test_batches_of_large_pictures_are_small():
    sizes = []

    def say(n, frames, indices):
        sizes.append(frames.nbytes)
        return [Detections.none()] * len(indices)

    large = np.zeros((2000, 3000, 3), np.uint8)
    shown = [large + 0 for _ in range(6)]
    _, _, room, _ = analyse(6, detector=Answers(say), shown=shown)
    assert len(sizes) == 2
    assert max(sizes) <= 1 << 26
    assert room <= 5


@pytest.mark.parametrize("aspect", [2.0, 0.5])
@pytest.mark.parametrize("looks", [True, False])
def test_components_see_square_pixels_and_results_stored_ones(aspect, looks):
    """A detector answers for what it sees, one that knows beforehand for what is stored."""
    seen = []

    def say(n, frames, indices):
        seen.append(frames.shape[1:3])
        wide, high = (2, 1) if aspect == 2 and looks else (1, 2) if looks else (1, 1)
        return [boxed(20 * wide, 24 * high, 30 * wide, 40 * high)] * len(indices)

    detector = Answers(say)
    detector.looks = looks
    _, (track,), _, _ = analyse(20, detector=detector, pixel_aspect=aspect)
    assert set(seen) == {(SIDE, 2 * SIDE) if aspect == 2 else (2 * SIDE, SIDE)}
    assert track.boxes[7].tolist() == [20, 24, 30, 40]
    # The half size of a square crop is one in square pixels.
    assert track.smoothed[7].tolist() == [25, 32, 10 if aspect == 2 else 16]


@pytest.mark.parametrize("aspect", [1.0, 1.01, 0.995, 90.0, 0.01, 0.0])
def test_pixels_that_are_square_or_cannot_be(aspect):
    assert not Square.of(aspect).changes


def test_boxes_far_out_cost_no_memory():
    """A face much larger than the picture, as a file may have it."""
    detector = Answers(lambda n, frames, indices: [boxed(-250, -250, 300, 300)] * len(indices))
    _, (track,), _, _ = analyse(20, detector=detector, crop_scale=40.0)
    assert len(track) == 20
