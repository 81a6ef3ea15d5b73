"""A batch on a real Slurm: submitted as an array, killed, at its limit; each video done once."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager

import pytest
from checkout import DOCS
from slurm_cluster import cluster, missing
from strangers import package

pytest.importorskip("hydra_plugins.hydra_submitit_launcher")

ASD = [sys.executable, "-m", "asdkit"]
CHEAP = ["detector=boxes", "detector.path=boxes.json", "cutter=none", "scorer=lip_motion"]
CHEAP += ["writers=[json,gate]"]
LONGEST_S = 120
SLURM = ["hydra/launcher=submitit_slurm", "hydra.launcher.cpus_per_task=1"]
BATCH = [*ASD, "batch", "videos=talks", "output=out", *CHEAP, *SLURM]
GATE = """
import time
from dataclasses import dataclass
from pathlib import Path

import asdkit
from asdkit.core.component import Component


@dataclass(frozen=True)
class Config:
    pass


class Gate:
    def write(self, result, folder):
        (folder / "gate.txt").write_text("half")
        video = result.video.path.with_suffix("")
        if "held" in video.name:
            video.with_suffix(".reached").touch()
            while not video.with_suffix(".open").exists():
                time.sleep(0.05)
        (folder / "gate.txt").write_text("whole")
        return [folder / "gate.txt"]


@asdkit.hookimpl
def asdkit_components():
    return [Component("writer", "gate", Config, lambda *_: Gate(), files=("gate.txt",))]
