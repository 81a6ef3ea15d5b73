"""What has become of a batch: read from its manifests alone, whatever state they are in."""

from __future__ import annotations

import json
import os
import shutil
import socket
import stat
import threading
import time
from pathlib import Path

import pytest
from batching import batch, eventually, latest, reached, record, started

from asdkit.core.batch import jobs
from asdkit.core.batch.manifest import Begin, now, writing
from asdkit.core.batch.status import failures, status_of
from asdkit.core.batch.waiting import told_of_jobs
from asdkit.core.cli.arguments import in_shards
from asdkit.core.cli.waiting import while_jobs_work
from asdkit.core.stopping import stopped_line

pytestmark = pytest.mark.usefixtures("nowhere")


def begin(**values):
    base = {"time": now(), "shard": 0, "shards": 1, "host": socket.gethostname(), "pid": 1}
    return Begin(**{**base, "videos": "talks", "folder": str(Path.cwd()), "found": 9, **values})


def manifest(*lines, folder="out", shard=0):
    """Write lines of a manifest."""
    with writing(Path(folder), shard) as written:
        for line in lines:
            (written.add_begin if isinstance(line, Begin) else written.add)(line)


def squeue(says, exit_status=0, err=""):
    """Put a squeue into the path that says so."""
    Path("bin").mkdir(exist_ok=True)
    text = f"#!/bin/sh\necho \"$@\" >> asked.txt\ncat <<'E'\n{says}\nE\necho '{err}' >&2\n"
    Path("bin/squeue").write_text(f"{text}exit {exit_status}\n")
    Path("bin/squeue").chmod(stat.S_IRWXU)


@pytest.fixture
def path_of_squeue(nowhere, monkeypatch):
    """Programs are looked for in the folder bin first."""
    monkeypatch.setenv("PATH", f"{Path('bin').absolute()}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.usefixtures("at_once")
def test_done_failed_with_reasons_and_left(videos, asd):
    videos("a.mp4", "b raise.mp4", "c raise.mp4", "d.mp4")
    Path("talks/e.mp4").write_bytes(b"nothing to see")
    batch(failed=3)
    videos("new.mp4")
    shutil.rmtree("out/d")
    before = {path: path.stat().st_mtime_ns for path in Path("out").rglob("*")}
    code, out, err = asd("batch", "status", "out")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].startswith("done     1, 0:00:01 of video at ")
    assert lines[1:4] == [
        "failed   3",
        "  2 PluginError: writer=moody (moody 1.0) failed: RuntimeError: not today. "
        "ASDKIT_DEBUG=1 shows where",
        "    b raise, c raise",
    ]
    assert lines[4].startswith("  1 InputError: VIDEO ")
    assert lines[5:] == [
        "    e",
        "running  0",
        "left     2, of which 1 were done, but results were removed",
    ]
    assert before == {path: path.stat().st_mtime_ns for path in Path("out").rglob("*")}


def test_while_it_runs_and_after_it_was_killed(videos, asd):
    videos("a.mp4", "b wait.mp4", "c.mp4")
    with started() as process:
        reached("b wait", process)
        eventually(lambda: latest()["b wait"].state == "started")
        found = status_of(Path("out"))
        assert [record.name for record in found.running] == ["b wait"]
        assert (len(found.done), found.left, found.unsure) == (1, 1, 0)
        assert "  b wait: for 0:00:0" in asd("batch", "status", "out")[1]
        process.kill()
        process.wait()
        found = status_of(Path("out"))
        assert (found.running, found.left) == ((), 2)
    os.chdir("talks")  # the folder that it was started in is known
    assert status_of(Path("../out")).left == 2


def test_what_a_later_process_of_the_shard_has_not_begun_does_not_run():
    mine = {"state": "started", "host": socket.gethostname(), "pid": os.getpid()}
    manifest(begin(), record(**mine), begin(), record(video="/b.mp4", name="b", **mine))
    assert [one.name for one in status_of(Path("out")).running] == ["b"]


def test_on_other_machines_it_is_not_known(asd):
    manifest(begin(), record(state="started", host="elsewhere", pid=os.getpid()))
    found = status_of(Path("out"))
    assert (len(found.running), found.unsure) == (1, 1)
    out = asd("batch", "status", "out")[1]
    assert "running  1, of which 1 began on other machines, and may have ended" in out


