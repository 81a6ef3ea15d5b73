"""How often a run opens its video."""

from __future__ import annotations

import json

import av
from synth import clicks, write_video

import asdkit


def test_a_run_opens_a_plain_video_eleven_times(tmp_path, monkeypatch):
    """Thrice to examine it, twice in the pass, four times for the annotated video, twice for the
    report: what a browser would make of the picture, and of the sound."""
    video = write_video(tmp_path / "a.mp4", frames=10, sounds=[(0.0, clicks([0.1], 0.4))])
    boxes = tmp_path / "boxes.json"
    boxes.write_text(json.dumps([[[10, 5, 50, 45, 1.0]]] * 10))
    opened = []
    really = av.open

    def counting(file, *args, **kwargs):
        opened.append(str(file))
        return really(file, *args, **kwargs)

    monkeypatch.setattr(av, "open", counting)
    words = ["detector=boxes", f"detector.path={boxes}", "scorer=lip_motion", "cutter=none"]
    asdkit.run(video, [*words, "threads=1", f"output={tmp_path / 'out'}"])
    assert opened.count(f"file:{video}") == 11
