"""A training that was stopped or killed goes on, and comes to the same weights."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest
from nanotraining import apart, numbers, record_of, started, trained
from refusing import refusal

from asdkit.core import stopping
from asdkit.core.errors import OutputError, TrainingError
from asdkit.core.files import claim
from asdkit.training import records, state
from asdkit.training.state import Position

pytestmark = pytest.mark.usefixtures("nano")
SLOW = ("epochs=4", "scorer.wait_s=0.3", "save_every_min=0.001", "batch_frames=60")
"""Options of a training that has time to be killed, and saves its state after each batch."""


FILES = ("last.model", "best.model", "metrics.csv", "training.json")
"""What is written after an epoch besides the state, in this order."""


class KilledError(Exception):
    """What a test ends a training with."""


def killed_at(monkeypatch, folder, saves, *words):
    """Train until the state has been saved so often."""
    real, done = state.save, []

    def save(*arguments):
        real(*arguments)
        done.append(1)
        if len(done) == saves:
            raise KilledError

    monkeypatch.setattr(state, "save", save)
    with pytest.raises(KilledError):
        trained(folder, *words)
    monkeypatch.undo()


@pytest.mark.parametrize("saves", [1, 3, 7])
def test_it_goes_on_to_the_same_weights(tmp_path, monkeypatch, saves):
    words = ("epochs=3", "batch_frames=60", "save_every_min=1e-9")
    whole = trained("whole", *words)
    with monkeypatch.context() as patched:
        killed_at(patched, "out", saves, *words)
    said = []
    record = trained("out", *words, said=said)
    assert said[0].startswith("goes on in epoch")
    assert numbers(record) == numbers(whole)
    assert apart("whole", "out") == 0
    assert record["files"] == whole["files"]


@pytest.mark.parametrize("file", ["last", "best", "metrics", "training"])
def test_what_was_killed_after_the_state_was_saved_is_written_when_it_goes_on(
    file,
):
    """Even if another epoch would not come to the same weights, as on a GPU."""
    words = ("epochs=3", "learning_rate=0.01")
    whole = trained("whole", *words)
    assert whole["best"]["epoch"] == 3, "the last epoch is the best"
    trained("out", "epochs=2", "learning_rate=0.01")
    before = {name: Path("out", name).read_bytes() for name in FILES}
    trained("out", *words)
    kept = FILES[: [name.split(".")[0] for name in FILES].index(file)]
    for name in set(FILES) - set(kept):
        Path("out", name).write_bytes(before[name])
    assert trained("out", *words)["files"] == whole["files"]
    assert numbers(record_of("out")) == numbers(whole)
    assert len(Path("out/metrics.csv").read_text().splitlines()) == 5


@pytest.mark.parametrize("start", ["true", "false"])
def test_tensorboard_shows_each_epoch_once(monkeypatch, start):
    events = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    words = ("logs=[csv,tensorboard]", f"from_nothing={start}", "batch_frames=60")
    trained("out", "epochs=2", *words)
    with monkeypatch.context() as patched:
        killed_at(patched, "out", 1, "epochs=3", "save_every_min=1e-9", *words)
    record = trained("out", "epochs=3", *words)
    found = events.EventAccumulator("out/tensorboard")
    found.Reload()
    steps = [one.step for one in found.Scalars("average_precision")]
    assert steps == [one["epoch"] for one in record["history"]]


def wait_for(condition, process):
    until = time.monotonic() + 120
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.05)


def in_second_epoch():
    """Whether a batch of the second epoch is done, by the saved state."""
    try:
        found = state.read(Path("out"))
    except TrainingError:
        return False
    return found is not None and found[0].epoch == 2 and found[0].batch > 0


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_process_that_is_killed_goes_on(tmp_path, nano_site, interruptible, number):
    with started(nano_site, tmp_path, *SLOW, "output=out") as process:
        wait_for(in_second_epoch, process)
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
    if number == signal.SIGTERM:
        assert process.returncode == 143
        told = "asd: stopped. The same command goes on from where the state was last saved"
        assert told in err.splitlines()
    else:
        assert process.returncode == -signal.SIGKILL
    assert record_of("out")["ended"] is None
    fast = [word for word in SLOW if "wait_s" not in word]
    before, tensors = state.read(Path("out"))
    told = {**before.settings, "scorer": {**before.settings["scorer"], "wait_s": 0.0}}
    state.save(Path("out"), Position(**{**vars(before), "settings": told}), tensors)
    trained("out", *fast)
    trained("whole", *fast)
    assert apart("whole", "out") <= 1e-6
    assert not list(Path("out").glob(".*partial*"))


def test_whoever_ends_it_by_force_is_told_that_it_goes_on():
    told = []
    trained("out", "epochs=1", progress=lambda *_: told.extend(act() for act in stopping._RESORTS))
    assert told[0] == "The same command goes on from where the state was last saved"


def test_a_training_that_is_done_is_done():
    first = trained("out")
    before = {path.name: path.read_bytes() for path in Path("out").iterdir()}
    said = []
    assert trained("out", said=said)["history"] == first["history"]
    assert said[0].endswith("is done already (epochs); more epochs=N would go on with it")
    after = {path.name: path.read_bytes() for path in Path("out").iterdir()}
    assert before.pop("training.json") and after.pop("training.json")
    assert before == after


def test_more_epochs_go_on_with_it():
    whole = trained("whole", "epochs=3")
    trained("out", "epochs=1")
    assert numbers(trained("out", "epochs=3")) == numbers(whole)
    assert apart("whole", "out") == 0


def test_what_no_weight_depends_on_may_change():
    trained("out", "epochs=1")
    trained("out", "epochs=2", "logs=[]", "save_every_min=1", "quiet=true", "patience=3")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("seed=3",), "seed=0 before, 3 now"),
        (("learning_rate=1e-3",), "learning_rate=null before, 0.001 now"),
        (("scorer.wait_s=0.1",), "scorer.wait_s=0.0 before, 0.1 now"),
        (("augment.flip=0.1", "batch_frames=90"), "batch_frames=null before, 90 now; augment.flip"),
        (("from_nothing=true",), "from_nothing=false before, true now"),
        (("validation=made", "validation.first=9"), "validation.name=null before, made now"),
    ],
)
def test_other_settings_are_refused_and_named(words, told):
    trained("out", "epochs=1")
    text = refusal(OutputError, trained, "out", "epochs=2", *words)
    assert told in text
    assert "overwrite=true" in text
    assert [one["epoch"] for one in record_of("out")["history"]] == [0, 1]


def test_other_data_are_refused_and_named(nano):
    trained("out", "epochs=1")
    found = state.read(Path("out"))
    assert found
    position, tensors = found
    data = {**position.data, "train": {**position.data["train"], "v9": {}}}
    state.save(Path("out"), Position(**{**vars(position), "data": data}), tensors)
    text = refusal(OutputError, trained, "out", "epochs=2")
    assert "has changed: v9 of train" in text


def test_overwriting_begins_anew():
    trained("out", "seed=3", "logs=[csv,tensorboard]")
    record = trained("out", "epochs=1", "overwrite=true")
    assert [one["epoch"] for one in record["history"]] == [0, 1]
    assert not Path("out/tensorboard").exists()


def test_a_damaged_state_is_told():
    trained("out", "epochs=1")
    Path("out", state.FILE).write_bytes(b"PK damaged")
    assert "state.ckpt is damaged" in refusal(TrainingError, trained, "out", "epochs=2")


def test_a_state_of_another_version_is_told():
    trained("out", "epochs=1")
    position, tensors = state.read(Path("out"))
    state.put(Path("out", state.FILE), {"schema": "asdkit.training-state/0", "position": "{}"})
    assert "another version" in refusal(TrainingError, trained, "out", "epochs=2")
    tensors["module"] = {"of": tensors["module"]["main.bias"]}
    state.save(Path("out"), position, tensors)
    text = refusal(TrainingError, trained, "out", "epochs=2")
    assert "The state is of another network than scorer=nano" in text


def test_two_trainings_do_not_meet_in_a_folder():
    trained("out", "epochs=1")
    lock = claim(Path("out", records.LOCK))
    text = refusal(OutputError, trained, "out", "epochs=2")
    lock.release()
    assert "Another asd train is at work in" in text


def test_folders_of_others_are_left_alone():
    Path("out").mkdir()
    Path("out/thesis.txt").write_text("years of work")
    text = refusal(OutputError, trained, "out", "overwrite=true")
    assert "holds something that is not of a training, thesis.txt" in text
    assert Path("out/thesis.txt").exists()
    Path("file").write_text("")
    assert "Cannot write" in refusal(OutputError, trained, "file")


def test_the_place_knows_its_best_and_its_end():
    entries = [{"epoch": k, "average_precision": v} for k, v in enumerate((0.5, 0.7, 0.7, 0.6))]
    position = Position({}, {}, epoch=4, history=tuple(entries))
    assert position.best is entries[1]
    assert position.ended(9, None) is None
    assert position.ended(3, None) == "epochs"
    assert position.ended(9, 2) == "patience"
    assert position.ended(9, 3) is None
    assert Position({}, {}).ended(9, 1) is None
