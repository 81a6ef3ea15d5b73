"""asd train on a network of a few weights: what it learns, keeps and measures."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from extras import torch
from learning import arrays_of, example
from nanotraining import apart, numbers, plan_of, record_of, trained, weights_of
from refusing import refusal

from asdkit.core.arrays import probability
from asdkit.core.errors import OutputError, TrainingError
from asdkit.core.evaluation.metrics import average_precision
from asdkit.core.trainable import Recipe
from asdkit.training import records
from asdkit.training.examples import examples_of
from asdkit.training.faces import VideoFaces, usual_plan
from asdkit.training.loop import rate_of, seed_of
from asdkit.training.run import _videos
from asdkit.training.scoring import Tracks

pytestmark = pytest.mark.usefixtures("nano")
FLAT = ["augment.foreign_sound=0", "augment.flip=0", "augment.crop=0", "augment.rotate=0"]


def test_it_learns_and_the_best_is_kept():
    record = trained("out", "from_nothing=true", "epochs=12", *FLAT)
    losses = [one["loss"] for one in record["history"]]
    assert losses[-1] < 0.8 * losses[0]
    best = max(record["history"], key=lambda one: one["average_precision"])
    assert record["best"]["average_precision"] == best["average_precision"] > 0.85
    assert record["ended"] == "epochs"
    assert [one["epoch"] for one in record["history"]] == list(range(1, 13))  # from nothing, no 0
    assert not any(name.startswith("helper") for name in weights_of("out", "best.model"))
    assert record == record_of("out")


def by_hand(folder, words=()):
    """The average precision of best.model on the validation, from its definition."""
    plan = plan_of(*words)
    network = plan.trainable()
    network.module.load_state_dict(weights_of(folder, "best.model"), strict=False)
    network.module.eval()
    kept = set(record_of(folder)["data"]["validation"])
    found = examples_of(_videos(plan.dataset), VideoFaces(usual_plan(), 1e9))
    chances, truth = [], []
    for one in found:
        if one.video in kept:
            inputs = map(torch.from_numpy, network.inputs([one.read()]))
            with torch.no_grad():
                chances.append(probability(network.module(*inputs)[0][0].numpy()))
            truth.append(one.labels == 1)
    return average_precision(np.concatenate(chances), np.concatenate(truth))


def test_what_is_measured_is_the_official_average_precision_of_whole_tracks():
    record = trained("out")
    assert record["best"]["average_precision"] == pytest.approx(by_hand("out"), abs=1e-12)


def test_frames_whose_label_does_not_count_are_not_measured(monkeypatch):
    whole = trained("whole", "epochs=1", "from_nothing=true")
    real = Tracks.batch

    def half(self, epoch, number):
        batch = real(self, epoch, number)
        batch.labels[:, ::2] = -1
        return batch

    monkeypatch.setattr(Tracks, "batch", half)
    part = trained("part", "epochs=1", "from_nothing=true")
    assert apart("whole", "part") == 0
    assert whole["history"][0]["average_precision"] != part["history"][0]["average_precision"]


def test_the_weights_it_starts_from_are_measured_first():
    first = trained("one", "epochs=2")
    assert first["history"][0]["epoch"] == 0
    again = trained("two", "scorer.weights=one/best.model", "epochs=1")
    assert again["history"][0]["average_precision"] == first["best"]["average_precision"]
    assert again["start"]["files"][0]["sha256"] == first["files"]["best.model"]


def test_weights_are_saved_in_float32_on_the_cpu():
    trained("out", "precision=bf16-mixed", "epochs=1")
    found = weights_of("out", "best.model")
    assert {str(one.dtype) for one in found.values()} == {"torch.float32", "torch.int64"}
    assert {one.device.type for one in found.values()} == {"cpu"}


def test_half_precision_is_near_and_not_the_same():
    trained("full", "epochs=1")
    trained("half", "precision=bf16-mixed", "epochs=1")
    assert 0 < apart("full", "half") < 0.05


def test_the_same_seed_gives_the_same_and_another_does_not():
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        trained(name, f"seed={seed}", "epochs=2", "from_nothing=true")
    assert apart("a", "b") == 0
    assert apart("a", "c") > 1e-3


@pytest.mark.slow
def test_processes_that_read_ahead_change_nothing():
    one = trained("alone", "epochs=2")
    two = trained("ahead", "epochs=2", "workers=2")
    assert numbers(one) == numbers(two)
    assert apart("alone", "ahead") == 0


@pytest.mark.slow
def test_two_processes_train_together():
    """Each takes half of the batches; both have the mean gradient, so one set of weights."""
    alone = trained("alone", "epochs=2", "batch_frames=60")
    both = trained("both", "epochs=2", "batch_frames=60", "devices=2")
    assert both["provenance"]["device"].startswith("2 x cpu")
    assert both["history"][0] | {"validation_seconds": 0} == alone["history"][0] | {
        "validation_seconds": 0
    }
    frames = [record["history"][1]["frames"] for record in (alone, both)]
    assert frames[0] <= frames[1] <= frames[0] + 60  # one batch may be taken twice
    losses = [one["loss"] for one in both["history"][1:]]
    assert losses[1] < losses[0]
    assert 0 < apart("alone", "both") < 1


@pytest.mark.slow
def test_two_processes_measure_the_weights_that_are_saved():
    """Also the running statistics, of which each process has its own after a batch."""
    words = ("from_nothing=true", "epochs=1", "batch_frames=60", "validation_part=0.5")
    record = trained("out", *words, "devices=2")
    assert record["best"]["average_precision"] == pytest.approx(by_hand("out"), abs=1e-12)


@pytest.mark.slow
def test_what_fails_in_another_process_is_told():
    text = refusal(TrainingError, trained, "out", "devices=2", "scorer.diverges_in=1")
    assert "The loss of batch 1 of epoch 1 is nan" in text


def test_the_learning_rate_falls_by_the_recipe():
    record = trained("out", "learning_rate=0.01", "decay=0.5")
    rates = [one["learning_rate"] for one in record["history"]]
    assert rates == [None, 0.01, 0.005, 0.0025]
    assert record["recipe"]["changed"] == ["learning_rate", "decay"]
    assert record["recipe"]["source"] == "tests/training/nano.py"
    assert rate_of(Recipe("a paper", 1.0, 0.5, 9, 9), 4) == 0.125


def test_weights_decay_as_asked():
    """By learning_rate * weight_decay of themselves in each step, apart from Adam's step."""
    for name, decay in (("none", 0), ("much", 10)):
        trained(name, f"weight_decay={decay}", "epochs=2")
    none, much = (weights_of(name)["hidden.weight"].abs().sum() for name in ("none", "much"))
    assert much < 0.7 * none
    assert record_of("much")["recipe"]["changed"] == ["epochs", "weight_decay"]


