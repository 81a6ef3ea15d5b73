"""Evaluating, keeping what was computed, sweeping, calibrating and repeating, on tiny clips."""

from __future__ import annotations

import csv
import json
import mmap
import multiprocessing
from pathlib import Path

import numpy as np
import pytest
from checkout import ROOT
from evaluating import FRAMES, evaluated

import asdkit
from asdkit.core.cli.main import main
from asdkit.core.config.compose import compose_app
from asdkit.core.errors import AsdError, InputError, OutputError
from asdkit.core.evaluation.dataset import build, make_dataset_plan
from asdkit.core.evaluation.evaluate import evaluate
from asdkit.core.evaluation.labelled_faces import parts_for
from asdkit.core.evaluation.memory import peak_memory
from asdkit.core.evaluation.metrics import average_precision
from asdkit.core.evaluation.settings import EVALUATE
from asdkit.core.evaluation.subprocess_runner import elsewhere
from asdkit.core.labels import LabelledFace
from asdkit.core.types import Detections, TrackPiece


def test_an_evaluation_tells_quality_and_cost(options):
    lines = []
    found = evaluated([*options, "segments.on=0.6"], tell=lines.append)
    assert json.loads(Path("out/evaluation.json").read_text()) == found
    assert found["dataset"] == "dialogue"
    assert found["videos"] == ["one", "two"]
    assert lines == [
        "one: 75 frames, faces found by detector=boxes, scored by scorer=lip_motion, again with "
        "the sound of two",
        "two: 75 frames, faces found by detector=boxes, scored by scorer=lip_motion, again with "
        "the sound of one",
    ]
    metrics = found["metrics"]
    assert (metrics["rows"], metrics["positives"], metrics["missed"]) == (300, 150, 0)
    with Path("out/frames.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["video"] for row in rows] == ["one"] * 150 + ["two"] * 150
    scores = np.array([float(row["score"]) for row in rows])
    truth = np.array([row["truth"] == "1" for row in rows])
    assert average_precision(scores, truth) == pytest.approx(metrics["average_precision"])
    assert found["measure"]["value"] == metrics["average_precision"] > 0.8
    cost = found["cost"]
    assert cost["ms_per_frame"]["all"] == pytest.approx(
        sum(ms for stage, ms in cost["ms_per_frame"].items() if stage != "all")
    )
    assert cost["times_real_time"] == pytest.approx(40 / cost["ms_per_frame"]["all"])
    assert cost["peak_memory_mib"] > 10
    assert cost["model_mb"] == 0
    assert found["settings"]["segments"]["on"] == 0.6
    assert found["provenance"]["versions"]["asdkit"] == asdkit.__version__
    assert sorted(path.name for path in Path("out").iterdir()) == [
        *("evaluation.json", "frames.csv", "tables.md", "tables.tex"),
    ]


def test_plots_and_writers(options):
    pytest.importorskip("matplotlib")
    evaluated([*options, "plots=true", "writers=[rttm]", "videos=[two]"])
    names = {str(path.relative_to("out")) for path in Path("out").rglob("*") if path.is_file()}
    pictures = {f"{n}.{s}" for n in ("precision_recall", "reliability") for s in ("svg", "png")}
    tables = {"tables.md", "tables.tex"}
    assert names == {"evaluation.json", "frames.csv", "two/speakers.rttm", *pictures, *tables}


def test_results_hold_the_notes_whether_computed_or_kept(options):
    for output in ("out", "again"):
        evaluated([*options, "videos=[two]", "rotate=0", "writers=[json]"], output)
        (note,) = json.loads(Path(output, "two", "result.json").read_text())["video"]["notes"]
        assert "turned clockwise by 0 degrees" in note


def test_labelled_faces(options, folder):
    """The dataset's own faces are scored; here it gives none."""
    with pytest.raises(InputError, match="faces=found"):
        evaluated([*options, "faces=labelled"])
    ends = FRAMES - 1
    rows = [
        f"v,{k / 25:.2f},{x / 96},0.125,{(x + 40) / 96},0.875,{label},v:{x}"
        for k in range(0, FRAMES, 3)
        for x, label in (
            (4, "SPEAKING_AUDIBLE" if k < 40 else "NOT_SPEAKING"),
            (52, "SPEAKING_AUDIBLE" if k >= 40 else "NOT_SPEAKING"),
        )
    ]
    Path("truth.csv").write_text("\n".join(rows) + "\n")
    Path("videos").mkdir()
    Path("videos/v.mp4").write_bytes((folder / "one.mp4").read_bytes())
    given = ["dataset=ava", "dataset.truth=truth.csv", "dataset.videos=videos", *options[1:]]
    found = evaluated([*given, "faces=labelled", "detect_every=4"])
    assert found["metrics"]["rows"] == 2 * (ends // 3 + 1)
    assert found["metrics"]["missed"] == 0
    assert found["metrics"]["average_precision"] > 0.8
    again = evaluated([*given, "faces=labelled", "detect_every=4"], "again")
    assert again["cost"] == found["cost"]


def test_given_faces_come_out_as_they_were_given():
    boxes = np.arange(40.0).reshape(10, 4)
    faces = [LabelledFace(2, boxes), LabelledFace(0, boxes[:3]), LabelledFace(30, boxes)]
    tracker = parts_for(faces)["tracker"]
    pieces = [piece for k in range(8) for piece in tracker.update(k, Detections.none())]
    pieces += tracker.flush()
    tracks: dict[int, list[TrackPiece]] = {}
    for piece in pieces:
        tracks.setdefault(piece.track, []).append(piece)
    assert set(tracks) == {0, 1}  # the third is past the end
    assert np.array_equal(np.concatenate([p.boxes for p in tracks[0]]), boxes[:6])
    assert np.array_equal(np.concatenate([p.boxes for p in tracks[1]]), boxes[:3])
    for of_one in tracks.values():
        assert [piece.status for piece in of_one[:-1]] == ["live"] * (len(of_one) - 1)
        assert of_one[-1].status == "kept"


def test_peak_memory_is_that_of_the_block():
    with peak_memory() as small:
        pass
    # Pages of its own: the heap may have so much to spare.
    with peak_memory() as large, mmap.mmap(-1, 40_000_000) as block:
        block.write(bytes(40_000_000))
    assert large.bytes - small.bytes > 30_000_000


@pytest.mark.usefixtures("own_alone")
@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (["measure=beauty"], "There is no measure beauty with this dataset. There are rows"),
        (["faces=all"], "faces must be found or labelled"),
        (["videos=[three]"], "the dataset has no three; it has one, two"),
        (["videos=[]"], "videos names none"),
        (["cache_gb=0"], "cache_gb must be more than 0"),
        (["collar_s=-1"], "collar_s must not be negative"),
        (["scorer.calibration=none.json"], "none.json cannot be read"),
        (
            ["dataset=fly"],
            "There is no dataset 'fly'; there are asw, ava, columbia, dialogue, results, rttm",
        ),
        (["diarization=one.rttm"], "one.rttm is about one video, but there are 2. Give a folder"),
    ],
)
def test_what_is_refused(options, wrong, says, capsys):
    Path("one.rttm").write_text("SPEAKER one 1 0.1 0.5 <NA> <NA> Ann <NA> <NA>\n")
    with pytest.raises(SystemExit) as stopped:
        main(["evaluate", *options, *wrong])
    assert stopped.value.code == 2
    err = capsys.readouterr().err
    assert says in err
    assert len(err.splitlines()[-1:]) == 1
    assert not Path("asd_evaluation").exists()


