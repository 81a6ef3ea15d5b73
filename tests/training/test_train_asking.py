"""What goes wrong in a stranger's scorer while it is trained is told with its name."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from learning import arrays_of, counted, example
from nanotraining import NANO, WORDS, plan_of
from refusing import refusal

from asdkit.core.errors import InputError, PluginError
from asdkit.core.registry import registry
from asdkit.training.asking import AskedInputs
from asdkit.training.augment import Augment
from asdkit.training.batches import Batches
from asdkit.training.loader import Loader

NAME = "scorer=lips (lips 1.0)"


def fails(clips):
    raise ZeroDivisionError("no sound")


def refuses(clips):
    raise InputError("The mouth of talk is hidden", "Show it")


def one_array(clips):
    return arrays_of(clips)[0]


def a_list(clips):
    return ([1, 2],)


def too_few(clips):
    return (arrays_of(clips)[0][:1],)


@pytest.mark.parametrize("workers", [0, 1])
def test_a_scorer_that_fails_is_named_wherever_it_is_asked(workers):
    asked = AskedInputs(NAME, fails)
    batches = Batches([example(k, 20) for k in range(4)], asked, 40, Augment.none, 0)
    with Loader(batches, workers=workers) as loader, pytest.raises(PluginError) as caught:
        list(loader.epoch(1))
    said = f"{NAME} failed: ZeroDivisionError: no sound. ASDKIT_DEBUG=1 shows where"
    assert str(caught.value) == said
    if workers:
        (shown,) = vars(caught.value)["__notes__"]
        assert "in fails\n" in shown


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        (refuses, "The mouth of talk is hidden. Show it"),
        (one_array, "must make its inputs as a tuple of arrays, but made an array of shape (2, 9,"),
        (a_list, "must make its inputs as a tuple of arrays, but among them is a list"),
        (too_few, "with a row for each of 2 clips, but one has the shape (1, 9, 112, 112)"),
    ],
)
def test_inputs_that_are_none_are_told(inputs, said):
    clips = [counted(number, 0, 9) for number in range(2)]
    text = refusal((InputError, PluginError), AskedInputs(NAME, inputs), clips)
    assert text.startswith(f"{NAME}")
    assert said in text


def changed(monkeypatch, **parts):
    """Have the stranger's scorer hand out other parts to train."""
    key = ("scorer", "nano")
    usual = registry().components[key]

    def trainable(config, from_nothing):
        return replace(usual.trainable(config, from_nothing), **parts)

    monkeypatch.setitem(registry().components, key, replace(usual, trainable=trainable))


@pytest.mark.usefixtures("nano")
@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"inputs": lambda clips: ()}, "must make its inputs by a function that can be pickled"),
        ({"loss": lambda *_: 1 / 0}, "failed: ZeroDivisionError"),
        ({"checkpoint": lambda: {}["head"]}, "failed: KeyError: 'head'"),
        ({"inputs": fails}, "failed: ZeroDivisionError: no sound"),
    ],
)
def test_a_training_ends_with_the_name_of_the_scorer(asd, monkeypatch, parts, said):
    changed(monkeypatch, **parts)
    code, _, err = asd("train", *WORDS, "output=out", "from_nothing=true")
    assert code == 2
    line = err.splitlines()[-1]
    assert line.startswith("asd: scorer=nano (nano 1.0) ")
    assert said in line


@pytest.mark.usefixtures("nano")
def test_a_network_that_fails_is_named(asd, monkeypatch):
    import torch

    class Broken(torch.nn.Linear):
        def forward(self, faces, loud):
            return super().forward(faces[..., :0])

    changed(monkeypatch, module=Broken(1, 2))
    for start in ("from_nothing=true", "from_nothing=false"):  # learning, and validating first
        code, _, line = asd("train", *WORDS, start, "overwrite=true", "quiet=true")
        assert code == 2
        assert line.startswith("asd: scorer=nano (nano 1.0) failed: RuntimeError: ")


@pytest.mark.usefixtures("nano")
def test_what_a_scorer_makes_is_what_is_trained_on():
    clips = [counted(number, 0, 9) for number in range(2)]
    found = plan_of().trainable().inputs(clips)
    assert [one.shape for one in found] == [(2, 9, 1), (2, 9, 1)]
    assert np.allclose(found[0][0, :, 0] * 255, np.arange(9))


def test_a_plugin_of_a_single_file_is_known_to_the_processes_that_prepare_batches(tmp_path):
    pytest.importorskip("lightning_fabric", reason="needs the package lightning-fabric")
    (tmp_path / "my.py").write_text(NANO)
    words = ["scorer=nano", "dataset=made", "device=cpu", "epochs=1", "workers=1", "threads=1"]
    done = subprocess.run(
        [sys.executable, "-m", "asdkit", "train", "plugins=[my.py]", *words, "output=out"],
        cwd=tmp_path,
        env={**os.environ, "ASDKIT_CACHE": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert Path(tmp_path / "out" / "best.model").exists()


def test_faces_that_cannot_be_handed_on_are_told():
    lost = [replace(example(0, 20), clip=lambda start, stop: counted(0, start, stop))]
    with Loader(Batches(lost, arrays_of, 40, Augment.none, 0), workers=1) as loader:
        text = refusal(PluginError, lambda: list(loader.epoch(1)))
    assert text.startswith("The faces of the dataset cannot be handed to another process: ")
    assert text.endswith("workers=0 prepares batches in the training's process")