"""
"""A writer that stays in the middle of a video called held until it is let go."""


@pytest.fixture(scope="module")
def slurm(tmp_path_factory):
    """The environment of a cluster with four CPUs, where jobs find the plugin."""
    if absent := missing():
        pytest.skip(f"needs Slurm and munge: {', '.join(absent)}")
    site = package(tmp_path_factory.mktemp("site"), "gate", GATE)
    with cluster() as environment:
        yield {**environment, "PYTHONPATH": str(site), "OMP_NUM_THREADS": "1"}


class Lab:
    """A folder with videos, as somebody on the login node sees it."""

    def __init__(self, folder, environment, clip, names):
        self.folder = folder
        self.environment = environment
        (folder / "talks").mkdir()
        (folder / "boxes.json").write_text(json.dumps([[[10, 5, 50, 45, 1.0]]] * 25))
        for name in names:
            shutil.copy(clip, self.talk(f"{name}.mp4"))

    def talk(self, name):
        return self.folder / "talks" / name

    @contextmanager
    def submit(self, *words):
        """Submit, and wait for the jobs meanwhile."""
        command = [*BATCH, *words]
        with (
            (self.folder / "said.txt").open("w") as said,
            subprocess.Popen(
                command, cwd=self.folder, env=self.environment, stdout=said, stderr=said
            ) as submitted,
        ):
            try:
                yield submitted
            finally:
                submitted.kill()

    def said(self):
        """What the command that submitted has said so far."""
        return (self.folder / "said.txt").read_text()

    def status(self):
        """The lines of asd batch status."""
        asked = self.run(*ASD, "batch", "status", "out")
        assert (asked.returncode, asked.stderr) == (0, "")
        return asked.stdout.splitlines()

    def run(self, *command):
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def slurm(self, *command):
        asked = self.run(*command)
        assert asked.returncode == 0, asked.stderr
        return asked.stdout.split()

    def jobs(self):
        """The tasks that wait or run."""
        return self.slurm("squeue", "--noheader", "--array", "--format=%i")

    def wait(self, condition):
        until = time.monotonic() + LONGEST_S
        while not condition():
            if time.monotonic() > until:
                logs = [log.read_text() for log in self.folder.rglob("*.out")]
                pytest.fail("\n".join(["It did not come to that", *self.jobs(), *logs]))
            time.sleep(0.2)

    def states(self):
        """How often a video came to a state, by its name and the state."""
        lines = [
            json.loads(line)
            for manifest in self.folder.glob("out/manifest-*.jsonl")
            for line in manifest.read_text().splitlines()
        ]
        return Counter((line["name"], line["state"]) for line in lines if "name" in line)

    def begun_again(self, name):
        """Its second attempt runs: the first has ended, and waiting in the queue is over."""
        return self.states()[name, "started"] == 2

    def finished(self):
        return {name for name, state in self.states() if state == "done"}

    def check_whole(self, names):
        """Each is done, once, and nothing else is left of it."""
        done = {key: times for key, times in self.states().items() if key[1] == "done"}
        assert done == {(name, "done"): 1 for name in names}
        folders = {path.name for path in self.folder.glob("out/*") if path.is_dir()}
        assert folders - {".submitit"} == set(names)
        for name in names:
            folder = self.folder / "out" / name
            assert json.loads((folder / "result.json").read_text())["tracks"]
            assert (folder / "gate.txt").read_text() == "whole"


@pytest.mark.slurm
@pytest.mark.usefixtures("interruptible")
def test_an_array_with_a_task_killed_is_finished_by_submitting_it_again(tmp_path, slurm, clip):
    names = ["held", *(f"talk{k}" for k in range(4))]  # one more than the node has CPUs
    lab = Lab(tmp_path, slurm, clip, names)
    array = ["shards=5", "hydra.launcher.gpus_per_node=1", "hydra.launcher.partition=main"]
    with lab.submit(*array) as submitted:
        lab.wait(lambda: lab.talk("held.reached").exists() and len(lab.finished()) == 4)
        lab.wait(lambda: len(lab.jobs()) == 1)
        number, task = lab.jobs()[0].split("_")
        assert task == "0"  # the first of the videos is the first of the array
        told = lab.status()
        assert told[0].startswith("done     4, 0:00:04 of video")
        assert told[1:3] == ["failed   0", "running  1"]
        assert told[3].startswith("  held: for 0:0")
        logs = "logs of submitit in out/.submitit"
        assert told[4:] == ["left     0", f"jobs     1 RUNNING ({number}_[0]), 4 ended; {logs}"]
        lab.slurm("scancel", *lab.jobs())
        lab.wait(lambda: not lab.jobs())
        assert lab.status()[2:] == ["running  0", "left     1", f"jobs     5 ended; {logs}"]
        submitted.send_signal(signal.SIGINT)  # without accounting, it waits for a job that died
        assert submitted.wait(LONGEST_S) == 130
    assert f"jobs {number}_[0-4] are submitted; their logs are in out/.submitit\n" in lab.said()
    ends = f"scancel {number}_[0-4] ends them"
    assert f"The jobs go on: asd batch status out tells of them, and {ends}\n" in lab.said()
    assert lab.states()["held", "started"] == 1
    assert not (lab.folder / "out" / "held").exists()
    lab.talk("held.open").touch()
    with lab.submit(*array) as submitted:
        assert submitted.wait(LONGEST_S) == 0
    lab.check_whole(names)
    assert lab.states()["held", "started"] == 2


@pytest.mark.slurm
def test_a_job_at_its_limit_goes_on_by_itself_and_has_lost_one_video(tmp_path, slurm, clip):
    names = ["before", "held", "later"]
    lab = Lab(tmp_path, slurm, clip, names)
    limit = ["hydra.launcher.timeout_min=1", "hydra.launcher.signal_delay_s=50"]
    with lab.submit(*limit) as submitted:
        lab.wait(lambda: lab.talk("held.reached").exists())
        assert lab.finished() == {"before"}
        # Slurm looks at limits every half minute, and tells jobs up to a minute early.
        lab.wait(lambda: lab.begun_again("held"))
        assert lab.finished() == {"before"}
        lab.talk("held.open").touch()
        assert submitted.wait(LONGEST_S) == 0
    lab.check_whole(names)
    assert [lab.states()[name, "started"] for name in names] == [1, 2, 1]


@pytest.mark.slurm
def test_the_script_of_the_docs_is_queued_again_and_goes_on(tmp_path, slurm, clip):
    names = ["before", "held", "later", "talk"]
    lab = Lab(tmp_path, slurm, clip, names)
    script = re.search(r"```bash\n(.*?)```", (DOCS / "cluster.md").read_text(), re.DOTALL)[1]
    for there, here in {
        ". /shared/asdkit/bin/activate\n": "",
        "asd batch": shlex.join([*ASD, "batch", *CHEAP]),
        "talks/**/*.mp4": "talks",
        "output=results": "output=out",
    }.items():
        assert there in script
        script = script.replace(there, here)
    (tmp_path / "batch.sh").write_text(script)
    lab.slurm("sbatch", "--array=0-1", "--cpus-per-task=1", "batch.sh")
    lab.wait(lambda: lab.talk("held.reached").exists() and lab.finished() == {"before", "later"})
    lab.wait(lambda: len(lab.jobs()) == 1)  # held, then talk
    lab.slurm("scancel", "--batch", "--signal=USR1", *lab.jobs())
    lab.wait(lambda: lab.begun_again("held"))
    lab.talk("held.open").touch()
    lab.wait(lambda: not lab.jobs())
    lab.check_whole(names)
    assert [lab.states()[name, "started"] for name in names] == [1, 2, 1, 1]


@pytest.mark.slurm
def test_what_slurm_refuses_is_told_in_a_line(tmp_path, slurm, clip):
    lab = Lab(tmp_path, slurm, clip, ["talk"])
    refused = lab.run(*BATCH, "hydra.launcher.partition=nowhere")
    assert refused.returncode == 2
    last = refused.stderr.splitlines()[-1]  # sbatch's own words come before
    assert last.startswith("asd: sbatch: error: invalid partition specified: nowhere")
    assert "Traceback" not in refused.stderr


def test_a_job_may_be_queued_again_unless_told_otherwise(tmp_path):
    words = ["batch", "videos=talks", "output=out", *SLURM, "hydra.launcher.partition=gpu"]
    shown = subprocess.run(
        [*ASD, *words, "--cfg", "hydra", "--package", "hydra.launcher"],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    ).stdout
    assert {"partition: gpu", "cpus_per_task: 1", "max_num_timeout: 10"} < set(shown.splitlines())
