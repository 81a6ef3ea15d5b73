"""Files and crops made of a result that was loaded."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from synth import write_video

import asdkit
from asdkit.core.errors import ConfigError, InputError, OutputError, PluginError
from asdkit.core.names_file import read_names
from asdkit.core.result import Result
from asdkit.plugins.scorers.lip_motion import LipMotion

SIZE = 192, 144


def noise(number: int, width: int, height: int) -> np.ndarray:
    """A pattern that becomes a little brighter with each picture."""
    draws = np.random.default_rng(3).integers(0, 150, (height // 8, width // 8, 3), np.uint8)
    return draws.repeat(8, 0).repeat(8, 1) + np.uint8(number)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A run over a video with two still faces, and the crops that its scorer was given."""
    folder = tmp_path_factory.mktemp("made")
    video = write_video(folder / "talk.mp4", frames=60, size=SIZE, image=noise, fps=25)
    faces = [[10, 10, 60, 70, 0.9], [110, 15, 185, 90, 0.9]]
    (folder / "boxes.json").write_text(json.dumps([[]] * 5 + [faces] * 55))
    given = []
    score = LipMotion.score

    def noted(self, clips):
        given.extend(clip.faces for clip in clips)
        return score(self, clips)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LipMotion, "score", noted)
        result = asdkit.run(video, _words(folder))
    return result, given, folder


def _words(folder: Path) -> list[str]:
    return [
        *("scorer=lip_motion", "detector=boxes", f"detector.path={folder / 'boxes.json'}"),
        *("allow_silent=true", "writers=[json,rttm]", f"output={folder / 'out'}"),
    ]


def test_crops_are_those_that_the_scorer_was_given(made):
    result, given, folder = made
    assert len(result.tracks) == 2
    for one in (result, Result.load(folder / "out")):
        for track, faces in zip(one.tracks, given, strict=True):
            crops = np.stack(list(one.crops(track)))
            assert crops.shape == (len(track), 112, 112) and crops.dtype == np.uint8
            np.testing.assert_array_equal(crops, faces)


def test_in_colour_it_is_the_whole_crop(made):
    result, given, _ = made
    colour = next(result.crops(1, colour=True))
    assert colour.shape == (224, 224, 3)
    grey = np.float32([0.2989, 0.587, 0.114]) @ colour[56:168, 56:168].transpose(0, 2, 1)
    assert np.abs(grey - given[1][0]).max() <= 1
    assert (colour[:, -1] == 110).all()  # right of the picture


def test_crops_need_the_video_and_a_track(made, tmp_path):
    result, _, folder = made
    with pytest.raises(InputError, match=r"There is no track 7 in the result\. There are 0, 1"):
        result.crops(7)
    with pytest.raises(InputError, match=r"gone.mp4.* is not there any more. Name the right one"):
        next(Result.load(folder / "out", video=tmp_path / "gone.mp4").crops(0))
    write_video(tmp_path / "other.mp4", frames=60, size=(64, 48))
    with pytest.raises(InputError, match="its picture has 64x48 pixels, not 192x144"):
        next(Result.load(folder / "out", video=tmp_path / "other.mp4").crops(0))
    write_video(tmp_path / "short.mp4", frames=20, size=SIZE)
    crops = Result.load(folder / "out", video=tmp_path / "short.mp4").crops(0)
    with pytest.raises(InputError, match=r"ends at 0\.80 s, before track 0 does"):
        list(crops)


def test_a_video_is_looked_for_where_the_run_was_started(made, tmp_path, monkeypatch):
    _, given, folder = made
    monkeypatch.chdir(folder)
    asdkit.run("talk.mp4", [*_words(folder), f"output={tmp_path / 'out'}"])
    monkeypatch.chdir(tmp_path)
    loaded = Result.load("out")
    assert loaded.video.path == Path("talk.mp4")
    np.testing.assert_array_equal(next(loaded.crops(0)), given[0][0])


def test_a_relative_path_given_now_is_not_one_of_the_run(made, tmp_path, monkeypatch):
    """Where the run was started lies another video of that name."""
    _, _, folder = made
    monkeypatch.chdir(folder)
    asdkit.run("talk.mp4", [*_words(folder), f"output={tmp_path / 'out'}"])
    monkeypatch.chdir(tmp_path)
    moved = write_video(tmp_path / "talk.mp4", frames=60, size=SIZE, fps=25)
    loaded = Result.load("out", video="talk.mp4")
    assert loaded.video.path == moved
    plain = write_video(tmp_path / "plain.mp4", frames=60, size=SIZE, fps=25)
    wanted = next(Result.load("out", video=plain).crops(0))
    np.testing.assert_array_equal(next(loaded.crops(0)), wanted)
    assert np.abs(next(Result.load("out").crops(0)).astype(int) - wanted).max() > 20


