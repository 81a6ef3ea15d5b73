"""A batch: each video done once, each failure told, nothing half-written, whatever is killed."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import closing, contextmanager, nullcontext
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synth import clicks, steady, write_video

import asdkit
from asdkit.core.batch import BATCH, run_batch, workers
from asdkit.core.batch.manifest import Manifest, Record, Records, now, writing
from asdkit.core.batch.settings import settings_hash
from asdkit.core.batch.videos import find_videos, name_folders
from asdkit.core.cli import main as cli
from asdkit.core.cli.main import main
from asdkit.core.config.compose import compose_app, settings_of
from asdkit.core.errors import AsdError, ConfigError, InputError, OutputError
from asdkit.core.files import claim
from asdkit.core.registry import registry

BOXES = ["detector=boxes", "detector.path=boxes.json"]
CHEAP = [*BOXES, "cutter=none", "scorer=lip_motion", "writers=[json,moody]"]
"""No network, no models; and a writer that does to a video what its name says."""

MOODY = """
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import asdkit
from asdkit.core.component import Component


@dataclass(frozen=True)
class Config:
    \"\"\"Parameters.

    Attributes:
        built: What becomes of building it.
    \"\"\"

    built: str = "well"


class Moody:
    def write(self, result, folder):
        (folder / "moody.txt").write_text("half")
        mood = result.video.path.stem
        if "crash" in mood:
            os.kill(os.getpid(), signal.SIGKILL)
        if "raise" in mood:
            raise RuntimeError("not\\ntoday")
        if "wait" in mood:
            Path(f"{mood}.reached").write_text(str(os.getpid()))
            while not Path("go").exists():
                time.sleep(0.02)
        if "full" in mood:
            raise OSError(28, os.strerror(28))
        if "gone" in mood:
            Path("out").rename("elsewhere")
        (folder / "moody.txt").write_text("whole")
        return [folder / "moody.txt"]


def build(config, context):
    if config.built == "crash":
        os.kill(os.getpid(), signal.SIGKILL)
    if config.built == "raise":
        raise RuntimeError("broken")
    return Moody()


@asdkit.hookimpl
def asdkit_components():
    return [Component("writer", "moody", Config, build, files=("moody.txt",))]
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder with an installed plugin."""
    folder = tmp_path_factory.mktemp("site")
    info = folder / "moody-1.0.dist-info"
    info.mkdir()
    (folder / "moody.py").write_text(MOODY)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: moody\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[asdkit]\nmain = moody\n")
    return folder


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """A video of one second, with sound."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    return write_video(
        path, frames=25, size=(64, 48), image=steady, sounds=[(0.0, clicks([0.5], 1.0))]
    )


@pytest.fixture(autouse=True)
def nowhere(tmp_path, monkeypatch, site, interruptible):
    """Runs in an empty folder, with the plugin there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(site)
    monkeypatch.setenv("PYTHONPATH", str(site))
    importlib.invalidate_caches()
    registry.cache_clear()
    yield
    registry.cache_clear()


@pytest.fixture
def videos(clip):
    """Makes videos of the given names in the folder talks."""

    def make(*names):
        Path("talks").mkdir(exist_ok=True)
        Path("boxes.json").write_text(json.dumps([[[10, 5, 50, 45, 1.0]]] * 25))
        for name in names:
            shutil.copy(clip, Path("talks", name))

    return make


@pytest.fixture
def at_once(monkeypatch):
    """Spares the workers' start where they are not what is tested: the videos are done here."""

    def outcomes(task, jobs, *_):
        models = workers._loaded(task)
        for job in jobs:
            record, _, refusal = workers._done(job, task, models)
            if refusal:
                raise OutputError(*refusal)
            yield record

    monkeypatch.setattr("asdkit.core.batch.run.outcomes", outcomes)
    monkeypatch.setattr(workers.logging, "basicConfig", lambda **_: None)


def batch(*overrides, failed=0):
    """Run a batch, of which so many videos must fail; the lines it told."""
    lines = []
    config = compose_app(BATCH, ["videos=talks", "output=out", *CHEAP, *overrides])
    with pytest.raises(InputError, match=f"^{failed} of ") if failed else nullcontext():
        run_batch(config, lines.append)
    return lines