def test_seeds_differ_by_all_they_depend_on():
    seeds = {seed_of(*numbers) for numbers in np.ndindex(3, 3, 3, 3)}
    assert len(seeds) == 81
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_it_ends_where_nothing_gets_better():
    record = trained("out", "epochs=60", "patience=2")
    assert record["ended"] == "patience"
    assert record["history"][-1]["epoch"] == record["best"]["epoch"] + 2
    after = record["history"][record["best"]["epoch"] + 1 :]
    assert max(one["average_precision"] for one in after) <= record["best"]["average_precision"]
    said = []
    assert trained("out", "epochs=60", "patience=2", said=said)["history"] == record["history"]
    assert "(patience); patience=null, or a larger one, would go on with it" in said[0]
    assert len(trained("out", "epochs=60", "patience=3")["history"]) > len(record["history"])


def test_a_loss_that_is_not_finite_ends_it_and_what_was_done_stays():
    text = refusal(TrainingError, trained, "out", "scorer.diverges_in=2")
    assert "The loss of batch 1 of epoch 2 is nan. Try a lower learning_rate" in text
    assert "in another folder (output=OTHER)" in text
    assert [one["epoch"] for one in record_of("out")["history"]] == [0, 1]
    assert weights_of("out")


def test_answers_that_are_not_numbers_end_it(monkeypatch):
    real = Tracks.batch

    def spoilt(self, epoch, number):
        batch = real(self, epoch, number)
        batch.inputs[1][...] = np.nan
        return batch

    monkeypatch.setattr(Tracks, "batch", spoilt)
    text = refusal(TrainingError, trained, "out")
    assert "What the network answers after epoch 0 is not a number" in text
    assert not Path("out/best.model").exists()


