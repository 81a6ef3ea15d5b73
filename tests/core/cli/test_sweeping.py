"""Sweeps over parts that have parameters of their own; variants; and where the results lie."""

from __future__ import annotations

from pathlib import Path

import pytest
from commanding import BOXES, CHEAP, result, video

RUN = [*BOXES, "scorer=lip_motion", "tracker.min_face_px=1", "writers=[json]", "output=out"]


@pytest.fixture
def sweep(asd):
    """Runs a multirun on a small video; gives its folders and what was printed."""

    def swept(*words):
        code, out, err = asd("run", video(), "--multirun", *RUN, *words)
        assert code == 0, err
        folders = sorted(path.parent.name for path in Path("out").glob("*/result.json"))
        return folders, [line for line in out.splitlines() if line.startswith("asd: ")]

    return swept


@pytest.fixture
def refused(asd):
    """The error of a multirun of which no job begins."""

    def refusal(*words):
        code, out, err = asd("run", video(), "--multirun", *RUN, *words)
        assert code == 2
        assert "asd: job" not in out
        assert not Path("out").exists()
        assert len(err.splitlines()) == 1
        return err

    return refusal


def test_a_parameter_is_used_where_there_is_one(sweep):
    folders, told = sweep("cutter=none,content", "cutter.threshold=20")
    assert folders == ["cutter=content,cutter.threshold=20", "cutter=none"]
    assert told[0] == "asd: cutter.threshold is left out of 1 of 2 jobs, whose part has none"
    assert result(f"out/{folders[0]}")["settings"]["cutter"]["threshold"] == 20
    assert result("out/cutter=none")["settings"]["cutter"] == {"name": "none"}


def test_null_is_a_value_of_all_jobs(sweep):
    folders, _ = sweep("cutter=none,content", "scorer.calibration=null", "cutter.threshold=20")
    assert folders == ["cutter=content,cutter.threshold=20", "cutter=none"]
    for folder in folders:
        assert result(f"out/{folder}")["settings"]["scorer"]["calibration"] is None


def test_jobs_that_are_the_same_are_run_once(sweep):
    folders, told = sweep("cutter=none,content", "cutter.threshold=20,30", "cutter.min_shot_s=1")
    assert folders == [
        "cutter=content,cutter.min_shot_s=1,cutter.threshold=20",
        "cutter=content,cutter.min_shot_s=1,cutter.threshold=30",
        "cutter=none",
    ]
    assert "asd: 1 of 4 jobs are the same as others" in told
    assert sum(line.startswith("asd: job ") for line in told) == 3


def test_a_parameter_of_all_is_not_in_the_names(sweep):
    folders, told = sweep("cutter=none", "seed=1,2", "segments.on=0.6")
    assert folders == ["seed=1", "seed=2"]
    assert not any("left out" in line for line in told)


def test_a_writer_that_only_some_have(sweep):
    folders, _ = sweep("cutter=none", "writers=[json],[json,srt]", "writers.srt.lines=1")
    assert folders == ["writers=json", "writers=json+srt,writers.srt.lines=1"]


def test_variants_beside_parts_without_any(sweep):
    folders, _ = sweep("cutter=none", "context=none,others@0.25,others@0.5")
    assert folders == ["context=none", "context=others@0.25", "context=others@0.5"]
    assert result("out/context=others@0.5")["settings"]["context"] == {
        "name": "others",
        "weight": 0.5,
    }


def test_an_experiment_that_brings_the_part(sweep, tmp_path):
    (tmp_path / "presets" / "experiment").mkdir(parents=True)
    for name, part in (("cut", "content"), ("whole", "none")):
        preset = tmp_path / "presets" / "experiment" / f"{name}.yaml"
        preset.write_text(f"# @package _global_\ndefaults:\n  - override /cutter: {part}\n")
    presets = ["--config-dir", str(tmp_path / "presets")]
    folders, _ = sweep("experiment=cut,whole", "cutter.threshold=20", *presets)
    assert folders == ["experiment=cut,cutter.threshold=20", "experiment=whole"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            ["cutter=none,content", "cutter.treshold=2"],
            "There is no option cutter.treshold. Did you mean cutter.threshold?",
        ),
        (
            ["cutter=none,csv", "cutter.threshold=2"],
            "There is no option cutter.threshold here. It belongs to cutter=content",
        ),
        (["cutter=none,contend"], "There is no cutter 'contend'; there are content, csv, none"),
        (
            ["writers=[json],[json,srt]", "writers.srt.wrong=1"],
            "There is no option writers.srt.wrong. There are transcript, ",
        ),
        (
            ["writers=[json],[srt]", "writers.rttm.wrong=1"],
            "There is no option writers.rttm.wrong. Choose the writer first",
        ),
        (["cutter=none,content", "cutter.threshold=[1"], "cutter.threshold=[1 cannot be under"),
        (["context=none,others@", "seed=1"], "context=others@ lacks what stands after @"),
        (
            ["context=none,others@0.5", "context.weight=0.1"],
            "context=others@0.5 sets context.weight, which is given as well",
        ),
    ],
)
def test_a_parameter_of_none_is_refused(refused, words, says):
    assert says in refused(*words)


def test_other_folders_are_left_as_they_were_asked_for(sweep):
    folders, told = sweep("cutter=none", "seed=1,2", "hydra.sweep.subdir=of_${seed}")
    assert folders == ["of_1", "of_2"]
    assert told[-1].startswith("asd: ")


def test_batches_of_jobs_and_their_numbers(sweep):
    folders, told = sweep("cutter=none", "seed=1,2,3", "hydra.sweeper.max_batch_size=2")
    assert folders == ["seed=1", "seed=2", "seed=3"]
    assert [line for line in told if "job" in line] == [
        f"asd: job {k}: seed={k + 1}" for k in range(3)
    ]


def test_jobs_of_a_launcher_in_other_processes(sweep):
    pytest.importorskip("hydra_plugins.hydra_submitit_launcher")
    launcher = ["hydra/launcher=submitit_local", "cutter=none,content", "cutter.threshold=20"]
    folders, _ = sweep(*launcher, "context=others@0.5")
    assert folders == ["cutter=content,cutter.threshold=20", "cutter=none"]
    assert result("out/cutter=none")["settings"]["context"]["weight"] == 0.5


def test_a_job_is_repeated_from_its_folder(asd, sweep):
    sweep("cutter=none,content", "context=none,others@0.5")
    code, out, err = asd("repeat", "out/cutter=none,context=others@0.5")
    assert (code, err.count("Traceback")) == (0, 0)
    assert "The same as before, number for number" in out
    code, _, _ = asd("repeat", "out/cutter=none,context=none", "context=others@0.25", "output=b")
    assert code == 0
    assert result("b")["settings"]["context"] == {"name": "others", "weight": 0.25}


def test_a_single_run_takes_a_variant(asd):
    assert asd("run", video(), *BOXES, *CHEAP, "context=others@0.5", "output=out")[0] == 0
    assert result("out")["settings"]["context"] == {"name": "others", "weight": 0.5}
