"""A batch: each video done once, each failure told, nothing half-written, whatever is killed."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from batching import CHEAP, batch, begun, latest, results, states
from synth import write_video

import asdkit
from asdkit.core.batch.manifest import Records
from asdkit.core.batch.settings import BATCH, settings_hash
from asdkit.core.cli import main as cli
from asdkit.core.cli.main import main
from asdkit.core.config.compose import compose_app, settings_of
from asdkit.core.errors import AsdError, ConfigError, InputError, OutputError

pytestmark = pytest.mark.usefixtures("nowhere")


def test_twenty_videos_one_corrupt_one_silent(videos):
    good = [f"{k:02}.mp4" for k in range(18)]
    videos(*good)
    Path("talks/corrupt.mp4").write_bytes(np.random.default_rng(0).bytes(9000))
    write_video(Path("talks/silent.mp4"), frames=25, size=(64, 48))
    lines = batch("workers=2", failed=2)
    assert results() == [name[:2] for name in good]
    found = latest()
    assert "no sound" in found["silent"].error
    assert found["silent"].error_type == found["corrupt"].error_type == "InputError"
    assert "\n" not in found["corrupt"].error
    assert found["corrupt"].sha256
    assert lines[0] == "20 videos, 20 to do"
    assert lines[-1].startswith("20 videos: 18 done, 2 failed, 0 left as they are; see out/mani")
    assert [int(line.split("/20")[0]) for line in lines[1:-1]] == list(range(1, 21))
    assert any(" 00: done in" in line and "times real time" in line for line in lines)
    assert not list(Path("out").glob(".*.????????"))
    assert json.loads(Path("out/00/result.json").read_text())["settings"]["output"] == "out/00"


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("given", ["turns", "turns.rttm"])
def test_each_video_has_its_turns(videos, given):
    videos("a.mp4", "b c.mp4", "d.mp4")
    lines = {
        name: f"SPEAKER {name} 1 0.1 0.5 <NA> <NA> of_{name} <NA> <NA>\n" for name in ("a", "b_c")
    }
    Path("turns.rttm").write_text("".join(lines.values()))
    Path("turns").mkdir()
    Path("turns/a.rttm").write_text(lines["a"])
    Path("turns/b c.rttm").write_text(lines["b_c"])
    batch(f"diarization={given}", failed=int(given == "turns"))
    for name in ("a", "b c"):
        (voice,) = json.loads(Path("out", name, "result.json").read_text())["voices"]
        assert voice["name"] == f"of_{name.replace(' ', '_')}"
        assert voice["turns"] == [[0.1, 0.6]]
    if given == "turns":
        assert "holds no diarization of d.mp4" in latest()["d"].error
    else:  # diarizers have nothing to write of a silent video
        found = json.loads(Path("out/d/result.json").read_text())
        assert found["voices"] == []
        (note,) = found["video"]["notes"]
        assert note == "turns.rttm says nothing of d.mp4: nobody speaks"


@pytest.mark.usefixtures("at_once")
def test_started_again_it_does_nothing_twice(videos):
    videos("a.mp4", "b.mp4")
    batch()
    before = {path: path.stat().st_mtime_ns for path in Path("out").rglob("*")}
    assert batch("workers=3", "threads=1", "batch_frames=2", "allow_silent=true") == [
        "2 videos, 0 to do",
        "2 videos: 0 done, 0 failed, 2 left as they are; see out/manifest-0.jsonl",
    ]
    videos("c.mp4")
    assert batch()[0] == "3 videos, 1 to do"
    assert begun() == {"a": 1, "b": 1, "c": 1}
    changed = {p.name for p, at in before.items() if p.is_file() and p.stat().st_mtime_ns != at}
    assert changed <= {"manifest-0.jsonl", ".manifest-0.lock"}


@pytest.mark.usefixtures("at_once")
def test_changed_settings_are_done_again(videos):
    videos("a.mp4")
    batch()
    batch("segments.on=0.7")
    assert begun() == {"a": 2}
    found = json.loads(Path("out/a/result.json").read_text())["settings"]
    assert found["segments"]["on"] == 0.7
    records = Records(Path("out"))
    assert {s["segments"]["on"] for s in records.settings.values()} == {0.5, 0.7}
    assert records.settings[latest()["a"].settings_hash]["segments"]["on"] == 0.7
    assert results() == ["a"]


def test_what_changes_results_changes_the_hash():
    plain = settings_of(BATCH, compose_app(BATCH, ["videos=a", "output=b"]))

    def hashed(**changes):
        assert plain.keys() >= changes.keys()
        return settings_hash({**plain, **changes})

    same = {"workers": 2, "shards": 4, "shard": 1, "threads": 2, "device": "cuda:1"}
    same |= {
        "video_timeout_s": 9.0,
        "batch_frames": 1,
        "allow_silent": True,
        "retry_failed": False,
        "videos": ["c"],
    }
    assert {hashed(**{key: value}) for key, value in same.items()} == {hashed()}
    other = {"detector": {"name": "yunet"}, "seed": 1, "writers": {}, "crop_scale": 0.5}
    other |= {"speech": {**plain["speech"], "min_s": 0.1}, "embed_every": 3, "detect_every": 2}
    other |= {"decisions": "overlap"}
    other |= {"conversation": {**plain["conversation"], "turn_s": 9.0}}
    hashes = {hashed(), *(hashed(**{key: value}) for key, value in other.items())}
    assert len(hashes) == len(other) + 1
    assert hashed(seed=1) == settings_hash(dict(reversed({**plain, "seed": 1}.items())))


@pytest.mark.usefixtures("at_once")
def test_a_changed_video_is_done_again_and_a_touched_one_is_not(videos, clip, monkeypatch):
    videos("a.mp4", "b.mp4", "c.mp4")
    batch()
    with Path("talks/a.mp4").open("ab") as file:
        file.write(b"more")
    changed = bytearray(clip.read_bytes())
    changed[-1] ^= 1
    Path("talks/b.mp4").write_bytes(changed)
    os.utime("talks/c.mp4", ns=(1, 1))
    batch()
    assert begun() == {"a": 2, "b": 2, "c": 1}
    assert latest()["c"].mtime_ns == 1
    monkeypatch.setattr("asdkit.core.batch.run.content_hash", None)  # it was noted, and is not read
    assert batch()[0] == "3 videos, 0 to do"


@pytest.mark.usefixtures("at_once")
def test_results_that_are_gone_are_made_again(videos):
    videos("a.mp4", "b.mp4")
    batch()
    Path("out/a/result.json").unlink()
    shutil.rmtree("out/b")
    assert batch()[0] == "2 videos, 2 to do"
    assert results() == ["a", "b"]


@pytest.mark.usefixtures("at_once")
def test_a_video_that_failed_is_tried_again_unless_told_otherwise(videos, clip):
    videos("a.mp4")
    Path("talks/b.mp4").write_bytes(b"nothing to see")
    Path("list.txt").write_text("talks/a.mp4\n # talks/z.mp4\n\ntalks/b.mp4\ntalks/none.mp4\n")
    batch("videos=list.txt", failed=2)
    assert "No such file" in latest()["none"].error
    batch("videos=list.txt", failed=2)
    assert begun() == {"a": 1, "b": 2, "none": 2}
    lines = batch("videos=list.txt", "retry_failed=false", failed=2)
    assert lines[0] == "3 videos, 0 to do"
    assert "0 done, 2 failed, 1 left" in lines[1]
    shutil.copy(clip, "talks/b.mp4")  # it is another video now
    batch("videos=list.txt", "retry_failed=false", failed=1)
    assert states() == {"a": "done", "b": "done", "none": "failed"}


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize(
    ("overrides", "kind", "told"),
    [
        (["videos=nothing/*.mp4"], InputError, "videos=nothing/\\*.mp4 names no video"),
        (["videos=[talks,none.mp4]"], InputError, "videos=none.mp4 names no video"),
        (["videos=[]"], InputError, "names no video"),
        (["videos=boxes.txt"], InputError, "names no video"),
        (["videos=3"], ConfigError, "videos must be a path"),
        (["videos={a:1}"], ConfigError, "videos must be a path"),
        (["workers=0"], ConfigError, "workers must be at least 1"),
        (["shards=2", "shard=2"], ConfigError, "shard must be from 0 to shards - 1"),
        (["threads=0"], ConfigError, "threads must be at least 1"),
        (["segments.on=2"], ConfigError, "segments.off must lie"),
        (["scorer.nonsense=1"], ConfigError, "nonsense"),
        (["identities=talks"], AsdError, "identities=talks needs an embedder"),
        (["diarization=none.rttm"], InputError, "none.rttm: there is no such file or folder"),
        (["diarization=a.rttm"], InputError, "a.rttm is about one video, but there are 2. Give a"),
        (
            ["diarization=x.rttm"],
            InputError,
            "x.rttm says nothing of any of a, b, but of x, y",
        ),
        (["diarization="], ConfigError, "diarization names no file"),
        (["device=cuda"], AsdError, "nothing here can use it"),
        (["scorer=talknet_onnx", "scorer.weights=none"], AsdError, "none"),
        (["detector.path=none.json"], AsdError, "none.json"),
        (["output=boxes.json/out"], OutputError, "Cannot write to boxes.json/out"),
    ],
)
def test_what_would_hit_every_video_stops_it_at_once(videos, overrides, kind, told):
    videos("a.mp4", "b.mp4")
    Path("boxes.txt").write_text("# nothing\n")
    line = "SPEAKER {} 1 0.1 0.5 <NA> <NA> Ann <NA> <NA>\n"
    Path("a.rttm").write_text(line.format("a"))
    Path("x.rttm").write_text(line.format("x") + line.format("y"))
    before = sorted(Path().rglob("*"))
    with pytest.raises(kind, match=told):
        batch(*overrides)
    assert sorted(Path().rglob("*")) == before


def test_the_command(videos, capsys):
    videos("a.mp4", "b.mp4", "c raise.mp4")
    with pytest.raises(SystemExit, match=r"^2$"):
        cli.main(["batch", "videos=talks", "output=out", *CHEAP, "shards=2"])
    captured = capsys.readouterr()
    assert "1/2 a: done in" in captured.out
    assert captured.err.startswith(
        "asd: 1 of 2 videos failed: see out/manifest-0.jsonl. Start it again to try them again\n"
    )
    seen = {path.name for path in Path("out").iterdir()}
    assert seen == {
        *("a", "b", "manifest-0.jsonl", "manifest-1.jsonl", "multirun.yaml"),
        *(".manifest-0.lock", ".manifest-1.lock"),
    }
    cli.main(["batch", "--help"])
    assert "retry_failed=true" in capsys.readouterr().out


def test_jobs_with_other_settings_have_folders_named_by_them(videos):
    videos("a.mp4")
    sweep = ["segments.min_s=0,0.2", "shards=2", "shard=0,1", "-m", "quiet=true"]
    cli.main(["batch", "videos=talks", "output=out", *CHEAP, *sweep])
    for least in ("0", "0.2"):
        folder = Path(f"out/segments.min_s={least}")
        assert (folder / "manifest-0.jsonl").is_file()
        settings = json.loads((folder / "a/result.json").read_text())["settings"]
        assert settings["segments"]["min_s"] == float(least)
        assert settings["output"] == str(folder / "a")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ["output=out", "-m", "segments.on=0.4,0.6", "hydra/sweeper=optuna"],
            "All jobs of a sweep over segments.on",
        ),
        (["output=talks/.."], "names lies in the output folder"),
        (["output=out", "--", "workers=2"], "Videos were named twice, by 'workers=2'"),
        (["output=out", "videos=talks/[a].mp4"], "needs quotes"),
    ],
)
def test_words_that_do_not_fit(videos, words, told, capsys):
    videos("a.mp4")
    with pytest.raises(SystemExit) as stopped:
        main(["batch", "videos=talks", *CHEAP, *words])
    assert stopped.value.code == 2
    assert told in capsys.readouterr().err
    assert not Path("out").exists()


def test_the_random_numbers_of_a_caller_go_on(videos):
    videos("a.mp4")
    drawn = []
    for _ in range(2):
        asdkit.run("talks/a.mp4", [*CHEAP, "writers=[]"])
        drawn.append(np.random.rand())
    assert drawn[0] != drawn[1]