def test_writers_write_what_a_run_writes(made, tmp_path):
    _, _, folder = made
    loaded = Result.load(folder / "out")
    done = loaded.write(["json", "rttm", {"name": "annotated", "crf": 40}], tmp_path / "new")
    assert done.folder == tmp_path / "new"
    assert [path.name for path in done.files] == ["result.json", "speakers.rttm", "annotated.mp4"]
    assert sorted(path.name for path in done.folder.iterdir()) == sorted(
        path.name for path in done.files
    )
    for name in ("result.json", "speakers.rttm"):
        before = (folder / "out" / name).read_text()
        before = re.sub(r'"timings_s": .*', "", before)
        assert re.sub(r'"timings_s": .*', "", (done.folder / name).read_text()) == before
    assert loaded.files == ()


def test_beside_other_files_only_its_own_are_replaced(made, tmp_path):
    result, _, _ = made
    result.write("json", tmp_path)
    (tmp_path / "speakers.rttm").write_text("old")
    (tmp_path / "speakers.vtt").write_text("kept")
    with pytest.raises(OutputError, match=r"already holds results \(speakers.rttm\)"):
        result.write("rttm", tmp_path)
    assert (tmp_path / "speakers.rttm").read_text() == "old"
    result.write("rttm", tmp_path, overwrite=True)
    assert (tmp_path / "speakers.rttm").read_text() != "old"
    assert (tmp_path / "speakers.vtt").read_text() == "kept"
    assert (tmp_path / "result.json").exists() and not (tmp_path / "incomplete").exists()


def test_results_that_a_killed_run_left_mixed_stay_marked_as_such(made, tmp_path):
    (tmp_path / "incomplete" / "whole").mkdir(parents=True)
    with pytest.raises(OutputError, match="are not complete: a run was killed"):
        made[0].write("rttm", tmp_path, overwrite=True)
    assert (tmp_path / "incomplete" / "whole").is_dir()


def test_nothing_is_half_written(made, tmp_path):
    _, _, folder = made
    gone = Result.load(folder / "out", video="gone.mp4")
    (tmp_path / "speakers.rttm").write_text("old")
    with pytest.raises(InputError, match="not there any more"):
        gone.write(["rttm", "annotated"], tmp_path, overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["speakers.rttm"]
    assert (tmp_path / "speakers.rttm").read_text() == "old"


@pytest.mark.parametrize(
    ("writers", "kind", "says"),
    [
        ([], ConfigError, "No writer was named"),
        (["rttm", "rttm"], ConfigError, "The writer rttm was named twice"),
        ([3], ConfigError, "A writer must be a name, or a dict with a name, got 3"),
        ([{"crf": 3}], ConfigError, "A writer must be a name, or a dict with a name, got {'crf'"),
        (["rtm"], PluginError, "There is no writer 'rtm'"),
        (
            [{"name": "annotated", "crv": 3}],
            ConfigError,
            "There is no option writers.annotated.crv",
        ),
        ([{"name": "annotated", "crf": 99}], ConfigError, "writers.annotated.crf must be from 0"),
        ({"annotated": {"crf": 99}}, ConfigError, "writers.annotated.crf must be from 0"),
    ],
)
def test_writers_that_cannot_be_are_refused(writers, kind, says, made, tmp_path):
    with pytest.raises(kind) as caught:
        made[0].write(writers, tmp_path)
    assert says in str(caught.value)


def test_names_are_read_from_a_file(tmp_path):
    path = tmp_path / "names.json"
    path.write_text('{"schema": "asdkit.names/1", "names": {"track_0": "Anna", "S1": "D\u00e9"}}')
    assert read_names(path) == {"track_0": "Anna", "S1": "D\u00e9"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "is not a file of names: line 1"),
        ('{"track_0": "Anna"}', "schema is missing"),
        ('{"schema": "asdkit.names/2", "names": {}}', "schema is 'asdkit.names/2'"),
        ('{"schema": "asdkit.names/1", "names": ["Anna"]}', "names is an array"),
        ('{"schema": "asdkit.names/1", "names": {"a": 3}}', "names.a is 3"),
        ('{"schema": "asdkit.names/1", "names": {"a": ""}}', "names.a is ''"),
    ],
)
def test_a_file_of_names_has_its_form(text, says, tmp_path):
    (tmp_path / "names.json").write_text(text)
    with pytest.raises(InputError) as caught:
        read_names(tmp_path / "names.json")
    assert says in str(caught.value) and "It should be: {" in str(caught.value)
