"""Presets hold options alone: whoever wrote them sets nothing of Hydra's, and runs no code."""

from __future__ import annotations

from pathlib import Path

import pytest

from asdkit.core.cli.arguments import parted, take_presets
from asdkit.core.config.compose import RUN, compose_app, compose_run
from asdkit.core.errors import AsdError, ConfigError

HEAD = "# @package _global_\n"
GOOD = """\
defaults:
  - override /detector: yunet
  - override /writers: [json, rttm]
detect_every: 2
segments:
  'on': 0.8
  'off': ${segments.on}
"""


def put(folder: Path, text: str | bytes, name="experiment/mine.yaml") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_preset_of_options_is_taken(tmp_path):
    put(tmp_path, HEAD + GOOD)
    put(tmp_path, "defaults: [yunet, _self_]\nmin_face_px: 99\n", "detector/near.yaml")
    config = compose_app(RUN, ["experiment=mine", "detector=near"], "a.mp4", tmp_path)
    assert (config.detect_every, config.segments.off, config.detector.min_face_px) == (2, 0.8, 99)
    assert list(config.writers) == ["json", "rttm"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (HEAD + "hydra:\n  callbacks:\n    x: {_target_: os.getcwd}\n", "sets hydra"),
        (HEAD + "hydra: {run: {dir: /tmp/x}}\n", "sets hydra"),
        (
            HEAD + "speed: 3\n",
            "sets speed, which asd run does not know. Did you mean seed? There are",
        ),
        (HEAD + "videos: x\n", "sets videos"),
        ("# @package hydra\nverbose: true\n", "has not the head of an experiment"),
        ("detect_every: 2\n", "has not the head of an experiment"),
        (HEAD + "defaults:\n  - override /hydra/launcher: submitit_local\n", "hydra/launcher"),
        (HEAD + "defaults:\n  - override hydra/job_logging: default\n", "hydra/job_logging"),
        (HEAD + "defaults:\n  - /hydra/callbacks: x\n", "hydra/callbacks"),
        (HEAD + "defaults:\n  - /detector@hydra: yunet\n", "chooses /detector@hydra"),
        (HEAD + "defaults:\n  - /hydra/config\n", "takes in /hydra/config"),
        (HEAD + "defaults:\n  - /detector: ../../etc\n", "chooses /detector"),
        (HEAD + "defaults: hydra/config\n", "takes in hydra/config"),
        (HEAD + "output: ${oc.env:HOME}\n", "It may refer to options"),
        (HEAD + "output: ${${video}:x}\n", "It may refer to options"),
        (HEAD + "- 1\n- 2\n", "is no mapping"),
        (HEAD + "a: &x [1]\nb: *x\n", "holds references"),
        (HEAD + "a: [1\n", "cannot be read"),
        (HEAD + "a: !!python/object/apply:os.getcwd []\n", "cannot be read"),
        (HEAD + "a: " + 3000 * "[" + 3000 * "]" + "\n", "nested too deep"),
        (HEAD.encode() + b"a: \xff\n", "cannot be read"),
        (HEAD.encode() + b"a: \0\n", "cannot be read"),
    ],
)
def test_anything_else_is_refused_in_a_line_that_names_the_file(tmp_path, text, says):
    path = put(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        compose_app(RUN, ["experiment=mine"], "a.mp4", tmp_path)
    assert str(path) in str(caught.value)
    assert says in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_preset_of_one_kind_stays_there(tmp_path):
    path = put(tmp_path, "# @package hydra\nverbose: true\n", "detector/bad.yaml")
    with pytest.raises(ConfigError, match=f"{path} is for another place"):
        compose_app(RUN, ["detector=bad"], "a.mp4", tmp_path)
    put(tmp_path, "callbacks: {}\n", "hydra/callbacks/bad.yaml")
    with pytest.raises(ConfigError, match=r"bad.yaml lies in the folder hydra/callbacks"):
        compose_app(RUN, ["hydra/callbacks=bad"], "a.mp4", tmp_path)


def test_launchers_of_the_users_own_folder_are_the_users_choice(tmp_path):
    put(tmp_path, "defaults: [basic]\n", "hydra/launcher/lab.yaml")
    assert compose_app(RUN, ["hydra/launcher=lab"], "a.mp4", tmp_path).video == "a.mp4"


@pytest.mark.parametrize(
    "word",
    [
        *("--experimental-rerun", "--experimental-rerun=x.pickle", "--exp", "--e=x"),
        *("--config-path=x", "--config-name", "-cn", "-cp", "--config", "-x.mp4"),
    ],
)
def test_flags_that_are_not_offered(word):
    with pytest.raises(ConfigError, match="There is no flag"):
        parted(["a.mp4", word])


def test_the_folder_of_presets_is_taken_out_of_the_arguments(tmp_path):
    for words in (
        ["--config-dir", str(tmp_path)],
        [f"--config-dir={tmp_path}"],
        ["-cd", f"{tmp_path}"],
    ):
        assert take_presets(["a=1", *words, "-m"]) == (["a=1", "-m"], tmp_path)
    assert take_presets(["a=1"]) == (["a=1"], None)
    for words in (["--config-dir", str(tmp_path / "no")], ["--config-dir"]):
        with pytest.raises(ConfigError, match="folder"):
            take_presets(words)


def test_no_other_search_path(tmp_path):
    with pytest.raises(AsdError, match="--config-dir"):
        compose_run([f"hydra.searchpath=[{tmp_path}]"], "a.mp4")
