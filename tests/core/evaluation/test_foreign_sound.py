"""Faces with the sound of another video, and runs in which everybody speaks."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from evaluating import FRAMES, REGIONS, SPEAKING, evaluated, lips
from synth import clicks, write_video

import asdkit
from asdkit.core.cli.main import main


def spoken_with_foreign_sound(options, folder, *pairs):
    """Frames that speak and all of them, of runs with the sound of another video."""
    run = [word for word in options if not word.startswith(("dataset", "plots"))]
    spoken = frames = 0
    for one, other in pairs:
        words = [*run, "writers=[]", f"sound={folder / other}.mp4"]
        for track in asdkit.run(folder / f"{one}.mp4", words).tracks:
            spoken += round(25 * sum(end - start for start, end in track.speaking))
            frames += len(track)
    return spoken, frames


def test_faces_with_the_sound_of_another_video(options, folder, capsys):
    found = evaluated(options)
    spoken, frames = spoken_with_foreign_sound(options, folder, ("one", "two"), ("two", "one"))
    assert frames == 4 * FRAMES
    assert 0 < spoken < frames
    assert found["metrics"]["foreign_sound_frames"] == frames
    assert found["metrics"]["foreign_sound_speaking"] == pytest.approx(spoken / frames)
    never = evaluated([*options, "segments.on=1", "segments.off=1"], "never")
    assert never["metrics"]["foreign_sound_speaking"] == 0
    without = evaluated([*options, "foreign_sound=false"], "without")
    assert not [key for key in without["metrics"] if key.startswith("foreign")]
    same = {key: found["metrics"][key] for key in without["metrics"]}
    assert same == without["metrics"]
    main(["evaluate", *options, "measure=foreign_sound_speaking", "output=measured"])
    assert (
        f"speaking, foreign sound     {spoken / frames:.4f}  <- the mea" in capsys.readouterr().out
    )
    assert json.loads(Path("measured/evaluation.json").read_text())["measure"] == {
        "name": "foreign_sound_speaking", "higher_is_better": False, "value": spoken / frames,
    }  # fmt: skip


def test_foreign_sound_counts_as_far_as_it_lasts(options, folder):
    Path("data").mkdir()
    for name in ("one.mp4", "one.json"):
        Path("data", name).write_bytes((folder / name).read_bytes())
    short = 50
    write_video(
        Path("data/short.mp4"),
        frames=short,
        image=lips,
        sounds=[(0, clicks(np.arange(0.1, 2, 0.2), 2.0))],
    )
    truth = {
        "shots": [[0, short]],
        "regions": REGIONS,
        "speaking": {k: v[:short] for k, v in SPEAKING.items()},
    }
    Path("data/short.json").write_text(json.dumps(truth))
    found = evaluated(["dataset.folder=data", *options[1:]])["metrics"]
    assert found["rows"] == 2 * (FRAMES + short)
    assert found["foreign_sound_frames"] == 4 * short


def test_no_other_video_has_no_foreign_sound(options, capsys):
    main(["evaluate", *options, "videos=[one]"])
    out = capsys.readouterr().out
    assert "speaking, foreign sound     not defined" in out
    assert "again with" not in out
    metrics = json.loads(Path("asd_evaluation/evaluation.json").read_text())["metrics"]
    assert (metrics["foreign_sound_speaking"], metrics["foreign_sound_frames"]) == (None, 0)


def test_a_run_in_which_everybody_speaks_says_so(options, folder, caplog):
    run = [word for word in options if not word.startswith(("dataset", "plots"))]
    always = ["segments.on=0", "segments.off=0", "writers=[json]", "output=out"]
    result = asdkit.run(folder / "one.mp4", [*run, *always])
    (note,) = json.loads(Path("out/result.json").read_text())["video"]["notes"]
    assert (note,) == result.video.notes
    assert "Everybody in sight seems to speak all the time (100 % of the faces in the 3.0 s" in note
    assert note in caplog.messages
    assert not asdkit.run(folder / "one.mp4", [*run, "writers=[]"]).video.notes