def test_without_the_videos_what_is_left_is_estimated(asd):
    manifest(begin(videos=["none", "nothing/*.mp4"]), record(files=[]))
    found = status_of(Path("out"))
    assert (found.left, found.guessed) == (8, True)
    assert "left     about 8" in asd("batch", "status", "out")[1]
    manifest(record(files=[]), folder="old")  # of an earlier version
    assert "left     not known" in asd("batch", "status", "old")[1]


@pytest.mark.usefixtures("path_of_squeue")
def test_jobs_are_asked_of_squeue(asd):
    for job in ("12_0", "12_1", "12_2", "12_10", "12", "7", "7.tmp", "%j"):
        Path("out/.submitit", job).mkdir(parents=True)
    mine = {"state": "started", "host": "node7", "pid": 1}
    manifest(begin(job="12_1"), record(**mine))
    manifest(begin(job="12_0", shard=1), record(**mine, video="/b", name="b", shard=1), shard=1)
    squeue("12_1 RUNNING\n12_2 PENDING\n12_10 PENDING\n99 RUNNING\nodd")
    found = status_of(Path("out"))
    assert found.jobs == ("7", "12_0", "12_1", "12_2", "12_10")
    assert [one.name for one in found.running] == ["a"], "12_0 has ended"
    assert (found.unsure, found.left) == (0, 9 - 2 + 1)
    assert Path("asked.txt").read_text().split()[-1] == "--jobs=7,12"
    out = asd("batch", "status", "out")[1]
    told = "2 PENDING (12_[2,10]), 1 RUNNING (12_[1]), 2 ended; logs of submitit in out/.submitit"
    assert f"jobs     {told}" in out
    squeue("", 1, "slurm_load_jobs error: Invalid job id specified")
    assert status_of(Path("out")).queue == {}
    squeue("", 1, "slurm_load_jobs error: Unable to contact slurm controller")
    assert status_of(Path("out")).queue is None
    out = asd("batch", "status", "out")[1]
    assert "jobs     7, 12_[0-2,10]; squeue, which knows of them, cannot be asked here" in out
    assert status_of(Path("out")).unsure == 2


@pytest.mark.usefixtures("path_of_squeue")
def test_before_any_job_has_begun(asd):
    Path("out/.submitit/5").mkdir(parents=True)
    squeue("5 PENDING")
    code, out, _ = asd("batch", "status", "out")
    assert code == 0
    assert "left     not known" in out
    assert "jobs     1 PENDING (5)" in out


def test_damaged_lines_are_told_and_cost_nothing_else(asd, videos):
    videos("a.mp4")
    manifest(begin(), record(files=[]))
    path = Path("out/manifest-0.jsonl")
    whole = json.loads(path.read_text().splitlines()[0])
    wrong = [("folder", "a\0b"), ("videos", 3), ("found", "9"), ("job", 7), ("shards", None)]
    bad = [json.dumps({**whole, key: value}) for key, value in wrong]
    path.write_text(path.read_text() + "\n".join([*bad, '{"state": "begin"}', "\0{[", '{"torn']))
    code, out, err = asd("batch", "status", "out")
    assert (code, out.splitlines()[0]) == (0, "done     1")
    numbers = [int(line.split(":")[2].split()[0]) for line in err.splitlines()]
    assert numbers == [3, 4, 5, 6, 7, 8, 9], "the last line is not whole yet"


def test_odd_values_of_sound_lines(asd):
    odd = {"time": "soon", "host": "h\x1b[2J\n", "state": "started", "pid": -1}
    wrong = begin(videos=["\0"], job="7; rm -rf /")
    manifest(wrong, record(**odd), record(video="/b", name="b", state="failed"))
    code, out, _ = asd("batch", "status", "out")
    assert code == 0
    assert "  a: for an unknown time, on h\ufffd[2J\n" in out
    assert "  1 error: no reason was recorded" in out
    assert "jobs" not in out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["none"], "There is no folder none. Name the folder that was the output of asd batch"),
        (["talks"], "talks holds no manifest of a batch. Name the folder that was the output"),
        (["a" * 300], "There is no folder aaa"),
        ([], "batch status takes one folder, but got none. Use: asd batch status FOLDER"),
        (["talks", "none"], "batch status takes one folder, but got talks none"),
        (["talks", "output=x"], "There is no option output"),
        (["--all", "talks"], "There is no flag --all"),
    ],
)
def test_errors_are_one_line(refused, words, told):
    Path("talks").mkdir()
    assert refused("batch", "status", *words).startswith(f"asd: {told}")


