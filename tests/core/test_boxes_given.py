"""Runs with boxes and tracks that are known beforehand, on the grid or the source's pictures."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from synth import clicks, number_of, steady, write_video

import asdkit
from asdkit.core.errors import AsdError, ConfigError, InputError
from asdkit.core.media.picture import frames
from asdkit.core.media.picture_times import picture_times
from asdkit.core.media.probe import probe
from asdkit.core.repeat import begin_again
from asdkit.core.results import schema

CHEAP = {"scorer": "lip_motion", "cutter": "none", "writers": []}
IRREGULAR = [Fraction(k * k % 7 + 40 * k, 1000) for k in range(40)]
IRREGULAR += [IRREGULAR[-1] + Fraction(n, 1000) for n in (5, 400, 401, 410, 900)]
REORDERED = {"preset": "ultrafast", "crf": "16", "bf": "3", "b-adapt": "0"}


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("a.mp4", {"fps": 25}),
        ("a.mkv", {"fps": 10}),
        ("a.mp4", {"fps": 30}),
        ("a.mp4", {"fps": Fraction(30000, 1001), "starts_s": 1.5015}),
        ("a.mkv", {"fps": 60}),
        ("a.avi", {"fps": 50}),
        ("b.mp4", {"fps": 50, "options": REORDERED, "keyframe_every": 30}),
        ("a.ts", {"fps": 50}),
        ("a.mpg", {"fps": 25}),
        ("v.mkv", {"times": IRREGULAR, "tick": Fraction(1, 1000)}),
        ("v.mp4", {"times": IRREGULAR, "tick": Fraction(1, 1000), "options": REORDERED}),
    ],
)
def test_the_pictures_found_are_those_that_the_pass_sees(tmp_path, name, how):
    path = write_video(tmp_path / name, frames=45, sounds=[(0.0, clicks([0.1], 1.0))], **how)
    media = probe(path)
    seen = [number_of(frame.image) for frame in frames(media)]
    times_s, shown = picture_times(media)
    assert shown[: len(seen)].tolist() == seen
    assert len(times_s) == 45
    if name == "a.mpg":  # of which FFmpeg leaves a time out
        return
    wanted = how.get("times") or [Fraction(k) / Fraction(how["fps"]) for k in range(45)]
    assert times_s == pytest.approx([float(time) for time in wanted], abs=2e-3)


@pytest.mark.parametrize("clip", ["dialogue.mp4"])
def test_the_pictures_of_a_real_video(shared, clip):
    media = probe(shared(f"clips/{clip}"))
    times_s, shown = picture_times(media)
    assert (np.diff(times_s) > 0).all()
    assert len(times_s) == pytest.approx(media.info.duration_s * media.info.fps, abs=2)
    assert len(shown) == round(media.info.duration_s * 25)


@pytest.fixture
def clip(tmp_path, monkeypatch):
    """50 pictures a second for 1.2 s, of which the grid shows every other one."""
    monkeypatch.chdir(tmp_path)
    sounds = [(0.0, clicks([0.3], 1.2))]
    return write_video(tmp_path / "clip.mp4", fps=50, frames=60, image=steady, sounds=sounds)


def moving(count, step=0.5, start=5.0):
    x = start + step * np.arange(count)
    return np.stack([x, np.full(count, 10.0), x + 30, np.full(count, 50.0)], 1)


def two(count, *, clock, step=0.5):
    """Two faces with ids that cross each other, in shuffled rows."""
    boxes = np.concatenate([moving(count, step), moving(count, -step, 50.0)])
    order = np.random.default_rng(0).permutation(2 * count)
    frames, ids = np.tile(np.arange(count), 2), np.repeat([40, 7], count)
    return asdkit.Boxes(frames[order], boxes[order], ids=ids[order], clock=clock)


def test_tracks_keep_their_ids_and_boxes(clip):
    result = asdkit.run(clip, CHEAP, boxes=two(30, clock="grid", step=1))
    assert [(one.id, one.source_id, one.name) for one in result.tracks] == [
        (0, 40, "track_40"),
        (1, 7, "track_7"),
    ]
    assert result.tracks[0].boxes.tolist() == moving(30, 1).tolist()
    assert result.tracks[1].boxes.tolist() == moving(30, -1, 50.0).tolist()
    assert any("tracker=iou" in note and "is not used" in note for note in result.video.notes)


def test_boxes_of_the_source_go_with_their_pictures(clip):
    result = asdkit.run(clip, CHEAP, boxes=two(60, clock="source"))
    assert [one.source_id for one in result.tracks] == [40, 7]
    assert result.tracks[0].boxes.tolist() == moving(60)[::2].tolist()
    part = asdkit.run(clip, CHEAP, boxes=two(60, clock="source"), start_s=0.4, end_s=0.8)
    assert part.tracks[1].first_frame == 10
    assert part.tracks[1].boxes.tolist() == moving(60, -0.5, 50.0)[20:40:2].tolist()


def test_few_boxes_are_enough_where_they_have_ids(clip):
    rows = np.array([1, 21, 41, 59])
    boxes = asdkit.Boxes(rows, moving(60)[rows], ids=[7] * 4, clock="source")
    (track,) = asdkit.run(clip, CHEAP, boxes=boxes).tracks
    assert track.frames == range(1, 30)
    assert np.allclose(track.boxes, moving(60)[2::2])


def test_a_face_without_id_is_followed_by_the_tracker(clip):
    boxes = asdkit.Boxes(np.arange(60), moving(60), clock="source")
    (track,) = asdkit.run(clip, CHEAP, boxes=boxes).tracks
    assert (track.source_id, track.name) == (None, "track_0")
    assert track.boxes.tolist() == moving(60)[::2].tolist()


def test_an_id_goes_on_through_cuts(clip):
    Path("cuts.csv").write_text("Start Time (seconds)\n0\n0.4\n")
    options = {**CHEAP, "cutter": "csv", "cutter.path": "cuts.csv"}
    result = asdkit.run(clip, options, boxes=two(30, clock="grid", step=1))
    assert len(result.shots) == 2
    assert [(one.shot, one.source_id) for one in result.tracks] == [
        (0, 40),
        (0, 7),
        (1, 40),
        (1, 7),
    ]


def test_a_result_says_what_it_was_made_from(clip):
    boxes = two(30, clock="grid", step=1)
    result = asdkit.run(clip, CHEAP, boxes=boxes, writers=["json", "rttm"], output="out")
    said = json.loads(Path("out/result.json").read_text())
    jsonschema.validate(said, schema())
    assert [(one["id"], one["source_id"]) for one in said["tracks"]] == [(0, 40), (1, 7)]
    assert said["provenance"]["boxes"] == boxes.about()
    assert "detector" not in said["provenance"]["weights"]
    assert result.provenance["boxes"]["boxes"] == 60
    with pytest.raises(InputError, match="was made from boxes that were given from Python"):
        begin_again(Path("out"), [])


@pytest.mark.parametrize("given", [3, [[10, 20, 30, 40]], "boxes.json"])
def test_what_is_no_boxes_is_refused(clip, given):
    says = rf"^boxes must be asdkit.Boxes, got {type(given).__name__}\. As in: boxes="
    with pytest.raises(ConfigError, match=says):
        asdkit.run(clip, CHEAP, boxes=given)
    Path("boxes.json").write_text("[]")
    options = {**CHEAP, "detector": "boxes", "detector.path": "boxes.json"}
    with pytest.raises(ConfigError, match=says):
        asdkit.Pipeline(options)(clip, boxes=given)


def test_a_pipeline_takes_boxes_with_each_call(clip):
    Path("boxes.json").write_text(json.dumps([[[20, 10, 60, 50, 1.0]]] * 30))
    options = {**CHEAP, "detector": "boxes", "detector.path": "boxes.json"}
    pipeline = asdkit.Pipeline(options)
    given = pipeline(clip, boxes=two(30, clock="grid", step=1))
    assert [one.source_id for one in given.tracks] == [40, 7]
    (own,) = pipeline(clip).tracks
    assert (own.source_id, own.boxes[0].tolist()) == (None, [20, 10, 60, 50])


def test_a_pipeline_reads_boxes_of_the_source_from_a_file(clip):
    lines = [f"{k + 1},3,{5 + k / 2},10,30,40,1,-1,-1,-1" for k in range(60)]
    Path("det.txt").write_text("\n".join(lines))
    options = {**CHEAP, "detector": "boxes", "detector.path": "det.txt"}
    for result in (asdkit.run(clip, options), asdkit.Pipeline(options)(clip)):
        (track,) = result.tracks
        assert track.source_id == 3
        assert track.boxes.tolist() == moving(60)[::2].tolist()


def test_boxes_after_the_end_are_told_of(clip):
    late = asdkit.run(clip, CHEAP, boxes=two(60, clock="grid"))
    assert any("56 of 120 boxes are after the end" in note for note in late.video.notes)
    assert any("clock=source" in note for note in late.video.notes)
    later = asdkit.run(clip, CHEAP, boxes=two(70, clock="source"))
    assert any("20 of 140 boxes are after the end" in note for note in later.video.notes)
    assert any("it has 60 pictures" in note for note in later.video.notes)
    right = asdkit.run(clip, CHEAP, boxes=two(60, clock="source"))
    assert not any("after the end" in note for note in right.video.notes)


def test_boxes_beyond_the_picture_are_refused_in_one_line(clip):
    with pytest.raises(AsdError, match=r"boxes= says that frame 0 has a face at .* lies outside"):
        asdkit.run(clip, CHEAP, boxes=asdkit.Boxes([0], [[500, 500, 600, 600]]))