def test_a_folder_that_is_taken(options):
    evaluated(options)
    with pytest.raises(OutputError, match="overwrite=true"):
        evaluated(options)
    evaluated([*options, "overwrite=true", "segments.on=0.7"])
    assert json.loads(Path("out/evaluation.json").read_text())["settings"]["segments"]["on"] == 0.7
    Path("thesis").mkdir()
    Path("thesis/chapter.txt").write_text("years of work")
    with pytest.raises(OutputError, match="something else"):
        evaluated([*options, "overwrite=true"], "thesis")
    assert Path("thesis/chapter.txt").read_text() == "years of work"
    Path("out/notes.txt").write_text("what it means")
    with pytest.raises(OutputError, match=r"something else.*notes\.txt"):
        evaluated([*options, "overwrite=true"])
    assert Path("out/notes.txt").exists()


def test_nothing_is_left_when_a_video_is_broken(options, folder):
    Path("data").mkdir()
    for name in ("one.mp4", "one.json", "two.json"):
        Path("data", name).write_bytes((folder / name).read_bytes())
    Path("data/two.mp4").write_bytes(b"not a video")
    with pytest.raises(InputError, match=r"two\.mp4"):
        evaluated([*options, "dataset.folder=data"])
    assert not Path("out").exists()


def test_another_process_computes_the_same(options, tmp_path, monkeypatch):
    plan = make_dataset_plan(EVALUATE, compose_app(EVALUATE, [*options, "cache=false"]))
    told = []
    with elsewhere(plan, lambda *progress: told.append(progress)) as compute:
        found = evaluate(plan, Path("out"), lambda line: None, compute=compute)
    here = evaluate(plan, Path("here"), lambda line: None)
    assert found["metrics"] == here["metrics"]
    assert found["cost"]["peak_memory_mib"] > 10
    assert ("finding speakers", FRAMES, FRAMES) in told


