"""What people type out of habit is understood, or the right words are named in one line."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from commanding import BOXES, CHEAP, result, video

from asdkit.core.batch.manifest import Records


@pytest.mark.parametrize("name", ["clip.mp4", "talk one.mp4", "detector=x.mp4", "noend", "run.mp4"])
def test_a_file_alone_is_run(asd, name):
    video("clip.mp4")
    Path("clip.mp4").rename(name)
    code, out, err = asd(name, *BOXES, *CHEAP, "output=out")
    assert code == 0, err
    assert "1 face track" in out
    assert result("out")["video"]["path"].endswith(name)


def test_a_file_may_be_called_like_a_command_or_begin_with_a_dash(asd, refused):
    assert "No such file: -x.mp4" in refused("--", "-x.mp4")
    video("clip.mp4")
    Path("clip.mp4").rename("run")
    code, _, err = asd("./run", *BOXES, *CHEAP, "output=own")
    assert code == 0, err
    assert "asd run FILE" in asd("run")[2]  # the command, not the file


@pytest.mark.parametrize("name", ["nothere.mp4", "nothere.MKV", "talks/nothere", "./nothere"])
def test_a_missing_file_is_missing_and_no_unknown_command(refused, name):
    line = refused(name, "scorer=lip_motion")
    assert "No such file" in line
    assert "command" not in line


def test_a_misspelt_view_of_a_batch_is_no_video(refused):
    Path("results").mkdir()
    line = refused("batch", "stauts", "results")
    assert line.startswith("asd: batch takes videos, or status, table, decide with a folder")
    assert "Did you mean status?" in line


def test_a_folder_is_for_a_batch(refused):
    Path("talks").mkdir()
    assert "asd batch talks" in refused("talks", "scorer=lip_motion")


def test_help_of_a_file_is_that_of_run(asd):
    assert asd("talk.mp4", "--help") == asd("run", "--help")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("run x.mp4 --output out", "--output out is written output=out."),
        ("run x.mp4 --output=out", "--output=out is written output=out."),
        ("run x.mp4 -o out", "-o out is written output=out."),
        ("x.mp4 -o out", "-o out is written output=out."),
        ("-o out x.mp4", "-o out is written output=out."),
        ("run -o out --device cpu x.mp4", "-o out --device cpu is written output=out device=cpu."),
        ("run x.mp4 --detector yunet", "--detector yunet is written detector=yunet."),
        ("run x.mp4 --start-s 3 -m", "--start-s 3 is written start_s=3."),
        ("run x.mp4 --identity-distance -1", "is written identity_distance=-1."),
        ("run x.mp4 --detector.min-face-px=3", "is written detector.min_face_px=3."),
        ("run --overwrite x.mp4", "--overwrite is written overwrite=true."),
        ("run --overwrite false x.mp4", "--overwrite false is written overwrite=false."),
        ("run x.mp4 --output", "--output is written output=VALUE."),
        ("run x.mp4 -o 'my out'", "-o 'my out' is written \"output='my out'\"."),
        ("batch talks --workers 2", "--workers 2 is written workers=2."),
        ("evaluate --dataset ava", "--dataset ava is written dataset=ava."),
        ("compare a --output b", "--output b is written output=b."),
        ("run --multirun --output out x.mp4", "--output out is written output=out."),
    ],
)  # fmt: skip
def test_flags_are_answered_with_the_right_words(refused, line, told):
    assert told in refused(*shlex.split(line))


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("--pretrainModel my.model", "scorer.weights=my.model"),
        ("--facedetScale 0.25", "detector=s3fd_reference detector.reference_scale=0.25"),
        ("--facedetScale 0.25 detector=s3fd", "detector.reference_scale=0.25"),
        ("--minTrack 10 --numFailedDet 9",
         "tracker.min_track_detections=10 tracker.max_gap_frames=9"),
        ("--minFaceSize=1 --cropScale=0.4", "tracker.min_face_px=1 crop_scale=0.4"),
        ("--start 10 --duration 5", "start_s=10 end_s=15"),
        ("--start 10", "start_s=10"),
        ("--duration 5", "end_s=5"),
        ("--nDataLoaderThread 4", "threads=4"),
        ("--pathToScenes cuts.csv", "cutter=csv cutter.path=cuts.csv"),
        ("--audioFilePath voice.wav", "sound=voice.wav"),
        ("--visualisation", "'writers=[pywork,annotated]'"),
        ("--evalCol --colSavePath /data/col", "asd evaluate dataset=columbia "
         "dataset.labels=/data/col/col_labels/fusion dataset.video=/data/col/col.mp4"),
    ],
)  # fmt: skip
def test_flags_of_talknet_scripts_are_answered_with_the_right_words(refused, line, told):
    typed = line.partition(" detector=")[0]
    said = refused("run", "x.mp4", *shlex.split(line))
    assert said.startswith(f"asd: {typed} is written {told}. experiment=reference runs")


def test_the_script_s_video_is_found_by_its_name(refused):
    Path("demo").mkdir()
    for name in ("001.wav", "001.avi"):
        Path("demo", name).touch()
    words = ("--videoName", "001", "--videoFolder", "demo")
    assert "is written demo/001.avi" in refused(*words)
    assert "is written demo/001.avi" in refused("run", "--videoName", "001")
    assert "is written demo/002.mp4" in refused("run", "--videoName", "002")
    assert "--duration 0 is not needed" in refused("run", "x.mp4", "--duration", "0")


def test_the_words_that_were_told_are_understood(asd):
    """What replaces a script's flags is what the command takes."""
    words = ["tracker.min_track_detections=10", "tracker.max_gap_frames=9", "tracker.min_face_px=1"]
    words += [
        "detector=s3fd_reference",
        "detector.reference_scale=0.25",
        "writers=[pywork,annotated]",
    ]
    words += ["cutter=csv", "cutter.path=cuts.csv", "threads=4", "start_s=10", "end_s=15"]
    code, out, err = asd("run", "x.mp4", *words, "scorer.weights=my.model", "--cfg", "job")
    assert code == 0, err
    assert "reference_scale: 0.25" in out


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("run x.mp4 --outptu out", "There is no flag --outptu. Did you mean output? Options have"),
        ("run x.mp4 --multrun", "There is no flag --multrun. Did you mean --multirun?"),
        ("run x.mp4 --frob", "There is no flag --frob; there are -c,"),
        ("run --minTrak 3 x.mp4", "There is no flag --minTrak"),
        ("weights list -o x", "There is no flag -o; there are -h, --help"),
    ],
)
def test_flags_that_mean_nothing(refused, line, told):
    assert told in refused(*line.split())


def test_a_batch_takes_videos_as_plain_arguments(asd):
    Path("talks").mkdir()
    for name in ("talks/a.mp4", "b c's.mp4", "${x},[y].mp4"):
        video(name)
    words = [*BOXES, *CHEAP, "shards=2"]
    code, _, err = asd("batch", "talks", "b c's.mp4", *words, "--", "${x},[y].mp4")
    assert code == 0, err
    assert {record.state for record in Records(Path("asd_batch")).latest.values()} == {"done"}
    names = {Path(path).name for path in Records(Path("asd_batch")).latest}
    assert names == {"a.mp4", "b c's.mp4", "${x},[y].mp4"}


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("batch", "videos is not set. Set it, as in: asd batch FOLDER"),
        ("batch talks videos=more", "Videos were named twice, by 'talks' and by 'videos=more'"),
        ("batch talks workers", "workers has no value. Use: workers=VALUE"),
        ("batch nothere scorer=lip_motion", "videos=nothere names no video"),
    ],
)
def test_what_a_batch_does_not_take(refused, line, told):
    assert told in refused(*line.split())