def latest(folder="out"):
    """The latest record of each video, by the name of its folder."""
    return {record.name: record for record in Records(Path(folder)).latest.values()}


def states(folder="out"):
    return {name: record.state for name, record in latest(folder).items()}


def results(folder="out"):
    """The names of the folders of results; asserts that each is whole."""
    folders = [path for path in Path(folder).glob("[!.]*") if path.is_dir()]
    for path in folders:
        assert (path / "moody.txt").read_text() == "whole", path
        json.loads((path / "result.json").read_text())
    return sorted(path.name for path in folders)


def begun(folder="out"):
    """How often each video was begun with, by the name of its folder."""
    lines = [x for p in Path(folder).glob("*.jsonl") for x in p.read_text().splitlines()]
    entries = [json.loads(line) for line in lines]
    names = [entry["name"] for entry in entries if entry["state"] == "started"]
    return {name: names.count(name) for name in names}


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
    assert any("00.mp4: done in" in line and "times real time" in line for line in lines)
    assert not list(Path("out").glob(".*.????????"))
    assert json.loads(Path("out/00/result.json").read_text())["settings"]["output"] == "out/00"


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


def test_a_worker_that_dies_or_a_plugin_that_fails_costs_one_video(videos):
    videos("a.mp4", "b crash.mp4", "c raise.mp4", "d.mp4", "e crash.mp4")
    batch("workers=2", failed=3)
    found = latest()
    assert found["b crash"].error == found["e crash"].error == "Its worker died (Killed)"
    assert found["b crash"].error_type == "WorkerDied"
    assert found["c raise"].error == "RuntimeError: not today"
    assert found["c raise"].error_type == "RuntimeError"
    assert results() == ["a", "d"]
    assert not list(Path("out").glob(".*.????????"))
    batch("retry_failed=false", failed=3)
    assert begun() == dict.fromkeys(found, 1)


@contextmanager
def started(*overrides):
    """A batch in a process of its own, which does not outlive the block."""
    words = ["videos=talks", "output=out", *CHEAP, *overrides]
    command = [sys.executable, "-m", "asdkit", "batch", *words]
    with subprocess.Popen(
        command,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def eventually(what):
    """Wait until something is so."""
    end = time.monotonic() + 60
    while not (answer := what()):
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.02)
    return answer


def reached(name, process):
    """Wait until a worker of a batch is in the middle of a video; its process id."""
    path = Path(f"{name}.reached")

    def pid():
        assert process.poll() is None, process.stderr.read()
        return path.exists() and path.read_text()

    return int(eventually(pid))


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_killed_in_the_middle_it_goes_on_with_what_is_left(videos, how):
    videos("a.mp4", "b wait.mp4", "c.mp4", "d wait.mp4", "e.mp4")
    with started("workers=2") as process:
        pids = [reached("b wait", process), reached("d wait", process)]
        assert results_so_far() == ["a", "c"]
        if how == signal.SIGKILL:
            process.kill()
        else:
            os.killpg(process.pid, how)  # as a terminal and Slurm do: to all of them
        err = process.communicate(timeout=60)[1]
    stopped = "asd: stopped. The same command goes on with what is left\n"
    assert (process.returncode, err) == ((-how, "") if how == signal.SIGKILL else (143, stopped))
    eventually(lambda: not any(map(alive, pids)))
    assert results() == ["a", "c"]
    leftovers = list(Path("out").glob(".*.????????"))
    assert len(leftovers) == (2 if how == signal.SIGKILL else 0)
    assert states() == {"a": "done", "b wait": "started", "c": "done", "d wait": "started"}
    with Path("out/manifest-0.jsonl").open("ab") as file:
        file.write(b'{"video": "/torn')
    Path("go").touch()
    lines = batch("workers=2")
    assert lines[0] == "5 videos, 3 to do"
    assert results() == ["a", "b wait", "c", "d wait", "e"]
    assert begun() == {"a": 1, "b wait": 2, "c": 1, "d wait": 2, "e": 1}
    assert not list(Path("out").glob(".*.????????"))