def test_tracks_of_over_a_minute_are_measured_in_parts():
    tracks = Tracks([example(0, 20), example(1, 3100)], arrays_of)
    assert len(tracks) == 4
    batches = [tracks.batch(0, number) for number in tracks.order(0)]
    assert [one.labels.shape for one in batches] == [(1, 20), (1, 1033), (1, 1034), (1, 1033)]
    assert tracks.frames(0, 1) == 3120
    assert batches[2].inputs[0][0, 0, 0, 0] == 1033 % 250
    assert tracks.frames(0, 2) + tracks.frames(1, 2) == 3120


def test_logs():
    record = trained("out", "logs=[csv,tensorboard]", "epochs=2")
    rows = list(csv.DictReader(Path("out/metrics.csv").read_text().splitlines()))
    assert [row["epoch"] for row in rows] == ["0", "1", "2"]
    assert rows[0]["loss"] == ""
    assert float(rows[2]["loss"]) == record["history"][2]["loss"]
    events = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    found = events.EventAccumulator("out/tensorboard")
    found.Reload()
    scalars = [(one.step, one.value) for one in found.Scalars("average_precision")]
    assert scalars == [
        (one["epoch"], pytest.approx(one["average_precision"])) for one in record["history"]
    ]


def test_without_logs_there_are_none():
    trained("out", "logs=[]", "epochs=1")
    names = {path.name for path in Path("out").iterdir()}
    assert names == {"best.model", "last.model", "state.ckpt", "training.json", records.LOCK}


def test_the_record_says_where_it_comes_from():
    record = trained("out", "epochs=1", "augment.flip=0.5")
    assert record["schema"] == records.SCHEMA
    assert record["settings"]["augment"]["flip"] == 0.5
    assert {"asdkit", "nano", "torch", "lightning-fabric"} <= set(record["provenance"]["versions"])
    one = record["data"]["train"]["v0"]
    assert (one["faces"], one["frames"]) == (2, 60)
    assert len(record["data"]["train"]) == 5
    assert len(record["data"]["validation"]) == 1
    assert set(record["files"]) == {"best.model", "last.model"}


@pytest.mark.parametrize("file", ["best", "state", "last", "training", "metrics"])
def test_a_full_disk_leaves_what_was_whole(monkeypatch, file):
    trained("out", "epochs=1", "learning_rate=0.01")
    before = {path.name: path.read_bytes() for path in Path("out").iterdir()}

    def filling(real):
        def write(path, content):
            if path.name.startswith(f".{file}."):
                raise OSError(28, "No space left on device")
            return real(path, content)

        return write

    with monkeypatch.context() as patched:
        for method in ("write_text", "write_bytes"):
            patched.setattr(Path, method, filling(getattr(Path, method)))
        words = ("epochs=30", "learning_rate=0.01")  # in which some epoch is the best
        text = refusal(OutputError, trained, "out", *words)
    assert "No space left on device. Choose another folder with output=FOLDER" in text
    names = {path.name for path in Path("out").iterdir()}
    assert names == set(before)
    assert trained("out", "epochs=2", "learning_rate=0.01")["history"][0]["epoch"] == 0
