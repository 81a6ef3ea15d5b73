"""The live pass finds what a run finds, hop by hop, and keeps no more than it needs."""

from __future__ import annotations

import threading
import time
from dataclasses import fields, is_dataclass, replace
from queue import SimpleQueue

import numpy as np
import pytest
from analysing import Cuts, feed
from hopping import Numbers, OneFrame, hops_of, joined

from asdkit.core.analysis.one_pass import Analysis
from asdkit.core.analysis.pacing import longest_step
from asdkit.core.analysis.parts import Parts
from asdkit.core.component import Context
from asdkit.core.config.options import AnalysisOptions
from asdkit.core.live.passing import LivePass
from asdkit.core.live.settings import LiveConfig
from asdkit.core.notes import Notes
from asdkit.core.pictures import ArrayPicture, Frame
from asdkit.core.progress import Stopwatch
from asdkit.core.types import Detections, Scores
from asdkit.plugins.trackers.iou import IouConfig, build

SMOOTHED = 6
"""A frame is cropped once the six after it have boxes."""
LOOKAHEAD = LiveConfig().frames("lookahead_s")
"""`lookahead_s` in frames, unless told otherwise."""
HEIGHT, WIDTH = 60, 160
_RAMP = np.add.outer(np.arange(HEIGHT), np.arange(WIDTH)).astype(np.uint8) // 2


def frame(index):
    """A picture with something to see, a little brighter from frame to frame."""
    return Frame(index, ArrayPicture(np.repeat((_RAMP + index % 40)[..., None], 3, 2)))


def pictures(numbers):
    """Frames of these numbers."""
    return (frame(number) for number in numbers)


class Late(Cuts):
    """A cutter that tells of a frame three frames later."""

    lookahead_frames = 3

    def starts_shot(self, picture, index):
        return index - 3 in self.cuts


class Known:
    """A detector that knows the boxes of each frame, by whatever is called."""

    looks = False

    def __init__(self, boxes, ids=None):
        self.boxes = boxes
        if ids:
            self.knows_ids, self.ids = True, ids

    def detect(self, pictures, indices):
        return [self.at(index) for index in indices]

    def at(self, index):
        boxes = self.boxes(index)
        if not boxes:
            return Detections.none()
        ids = np.array(self.ids(index)) if hasattr(self, "ids") else None
        return Detections(np.array(boxes, float), np.ones(len(boxes)), ids=ids)


def coming_and_going(seed, frames):
    """Up to three faces side by side that come and go, are missed now and then, and sway."""
    draws = np.random.default_rng(seed)
    seen = np.zeros((frames, 3), bool)
    for place in range(3):
        at = 0
        while at < frames:
            stays, away = draws.integers(1, 70), draws.integers(1, 25)
            seen[at : at + stays, place] = True
            at += stays + away
    sway = draws.uniform(-2, 2, (frames, 3))

    def boxes(index):
        places = np.flatnonzero(seen[index])
        return [
            [10 + 50 * p + sway[index, p], 15, 40 + 50 * p + sway[index, p], 45]
            for p in places.tolist()
        ]

    return boxes


class Brightness:
    """An embedder whose vectors tell how bright a face is."""

    identity_distance = 2.0

    def embed(self, faces):
        level = faces.mean((1, 2, 3)) / 255 * np.pi / 2
        return np.stack([np.cos(level), np.sin(level)], 1).astype(np.float32)


