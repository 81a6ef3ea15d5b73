"""The live pass finds what a run finds, hop by hop, and keeps no more than it needs."""

from __future__ import annotations

import numpy as np
import pytest
from analysing import Cuts, feed
from hopping import Numbers, OneFrame, hops_of, joined

from asdkit.core.analysis.one_pass import Analysis, Parts
from asdkit.core.analysis.pacing import longest_step
from asdkit.core.component import Context
from asdkit.core.config.options import AnalysisOptions
from asdkit.core.live.passing import LivePass
from asdkit.core.live.settings import LiveConfig
from asdkit.core.notes import Notes
from asdkit.core.pictures import ArrayPicture, Frame
from asdkit.core.progress import Stopwatch
from asdkit.core.types import Detections
from asdkit.plugins.trackers.iou import IouConfig, build

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