def test_errors_and_death_of_another_process(options, folder):
    Path("data").mkdir()
    for name in ("one.json", "one.mp4"):
        Path("data", name).write_bytes((folder / name).read_bytes())
    plan = make_dataset_plan(EVALUATE, compose_app(EVALUATE, [*options, "dataset.folder=data"]))
    video = build(plan).videos()[0]
    with elsewhere(plan, lambda *_: None) as compute:
        Path("data/one.mp4").write_bytes(b"no video")
        with pytest.raises(AsdError, match=r"one\.mp4"):
            compute(video, plan.run.for_video("data/one.mp4"))
    with elsewhere(plan, lambda *_: None) as compute:
        Path("data/one.mp4").write_bytes((folder / "one.mp4").read_bytes())
        compute(video, plan.run.for_video("data/one.mp4"))
        for child in multiprocessing.active_children():
            child.kill()
        with pytest.raises(AsdError, match="The process that looked at one died"):
            compute(video, plan.run.for_video("data/one.mp4"))


def test_a_sweep_ends_with_one_table(options, capsys):
    pytest.importorskip("matplotlib")
    main(
        [
            "evaluate",
            *options,
            "--multirun",
            "tracker.iou_threshold=0.3,0.5",
            "segments.on=0.5,0.9",
            "output=sweep",
        ]
    )
    out = capsys.readouterr().out
    assert out.count("faces found by") == 2  # once for each clip
    assert out.count("faces kept from") == 2
    assert out.count("all kept from") == 4
    table = Path("sweep/compare.md").read_text()
    assert len([line for line in table.splitlines() if line.startswith("|")]) == 2 + 4
    for name in ("compare.csv", "compare.svg", "compare.png"):
        assert Path("sweep", name).is_file(), name
    jobs = {path.parent.name for path in Path("sweep").glob("*/evaluation.json")}
    assert jobs == {
        f"tracker.iou_threshold={least},segments.on={on}"
        for on in (0.5, 0.9)
        for least in (0.3, 0.5)
    }


@pytest.mark.filterwarnings("ignore")  # Optuna's, of a library's names
def test_a_sweeper_looks_for_the_best(options, capsys):
    pytest.importorskip("hydra_plugins.hydra_optuna_sweeper")
    main(
        [
            "evaluate",
            "--config-dir",
            str(ROOT / "examples" / "tune"),
            "experiment=tune",
            "hydra/sweeper=tune",
            *options,
            "hydra.sweeper.n_trials=3",
            "--multirun",
        ]
    )
    best = Path("tuned/optimization_results.yaml").read_text()
    values = [
        json.loads(path.read_text())["measure"]["value"]
        for path in Path("tuned").glob("*/evaluation.json")
    ]
    assert len(values) == 3
    assert f"{max(values)}" in best
