"""What was computed once is kept, and taken as long as it is right."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from evaluating import FRAMES, evaluated

from asdkit.core.config.compose import compose_run
from asdkit.core.config.plan import make_plan
from asdkit.core.errors import OutputError
from asdkit.core.evaluation.cache import Cache, Entry, LastEntry
from asdkit.core.evaluation.detections import KeptDetections
from asdkit.core.models import Models
from asdkit.core.provenance import WeightsFile
from asdkit.core.types import Detections


def test_thresholds_cost_no_inference(options, detected, scored):
    first = evaluated(options)
    assert sum(map(len, detected)) == 2 * FRAMES
    assert sum(scored) == 2 * 4  # two faces in each clip, with both sounds
    detected.clear()
    scored.clear()
    lines = []
    second = evaluated([*options, "segments.on=0.9", "segments.off=0.8"], "second", lines.append)
    assert not detected
    assert not scored
    assert [line.split(", ")[1] for line in lines] == ["all kept from an earlier run"] * 2
    assert second["metrics"]["average_precision"] == first["metrics"]["average_precision"]
    assert second["cost"] == first["cost"]
    assert second["metrics"]["confusion"] != first["metrics"]["confusion"]


def test_a_sweep_over_contexts_costs_no_inference(options, detected, scored):
    first = evaluated(options)
    assert first["settings"]["context"] == {"name": "none"}
    detected.clear()
    scored.clear()
    none = evaluated([*options, "context=others", "context.weight=0"], "none")["metrics"]
    half = evaluated([*options, "context=others", "context.weight=0.5"], "half")["metrics"]
    assert not detected
    assert not scored
    assert none == first["metrics"]
    assert half["nll"] != none["nll"]


def test_a_sweep_over_decisions_costs_no_inference(options, detected, scored, asd):
    voice = [*options, "vad=energy"]
    evaluated(voice, "sweep/first")
    detected.clear()
    scored.clear()
    words = [*voice, "--multirun", "decisions=independent,exclusive,overlap", "output=sweep"]
    code, _, err = asd("evaluate", *words, "conversation.turn_s=1.5")
    assert code == 0, err
    assert not detected
    assert not scored
    table = Path("sweep/compare.md").read_text()
    assert "decisions" in table.splitlines()[0]
    assert all(f"| {name} |" in table for name in ("independent", "exclusive", "overlap"))
    found = [json.loads(path.read_text()) for path in Path("sweep").glob("*/evaluation.json")]
    by_name = {one["settings"]["decisions"]: one["metrics"] for one in found}
    assert by_name["exclusive"]["confusion"] != by_name["independent"]["confusion"]
    assert len({one["average_precision"] for one in by_name.values()}) == 1


def test_faces_are_found_once_for_all_scorers_and_trackers(options, detected, scored):
    evaluated(options)
    detected.clear()
    scored.clear()
    lines = []
    evaluated([*options, "tracker.iou_threshold=0.4"], "second", lines.append)
    assert not detected
    assert scored
    assert "faces kept from an earlier run" in lines[0]
    # A part of the frames is among them, and a changed file of boxes is another detector.
    evaluated([*options, "detect_every=5"], "third")
    evaluated([*options, "detect_every=auto"], "third_of_auto")
    assert not detected
    other = Path("other.json")
    other.write_text(json.dumps([[[4, 8, 44, 56, 0.9]]] * FRAMES))
    found = evaluated([*options, f"detector.path={other}"], "fourth")
    assert detected
    assert found["metrics"]["missed"] == 150
    assert found["metrics"]["missed_positives"] == 70


@pytest.mark.parametrize("every", ["5", "auto"])
def test_frames_that_were_not_looked_at_before_are(options, detected, every):
    evaluated([*options, f"detect_every={every}"])
    seen = {index for call in detected for index in call}
    detected.clear()
    evaluated(options, "second")
    assert {index for call in detected for index in call} == set(range(FRAMES)) - seen


@pytest.mark.parametrize("looks", [True, False])
def test_a_detector_of_which_all_is_kept_is_not_built(looks):
    nothing = Detections(np.zeros((0, 4)), np.zeros(0))
    detector = SimpleNamespace(looks=looks, detect=lambda frames, indices: [nothing] * len(indices))
    built = []
    models = SimpleNamespace(
        part=lambda kind: built.append(kind) or detector, devices={}, weights={"detector": ()}
    )
    frames, cache = np.zeros((2, 8, 8, 3), np.uint8), LastEntry()
    first = KeptDetections(models, cache, {"video": "a"})
    assert first.looks == looks
    first.detect(frames, [0, 1])
    first.keep(None)
    built.clear()
    again = KeptDetections(models, cache, {"video": "a"})
    assert again.looks == looks
    assert len(again.detect(frames, [0, 1])) == 2
    assert not built


def test_landmarks_are_kept_with_the_faces():
    boxes = np.array([[1.0, 2, 3, 4], [2, 3, 4, 5]])
    points = np.random.default_rng(0).uniform(0, 8, (2, 5, 2))
    answers = {
        0: Detections(boxes, np.ones(2), points),
        1: Detections(np.zeros((0, 4)), np.zeros(0)),
        2: Detections(boxes[:1], np.ones(1)),
    }
    detector = SimpleNamespace(detect=lambda frames, indices: [answers[k] for k in indices])
    models = SimpleNamespace(part=lambda kind: detector, devices={}, weights={"detector": ()})
    frames, cache = np.zeros((3, 8, 8, 3), np.uint8), LastEntry()
    first = KeptDetections(models, cache, {})
    first.detect(frames, [0, 1, 2])
    first.keep(None)
    found = KeptDetections(models, cache, {}).detect(frames, [0, 1, 2])
    assert found[0].landmarks.tobytes() == points.tobytes()
    assert [len(faces) for faces in found] == [2, 0, 1]
    assert found[2].landmarks is None
    # An entry of a version without landmarks.
    entry = cache.get({})
    arrays = {name: array for name, array in entry.arrays.items() if name != "landmarks"}
    cache.put({}, replace(entry, arrays=arrays))
    old = KeptDetections(models, cache, {}).detect(frames, [0, 1, 2])
    assert [faces.landmarks for faces in old] == [None] * 3
    assert old[0].boxes.tobytes() == boxes.tobytes()


def test_the_cache_can_be_left_out_or_deleted(options, detected, tmp_path):
    kept = tmp_path / "cache" / "seen"
    evaluated([*options, "cache=false"])
    assert not kept.exists()
    assert sum(map(len, detected)) == 2 * FRAMES  # found once for both sounds all the same
    evaluated(options, "second")
    assert len(list(kept.iterdir())) == 2 * 3  # detections, and scores with both sounds
    for path in kept.iterdir():
        path.write_bytes(path.read_bytes()[:100])
    detected.clear()
    evaluated(options, "third")
    assert sum(map(len, detected)) == 2 * FRAMES
    # One that holds next to nothing keeps nothing, and does no harm.
    evaluated([*options, "cache_gb=1e-9", "tracker.iou_threshold=0.3"], "fourth")
    assert not list(kept.iterdir())


def test_a_cache_that_cannot_be_written(options, tmp_path):
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(OutputError, match="cache=false"):
        evaluated(options)
    assert not Path("out").exists()


def test_entries_of_changed_weights_are_not_taken(tmp_path):
    weights = tmp_path / "weights"
    weights.write_bytes(b"1")
    used = WeightsFile(
        str(weights), "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b", 1
    )
    cache = Cache(tmp_path / "cache", 1e6)
    cache.put({"a": 1}, Entry({"x": np.arange(3)}, {"y": 2}, {"scorer": (used,)}))
    entry = cache.get({"a": 1})
    assert entry.arrays["x"].tolist() == [0, 1, 2]
    assert entry.about == {"y": 2}
    assert entry.weights == {"scorer": (used,)}
    assert cache.get({"a": 2}) is None
    weights.write_bytes(b"2")
    assert cache.get({"a": 1}) is None


def test_what_was_not_used_for_longest_goes_first(tmp_path):
    entry = Entry({"x": np.zeros(1000)}, {}, {})
    cache = Cache(tmp_path, 20_000)
    for key in (1, 2):
        cache.put({"key": key}, entry)
    for path in tmp_path.iterdir():
        os.utime(path, (0, 0))
    assert cache.get({"key": 1})  # and so is young again
    cache.put({"key": 3}, entry)
    assert [bool(cache.get({"key": key})) for key in (1, 2, 3)] == [True, False, True]


def test_models_are_loaded_once_for_many_videos(options, folder, monkeypatch):
    from asdkit.core.pipeline import execute

    run = [word for word in options if not word.startswith(("dataset", "plots"))]
    plans = [
        make_plan(compose_run([*run, "writers=[]"], str(folder / f"{name}.mp4")))
        for name in ("one", "two")
    ]
    models = Models(plans[0])
    scorer = models.part("scorer")
    assert models.part("scorer") is scorer
    assert models.part("tracker") is not models.part("tracker")
    together = [execute(plan, models=models) for plan in plans]
    apart = [execute(plan) for plan in plans]
    for one, other in zip(together, apart, strict=True):
        for a, b in zip(one.tracks, other.tracks, strict=True):
            assert np.array_equal(a.logits, b.logits)
        assert replace(one, tracks=(), timings_s={}).settings == other.settings