def results_so_far():
    """The folders of results once the videos that wait are all that is being done."""
    eventually(lambda: list(states().values()).count("started") == 2)
    return results()


def test_what_another_process_is_at_is_left_to_it(videos):
    videos("a.mp4", "b wait.mp4")
    with started("shards=2", "shard=1") as process:
        reached("b wait", process)
        with pytest.raises(OutputError, match="Another asd batch is at shard 1 of out"):
            batch("shards=2", "shard=1")
        lines = batch()  # divided otherwise
        assert "2 videos: 1 done, 0 failed, 1 left as they are" in lines[-1]
        assert "b wait.mp4: another process is at it" in lines
        assert list(Path("out").glob(".b wait.????????")), "what is in the making is left alone"
        Path("go").touch()
        assert process.wait(60) == 0
    assert begun() == {"a": 1, "b wait": 1}
    assert batch()[0] == "2 videos, 0 to do"
    assert results() == ["a", "b wait"]


@pytest.mark.usefixtures("at_once")
def test_shards_share_the_videos_and_no_video_is_done_twice(videos):
    videos("a.mp4", "b.mp4", "c.mp4")
    assert batch("shards=2", "shard=0")[0] == "2 videos, 2 to do"
    assert results() == ["a", "c"]
    videos("d.mp4")
    told = [batch("shards=3", f"shard={shard}")[0] for shard in range(3)]
    assert told == ["2 videos, 1 to do", "1 video, 1 to do", "1 video, 0 to do"]
    assert begun() == {"a": 1, "b": 1, "c": 1, "d": 1}
    assert {name: record.shard for name, record in latest().items()} == {
        "a": 0, "b": 1, "c": 0, "d": 0,
    }  # fmt: skip
    with pytest.raises(ConfigError, match="shards=2 needs to know which"):
        batch("shards=2")


@pytest.mark.usefixtures("at_once")
def test_a_video_that_fails_in_another_shard_meanwhile_is_not_tried_again(videos, monkeypatch):
    videos("a.mp4", "b raise.mp4")
    batch(failed=1)
    real = Records.refresh
    calls = []

    def refresh(self):
        real(self)
        calls.append(1)
        if len(calls) > 1 and not Path("out/manifest-7.jsonl").exists():
            failed = self.latest[str(Path("talks/b raise.mp4").absolute())]
            with writing(Path("out"), 7) as manifest:
                manifest.add(replace(failed, shard=7, time=now()))
            real(self)

    monkeypatch.setattr(Records, "refresh", refresh)
    assert batch(failed=1)[:-1] == ["2 videos, 1 to do"]
    assert begun() == {"a": 1, "b raise": 1}


@pytest.mark.usefixtures("at_once")
def test_two_videos_of_one_name_have_folders_of_their_own(videos):
    videos("a.mp4", "b.mp4")
    Path("more").mkdir()
    shutil.copy("talks/b.mp4", "more/a.mp4")
    batch("videos=talks")
    assert batch("videos=[talks,more]")[0] == "3 videos, 1 to do"
    assert results() == ["a", "b", "more-a"]
    assert latest()["more-a"].video == str(Path("more/a.mp4").absolute())


def test_a_folder_that_is_not_of_the_batch_is_left_alone(videos):
    videos("a.mp4", "b.mp4")
    Path("out/b").mkdir(parents=True)
    Path("out/b/thesis.tex").touch()
    with pytest.raises(OutputError, match="out/b is there, but no manifest"):
        batch()
    assert {str(path) for path in Path("out").rglob("*")} == {"out/b", "out/b/thesis.tex"}


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
        (["device=cuda"], AsdError, "nothing here can use it"),
        (["scorer=talknet_onnx", "scorer.weights=none"], AsdError, "none"),
        (["detector.path=none.json"], AsdError, "none.json"),
        (["output=boxes.json/out"], OutputError, "Cannot write to boxes.json/out"),
    ],
)
def test_what_would_hit_every_video_stops_it_at_once(videos, overrides, kind, told):
    videos("a.mp4", "b.mp4")
    Path("boxes.txt").write_text("# nothing\n")
    before = sorted(Path().rglob("*"))
    with pytest.raises(kind, match=told):
        batch(*overrides)
    assert sorted(Path().rglob("*")) == before


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("detector.path=none.json", "none.json"),
        ("writers.moody.built=raise", "cannot be loaded: RuntimeError: broken"),
        ("writers.moody.built=crash", r"died while it loaded.*\(Killed\)"),
    ],
)
def test_what_keeps_workers_from_loading_stops_it_at_once(videos, override, told):
    videos("a.mp4", "b.mp4")
    with pytest.raises(AsdError, match=told):
        batch("workers=2", override)
    assert not Path("out").exists()


