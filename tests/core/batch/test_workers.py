"""Workers that die, hang, are stopped or find no room cost their own video at most."""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from batching import (
    alive,
    batch,
    begun,
    eventually,
    latest,
    reached,
    results,
    results_so_far,
    started,
    states,
)

from asdkit.core.batch import workers
from asdkit.core.errors import AsdError, ConfigError, OutputError

pytestmark = pytest.mark.usefixtures("nowhere")


def test_a_worker_that_dies_or_a_plugin_that_fails_costs_one_video(videos):
    videos("a.mp4", "b crash.mp4", "c raise.mp4", "d.mp4", "e crash.mp4")
    batch("workers=2", failed=3)
    found = latest()
    assert found["b crash"].error == found["e crash"].error == "Its worker died (Killed)"
    assert found["b crash"].error_type == "WorkerDied"
    said = "writer=moody (moody 1.0) failed: RuntimeError: not today. ASDKIT_DEBUG=1 shows where"
    assert found["c raise"].error == said
    assert found["c raise"].error_type == "PluginError"
    assert results() == ["a", "d"]
    assert not list(Path("out").glob(".*.????????"))
    batch("retry_failed=false", failed=3)
    assert begun() == dict.fromkeys(found, 1)


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


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("detector.path=none.json", "none.json"),
        ("writers.moody.built=raise", r"writer=moody \(moody 1.0\) failed: RuntimeError: broken"),
        ("writers.moody.built=crash", r"died while it loaded.*\(Killed\)"),
    ],
)
def test_what_keeps_workers_from_loading_stops_it_at_once(videos, override, told):
    videos("a.mp4", "b.mp4")
    with pytest.raises(AsdError, match=told):
        batch("workers=2", override)
    assert not Path("out").exists()


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
    lines = batch("workers=2", "video_timeout_s=4", failed=2)
    found = latest()
    assert found["b wait"].error == "It was not done within video_timeout_s=4"
    assert found["b wait"].error_type == "VideoTimeout"
    assert found["b wait"].seconds >= 4
    assert results() == ["a", "c", "e"]
    assert any("b wait: failed: It was not done within" in line for line in lines)
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
