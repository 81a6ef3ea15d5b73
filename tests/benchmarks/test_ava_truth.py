"""Labelled dialogues as AVA's truth, a row for each picture."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
from by_hand import result, track
from judging import make
from synth import write_video

from asdkit.benchmarks.ava_truth import ava_rows


def test_rows_are_at_the_rate_of_the_video(tmp_path):
    """At 50 fps, between two grid frames, boxes are between theirs; labels are the nearest's."""
    write_video(tmp_path / "talk.mkv", fps=50, frames=20)
    truth = {
        "shots": [[0, 10]],
        "regions": {"left": [0, 0, 48, 64]},
        "speaking": {"left": [0, 0, 0, 1, 1, 1, 0, 0, 0, 0]},
    }
    (tmp_path / "talk.json").write_text(json.dumps(truth))
    (video,) = make("dialogue", folder=tmp_path).videos()
    boxes = np.array([[4 + k, 8, 24 + k, 40] for k in range(4)])
    away = track(7, 2, [[60, 8, 80, 40]] * 4)  # in no region
    found = result(track(3, 2, boxes), away, duration_s=0.4)
    found = replace(found, video=replace(found.video, fps=50.0))
    rows = list(ava_rows(video, found))
    assert {row[0] for row in rows} == {"talk"}
    assert [row[1] for row in rows] == ["0.08", "0.10", "0.12", "0.14", "0.16", "0.18", "0.20"]
    edges = (4 + np.arange(7) / 2) / 96
    assert [float(row[2]) for row in rows] == [round(edge, 6) for edge in edges]
    assert [row[6] for row in rows] == ["NOT_SPEAKING"] * 2 + ["SPEAKING_AUDIBLE"] * 5
    assert {row[7] for row in rows} == {"talk:3"}
