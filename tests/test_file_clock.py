"""Formats that other tools read are on the clock of the file, and so are labels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from by_hand import track
from synth import click_times, clicks, write_video

import asdkit
from asdkit.core.component import Context
from asdkit.core.media.probe import probe
from asdkit.core.result import Result
from asdkit.core.results import turns
from asdkit.plugins.datasets import ava as ava_dataset
from asdkit.plugins.datasets import rttm as rttm_dataset
from asdkit.plugins.writers import asdkit_components

WRITERS = {component.name: component for component in asdkit_components()}
LATE_S = 0.72
CLICK_S = 1.5
FILES = [("a.mp4", "aac"), ("a.mkv", "pcm_s16le"), ("a.mkv", "aac"), ("a.ts", "aac")]


def late_picture(path: Path, codec: str) -> Path:
    """50 pictures from 0.72 s on, and a click at 1.5 s of a sound that begins at 0."""
    return write_video(
        path,
        codec="libx264",
        starts_s=LATE_S,
        sounds=[(0.0, clicks([CLICK_S], 3.0, 48_000))],
        sound_codec=codec,
        sound_rate=48_000,
    )


def extracted(path: Path) -> list[float]:
    """Where the clicks are in the sound that an audio tool takes out of the file."""
    with av.open(str(path)) as container:
        frames = list(container.decode(audio=0))
    samples = np.concatenate([np.atleast_2d(frame.to_ndarray())[0] for frame in frames])
    loud = samples / np.abs(samples).max() * 24_000
    return click_times(loud.astype(np.int16), 48_000)


def found(video: Path, speaking_s: float) -> Result:
    """A result in which a face speaks for 0.4 s, from that second after the first picture on."""
    boxes = np.tile([10.0, 10.0, 50.0, 50.0], (50, 1))
    spans = ((speaking_s, speaking_s + 0.4),)
    one = track(0, 0, boxes, speaking=spans, identity="Ann")
    return Result(probe(video).info, ((0, 50),), (one,), {}, {})


def write(name: str, result: Result, folder: Path) -> str:
    component = WRITERS[name]
    (path,) = component.build(component.config(), Context()).write(result, folder)
    return path.read_text("utf-8")


@pytest.mark.parametrize(("name", "codec"), FILES)
def test_the_picture_starts_when_players_show_it(tmp_path, name, codec):
    """A transport stream's own clock begins at 1.4 s here; players subtract that."""
    path = late_picture(tmp_path / name, codec)
    assert extracted(path) == pytest.approx([CLICK_S], abs=0.025)
    assert probe(path).info.start_s == pytest.approx(LATE_S, abs=0.025)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts"])
def test_a_file_whose_clock_begins_late_begins_at_0(tmp_path, name):
    sounds = [(5.0, clicks([0.5], 1.0))]
    path = write_video(tmp_path / name, frames=25, starts_s=5.0, sounds=sounds)
    assert probe(path).info.start_s == pytest.approx(0.0, abs=0.025)


def test_a_picture_without_sound_begins_at_0(tmp_path):
    path = write_video(tmp_path / "a.mkv", frames=5, starts_s=0.4)
    assert probe(path, allow_silent=True).info.start_s == 0.0


@pytest.mark.parametrize(("name", "codec"), FILES)
def test_turns_meet_the_sound_of_the_file(tmp_path, name, codec):
    path = late_picture(tmp_path / name, codec)
    (click_s,) = extracted(path)
    result = found(path, CLICK_S - LATE_S)
    onset_s = float(write("rttm", result, tmp_path).split()[3])
    assert onset_s == pytest.approx(click_s, abs=0.025)
    cue = write("webvtt", result, tmp_path).splitlines()[2]
    assert float(cue.split()[0].split(":")[2]) == pytest.approx(onset_s, abs=0.0011)
    rows = write("ava", result, tmp_path).splitlines()[1:]
    times = [float(row.split(",")[1]) for row in rows]
    start_s = result.video.start_s
    assert times == pytest.approx([start_s + k / 25 for k in range(50)], abs=0.0006)