def test_videos_are_named_in_many_ways(clip):
    for name in ("a.mp4", "b.MKV", "notes.pdf", "[1].mp4", ".hidden.mp4", "deep/er/c.webm"):
        Path("talks", name).parent.mkdir(parents=True, exist_ok=True)
        Path("talks", name).touch()
    Path("talks/list.txt").write_text("\ufeffa.mp4\n#b.MKV\n  deep/er/c.webm \n/abroad/d.mp4\n")
    Path("talks/results").mkdir()
    Path("talks/results/annotated.mp4").touch()

    def found(*given):
        paths = find_videos(given[0] if len(given) == 1 else list(given), Path("talks/results"))
        return [os.path.relpath(path, "talks") for path in paths]

    assert found("talks") == ["[1].mp4", "a.mp4", "b.MKV", "deep/er/c.webm"]
    assert found("talks/*.mp4") == ["[1].mp4", "a.mp4"]
    assert found("talks/**/[a-c].*") == ["a.mp4", "b.MKV", "deep/er/c.webm"]
    assert found("talks/[1].mp4") == ["[1].mp4"]  # a name rather than a pattern
    assert found("talks/notes.pdf") == ["notes.pdf"]
    assert found("talks/a.mp4", str(Path("talks/../talks/a.mp4").absolute())) == ["a.mp4"]
    paths = find_videos("talks/list.txt", Path("out"))
    assert paths == [
        "/abroad/d.mp4",
        *map(os.path.abspath, ["talks/a.mp4", "talks/deep/er/c.webm"]),
    ]
    Path("bad.txt").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(InputError, match=r"bad.txt cannot be read.*UTF-8"):
        find_videos("bad.txt", Path("out"))


PARTS = st.text("aA.bé-_", min_size=1, max_size=4) | st.sampled_from(
    ["talk", "Talk", "a" * 250, "manifest-0", "multirun", "e\u0301", "\udcff"]
)
PATHS = st.builds(
    lambda folders, stem, suffix: "/" + "/".join([*folders, stem + suffix]),
    st.lists(PARTS.filter(lambda part: part not in (".", "..")), max_size=3),
    PARTS,
    st.sampled_from([".mp4", ".mkv", ".jsonl.mp4", ".yaml.mp4", "..mp4"]),
)


@settings(max_examples=150, deadline=None)
@given(st.sets(PATHS, max_size=12), st.sets(PATHS, max_size=4), st.randoms())
def test_names_are_safe_and_of_one_video_each(paths, earlier, random):
    known = name_folders(earlier, {})
    order = list(paths)
    random.shuffle(order)
    names = name_folders(order, known)
    assert names == name_folders(paths, known)
    together = {**known, **names}
    assert len({name.casefold() for name in together.values()}) == len(together)
    for video, name in names.items():
        assert name == known.get(video, name)
        assert not name.startswith(".")
        assert "/" not in name
        assert name not in ("manifest-0.jsonl", "multirun.yaml")
        assert 0 < len(os.fsencode(name)) <= 200
    assert name_folders(list(paths)[:2], together) == {p: names[p] for p in list(paths)[:2]}


def test_names_are_as_short_as_can_be():
    def named(*paths):
        return list(name_folders(paths, {}).values())

    assert named("/x/a.mp4", "/x/b.mp4") == ["a", "b"]
    assert named("/x/a.mp4", "/x/a.mkv") == ["a.mp4", "a.mkv"]
    assert named("/x/1/a.mp4", "/x/2/a.mp4", "/y/2/a.mp4") == ["1-a", "x-2-a", "y-2-a"]
    assert named("/x/...mp4") == ["x-.."]
    assert named("/...mp4")[0].startswith("video-")


