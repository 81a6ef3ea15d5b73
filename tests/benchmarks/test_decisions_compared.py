"""What the benchmark of decisions counts."""

from __future__ import annotations

import json

import by_hand
import numpy as np

from asdkit.benchmarks.decisions import Sight, counted, told
from asdkit.core.viewing import Seen
from asdkit.plugins.datasets.dialogue import Dialogue


def test_frames_are_counted_by_what_was_said_and_what_is_true(tmp_path):
    """One face speaks for 2 of 4 s, then somebody unseen for 1 s; half a second is both at once."""
    frames = 100
    truth = {
        "shots": [[0, frames]],
        "regions": {"anna": [0, 0, 50, 64]},
        "speaking": {"anna": [int(k < 50) for k in range(frames)]},
        "off_screen": [int(38 <= k < 75) for k in range(frames)],
    }
    (tmp_path / "a.json").write_text(json.dumps(truth))
    (tmp_path / "a.mp4").write_bytes(b"")
    (video,) = Dialogue(tmp_path).videos()
    boxes = np.tile(by_hand.square(25, 30), (frames, 1))
    face = by_hand.track(0, 0, boxes, 1.0, [(0.4, 2.2)])
    result = by_hand.result(face, duration_s=4, speech=(), off_screen=((2.4, 4.0),))
    counts = counted(Sight(video, result.video, Seen(result.shots, result.tracks, None)), result)
    assert counts.tolist() == [40, 5, 10, 45, 15, 25, 10]
    assert told(counts) == (
        "accuracy 0.850, F1 0.842; off screen: 0.6 s found, 0.4 s missed, 1.0 s false"
    )
