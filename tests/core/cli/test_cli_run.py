"""asd run: what it is given, what it leaves behind, and what is said where it fails."""

from __future__ import annotations

from pathlib import Path

import hydra
import numpy as np
import pytest
from commanding import BOXES, CHEAP, SOUND, broken, result, video
from hypothesis import given, settings
from hypothesis import strategies as st
from synth import clicks, write_video

from asdkit.core.cli.console import print_summary
from asdkit.core.config.compose import compose_run
from asdkit.core.config.plan import make_plan
from asdkit.core.result import Result, VideoInfo
from asdkit.core.voice import Voice


def test_a_run_writes_its_files_and_tells_of_them(asd):
    code, out, err = asd("run", video(), *BOXES, *CHEAP)
    assert code == 0, err
    assert "clip.mp4: 2.0 s, 1 shot, 1 face track" in out
    assert "times real time" in out
    for file in ("result.json", "speakers.rttm", "pywork/tracks.pckl"):
        assert Path("asd_results/clip", file).exists()
        assert str(Path("asd_results/clip", file)) in out
    assert "finding speakers" in err
    found = result()
    assert found["shots"] == [[0, 50]]
    assert len(found["tracks"][0]["scores"]) == 50
    assert found["settings"]["detector"]["name"] == "boxes"
    assert not list(Path("asd_results").rglob(".*"))


@pytest.mark.parametrize(
    "name",
    ["a b.mp4", "a=b.mp4", "detector=x.mp4", "a,b.mp4", "[a]{b}.mp4", "говорит.mp4", "${x}.mp4",
     "'quoted\".mp4", "a\\${b.mp4", "~x.mp4", "+x=1.mp4"],
)  # fmt: skip
def test_the_file_is_a_plain_argument_whatever_its_name(asd, name):
    code, _, err = asd("run", video(name), *BOXES, *CHEAP, "output=out")
    assert code == 0, err
    assert result("out")["video"]["path"].endswith(name)


@settings(max_examples=25)
@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1))
def test_any_name_comes_through_the_configuration(name):
    got = make_plan(compose_run(["scorer=lip_motion"], name)).options.video
    assert got == ("./???" if name == "???" else name)


def test_video_as_an_override_and_after_two_dashes(asd):
    assert asd("run", f"video={video()}", *BOXES, *CHEAP)[0] == 0
    Path("clip.mp4").rename("-x.mp4")
    assert asd("run", *BOXES, *CHEAP, "output=out", "--", "-x.mp4")[0] == 0


def test_two_videos_at_once(refused):
    video("a.mp4")
    assert "'a.mp4' and 'b.mp4'" in refused("run", "a.mp4", "b.mp4")


def test_hydra_shows_the_configuration(asd):
    code, out, _ = asd("run", "x.mp4", "detector=yunet", "detector.min_face_px=33", "--cfg", "job")
    assert code == 0
    assert "video: x.mp4" in out
    assert "name: yunet" in out
    assert "min_face_px: 33.0" in out


def test_multirun_gives_each_job_a_folder(asd):
    name = video()
    sweep = ["tracker.min_face_px=1,900", "--multirun"]
    code, out, err = asd("run", name, *BOXES, *CHEAP, *sweep, "output=out")
    assert code == 0, err
    jobs = [f"tracker.min_face_px={size}" for size in (1, 900)]
    assert [len(result(f"out/{job}")["tracks"]) for job in jobs] == [1, 0]
    assert f"asd: job 1: {jobs[1]}\n" in out
    assert asd("run", name, *BOXES, *CHEAP, *sweep)[0] == 0
    assert len(list(Path("asd_results/multirun").glob("*/*=*/result.json"))) == 2


def test_a_job_of_a_multirun_fails_alone(asd):
    video()
    videos = "video=nowhere.mp4,clip.mp4"
    code, _, err = asd("run", "--multirun", videos, *BOXES, *CHEAP, "output=o")
    assert code == 2
    assert err.count("No such file") == 1
    assert "Traceback" not in err
    assert result("o/video=clip.mp4")["shots"] == [[0, 50]]
    assert not Path("o/video=nowhere.mp4/result.json").exists()


