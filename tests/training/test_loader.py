"""Batches made ahead in processes of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from learning import arrays_of, example
from nanotraining import NANO, WORDS, record_of
from refusing import refusal

from asdkit.core.errors import DeviceError, InputError
from asdkit.training.augment import Augment
from asdkit.training.batches import Batch, Batches
from asdkit.training.examples import Example
from asdkit.training.loader import Loader

TESTS = Path(__file__).parents[1]


def batches(frames: int = 20, inputs=arrays_of) -> Batches:
    return Batches([example(k, frames) for k in range(8)], inputs, 2 * frames, Augment(), 3)


def same(one: Batch, other: Batch) -> bool:
    pairs = zip((*one.inputs, one.labels), (*other.inputs, other.labels), strict=True)
    return all(np.array_equal(a, b) and a.dtype == b.dtype for a, b in pairs)


def test_batches_are_the_same_whatever_the_number_of_processes():
    with Loader(batches()) as alone, Loader(batches(), workers=2) as together:
        for epoch in (1, 2):
            pairs = list(zip(alone.epoch(epoch), together.epoch(epoch), strict=True))
            assert len(pairs) == len(alone) == len(together) == 4
            assert all(same(*pair) for pair in pairs)
        given_up = together.epoch(3)
        next(given_up)  # what was made ahead is not taken for the next epoch's
        assert same(next(alone.epoch(4)), next(together.epoch(4)))


def test_an_epoch_goes_on_where_it_was_stopped():
    whole = list(Loader(batches()).epoch(1))
    rest = list(Loader(batches()).epoch(1, begin=2))
    assert len(rest) == 2
    assert all(same(*pair) for pair in zip(whole[2:], rest, strict=True))


def test_processes_that_train_together_take_turns():
    whole = list(Loader(batches()).epoch(1))
    shares = [list(Loader(batches(), rank=rank, world_size=3).epoch(1)) for rank in range(3)]
    assert [len(share) for share in shares] == [2, 2, 2]
    assert len(Loader(batches(), world_size=3)) == 2
    assert all(same(whole[k], shares[k % 3][k // 3]) for k in range(4))


@pytest.mark.slow
def test_plugins_of_a_single_file_are_known_to_the_processes(tmp_path):
    pytest.importorskip("lightning_fabric", reason="needs the package lightning-fabric")
    (tmp_path / "nano.py").write_text(NANO)
    words = [word for word in WORDS if not word.startswith("workers=")]
    done = subprocess.run(
        [
            *(sys.executable, "-W", "error", "-m", "asdkit", "train", "plugins=[nano.py]"),
            *(*words, "workers=1", "epochs=1", "output=out"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert record_of(tmp_path / "out")["history"][1]["epoch"] == 1


def test_more_processes_than_cores_are_taken_without_a_warning():
    with Loader(batches(), workers=1 + (os.cpu_count() or 1)) as loader:
        assert len(list(loader.epoch(1))) == 4  # pytest makes errors of warnings


LEAVES = """
import multiprocessing, os
from asdkit.training.processes import stopped_short
lock = multiprocessing.get_context("spawn").Lock()
print(stopped_short(), flush=True)
os._exit(130)
"""


def test_a_training_that_is_cut_off_leaves_one_line():
    """As when workers take long to end: Python would warn of semaphores otherwise."""
    done = subprocess.run(
        [sys.executable, "-c", LEAVES], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (130, "")
    assert done.stdout.startswith("The same command goes on from where the state was")


def missing(start: int, stop: int):
    raise InputError(f"talk holds no crop near {start:.2f} s", "Cut the crops again")


def test_an_error_of_a_worker_is_the_users_in_one_line():
    labels = np.ones(20, np.int8)
    lost = Batches([Example("talk", "ann", labels, missing)], arrays_of, 40, Augment.none, 0)
    with Loader(lost, workers=1) as loader:
        text = refusal(InputError, lambda: list(loader.epoch(1)))
    assert text == "talk holds no crop near 0.00 s. Cut the crops again"
    assert text == refusal(InputError, lambda: list(Loader(lost).epoch(1)))


def ended(clips):
    os.kill(os.getpid(), signal.SIGKILL)
    return arrays_of(clips)


def test_a_worker_that_is_ended_is_told_in_one_line():
    with Loader(batches(inputs=ended), workers=1) as loader:
        text = refusal(DeviceError, lambda: list(loader.epoch(1)))
    assert "ended from outside, or ran out of memory" in text
    assert "workers=0" in text


def failing(clips):
    raise RuntimeError("this is the network's own")


def test_an_error_of_the_network_is_not_taken_for_the_end_of_a_worker():
    own = pytest.raises(RuntimeError, match="this is the network's own")
    with Loader(batches(inputs=failing), workers=1) as loader, own:
        list(loader.epoch(1))


def telling(clips):
    """In each batch: which process makes it, and whether that has begun to use a GPU."""
    import torch

    told = [os.getpid(), torch.cuda.is_initialized()]
    return (np.tile(told, (len(clips), 1)),)


def test_workers_are_processes_that_stay_and_use_no_gpu():
    with Loader(batches(inputs=telling), workers=1) as loader:
        told = [batch.inputs[0][0].tolist() for epoch in (1, 2) for batch in loader.epoch(epoch)]
    assert len(told) == 8
    assert all(one == told[0] for one in told)
    pid, uses_gpu = told[0]
    assert pid != os.getpid()
    assert not uses_gpu
    wait_for_end([pid])


_ENDLESS = """
import sys
sys.path.insert(0, {tests!r})
import numpy as np
from learning import example
from asdkit.training.augment import Augment
from asdkit.training.batches import Batches
from asdkit.training.loader import Loader
from training_inputs import pids

