"""Small videos for runs of the command, and what they leave."""

from __future__ import annotations

import json
from pathlib import Path

from synth import clicks, steady, write_video

SOUND = [(0.0, clicks([0.5, 1.0], 2.0))]
CHEAP = ["scorer=lip_motion", "cutter=none", "writers=[json,rttm,pywork]"]
"""No network, no decoding of the result: what a test of the command needs."""
PROGRESS = ("asd: loading", "asd: finding speakers", "asd: scoring")


def video(name="clip.mp4", **how):
    """A video of 50 frames of 96x64, and boxes that put a face into each of them."""
    how.setdefault("sounds", SOUND)
    how.setdefault("image", steady)
    write_video(Path(name), **how)
    boxes = [[[20, 10, 60, 50, 1.0]]] * how.get("frames", 50)
    Path("boxes.json").write_text(json.dumps(boxes))
    return name


DETECTORS = ["boxes", "mtcnn", "s3fd", "s3fd_reference", "yunet"]
BOXES = ["detector=boxes", "detector.path=boxes.json"]


def result(folder="asd_results/clip"):
    return json.loads(Path(folder, "result.json").read_text())


def broken(name, content):
    Path(name).write_bytes(content)
    return name
