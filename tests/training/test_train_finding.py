"""The detector, the tracker and the cutter of a training, of whose dataset no faces are known."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from nanotraining import plan_of, record_of, trained
from refusing import refusal
from synth import clicks, steady, write_video

from asdkit.core.errors import InputError, OutputError

FRAMES = 30
BOXES = [[10, 5, 40, 35, 1.0], [60, 5, 90, 35, 1.0]]
TALKS = ("dataset=dialogue", "dataset.folder=talks", "from_nothing=true", "epochs=1")
FOUND = ("detector=boxes", "detector.path=boxes.json", "cutter=none")


@pytest.fixture(autouse=True)
def talks(nano, monkeypatch):
    """A folder with two videos of two people, and a file with their faces."""
    monkeypatch.setenv("ASDKIT_CACHE", str(Path("cache").resolve()))
    Path("talks").mkdir()
    sounds = [(0.0, clicks([0.2, 0.3, 0.9], 1.2))]
    half = FRAMES // 2
    talk = {
        "fps": 25,
        "shots": [[0, FRAMES]],
        "regions": {"left": [0, 0, 48, 64], "right": [48, 0, 96, 64]},
        "speaking": {"left": [1] * half + [0] * half, "right": [0] * half + [1] * half},
    }
    for number in range(2):
        path = Path(f"talks/v{number}.mp4")
        write_video(path, frames=FRAMES, size=(96, 64), image=steady, sounds=sounds)
        path.with_suffix(".json").write_text(json.dumps(talk))
    Path("boxes.json").write_text(json.dumps([BOXES] * FRAMES))


def test_faces_are_found_by_the_parts_that_were_chosen():
    trained("out", *TALKS, *FOUND)
    (of_train,) = record_of("out")["data"]["train"].values()
    assert (of_train["faces"], of_train["frames"]) == (2, 2 * FRAMES)
    Path("boxes.json").write_text(json.dumps([BOXES[:1]] * FRAMES))
    record = trained("one", *TALKS, *FOUND)
    (of_train,) = record["data"]["train"].values()
    assert of_train["faces"] == 1, "not those that were kept from another file of boxes"
    settings = record_of("one")["settings"]
    assert settings["detector"]["path"] == "boxes.json"
    assert settings["tracker"]["name"] == "iou"
    assert settings["cutter"]["name"] == "none"


def test_a_tracker_that_wants_more_leaves_faces_out():
    words = [*TALKS, *FOUND, f"tracker.min_track_detections={FRAMES + 1}"]
    assert "No face of the 2 videos has a label" in refusal(InputError, trained, "out", *words)


def test_it_goes_on_with_the_same_parts_alone():
    trained("out", *TALKS, *FOUND)
    text = refusal(OutputError, trained, "out", *TALKS, *FOUND, "tracker.max_gap_frames=5")
    assert "tracker.max_gap_frames=10 before, 5 now" in text
    text = refusal(OutputError, trained, "out", *TALKS, "cutter=none", "detector=yunet")
    assert "stands in out: detector.name=boxes before, yunet now. Use" in text.replace(
        str(Path().resolve()) + "/", ""
    )


def test_it_is_known_before_anything_is_read_what_is_wrong_with_them(refused):
    words = ["scorer=nano", *TALKS]
    assert "There is no detector 'yunett'" in refused("train", *words, "detector=yunett")
    assert "names no component" in refused("train", *words, "tracker=null")
    wrong = refused("train", *words, "detector=yunet", "detector.score_threshold=7")
    assert "detector.score_threshold" in wrong


def test_the_usual_ones_are_those_of_a_run():
    from asdkit.core.config.compose import compose_run

    usual = compose_run([], "talk.mp4")
    plan = plan_of()
    names = {kind: chosen.component.name for kind, chosen in plan.finding.items()}
    assert names == {kind: usual[kind].name for kind in ("cutter", "detector", "tracker")}
