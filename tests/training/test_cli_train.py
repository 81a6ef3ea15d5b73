"""asd train, and asd repeat of a training, as commands: what they refuse and tell."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from nanotraining import WORDS, record_of

from asdkit.core import stopping
from asdkit.core.cli.help import attributes
from asdkit.core.cli.train import print_training
from asdkit.core.errors import AsdError
from asdkit.core.registry import registry
from asdkit.training import train
from asdkit.training.settings import TRAIN

pytestmark = pytest.mark.usefixtures("nano")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["scorer=lip_motion"], "scorer=lip_motion cannot be trained. These can: "),
        (["dataset.videos=1"], "has faces of one video only, v0, so none can be kept apart to "
         "validate on. Name a second dataset: validation=NAME"),
        (["dataset.videos=0"], "No face of the 0 videos has a label"),
        (["dataset.speaks=false"], "No face to train on speaks, by the labels"),
        (["validation=made", "validation.first=3"], "v3, v4, v5 would be trained and validated on"),
        (["validation=made", "validation.frist=3"], "There is no option validation.frist"),
        (["validation=maid"], "There is no validation 'maid'; there are"),
        (["validation.first=3"], "validation.first"),
        (["scorer.weights=nowhere.model"], "nowhere.model"),
        (["epochs=0"], "epochs must be at least 1, got 0"),
        (["workers=-1"], "workers must be at least 0, got -1"),
        (["batch_frames=5"], "batch_frames must be at least 10, got 5"),
        (["learning_rate=0"], "learning_rate must be above 0, got 0.0"),
        (["learning_rate=fast"], "learning_rate must be a number or null, got 'fast'"),
        (["decay=1.5"], "decay must be above 0, up to 1, got 1.5"),
        (["weight_decay=-1"], "weight_decay must be at least 0, got -1.0"),
        (["validation_part=1"], "validation_part must be below 1"),
        (["validation_part=-1"], "validation_part must be above 0, below 1, got -1.0"),
        (["save_every_min=0"], "save_every_min must be above 0, got 0.0"),
        (["cache_gb=0"], "cache_gb must be above 0"),
        (["seed=4294967296"], "seed must be from 0 to 2**32 - 1"),
        (["precision=bf16"], "precision must be 32, bf16-mixed or 16-mixed, got 'bf16'. Did you"),
        (["precision=16-mixed"], "precision=16-mixed needs a GPU"),
        (["logs=[tensorbord]"], "Did you mean tensorboard?"),
        (["device=gpu"], "device must be auto, cpu, cuda or cuda:N, got gpu"),
        (["augment.flip=2"], "augment.flip must be from 0 to 1, got 2.0"),
        (["augment.flop=1"], "Did you mean augment.flip?"),
        (["output="], "output names no folder"),
        (["video=a.mp4"], "There is no option video"),
        (["talk.mp4"], "train takes options of the form KEY=VALUE, but got 'talk.mp4'"),
    ],
)  # fmt: skip
def test_what_is_refused(refused, words, said):
    assert said in refused("train", *WORDS, *words)
    assert not Path("asd_training").exists()


def test_the_crops_and_labels_have_to_be_there(refused):
    ava = ["scorer=nano", "dataset=ava", "dataset.truth=labels.csv", "dataset.crops=crops"]
    assert "labels.csv" in refused("train", *ava)
    assert "dataset.truth is not set" in refused("train", "scorer=nano", "dataset=ava")


@pytest.mark.parametrize(
    ("module", "words", "told"),
    [
        ("lightning_fabric", [], "asd train needs the package lightning-fabric"),
        ("tensorboard", ["logs=[tensorboard]"], "or choose logs=[csv], which works without"),
        ("torch", [], "asd train needs the package torch"),
    ],
)
def test_packages_that_are_missing_are_named(refused, monkeypatch, module, words, told):
    monkeypatch.setitem(sys.modules, module, None)
    assert told in refused("train", *WORDS, *words)


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda *_: 3, "must be trained as a Trainable, but was as a int"),
        (lambda *_: 1 / 0, "failed: ZeroDivisionError: division by zero"),
    ],
)
def test_a_scorer_that_hands_out_nothing_to_train_is_named(refused, monkeypatch, made, said):
    key = ("scorer", "nano")
    broken = replace(registry().components[key], trainable=made)
    monkeypatch.setitem(registry().components, key, broken)
    line = refused("train", *WORDS)
    assert line.startswith("asd: scorer=nano (nano 1.0)")
    assert said in line


def test_gpus_that_are_not_there_are_named(refused, monkeypatch):
    import torch

    if torch.cuda.is_available():
        monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
        words = ["device=cuda", "devices=2"]
        assert "devices=2 from cuda:0 on were asked for" in refused("train", *WORDS, *words)
    else:
        assert "sees no CUDA device" in refused("train", *WORDS, "device=cuda")


def test_it_tells_what_came_of_it_and_what_to_do_next(asd, capsys):
    code, out, err = asd("train", *WORDS, "output=out")
    assert code == 0, err
    lines = out.splitlines()
    assert re.fullmatch(r"epoch 0: average precision 0\.\d{4}", lines[0])
    assert re.fullmatch(
        r"epoch 3: loss \d\.\d{4}, average precision 0\.\d{4}, \d+ s, \d+ face frames/s", lines[3]
    )
    best = record_of("out")["best"]
    told = f"best average precision {best['average_precision']:.4f}, after epoch {best['epoch']} of"
    assert lines[4].startswith(told)
    assert lines[5] == "to use it: asd run FILE scorer=nano scorer.weights=out/best.model"
    calibrate = "asd calibrate dataset=NAME scorer=nano scorer.weights=out/best.model"
    assert lines[6:] == [f"to have its probabilities mean what they say: {calibrate}"]
    settings = {**record_of("out")["settings"], "plugins": ["my.py"]}
    record = {**record_of("out"), "settings": settings, "scores_with": {"window_seconds": [60]}}
    print_training(record, Path("sweep/rate=1"), quiet=False)
    used = "'plugins=[my.py]' scorer=nano \"scorer.weights='sweep/rate=1/best.model'\""
    used += " 'scorer.window_seconds=[60]'"
    _, use, calibrate = capsys.readouterr().out.splitlines()
    assert use == f"to use it: asd run FILE {used}"
    assert calibrate.endswith(f"asd calibrate dataset=NAME {used}")
    stages = [line for line in err.splitlines() if not line.startswith("asd: validating")]
    assert stages == [f"asd: epoch {k} of 3" for k in (1, 2, 3)]


def test_when_it_is_stopped_it_says_how_to_go_on(asd, monkeypatch):
    """Also where it does not end by itself in time, for which a clean-up is registered."""
    registered = []

    def stopped(*_):
        registered.extend(act() for act in stopping._RESORTS)
        raise KeyboardInterrupt

    monkeypatch.setattr("asdkit.training.run.train", stopped)
    told = "The same command goes on from where the state was last saved"
    assert asd("train", *WORDS) == (130, "", f"asd: stopped. {told}\n")
    assert registered == [told]


def test_quiet_prints_nothing(asd):
    assert asd("train", *WORDS, "output=out", "epochs=1", "quiet=true") == (0, "", "")


def test_a_second_dataset_is_validated_on(asd):
    words = ["validation=made", "validation.first=50", "validation.videos=2", "epochs=1"]
    assert asd("train", *WORDS, "output=out", *words, "quiet=true")[0] == 0
    data = record_of("out")["data"]
    assert list(data["validation"]) == ["v50", "v51"]
    assert len(data["train"]) == 6


def test_from_python():
    lines = []
    record = train(WORDS, lines.append, epochs=1, output="mine")
    assert record["history"] == record_of("mine")["history"]
    assert any(line.startswith("epoch 1") for line in lines)
    with pytest.raises(AsdError, match="epochs must be at least 1"):
        train(WORDS, epochs=0)


def test_several_at_once(asd):
    words = ["--multirun", "learning_rate=0.01,0.02", "epochs=1", "quiet=true"]
    code, _, err = asd("train", *WORDS, "output=out", *words)
    assert code == 0, err
    for rate in (0.01, 0.02):
        record = record_of(f"out/learning_rate={rate}")
        assert record["history"][1]["learning_rate"] == rate


def test_a_training_is_repeated_from_its_record(asd):
    assert asd("train", *WORDS, "output=out", "epochs=2", "quiet=true")[0] == 0
    code, out, err = asd("repeat", "out")
    assert code == 0, err
    assert out.splitlines()[-1] == "The same as before, number for number"
    again = record_of("out-again")
    assert again["files"] == record_of("out")["files"]
    record = record_of("out")
    record["history"][2]["loss"] = 1.0
    record["files"]["best.model"] = "0"
    record["provenance"]["versions"]["torch"] = "1.0"
    record["data"]["train"]["v0"]["frames"] = 3
    Path("out/training.json").write_text(json.dumps(record))
    code, out, err = asd("repeat", "out/training.json", "output=elsewhere")
    assert code == 0, err
    told = out.splitlines()[-4:]
    assert told[0] == "data, train: v0 is not the same"
    assert told[1].startswith("versions, torch: 1.0 before, ")
    assert told[2].startswith("epoch 2, loss: 1.0 before, ")
    assert told[3] == "best.model: other weights"


def test_repetitions_that_are_refused(asd, refused):
    assert asd("train", *WORDS, "output=out", "epochs=1", "quiet=true")[0] == 0
    assert "Of a training repeat takes only output=FOLDER" in refused("repeat", "out", "seed=3")
    record = record_of("out")
    Path("out/training.json").write_text(json.dumps({**record, "schema": "asdkit.training/9"}))
    assert "is no record of a training, or not of this version" in refused("repeat", "out")
    del record["settings"]["seed"]
    Path("out/training.json").write_text(json.dumps(record))
    assert "it has no seed" in refused("repeat", "out")
    record["settings"]["plugins"] = ["my.py"]
    Path("out/training.json").write_text(json.dumps(record))
    assert "not run because a file says so" in refused("repeat", "out")


@pytest.mark.usefixtures("own_alone")
def test_the_help_tells_of_every_option(asd):
    code, out, err = asd("train", "--help")
    assert code == 0, err
    for name, said in attributes(TRAIN.options).items():
        assert said, name
        assert f"  {name}=" in out or f"  {name}." in out
    assert "validation=null" in out
    assert "  augment.flip=0.25 " in out
    shown = asd("train", "validation=ava", "--help")[1]
    assert "  validation.truth=??? " in shown
    assert "asd train dataset=NAME" in asd("--help")[1]


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("vali", {"validation=", "validation_part="}),
        ("validation=di", {"validation=dialogue"}),
        ("validation=ava validation.tr", {"validation.truth="}),
        ("precision=", {"precision=32", "precision=bf16-mixed", "precision=16-mixed"}),
        ("augment.fl", {"augment.flip="}),
        ("from_nothing=", {"from_nothing=true", "from_nothing=false"}),
        ("scorer=na", {"scorer=nano"}),
    ],
)
def test_words_are_completed(asd, monkeypatch, typed, offered):
    monkeypatch.setenv("COMP_LINE", f"asd train {typed}")
    code, out, _ = asd("-sc", "query=bash")
    assert code == 0
    assert set(out.split()) == offered
