"""Every command in the README and the docs is one that asd understands."""

from __future__ import annotations

import shutil
from functools import partial

import pytest
from checkout import ROOT
from documented import commands, each_of

from asdkit.core.batch.settings import BATCH
from asdkit.core.cli.arguments import (
    HELP,
    is_override,
    parted,
    quoted,
    split_source,
    split_video,
    take_presets,
)
from asdkit.core.cli.batch_views import VIEWS
from asdkit.core.cli.commands import NAMES
from asdkit.core.cli.sweeping import fitted_jobs
from asdkit.core.config.compose import RUN, compose_app, settings_of
from asdkit.core.config.plan import analysis_plan_of, make_plan
from asdkit.core.data.dialogue_settings import DIALOGUES
from asdkit.core.data.settings import CHECK, CROPS
from asdkit.core.errors import ConfigError
from asdkit.core.evaluation.dataset import make_dataset_plan
from asdkit.core.evaluation.settings import CALIBRATE, EVALUATE
from asdkit.core.finished.settings import WRITE
from asdkit.core.live.plan import LIVE, make_live_plan
from asdkit.export.settings import EXPORT, make_export_plan
from asdkit.training.settings import TRAIN, make_train_plan

APPS = {
    "run": (RUN, make_plan),
    "live": (LIVE, make_live_plan),
    "batch": (BATCH, lambda config: analysis_plan_of(settings_of(BATCH, config))),
    "evaluate": (EVALUATE, lambda config: make_dataset_plan(EVALUATE, config)),
    "calibrate": (CALIBRATE, lambda config: make_dataset_plan(CALIBRATE, config)),
    "export": (EXPORT, make_export_plan),
    "train": (TRAIN, make_train_plan),
    "write": (WRITE, partial(settings_of, WRITE)),
    "data_crops": (CROPS, partial(settings_of, CROPS)),
    "data_check": (CHECK, partial(settings_of, CHECK)),
    "data_dialogues": (DIALOGUES, partial(settings_of, DIALOGUES)),
}
"""The Hydra applications, and what checks a composed configuration of each."""
ELSEWHERE = ("smile", "my.py", "solo", "centre", "lab", "tune", "submitit", "=NAME", "optuna")
"""Names of what the reader is to write or install first."""
CALIBRATION = ROOT / "plugins/scorers/lr_asd/ava.calibration.json"
TAKES_FILES = ("batch", "write", "data_crops", "data_check")
WITHOUT_DATASET = "dataset=dialogue", "dataset.folder=talks"
"""What `asd data` leaves out where only results are named."""
STANDS_FOR = {"START": "start_s=1", "END": "end_s=2", "$SLURM_ARRAY_TASK_COUNT": "shards=4"}
STANDS_FOR["$SLURM_ARRAY_TASK_ID"] = "shard=1"
ALL = [
    pytest.param(page, words, id=f"{page}: {' '.join(words)}")
    for page, words in commands()
    if not any(name in word for word in words for name in ELSEWHERE)
    and not words[1].startswith("-")
    and not words[-1].endswith(".")  # before the Tab key is pressed
]


def test_the_commands_are_found():
    assert len(ALL) > 60
    named = {param.values[1][1] for param in ALL}
    named |= {f"data_{param.values[1][2]}" for param in ALL if param.values[1][1] == "data"}
    assert named >= {*APPS, "weights", "compare", "repeat"}


@pytest.mark.parametrize(("page", "words"), ALL)
def test_it_is_understood(page, words, tmp_path, monkeypatch):
    """Everything is checked that can be before a video is opened: options, values, parts."""
    monkeypatch.chdir(tmp_path)
    for name in ("talk.rttm", "talk.json"):
        (tmp_path / name).write_text("SPEAKER talk 1 0.5 1.0 <NA> <NA> A <NA> <NA>\n")
    shutil.copy(CALIBRATION, "lr_asd.calibration.json")
    words = [STANDS_FOR.get(word.partition("=")[2], word) for word in words]
    command, *rest = words[1:] if words[1] in NAMES else ("run", *words[1:])
    if command == "data" and rest[0] not in HELP:
        command, *rest = f"data_{rest[0]}", *rest[1:]
        if command in TAKES_FILES and not any(word.startswith("dataset=") for word in rest):
            rest += WITHOUT_DATASET
    if command not in APPS or {"check", *VIEWS, *HELP} & set(rest):
        return
    app, plan = APPS[command]
    rest, presets = take_presets(rest)
    video = None
    if command == "run":
        video, rest = split_video(rest, app.keys)
        video = video or "talk.mp4"
    if command == "live":
        source, rest = split_source(rest, app.keys)
        rest = [*rest, *([f"source={quoted(source)}"] if source else [])]
    plain, _ = parted(rest, app.keys)
    overrides = [word for word in plain if is_override(word) and word != "output=-"]
    assert command in TAKES_FILES or all(map(is_override, plain)), plain
    jobs = [tuple(job) for job in each_of(overrides)]
    if len(jobs) > 1:
        jobs = fitted_jobs(jobs, lambda words: compose_app(app, words, video, presets=presets))
    for job in jobs:
        try:
            plan(compose_app(app, job, video, presets=presets))
        except ConfigError as error:
            assert "is not set" in str(error), page