class Loudness:
    """A voice activity detector that tells the frame's own number, and how it was asked."""

    def __init__(self):
        self.pieces = []

    def speech(self, sound):
        self.pieces.append(len(sound) // 640)
        return (sound[::640] % 100 / 100).astype(np.float32)


def parts_of(detector, *, cutter=None, every=1, **more):
    tracker = build(IouConfig(), Context(detect_every=longest_step(every)))
    return Parts(cutter or Cuts(), detector, tracker, **{"scorer": OneFrame(), **more})


def live_of(parts, *, every=1, batch=8, config=None, sound=None, **more):
    options = AnalysisOptions(detect_every=every, batch_frames=batch, embed_every=3)
    return LivePass(
        parts, sound or Numbers(), Stopwatch(), options, config or LiveConfig(), Notes(), **more
    )


def run_of(parts, frames, *, every=1, **more):
    options = AnalysisOptions(detect_every=every, batch_frames=8, embed_every=3)
    analysis = Analysis(parts, Numbers(), Stopwatch(), options, **more)
    feed(analysis, parts, frames)
    tracks, heard = analysis.finish()
    return analysis.shots, tracks, heard


def in_order(tracks):
    return [tracks[number] for number in sorted(tracks)]


def agree(found, tracks):
    """Whether tracks of a live pass are those of a run, number for number."""
    assert len(found) == len(tracks)
    by_place = sorted(found, key=lambda one: (one.begin, one.boxes[0][0, 0]))
    for one, track in zip(by_place, tracks, strict=True):
        assert (one.begin, one.shot) == (track.first_frame, track.shot)
        assert one.source_id == track.source_id
        np.testing.assert_array_equal(np.concatenate(one.boxes), track.boxes)
        np.testing.assert_array_equal(np.concatenate(one.smoothed), track.smoothed)
        np.testing.assert_array_equal(np.concatenate(one.logits), track.logits)
        assert one.embedded == track.embedded.tolist()
        if one.embedded:
            np.testing.assert_array_equal(np.stack(one.embeddings), track.embeddings)


@pytest.mark.parametrize("every", [1, 3, "auto"])
@pytest.mark.parametrize(
    "config",
    [
        LiveConfig(),
        LiveConfig(hop_s=0.04, lookahead_s=0),
        LiveConfig(hop_s=0.4, context_s=0.68, lookahead_s=0.24),
        LiveConfig(hop_s=2.0, context_s=10),
    ],
)
@pytest.mark.parametrize("seed", range(3))
def test_what_is_certain_is_what_a_run_finds(seed, config, every):
    frames, cuts = 260, (70, 71, 150, 163)
    boxes = coming_and_going(seed, frames)

    def parts():
        cutter = Late(*cuts) if seed else Cuts(*cuts)
        return parts_of(
            Known(boxes), cutter=cutter, every=every, embedder=Brightness(), vad=Loudness()
        )

    shots, tracks, heard = run_of(parts(), pictures(range(frames)), every=every)
    hops = hops_of(live_of(parts(), every=every, config=config), pictures(range(frames)))
    agree(in_order(joined(hops)), tracks)
    ended = [shot for hop in hops for shot in hop.shots if shot[2] is not None]
    assert ended == [(k, *shot) for k, shot in enumerate(shots)]
    assert np.concatenate([hop.heard.probabilities for hop in hops]).tolist() == (
        heard.probabilities.tolist()
    )


def test_hops_come_with_the_grid_and_what_is_certain_waits():
    """For the smoothing, for crops after it, and for the cutter."""
    detector = Known(lambda index: [[10, 15, 40, 45]])
    for cutter, late in ((Cuts(), 0), (Late(), 3)):
        hops = hops_of(live_of(parts_of(detector, cutter=cutter)), pictures(range(48)))
        assert [hop.end for hop in hops] == [*range(5, 48, 5), 48]
        (faces,) = {len(hop.faces) for hop in hops[3:]}
        assert faces == 1
        assert [hop.certain_to for hop in hops[3:-1]] == [
            hop.end - late - SMOOTHED - LOOKAHEAD for hop in hops[3:-1]
        ]
        assert [hop.scored_to for hop in hops[3:-1]] == [
            hop.end - late - SMOOTHED for hop in hops[3:-1]
        ]
        assert hops[-1].faces[0].ended


def test_every_other_hop_is_left_out_where_the_machine_is_too_slow():
    detector = Known(lambda index: [[10, 15, 40, 45]])
    late = range(12, 38)
    hops = hops_of(live_of(parts_of(detector)), pictures(range(60)), late=late)
    assert [hop.end for hop in hops] == [5, 10, 20, 30, 40, 45, 50, 55, 60, 60]
    agree(in_order(joined(hops)), run_of(parts_of(detector), pictures(range(60)))[1])


def test_a_face_out_of_sight_is_waited_for():
    """As long as its tracker does; others are scored on, provisionally."""
    hidden = range(30, 38)

    def boxes(index):
        still = [[60, 15, 90, 45]]
        return still if index in hidden else [[10, 15, 40, 45], *still]

    hops = hops_of(
        live_of(parts_of(Known(boxes)), config=LiveConfig(hop_s=0.04)), pictures(range(60))
    )
    first, second = (joined(hops)[number] for number in (0, 1))
    assert first.end == second.end == 60
    in_gap = [hop for hop in hops if hop.end - 1 in hidden]
    assert {hop.certain_to for hop in in_gap} == {30 - SMOOTHED - LOOKAHEAD}
    assert [hop.scored_to for hop in in_gap] == [hop.end - SMOOTHED for hop in in_gap]
    assert hops[38].certain_to == 39 - SMOOTHED - LOOKAHEAD


def test_clips_are_the_last_seconds_with_the_sound_around():
    clips = []

    class Seen(OneFrame):
        def score(self, given):
            clips.extend(given)
            return super().score(given)

    parts = parts_of(Known(lambda index: [[10, 15, 40, 45]]), scorer=Seen())
    hops_of(live_of(parts, config=LiveConfig(context_s=1)), pictures(range(61)))
    stops = [*range(10 - SMOOTHED, 60 - SMOOTHED, 5), 60 - SMOOTHED, 61]
    assert [len(clip) for clip in clips] == [min(stop, 25) for stop in stops]
    for clip, stop in zip(clips, stops, strict=True):
        first = max(stop - 25, 0)
        assert clip.sound[::640].tolist() == list(range(first, stop))
        assert clip.sound_before == max(first - 1, 0)
        assert set(clip.sound_after.tolist()) == {stop}


def test_rows_that_come_late_are_scored_on_the_stretches_before():
    """A face that was gone for longer than the context, and is known to be the same."""
    scorer = OneFrame()
    detector = Known(
        lambda index: [] if 40 <= index < 62 else [[10, 15, 40, 45]], ids=lambda index: [7]
    )
    parts = parts_of(detector, scorer=scorer)
    config = LiveConfig(context_s=0.4, hop_s=0.04, lookahead_s=0)
    hops = hops_of(live_of(parts, config=config), pictures(range(80)))
    _, tracks, _ = run_of(parts, pictures(range(80)))
    agree(in_order(joined(hops)), tracks)
    assert tracks[0].source_id == 7
    assert max(len(clips) for clips in scorer.clips[:-1]) == 3
    assert max(max(clips) for clips in scorer.clips[:-1]) == 10


class Remembering(OneFrame):
    """A scorer that remembers faces, and scores each frame alone."""

    def __init__(self):
        super().__init__()
        self.faces = []

    def follow(self):
        self.faces.append(Remembered(self))
        return self.faces[-1]


class Remembered:
    """How bright the frames of a face were, each of them seen once."""

    def __init__(self, scorer):
        self.scorer, self.seen, self.asked = scorer, [], []

    def score(self, clip, new):
        self.asked.append((len(clip), new))
        self.seen += clip.faces[len(clip) - new :].mean((1, 2)).tolist()
        (scores,) = self.scorer.score([clip])
        last = np.array(self.seen[-len(clip) :], np.float32)
        return Scores(np.stack([last, scores.logits[:, 1]], 1))


@pytest.mark.parametrize("seed", range(3))
def test_a_scorer_that_remembers_faces_sees_each_frame_once(seed):
    boxes, config = coming_and_going(seed, 200), LiveConfig(context_s=0.6)
    _, tracks, _ = run_of(parts_of(Known(boxes)), pictures(range(200)))
    scorer = Remembering()
    hops = hops_of(
        live_of(parts_of(Known(boxes), scorer=scorer), config=config), pictures(range(200))
    )
    agree(in_order(joined(hops)), tracks)
    for face in scorer.faces:
        begins = [
            sum(new for _, new in face.asked[: k + 1]) - n for k, (n, _) in enumerate(face.asked)
        ]
        assert begins == sorted(begins)
        assert begins[0] == 0


def test_a_scorer_that_cannot_remember_is_asked_as_ever():
    scorer = Remembering()
    scorer.follow = lambda: None
    hops = hops_of(
        live_of(parts_of(Known(lambda index: [[10, 15, 40, 45]]), scorer=scorer)),
        pictures(range(40)),
    )
    assert joined(hops)[0].end == 40
    assert len(scorer.clips) == 8


def test_a_face_seen_by_chance_is_dropped():
    """Provisional scores may have told of it; never certain ones."""
    detector = Known(lambda index: [[10, 15, 40, 45]] if 20 <= index < 29 else [])
    hops = hops_of(live_of(parts_of(detector)), pictures(range(60)))
    assert joined(hops) == {}
    assert [hop.dropped for hop in hops if hop.dropped] == [(0,)]
    assert [face.certain for hop in hops for face in hop.faces] == [0, 0]
    assert [hop.certain_to for hop in hops if 30 < hop.end < 40] == [20]


def test_a_face_that_is_dropped_late_counts_as_ended():
    tracker = build(IouConfig(min_track_detections=30), Context())
    boxes = Known(lambda index: [[10, 15, 40, 45]] if index < 25 else [])
    live = live_of(replace(parts_of(boxes), tracker=tracker))
    hops = hops_of(live, pictures(range(60)))
    (track,) = joined(hops).values()
    assert (track.begin, track.end) == (0, 25)


def test_stretches_follow_each_other_with_new_parts():
    """As a run of each alone, but for the numbers."""
    made = []

    def fresh(kind):
        made.append((kind, Late(400, 420) if kind == "cutter" else Loudness()))
        return made[-1][1]

    boxes = coming_and_going(5, 500)
    stretches = [range(73), range(90, 91), range(91, 130), range(391, 450)]
    frames = [frame(index) for one in stretches for index in one]
    parts = parts_of(Known(boxes), cutter=Late(40), vad=Loudness())
    live = live_of(parts, anew=fresh)
    hops = hops_of(live, frames, [one[0] for one in stretches])
    assert [kind for kind, _ in made] == ["cutter", "vad"] * 3
    assert [sum(vad.pieces) for kind, vad in made if kind == "vad"] == [1, 39, 59]
    shots = [shot for hop in hops for shot in hop.shots if shot[2] is not None]
    assert shots == list(
        zip(
            range(7),
            (0, 40, 90, 91, 391, 400, 420),
            (40, 73, 91, 130, 400, 420, 450),
            strict=True,
        )
    )
    found = in_order(joined(hops))
    for one in stretches:
        own = parts_of(Known(boxes), cutter=Cuts(40, 400, 420))
        _, tracks, _ = run_of(own, pictures(one))
        mine = [track for track in found if track.begin in one]
        first = next(number for number, begin, _ in shots if begin == one[0])
        agree([replace(track, shot=track.shot - first) for track in mine], tracks)
    heard = [hop.heard for hop in hops]
    told = [k for h in heard for k in range(h.first_frame, h.first_frame + len(h.probabilities))]
    assert told == [index for one in stretches for index in one]


def test_the_order_of_stretches_is_held():
    live = live_of(parts_of(Known(lambda index: [])))
    with pytest.raises(ValueError, match="frame 0 has begins=False, where a stretch must begin"):
        live.take(frame(0), begins=False)
    live.take(frame(0), begins=True)
    with pytest.raises(ValueError, match="frame 9 has begins=True, but the last stretch goes on"):
        live.take(frame(9), begins=True)


def test_nothing_at_all_is_a_hop_of_nothing():
    hop = live_of(parts_of(Known(lambda index: []), vad=Loudness())).end_stretch()
    assert (hop.end, hop.certain_to, hop.shots, hop.faces) == (0, 0, (), ())
    assert len(hop.heard.probabilities) == 0


def test_a_picture_that_is_held_is_looked_at_once():
    class Looking(Known):
        looks = True
        asked = 0

        def detect(self, shown, indices):
            self.asked += len(shown)
            return super().detect(shown, indices)

    detector = Looking(lambda index: [[10, 15, 40, 45]])
    shown = [frame(index // 20) for index in range(60)]
    held = [Frame(index, shown[index // 20 * 20].picture) for index in range(60)]
    (track,) = joined(hops_of(live_of(parts_of(detector)), held)).values()
    assert track.end == 60
    assert detector.asked == 3


def test_frames_wait_for_a_batch_up_to_the_next_hop():
    sizes = []

    class Batches(Known):
        def detect(self, shown, indices):
            sizes.append(len(indices))
            return super().detect(shown, indices)

    detector = Batches(lambda index: [[10, 15, 40, 45]])
    hops = hops_of(live_of(parts_of(detector), batch=64), pictures(range(41)))
    assert sizes == [5] * 8 + [1]
    assert hops[-2].scored_to == 40 - SMOOTHED


def test_boxes_are_in_stored_pixels():
    parts = parts_of(Known(lambda index: [[10, 15, 40, 45]]))
    hops = hops_of(live_of(parts, pixel_aspect=2.0), pictures(range(30)))
    (track,) = joined(hops).values()
    assert np.concatenate(track.boxes)[7].tolist() == [10, 15, 40, 45]
    assert np.concatenate(track.smoothed)[7].tolist() == [25, 30, 30]


def test_neither_threads_nor_time_change_a_hop():
    boxes = coming_and_going(8, 150)

    def parts():
        return parts_of(Known(boxes), cutter=Late(33, 90), embedder=Brightness(), vad=Loudness())

    expected = hops_of(live_of(parts()), pictures(range(150)))
    handed = SimpleQueue()

    def hand_over():
        for number in range(150):
            handed.put(frame(number))
            if number % 40 == 0:
                time.sleep(0.02)

    thread = threading.Thread(target=hand_over)
    thread.start()
    again = hops_of(live_of(parts()), (handed.get() for _ in range(150)))
    thread.join()
    assert [plain(hop) for hop in again] == [plain(hop) for hop in expected]


def plain(value):
    """A hop as values that can be compared."""
    if isinstance(value, np.ndarray):
        return value.dtype.name, value.shape, value.tolist()
    if isinstance(value, tuple):
        return tuple(map(plain, value))
    if is_dataclass(value):
        return {one.name: plain(getattr(value, one.name)) for one in fields(value)}
    return value
