"""A training on a real Slurm: told of its limit, queued again, and gone on to the same weights."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from nanotraining import WORDS, apart, record_of, trained
from slurm_cluster import cluster, missing

from asdkit.core.errors import TrainingError
from asdkit.training import state

pytest.importorskip("hydra_plugins.hydra_submitit_launcher")
pytestmark = [pytest.mark.slurm, pytest.mark.usefixtures("nano")]
LONGEST_S = 240
JOB = ["hydra/launcher=submitit_slurm", "hydra.launcher.cpus_per_task=1"]
OPTIONS = ["epochs=4", "save_every_min=0.001", "batch_frames=60", "scorer.wait_s=0.3"]


def second_epoch(folder):
    try:
        found = state.read(folder)
    except TrainingError:
        return False
    return found is not None and found[0].epoch == 2 and found[0].batch > 0


def test_a_job_that_is_told_of_its_limit_is_queued_again_and_goes_on(nano_site, tmp_path):
    if absent := missing():
        pytest.skip(f"needs Slurm and munge: {', '.join(absent)}")
    words = [*WORDS, *OPTIONS, "output=out"]
    command = [sys.executable, "-m", "asdkit", "train", *words, "--multirun", *JOB]
    with (
        cluster() as environment,
        subprocess.Popen(
            command,
            env={**environment, "PYTHONPATH": str(nano_site), "OMP_NUM_THREADS": "1"},
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as submitted,
    ):
        until = time.monotonic() + LONGEST_S
        while not second_epoch(Path("out/0")):
            assert submitted.poll() is None, submitted.communicate()[0]
            assert time.monotonic() < until
            time.sleep(0.1)
        asked = ["squeue", "--noheader", "--array", "--format=%i"]
        listed = subprocess.run(
            asked, env=environment, capture_output=True, text=True, check=True
        ).stdout.split()
        subprocess.run(["scancel", "--signal=USR2", *listed], env=environment, check=True)
        said = submitted.communicate(timeout=LONGEST_S)[0]
        assert submitted.returncode == 0, said
    logs = "\n".join(path.read_text() for path in Path("out").rglob("*.out"))
    assert "goes on in epoch" in logs
    assert record_of("out/0")["ended"] == "epochs"
    trained("whole", *OPTIONS[:-1])
    assert apart("whole", "out/0") <= 1e-6
