"""The parts one by one, as asdkit finds and makes them, then a whole run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import asdkit
import numpy as np
import pytest
from asdkit import testing
from numpy.typing import NDArray


def tone(seconds: float) -> NDArray[np.int16]:
    """(n,) int16 at 16 kHz, -16 dB against full scale."""
    time_s = np.arange(round(seconds * 16_000)) / 16_000
    samples = np.rint(7000 * np.sin(2 * np.pi * 220 * time_s))
    return np.asarray(samples, np.int16)


def test_the_parts_keep_their_contracts(tmp_path: Path) -> None:
    """The checks that every component of asdkit passes.

    If your detector finds nothing in noise, give the check pictures of people, too.
    """
    testing.check_detector(asdkit.load("detector", "centre"))
    testing.check_scorer(asdkit.load("scorer", "centre"))
    writer = asdkit.load("writer", "centre")
    testing.check_writer(writer, tmp_path, files=["centre.csv"])


def test_the_detector_answers_for_every_frame() -> None:
    """Each box lies in the picture, and n frames give n answers."""
    detector = asdkit.load("detector", "centre", face_ratio=0.5)
    found = detector.detect(np.zeros((3, 100, 200, 3), np.uint8), indices=[0, 1, 2])
    assert [faces.boxes.tolist() for faces in found] == [[[75, 25, 125, 75]]] * 3
    assert detector.detect(np.zeros((0, 100, 200, 3), np.uint8), indices=[]) == []


@pytest.mark.parametrize("frames", [1, 7, 1500])
def test_the_scorer_answers_for_every_frame(frames: int) -> None:
    """Clips of any length, several at once, up to 60 s each."""
    faces = np.zeros((frames, 112, 112), np.uint8)
    loud = asdkit.Clip(faces, tone(frames / 25))
    silent = asdkit.Clip(faces, np.zeros(640 * frames, np.int16))
    scores = asdkit.load("scorer", "centre").score([loud, silent])
    assert [len(score) for score in scores] == [frames, frames]
    assert (scores[0].score > 0).all()
    assert (scores[1].score < 0).all()


@pytest.mark.parametrize(
    ("kind", "parameter", "value"),
    [
        ("detector", "face_ratio", 1.5),
        ("scorer", "threshold_db", 3.0),
        ("writer", "decimals", -1),
        ("writer", "decimals", "many"),
    ],
)
def test_wrong_parameters_are_refused(kind: str, parameter: str, value: Any) -> None:
    """In one line that names the parameter."""
    with pytest.raises(asdkit.AsdError, match=parameter):
        asdkit.load(kind, "centre", **{parameter: value})


def test_a_run_with_the_preset(tmp_path: Path) -> None:
    """Two seconds of picture, the second of them with sound."""
    video = tmp_path / "video.mp4"
    picture = np.full((120, 160, 3), 128, np.uint8)
    sound = np.concatenate([np.zeros(16_000, np.int16), tone(1)])
    testing.write_video(video, [picture] * 50, sound)
    output = tmp_path / "results"
    overrides = [
        "experiment=centre",
        "writers.centre.decimals=1",
        f"output={output}",
    ]
    result = asdkit.run(video, overrides)
    assert len(result.tracks) == 1
    assert len(result.tracks[0]) == 50
    assert (output / "result.json").exists()
    lines = (output / "centre.csv").read_text().split()
    assert lines == ["track,start_s,end_s", "0,1.0,2.0"]