def test_a_whole_run_meets_the_sound_of_the_file(tmp_path):
    time = np.arange(48_000) / 16_000
    buzz = sum(np.sin(2 * np.pi * 120 * k * time + k * k) / k for k in range(1, 40))
    sound = 3_000 * buzz * ((time > 1.5) & (time < 2.3))
    sound += np.random.default_rng(0).normal(0, 20, len(sound))
    path = write_video(
        tmp_path / "a.mkv",
        starts_s=LATE_S,
        sounds=[(0.0, sound.astype(np.int16))],
        sound_rate=16_000,
    )
    (tmp_path / "none.json").write_text("[]")
    nobody = ["detector=boxes", f"detector.path={tmp_path / 'none.json'}", "scorer=lip_motion"]
    options = ["vad=energy", "cutter=none", "writers=[rttm]", f"output={tmp_path / 'out'}"]
    result = asdkit.run(path, [*nobody, *options])
    (line,) = (tmp_path / "out" / "speakers.rttm").read_text().splitlines()
    assert float(line.split()[3]) == pytest.approx(1.5, abs=0.05)
    ((start_s, _),) = result.speech
    assert start_s == pytest.approx(1.5 - LATE_S, abs=0.05)


def test_what_is_written_in_rttm_is_read_as_the_same_turns(tmp_path):
    path = late_picture(tmp_path / "a.mkv", "pcm_s16le")
    result = found(path, 0.8)
    write("rttm", result, tmp_path)
    dataset = rttm_dataset.RttmDatasetConfig(str(tmp_path), str(tmp_path))
    (video,) = rttm_dataset.build(dataset, Context()).videos()
    assert turns(result)[0][:2] == pytest.approx((0.8, 1.2))
    (span,) = video.speakers["Ann"]
    assert span == pytest.approx((0.8, 1.2), abs=1e-3)


def test_turns_and_judged_stretches_before_the_picture_are_left_out(tmp_path):
    late_picture(tmp_path / "a.mkv", "pcm_s16le")
    (tmp_path / "a.rttm").write_text(
        "SPEAKER a 1 0.10 0.20 <NA> <NA> Bob <NA> <NA>\n"
        "SPEAKER a 1 0.50 0.50 <NA> <NA> Ann <NA> <NA>\n"
    )
    (tmp_path / "all.uem").write_text("a 1 0.00 1.72\n")
    config = rttm_dataset.RttmDatasetConfig(
        str(tmp_path), str(tmp_path / "a.rttm"), str(tmp_path / "all.uem")
    )
    (video,) = rttm_dataset.build(config, Context()).videos()
    assert video.speakers["Bob"] == ()
    assert video.speakers["Ann"] == (pytest.approx((0.0, 0.28)),)
    assert video.scored == (pytest.approx((0.0, 1.0)),)


def test_labels_of_ava_are_on_the_clock_of_the_file(tmp_path):
    late_picture(tmp_path / "a.mkv", "pcm_s16le")
    times = [901.12 + 0.04 * k for k in range(3)]
    rows = [f"a,{time:.2f},0.1,0.1,0.5,0.5,SPEAKING_AUDIBLE,a_0" for time in times]
    (tmp_path / "truth.csv").write_text("\n".join(rows))
    config = ava_dataset.AvaDatasetConfig(
        truth=str(tmp_path / "truth.csv"), videos=str(tmp_path), offset_s=900.0
    )
    (video,) = ava_dataset.build(config, Context()).videos()
    (face,) = video.faces
    assert (face.first_frame, len(face.boxes)) == (10, 3)  # 1.12 s less 0.72 s
    judged = video.judge(found(tmp_path / "a.mkv", 0.4))
    assert judged.time_s == pytest.approx([0.4, 0.44, 0.48])


def test_predictions_written_are_those_that_the_truth_asks_for(tmp_path):
    """A truth with the times that are written joins with what is written."""
    path = late_picture(tmp_path / "a.mkv", "pcm_s16le")
    write("ava", replace(found(path, 0.4)), tmp_path)
    rows = (tmp_path / "ava.csv").read_text().splitlines()
    (tmp_path / "truth.csv").write_text("\n".join(row.rpartition(",")[0] for row in rows[1:]))
    config = ava_dataset.AvaDatasetConfig(
        truth=str(tmp_path / "truth.csv"), predictions=str(tmp_path / "ava.csv")
    )
    (judged,) = ava_dataset.build(config, Context()).predicted.values()
    assert judged.time_s[0] == pytest.approx(LATE_S)
    assert len(judged) == 50