def test_files_that_are_no_video(refused, tmp_path):
    whole = Path(video()).read_bytes()
    assert "empty" in refused("run", broken("empty.mp4", b""), *BOXES, *CHEAP)
    assert "end_s=" in refused("run", cut_off(whole), *BOXES, *CHEAP)
    refused("run", broken("half.mp4", whole[: len(whole) // 2]), *BOXES, *CHEAP)
    refused("run", broken("noise.mp4", bytes(range(256)) * 40), *BOXES, *CHEAP)
    refused("run", broken("text.mp4", b"this is not a video\n" * 50), *BOXES, *CHEAP)


def cut_off(whole):
    """An MP4 with its index in front, its end missing."""
    import av

    with (
        av.open("clip.mp4") as source,
        av.open("front.mp4", "w", options={"movflags": "faststart"}) as copy,
    ):
        streams = {s: copy.add_stream_from_template(s) for s in source.streams}
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream]
                copy.mux(packet)
    front = Path("front.mp4").read_bytes()
    return broken("cut.mp4", front[: len(front) * 2 // 3])


def test_picture_or_sound_alone(refused, asd):
    write_video(Path("sound.mp4"), frames=0, sounds=SOUND)
    assert "no picture" in refused("run", "sound.mp4", *BOXES, *CHEAP)
    line = refused("run", video("silent.mp4", sounds=()), *BOXES, *CHEAP)
    assert "allow_silent=true" in line
    assert "sound=FILE" in line
    code, out, err = asd("run", "silent.mp4", *BOXES, *CHEAP, "allow_silent=true")
    assert "There is no sound, so nobody can be said to speak" in out
    assert code == 0, err
    found = result("asd_results/silent")
    assert found["video"]["has_sound"] is False
    assert found["tracks"][0]["speaking"] == []


def test_sound_from_another_file(asd, refused):
    video("silent.mp4", sounds=())
    video("voice.mp4")
    code, _, err = asd("run", "silent.mp4", "sound=voice.mp4", *BOXES, *CHEAP)
    assert code == 0, err
    assert result("asd_results/silent")["video"]["has_sound"] is True
    assert "nothere.wav" in refused("run", "silent.mp4", "sound=nothere.wav", *BOXES, *CHEAP)


def test_nobody_is_an_empty_result(asd):
    video()
    Path("boxes.json").write_text("[]")
    code, out, _ = asd("run", "clip.mp4", *BOXES, *CHEAP)
    assert code == 0
    assert "No face was found" in out
    assert "rotate=90" in out
    assert "min_face_px" not in out  # these faces come from a file
    assert result()["tracks"] == []


def test_a_picture_on_its_side_may_be_turned(asd):
    Path("boxes.json").write_text("[]")
    video(size=(96, 64))
    code, _, err = asd("run", "clip.mp4", "rotate=90", *BOXES, *CHEAP)
    assert code == 0, err
    said = result()["video"]
    assert (said["width"], said["height"]) == (64, 96)
    assert any("turned clockwise by 90 degrees" in note for note in said["notes"])


@pytest.mark.parametrize("settings", [{"name": "yunet", "min_face_px": 20.0}, {"name": "boxes"}])
def test_when_no_face_is_found_small_faces_are_thought_of(settings, capsys):
    info = VideoInfo(Path("clip.mp4"), 2.0, 96, 64, 25.0, has_sound=True)
    print_summary(
        Result(
            video=info,
            shots=((0, 50),),
            tracks=(),
            settings={"detector": settings, "device": "cpu"},
            timings_s={"total": 1.0},
        )
    )
    out = capsys.readouterr().out
    assert ("detector.min_face_px=10 " in out) == ("min_face_px" in settings)


def test_the_summary_says_whose_voices_were_heard(capsys):
    voices = (Voice("A [0]", ((0.0, 1.0),), "Ann", 0.987), Voice("B", ((1.0, 2.0),)))
    print_summary(
        Result(
            video=VideoInfo(Path("clip.mp4"), 2.0, 96, 64, 25.0, has_sound=True),
            shots=((0, 50),),
            tracks=(),
            settings={"detector": {"name": "boxes"}, "device": "cpu"},
            timings_s={"total": 1.0},
            voices=voices,
        )
    )
    assert "\nvoices: A [0] is Ann (0.99), B of nobody seen\n" in capsys.readouterr().out


def test_one_frame_and_odd_sizes(asd):
    code, out, err = asd("run", video(frames=1), *BOXES, *CHEAP)
    assert code == 0, err
    assert result()["shots"] == [[0, 1]]
    assert "No face was found" in out
    video("odd.mkv", size=(97, 63))
    code, _, err = asd("run", "odd.mkv", *BOXES, *CHEAP)
    assert code == 0, err
    assert result("asd_results/odd")["video"]["width"] == 97


def test_sound_that_ends_early_is_said(asd, caplog):
    name = video(sounds=[(0.0, clicks([0.2], 0.8))])
    code, _, err = asd("run", name, *BOXES, *CHEAP)
    assert code == 0, err
    assert "The sound ends at 0.8" in caplog.text
    assert len(result()["tracks"][0]["scores"]) == 50


def test_a_part_of_the_video(asd):
    code, _, err = asd("run", video(), *BOXES, *CHEAP, "start_s=0.4", "end_s=1.2")
    assert code == 0, err
    assert result()["shots"] == [[10, 30]]
    assert result()["tracks"][0]["first_frame"] == 10


def test_results_are_not_written_over(asd, refused):
    run = ["run", video(), *BOXES, "scorer=lip_motion", "cutter=none", "output=out"]
    assert asd(*run, "writers=[json,rttm]")[0] == 0
    assert "overwrite=true" in refused(*run, "writers=[ava]")
    Path("out/mine.txt").write_text("kept")
    assert asd(*run, "writers=[ava]", "overwrite=true")[0] == 0
    assert sorted(path.name for path in Path("out").iterdir()) == ["ava.csv", "mine.txt"]


def test_folders_that_cannot_be_written(refused):
    Path("file").write_text("in the way")
    assert "output=FOLDER" in refused("run", video(), *BOXES, *CHEAP, "output=file/out")


def test_nothing_is_written_without_writers(asd):
    code, _, err = asd("run", video(), *BOXES, "scorer=lip_motion", "writers=[]")
    assert code == 0, err
    assert not Path("asd_results").exists()


def test_checkpoints_that_do_not_fit(refused):
    from extras import torch

    video()
    broken("noise.model", np.random.default_rng(0).bytes(5000))
    torch.save({"encoder.weight": torch.zeros(3)}, "other.model")
    run = ["run", "clip.mp4", *BOXES, "cutter=none"]
    assert "damaged" in refused(*run, "scorer.weights=noise.model")
    line = refused(*run, "scorer.weights=other.model")
    assert "no checkpoint of TalkNet" in line
    assert "encoder.weight" in line
    assert "no file" in refused(*run, "scorer.weights=nothere.model")


def test_a_cuda_that_is_not_there(refused):
    from extras import torch

    if torch.cuda.is_available():
        pytest.skip("needs a machine without CUDA")
    video()
    assert "nothing here can use it" in refused("run", "clip.mp4", *BOXES, *CHEAP, "device=cuda")
    line = refused("run", "clip.mp4", *BOXES, "cutter=none", "device=cuda:3")
    assert "device=cpu or device=auto" in line


def test_an_interrupted_run_leaves_nothing(asd, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("asdkit.core.analysis.one_pass.Analysis.feed", interrupt)
    code, _, err = asd("run", video(), *BOXES, *CHEAP)
    assert code == 130
    assert "asd: stopped" in err
    assert not Path("asd_results").exists()


def test_a_run_inside_another_hydra_application(tmp_path, monkeypatch):
    import asdkit

    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.yaml").write_text("mine: 3\n")
    words = [video(), [*BOXES, *CHEAP]]
    with hydra.initialize_config_dir(str(tmp_path), version_base="1.3"):
        assert len(asdkit.run(words[0], words[1]).tracks) == 1
        assert hydra.compose("own").mine == 3