def record(**values):
    base = {"video": "/a.mp4", "name": "a", "state": "done", "time": now(), "shard": 0}
    return Record(**{**base, "host": "h", "pid": 1, "asdkit": "0", "settings_hash": "x", **values})


RECORDS = st.builds(
    record,
    video=st.sampled_from(["/a.mp4", "/b.mp4", "/\u0433 \n.mp4", "/\udcff.mp4"]),
    state=st.sampled_from(["started", "done", "failed"]),
    error=st.none() | st.text(),
    timings_s=st.none() | st.just({"total": 1.5}),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(RECORDS, min_size=1, max_size=5), st.data())
def test_a_manifest_torn_anywhere_is_read_and_mended(tmp_path_factory, records, data):
    folder = tmp_path_factory.mktemp("torn")
    path = folder / "manifest-0.jsonl"
    with writing(folder, 0) as manifest:
        for one in records:
            manifest.add(one)
    lines = path.read_bytes().splitlines(keepends=True)
    cut = data.draw(st.integers(0, len(path.read_bytes())), label="cut at byte")
    os.truncate(path, cut)
    kept = sum(sum(map(len, lines[: n + 1])) <= cut for n in range(len(lines)))
    whole = {one.video: one for one in records[:kept]}
    reader = Records(folder)
    assert reader.latest == whole
    last = record(video="/z.mp4")
    with writing(folder, 0) as manifest:
        manifest.add(last)
    reader.refresh()
    assert reader.latest == Records(folder).latest == {**whole, "/z.mp4": last}
    assert path.read_bytes() == b"".join(lines[:kept]) + path.read_bytes().splitlines(True)[-1]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["/a", "/b"])), max_size=12))
def test_the_latest_record_wins_whichever_shard_wrote_it(tmp_path_factory, written):
    folder = tmp_path_factory.mktemp("union")
    reader = Records(folder / "not" / "there")
    reader = Records(folder)
    expected = {}
    for shard, video in written:
        expected[video] = record(video=video, shard=shard, time=now(), pid=len(expected))
        with writing(folder, shard) as manifest:
            manifest.add(expected[video])
        if len(expected) % 2:
            reader.refresh()
    reader.refresh()
    assert reader.latest == Records(folder).latest == expected


def test_a_clock_that_was_set_back_does_not_bring_back_the_past(tmp_path):
    with writing(tmp_path, 0) as manifest:
        manifest.add(record(state="started", time="2026-01-02"))
        manifest.add(record(state="done", time="2026-01-01"))
    assert latest(tmp_path)["a"].state == "done"


def test_lines_that_are_no_records_are_passed_over(tmp_path):
    good = json.dumps({**asdict(record()), "of_a_later_version": 1})
    whole = json.loads(good)
    bad = ["{", "[]", "3", "{}", '{"state": "settings"}', '{"state": "done"}', "\0\0"]
    bad += ["[" * 100_000, '{"a":' * 100_000, '{"state": %s}' % ("9" * 5000), "\ufeff{}"]
    bad += ['{"state": "settings", "settings_hash": [], "settings": {}}', "NaN"]
    wrong = [("shard", "0"), ("pid", None), ("files", 3), ("files", [1]), ("files", ["a\0b"])]
    wrong += [("timings_s", []), ("size_bytes", "9"), ("mtime_ns", 1.5), ("time", 3), ("host", [])]
    wrong += [("state", "lost"), ("video", "a.mp4"), ("video", "/a\0.mp4"), ("seconds", True)]
    wrong += [("sha256", 7), ("error", {}), ("name", None)]
    bad += [json.dumps({**whole, key: value}) for key, value in wrong]
    path = tmp_path / "manifest-3.jsonl"
    path.write_text("\n".join([*bad, good, "", *bad, ""]))
    records = Records(tmp_path)
    assert [record.name for record in records.latest.values()] == ["a"]
    numbers = [*range(1, len(bad) + 1), *range(len(bad) + 3, 2 * len(bad) + 3)]
    assert records.passed_over == [f"{path}:{number}" for number in numbers]