def test_the_command_wins_over_a_folder_and_says_so(asd):
    Path("status").mkdir()
    code, _, err = asd("batch", "status", "none")
    assert code == 2
    assert err.splitlines()[0] == (
        "asd: status is taken for the command asd batch status; for the videos in it: videos=status"
    )
    assert asd("batch", "status", "--help")[1].startswith("usage: asd batch status FOLDER")


def test_reasons_differ_but_for_the_video():
    made = [
        record(video=f"/talks/{name}", name=name, state="failed", error=error, error_type="E")
        for name, error in (
            ("a", "/talks/a has no sound"),
            ("b.mp4", "b.mp4: it ended early"),
            ("c.mp4", "/talks/c.mp4 has no sound"),
        )
    ]
    found = [(failure.reason, failure.names) for failure in failures(made)]
    assert found == [("VIDEO has no sound", ("a", "c.mp4")), ("VIDEO: it ended early", ("b.mp4",))]


def test_ranges_of_tasks():
    assert jobs.in_words(["3", "12_3", "12_0", "12_1", "4"]) == "3, 4, 12_[0-1,3]"


def test_own_job_is_called_as_squeue_does(monkeypatch):
    monkeypatch.delenv("SLURM_ARRAY_JOB_ID", raising=False)
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    assert jobs.own_job() is None
    monkeypatch.setenv("SLURM_JOB_ID", "14")
    assert jobs.own_job() == "14"
    monkeypatch.setenv("SLURM_ARRAY_JOB_ID", "12")
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "3")
    assert jobs.own_job() == "12_3"


@pytest.mark.parametrize(
    ("words", "folder"),
    [
        (["output=out", "hydra/launcher=submitit_slurm"], "out"),
        (["output='my results'", "hydra/launcher=lab", "shards=3"], "my results"),
        (["output=out", "shards=3"], None),
        (["output=out", "shards=3", "hydra/launcher=basic"], None),
        (["output=out", "hydra/launcher=submitit_slurm", "--cfg", "job"], None),
        (["output=a,b", "hydra/launcher=submitit_slurm"], None),
        (["output=out/${seed}", "seed=1,2", "hydra/launcher=submitit_slurm", "-m"], None),
        (["output=[", "hydra/launcher=submitit_slurm"], None),
    ],
)
def test_jobs_are_told_of_where_a_launcher_waits_for_them(monkeypatch, words, folder):
    asked = []
    monkeypatch.setattr(
        "asdkit.core.batch.waiting.told_of_jobs", lambda path, _: asked.append(str(path))
    )
    while_jobs_work(in_shards(["videos=talks", *words]))
    assert asked == ([folder] if folder else [])


@pytest.mark.parametrize("ends", ["", ", and scancel 4_[0-1] ends them"])
def test_while_jobs_work_their_ids_and_counts_are_told(monkeypatch, ends):
    monkeypatch.setattr("asdkit.core.batch.waiting.which", lambda _: ends)
    monkeypatch.setattr("asdkit.core.batch.waiting._LOOK_S", 0.01)
    Path("out/.submitit/3").mkdir(parents=True)  # of an earlier submission
    lines = []

    def meanwhile():
        time.sleep(0.05)
        assert not lines
        for job in ("4_0", "4_1"):
            Path("out/.submitit", job).mkdir()
        eventually(lambda: lines)
        manifest(begin(found=5), record(), record(video="/b", name="b", state="started"))
        eventually(lambda: len(lines) > 1 and "1 begun" in lines[-1])
        told = len(lines)
        time.sleep(0.1)
        assert len(lines) == told, "nothing has changed"
        raise KeyboardInterrupt

    watched = told_of_jobs(Path("out"), lines.append, every_s=0.01)
    with pytest.raises(KeyboardInterrupt) as stop, watched:
        meanwhile()
    assert lines[0] == "jobs 4_[0-1] are submitted; their logs are in out/.submitit"
    assert lines[-1] == "1 of 5 done, 0 failed, 1 begun"
    assert stopped_line(stop.value) == (
        f"asd: stopped. The jobs go on: asd batch status out tells of them{ends}"
    )
    assert not [one for one in threading.enumerate() if type(one).__name__ == "_Watch"]