if __name__ == "__main__":
    faces = [example(k, 20) for k in range(8)]
    with Loader(Batches(faces, pids, 40, Augment.none, 0), workers=2) as loader:
        for epoch in range(1, 1_000_000):
            for batch in loader.epoch(epoch):
                print(int(batch.inputs[0][0, 0]), flush=True)
"""


GIVEN_UP = """
import os, sys, threading
from multiprocessing import resource_sharer
from multiprocessing.connection import Client
from multiprocessing.process import current_process
from asdkit.training import loader
loader.end_with_parent = lambda: None  # this process has no parent to end with
{begin}
told = threading.Event()
seen = sys.excepthook
def noted(*error):
    seen(*error)
    told.set()
sys.excepthook = noted
near, far = os.pipe()
with Client(resource_sharer.DupFd(near)._id[0], authkey=current_process().authkey):
    pass
assert told.wait(60)
"""


@pytest.mark.skipif(os.name == "nt", reason="files of other processes are handed over otherwise")
@pytest.mark.parametrize(("begin", "lines"), [("loader._begin(0)", 0), ("", 1)])
def test_a_worker_says_nothing_of_a_batch_that_is_not_wanted_any_more(begin, lines):
    """As when Ctrl-C reaches the training while it asks a worker for the batch."""
    script = GIVEN_UP.format(begin=begin)
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("Traceback") == lines


@pytest.mark.skipif(os.name == "nt", reason="signals of process groups")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_no_process_is_left_when_the_training_is_stopped(tmp_path, number):
    """Ctrl-C reaches the whole group; what kills the training alone does not."""
    (tmp_path / "training_inputs.py").write_text(
        "import os\nimport numpy as np\n\ndef pids(clips):\n"
        "    return (np.full((len(clips), 1), os.getpid()),)\n"
    )
    script = tmp_path / "endless.py"
    script.write_text(_ENDLESS.format(tests=str(TESTS)))
    process = subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    workers = set()
    while len(workers) < 2:
        workers.add(int(process.stdout.readline()))
    if number == signal.SIGINT:
        os.killpg(process.pid, number)
    else:
        os.kill(process.pid, number)
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()
    process.wait(60)
    wait_for_end(workers)
    if number == signal.SIGINT:
        assert errors.count("Traceback") == 1, "the script's own"


def wait_for_end(pids) -> None:
    """Wait until none of these processes runs; one that has ended may not have been waited for."""
    until = time.monotonic() + 60
    while any(_runs(pid) for pid in pids):
        assert time.monotonic() < until, "a worker process is left"
        time.sleep(0.05)


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"