@pytest.mark.parametrize(
    "name", ["..", ".", "", "/", "../other", "a/b", "/etc", "a\0", ".hidden", "./a", "a/", "a/.."]
)
@pytest.mark.usefixtures("at_once")
def test_a_name_in_a_manifest_that_is_no_plain_one_touches_nothing(videos, name):
    videos("a.mp4")
    for folder in ("other", "out/b", "out/.hidden"):
        Path(folder).mkdir(parents=True)
        Path(folder, "precious.txt").write_text("kept")
    good = record(video=str(Path("talks/a.mp4").absolute()), state="started")
    line = json.dumps({**asdict(good), "name": name})
    Path("out/manifest-0.jsonl").write_text(line + "\n")
    lines = batch()
    assert lines[0] == "out/manifest-0.jsonl:1 is no line of a manifest: it is passed over"
    assert states() == {"a": "done"}
    for folder in ("other", "out/b", "out/.hidden"):
        assert Path(folder, "precious.txt").read_text() == "kept"


@pytest.mark.usefixtures("at_once")
def test_a_damaged_line_costs_its_video_alone(videos):
    videos("a.mp4", "b.mp4")
    batch()
    path = Path("out/manifest-0.jsonl")
    lines = path.read_text().splitlines()
    mended = [line for line in lines if '"name": "b"' not in line]
    path.write_text("\n".join([*mended, "[" * 50_000, ""]))
    told = batch()
    assert told[0] == f"{path}:{len(mended) + 1} is no line of a manifest: it is passed over"
    assert told[1] == "2 videos, 1 to do"
    # What stands where the results of b would go is perhaps not of the batch: it is left alone.
    assert states() == {"a": "done", "b.mp4": "done"}
    assert results() == ["a", "b", "b.mp4"]
    assert batch()[1] == "2 videos, 0 to do"


@pytest.mark.usefixtures("at_once")
def test_pandas_reads_the_manifest(videos):
    videos("a.mp4", "b raise.mp4")
    batch(failed=1)
    table = pd.read_json("out/manifest-0.jsonl", lines=True).set_index("name")
    table = table[table.state.isin(["done", "failed"])]
    assert table.loc["a", "seconds"] > 0
    assert table.loc["a", "video_s"] == pytest.approx(1, abs=0.05)
    assert "total" in table.loc["a", "timings_s"]
    assert table.loc["a", "files"] == ["result.json", "moody.txt"]
    assert table.loc["b raise", "error"] == "RuntimeError: not today"


def test_a_full_disk_is_told():
    with (
        closing(Manifest(Path("/dev/full"), 0)) as manifest,
        pytest.raises(OutputError, match="Cannot write /dev/full"),
    ):
        manifest.add(record())


def test_a_claim_ends_with_its_release(tmp_path):
    lock = claim(tmp_path / "x")
    assert claim(tmp_path / "x") is None
    lock.release()
    assert claim(tmp_path / "x")


@pytest.mark.usefixtures("at_once")
def test_a_full_disk_ends_the_batch_with_one_line(videos):
    videos("a.mp4", "b full.mp4", "c.mp4")
    with pytest.raises(OutputError) as told:
        batch()
    assert str(told.value) == (
        "out: No space left on device. Make room. The same command then goes on with what is left"
    )
    assert states() == {"a": "done", "b full": "started"}
    assert not list(Path("out").glob(".*.????????"))
    Path("talks/b full.mp4").rename("talks/b.mp4")
    assert batch()[0] == "3 videos, 2 to do"


def test_workers_that_meet_a_full_disk_end_the_batch(videos):
    videos("a.mp4", "b full.mp4", "c wait.mp4", "d.mp4")
    begin = time.monotonic()
    with pytest.raises(OutputError, match="No space left on device"):
        batch("workers=2")
    assert time.monotonic() - begin < 60, "it did not wait for the one that waits"
    assert "failed" not in states().values()
    assert not list(Path("out").glob(".*.????????"))


@pytest.mark.parametrize("workers", [1, 2])
def test_a_folder_of_results_that_vanishes_ends_the_batch(videos, workers):
    videos("a.mp4", "b gone.mp4", "c.mp4", "d.mp4")
    with pytest.raises(OutputError, match=r"is gone|No such file|removed meanwhile"):
        batch(f"workers={workers}")
    assert not list(Path().glob("out/[a-z]*")), "nothing is left that no manifest knows of"


@pytest.mark.usefixtures("at_once")
def test_results_that_vanish_at_once_are_not_called_done(videos, monkeypatch):
    videos("a.mp4", "b.mp4")
    real = workers._done

    def done(job, task, models):
        made = real(job, task, models)
        if job.name == "a":
            shutil.rmtree("out/a")
        return made

    monkeypatch.setattr(workers, "_done", done)
    batch(failed=1)
    assert latest()["a"].error == "Its results are gone: out/a/result.json was removed meanwhile"
    assert states()["b"] == "done"


def test_a_video_that_takes_too_long_is_named_and_the_others_are_done(videos):
    videos("a.mp4", "b wait.mp4", "c.mp4", "d wait.mp4", "e.mp4")
    lines = batch("workers=2", "video_timeout_s=8", failed=2)
    found = latest()
    assert found["b wait"].error == "It was not done within video_timeout_s=8"
    assert found["b wait"].error_type == "VideoTimeout"
    assert found["b wait"].seconds >= 8
    assert results() == ["a", "c", "e"]
    assert any("b wait.mp4: failed: It was not done within" in line for line in lines)
    pids = [int(Path(f"{name}.reached").read_text()) for name in ("b wait", "d wait")]
    eventually(lambda: not any(map(alive, pids)))
    assert not list(Path("out").glob(".*.????????"))
    with pytest.raises(ConfigError, match="video_timeout_s must be above 0"):
        batch("video_timeout_s=0")


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc")
@pytest.mark.parametrize("after_s", [0.0, 0.4, 0.9])
def test_ctrl_c_while_workers_start_is_clean(videos, after_s):
    videos("a wait.mp4", "b wait.mp4", "c.mp4")
    with started("workers=2") as process:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        eventually(lambda: children.read_text().split())
        time.sleep(after_s)
        pids = [int(pid) for pid in children.read_text().split()]
        os.killpg(process.pid, signal.SIGINT)
        err = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert err == "asd: stopped. The same command goes on with what is left\n"
    eventually(lambda: not any(map(alive, pids)))
    assert not list(Path().glob("out/.*.????????"))


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="needs masks of signals")
def test_a_signal_that_another_thread_gets_waits_until_a_process_is_started():
    over = threading.Event()
    other = threading.Thread(target=over.wait)
    other.start()
    reached = []
    try:
        with pytest.raises(KeyboardInterrupt), workers.signals_held():
            os.kill(os.getpid(), signal.SIGINT)  # this thread blocks it: the other one gets it
            time.sleep(0.1)
            reached.append("the end")
    finally:
        over.set()
        other.join()
    assert reached
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_result_that_was_about_to_be_replaced_is_put_back(videos):
    videos("a wait.mp4")
    Path("go").touch()
    batch()
    Path("out/.a wait.abcdefgh").mkdir()
    Path("out/a wait").rename("out/.a wait.abcdefgh/old")  # as if killed in the middle of it
    Path("out/.a wait.original").mkdir()
    Path("out/.a wait.original/precious.txt").touch()
    Path("go").unlink()
    with started("segments.on=0.7"):
        eventually(lambda: results() == ["a wait"])
    assert Path("out/.a wait.original/precious.txt").exists(), "not made by a batch"


def test_what_a_mac_puts_beside_files_is_passed_over(clip):
    Path("talks").mkdir()
    Path("talks/a.mp4").touch()
    Path("talks/._a.mp4").write_bytes(bytes.fromhex("0005160700020000") + bytes(74))
    shutil.copy(clip, "talks/._b.mp4")  # only its name is like that
    Path("list.txt").write_text("talks/a.mp4\ntalks/._a.mp4\ntalks/._b.mp4\ntalks/._none.mp4\n")

    def found(given):
        return [Path(path).name for path in find_videos(given, Path("out"))]

    assert found("list.txt") == ["._b.mp4", "._none.mp4", "a.mp4"]
    assert found("talks/._*.mp4") == ["._b.mp4"]
    assert found("talks") == found("talks/*.mp4") == ["a.mp4"]


def test_links_that_lead_back_up_are_passed_over():
    Path("talks/deep").mkdir(parents=True)
    Path("talks/a.mp4").touch()
    Path("talks/deep/b.mp4").touch()
    for name in ("x", "y", "deep/z"):
        Path("talks", name).symlink_to(Path("talks").absolute())
    Path("talks/self.mp4").symlink_to("self.mp4")
    Path("more").mkdir()
    Path("more/c.mp4").touch()
    Path("talks/more").symlink_to(Path("more").absolute())
    begin = time.monotonic()
    for named in (
        "talks",
        "talks/**",
        "talks/**/*.mp4",
        "**/[a-c].mp4",
        str(Path("talks").absolute()),
    ):
        paths = [os.path.relpath(path) for path in find_videos(named, Path("out"))]
        wanted = {"talks/a.mp4", "talks/deep/b.mp4", "talks/more/c.mp4"}
        assert wanted <= set(paths) <= {*wanted, "more/c.mp4", "talks/self.mp4"}, named
    assert time.monotonic() - begin < 5


@pytest.mark.parametrize("name", ["a" * 300, "a\0b", "b" * 300 + "/c"])
def test_names_that_no_file_can_have_are_refused(videos, name):
    videos("a.mp4")
    with pytest.raises(AsdError, match=r"names no video|videos must be"):
        find_videos(name, Path("out"))
    with pytest.raises(OutputError, match="Cannot write to"), writing(Path(name), 0):
        pass
    Path("list.txt").write_text(f"talks/{'a' * 300}.mp4\n")
    assert len(find_videos("list.txt", Path("out"))) == 1


@pytest.mark.usefixtures("at_once")
def test_names_no_terminal_can_show_are_told_of(videos):
    videos("\udcff\n.mp4")
    assert batch()[1].startswith("1/1 ? .mp4: done in")
    assert latest()["\udcff\n"].state == "done"


def test_the_command(videos, capsys):
    videos("a.mp4", "b.mp4", "c raise.mp4")
    with pytest.raises(SystemExit, match=r"^2$"):
        cli.main(["batch", "videos=talks", "output=out", *CHEAP, "shards=2"])
    captured = capsys.readouterr()
    assert "1/2 a.mp4: done in" in captured.out
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


@pytest.mark.usefixtures("at_once")
def test_a_name_taken_by_another_shard_meanwhile(videos, monkeypatch):
    """Shards started with different videos of one name: neither replaces the other's results."""
    videos("a.mp4")
    Path("more").mkdir()
    shutil.copy("talks/a.mp4", "more/a.mp4")
    batch()
    real = name_folders
    calls = []

    def names(found, known):
        calls.append(known)
        # At the start this shard has read no manifest that tells of the other's video.
        return real(found, known if len(calls) > 1 else {})

    monkeypatch.setattr("asdkit.core.batch.run.name_folders", names)
    monkeypatch.setattr("asdkit.core.batch.run.os.path.lexists", lambda _: False)  # nor has it any
    batch("videos=more")
    assert results() == ["a", "more-a"]
    assert latest()["a"].video == str(Path("talks/a.mp4").absolute())


def test_a_worker_whose_successor_cannot_load_costs_its_video_only(videos, monkeypatch):
    videos("a.mp4", "b crash.mp4", "c.mp4", "d.mp4")
    real = workers._Worker.start
    started = []

    def start(self):
        started.append(self)
        if len(started) == 2:  # what dies while it loads says nothing
            self.connection, far_end = workers._SPAWN.Pipe()
            far_end.close()
            self._ready = False
            self._process = workers._SPAWN.Process(target=int)
            self._process.start()
        else:
            real(self)

    monkeypatch.setattr(workers._Worker, "start", start)
    batch(failed=2)
    assert Counter(states().values()) == {"done": 2, "failed": 2}
    assert any("while it loaded" in (record.error or "") for record in latest().values())


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["output=out", "-m", "segments.on=0.4,0.6"], "All jobs of a sweep over segments.on"),
        (["shards=2"], "output is not set"),
        (["output=talks/.."], "names lies in the output folder"),
        (["output=out", "--", "workers=2"], "takes no arguments after --"),
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
