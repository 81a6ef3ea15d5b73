"""Evaluating, keeping what was computed, sweeping, calibrating and repeating, on tiny clips."""

from __future__ import annotations

import csv
import json
import mmap
import multiprocessing
import os
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from checkout import ROOT
from synth import clicks, write_video

import asdkit
from asdkit.core.cli.main import main
from asdkit.core.config.compose import compose_app, compose_run
from asdkit.core.config.plan import make_plan
from asdkit.core.errors import AsdError, ConfigError, InputError, OutputError
from asdkit.core.evaluation.cache import Cache, Entry, LastEntry
from asdkit.core.evaluation.dataset import build, make_dataset_plan
from asdkit.core.evaluation.detections import KeptDetections
from asdkit.core.evaluation.evaluate import evaluate
from asdkit.core.evaluation.labelled_faces import parts_for
from asdkit.core.evaluation.memory import peak_memory
from asdkit.core.evaluation.metrics import average_precision
from asdkit.core.evaluation.settings import EVALUATE
from asdkit.core.evaluation.subprocess_runner import elsewhere
from asdkit.core.labels import LabelledFace
from asdkit.core.models import Models
from asdkit.core.provenance import WeightsFile
from asdkit.core.types import Detections, TrackPiece

FRAMES = 75
REGIONS = {"left": [0, 0, 48, 64], "right": [48, 0, 96, 64]}
SPEAKING = {
    "left": [int(k < 40) for k in range(FRAMES)],
    "right": [int(k >= 40) for k in range(FRAMES)],
}


def lips(number: int, width: int, height: int) -> np.ndarray:
    """Two grey faces; what stands for a mouth moves on the side that speaks."""
    image = np.full((height, width, 3), 120, np.uint8)
    left = number < 40
    x = 12 if left else 60
    image[36 : 38 + 6 * (number % 2), x : x + 24] = 20
    image[36:38, (60 if left else 12) : (84 if left else 36)] = 20
    return image


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A dataset of two clips, and the faces in every frame of either."""
    folder = tmp_path_factory.mktemp("dataset")
    truth = {"shots": [[0, FRAMES]], "regions": REGIONS, "speaking": SPEAKING}
    for number, name in enumerate(("one", "two")):
        sound = clicks(np.arange(0.1 + number / 10, 3, 0.2), 3.0)
        write_video(folder / f"{name}.mp4", frames=FRAMES, image=lips, sounds=[(0, sound)])
        (folder / f"{name}.json").write_text(json.dumps(truth))
    boxes = [[[4, 8, 44, 56, 0.9], [52, 8, 92, 56, 0.9]]] * FRAMES
    (folder / "boxes.txt").write_text(json.dumps(boxes))
    (folder / "boxes.txt").rename(folder.parent / "boxes.json")
    return folder


@pytest.fixture
def options(folder, tmp_path, monkeypatch):
    """What all evaluations here are started with, in a folder and with a cache of their own."""
    monkeypatch.setenv("ASDKIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return [
        f"dataset.folder={folder}",
        "detector=boxes",
        f"detector.path={folder.parent / 'boxes.json'}",
        "cutter=none",
        "scorer=lip_motion",
        "plots=false",
    ]


@pytest.fixture
def detected(monkeypatch):
    """The frames handed to the detector, call by call."""
    from asdkit.plugins.detectors.boxes import BoxesDetector

    calls = []
    detect = BoxesDetector.detect

    def noted(self, frames, indices):
        calls.append(list(indices))
        return detect(self, frames, indices)

    monkeypatch.setattr(BoxesDetector, "detect", noted)
    return calls


@pytest.fixture
def scored(monkeypatch):
    """How many clips each call of the scorer got."""
    from asdkit.plugins.scorers.lip_motion import LipMotion

    calls = []
    score = LipMotion.score

    def noted(self, clips):
        calls.append(len(clips))
        return score(self, clips)

    monkeypatch.setattr(LipMotion, "score", noted)
    return calls


def evaluated(overrides, folder="out", tell=lambda line: None):
    plan = make_dataset_plan(EVALUATE, compose_app(EVALUATE, overrides))
    return evaluate(plan, Path(folder), tell)


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
    assert sorted(path.name for path in Path("out").iterdir()) == ["evaluation.json", "frames.csv"]


def test_plots_and_writers(options):
    pytest.importorskip("matplotlib")
    evaluated([*options, "plots=true", "writers=[rttm]", "videos=[two]"])
    names = {str(path.relative_to("out")) for path in Path("out").rglob("*") if path.is_file()}
    pictures = {f"{n}.{s}" for n in ("precision_recall", "reliability") for s in ("svg", "png")}
    assert names == {"evaluation.json", "frames.csv", "two/speakers.rttm", *pictures}


def test_results_hold_the_notes_whether_computed_or_kept(options):
    for output in ("out", "again"):
        evaluated([*options, "videos=[two]", "rotate=0", "writers=[json]"], output)
        (note,) = json.loads(Path(output, "two", "result.json").read_text())["video"]["notes"]
        assert "turned clockwise by 0 degrees" in note


def test_thresholds_cost_no_inference(options, detected, scored):
    first = evaluated(options)
    assert sum(map(len, detected)) == 2 * FRAMES
    assert sum(scored) == 2 * 4  # two faces in each clip, with both sounds
    detected.clear()
    scored.clear()
    lines = []
    second = evaluated([*options, "segments.on=0.9", "segments.off=0.8"], "second", lines.append)
    assert not detected
    assert not scored
    assert [line.split(", ")[1] for line in lines] == ["all kept from an earlier run"] * 2
    assert second["metrics"]["average_precision"] == first["metrics"]["average_precision"]
    assert second["cost"] == first["cost"]
    assert second["metrics"]["confusion"] != first["metrics"]["confusion"]


def test_faces_are_found_once_for_all_scorers_and_trackers(options, detected, scored):
    evaluated(options)
    detected.clear()
    scored.clear()
    lines = []
    evaluated([*options, "tracker.iou_threshold=0.4"], "second", lines.append)
    assert not detected
    assert scored
    assert "faces kept from an earlier run" in lines[0]
    # A part of the frames is among them, and a changed file of boxes is another detector.
    evaluated([*options, "detect_every=5"], "third")
    assert not detected
    other = Path("other.json")
    other.write_text(json.dumps([[[4, 8, 44, 56, 0.9]]] * FRAMES))
    found = evaluated([*options, f"detector.path={other}"], "fourth")
    assert detected
    assert found["metrics"]["missed"] == 150
    assert found["metrics"]["missed_positives"] == 70


def test_frames_that_were_not_looked_at_before_are(options, detected):
    evaluated([*options, "detect_every=5"])
    seen = {index for call in detected for index in call}
    detected.clear()
    evaluated(options, "second")
    assert {index for call in detected for index in call} == set(range(FRAMES)) - seen


@pytest.mark.parametrize("looks", [True, False])
def test_a_detector_of_which_all_is_kept_is_not_built(looks):
    nothing = Detections(np.zeros((0, 4)), np.zeros(0))
    detector = SimpleNamespace(looks=looks, detect=lambda frames, indices: [nothing] * len(indices))
    built = []
    models = SimpleNamespace(
        part=lambda kind: built.append(kind) or detector, devices={}, weights={"detector": ()}
    )
    frames, cache = np.zeros((2, 8, 8, 3), np.uint8), LastEntry()
    first = KeptDetections(models, cache, {"video": "a"})
    assert first.looks == looks
    first.detect(frames, [0, 1])
    first.keep(None)
    built.clear()
    again = KeptDetections(models, cache, {"video": "a"})
    assert again.looks == looks
    assert len(again.detect(frames, [0, 1])) == 2
    assert not built


def test_the_cache_can_be_left_out_or_deleted(options, detected, tmp_path):
    kept = tmp_path / "cache" / "seen"
    evaluated([*options, "cache=false"])
    assert not kept.exists()
    assert sum(map(len, detected)) == 2 * FRAMES  # found once for both sounds all the same
    evaluated(options, "second")
    assert len(list(kept.iterdir())) == 2 * 3  # detections, and scores with both sounds
    for path in kept.iterdir():
        path.write_bytes(path.read_bytes()[:100])
    detected.clear()
    evaluated(options, "third")
    assert sum(map(len, detected)) == 2 * FRAMES
    # One that holds next to nothing keeps nothing, and does no harm.
    evaluated([*options, "cache_gb=1e-9", "tracker.iou_threshold=0.3"], "fourth")
    assert not list(kept.iterdir())


def test_a_cache_that_cannot_be_written(options, tmp_path):
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(OutputError, match="cache=false"):
        evaluated(options)
    assert not Path("out").exists()


def test_entries_of_changed_weights_are_not_taken(tmp_path):
    weights = tmp_path / "weights"
    weights.write_bytes(b"1")
    used = WeightsFile(
        str(weights), "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b", 1
    )
    cache = Cache(tmp_path / "cache", 1e6)
    cache.put({"a": 1}, Entry({"x": np.arange(3)}, {"y": 2}, {"scorer": (used,)}))
    entry = cache.get({"a": 1})
    assert entry.arrays["x"].tolist() == [0, 1, 2]
    assert entry.about == {"y": 2}
    assert entry.weights == {"scorer": (used,)}
    assert cache.get({"a": 2}) is None
    weights.write_bytes(b"2")
    assert cache.get({"a": 1}) is None


def test_what_was_not_used_for_longest_goes_first(tmp_path):
    entry = Entry({"x": np.zeros(1000)}, {}, {})
    cache = Cache(tmp_path, 20_000)
    for key in (1, 2):
        cache.put({"key": key}, entry)
    for path in tmp_path.iterdir():
        os.utime(path, (0, 0))
    assert cache.get({"key": 1})  # and so is young again
    cache.put({"key": 3}, entry)
    assert [bool(cache.get({"key": key})) for key in (1, 2, 3)] == [True, False, True]


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
        (["dataset=fly"], "There is no dataset 'fly'; there are ava, columbia, dialogue, rttm"),
    ],
)
def test_what_is_refused(options, wrong, says, capsys):
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


def test_an_evaluation_is_repeated(options, folder, capsys, tmp_path, monkeypatch):
    relative = [f"dataset.folder={os.path.relpath(folder)}", *options[1:]]
    main(["evaluate", *relative, "output=first", "segments.on=0.7"])
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    capsys.readouterr()
    main(["repeat", "../first"])
    out = capsys.readouterr().out
    assert "The same as before" in out
    assert "faces found by" in out  # not taken from what the first has kept
    again = json.loads((tmp_path / "first-again" / "evaluation.json").read_text())
    again["metrics"]["f1"] = 0.5
    (tmp_path / "first-again" / "evaluation.json").write_text(json.dumps(again))
    monkeypatch.chdir(elsewhere)
    main(["repeat", str(tmp_path / "first-again"), "output=mine"])
    assert "f1: 0.5 before" in capsys.readouterr().out
    assert (elsewhere / "mine" / "evaluation.json").is_file()
    with pytest.raises(SystemExit):
        main(["repeat", str(tmp_path / "first"), "segments.on=0.5"])
    assert "takes only output=FOLDER, but got" in capsys.readouterr().err


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
    for name in ("compare.csv", "compare.svg", "compare.png", "0/evaluation.json"):
        assert Path("sweep", name).is_file(), name


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


def test_calibrating(options, capsys):
    wanted = [word for word in options if word != "plots=false"]
    main(["calibrate", *wanted, "output=c.json"])
    out = capsys.readouterr().out
    assert "on videos it was not fitted to: expected calibration error" in out
    fitted = json.loads(Path("c.json").read_text())
    assert (fitted["scorer"], fitted["videos"], fitted["rows"]) == (
        "lip_motion",
        ["one", "two"],
        300,
    )
    plain = evaluated(options)["metrics"]
    better = evaluated([*options, "scorer.calibration=c.json"], "second")
    assert better["metrics"]["nll"] == pytest.approx(fitted["fitted"]["after"]["nll"], rel=1e-5)
    assert better["metrics"]["nll"] < plain["nll"]
    assert better["metrics"]["average_precision"] == plain["average_precision"]
    assert better["provenance"]["weights"]["calibration"][0]["path"] == "c.json"
    for words, says in (
        ([], "already there"),
        (["overwrite=true", "scorer.calibration=c.json"], "fitted without one"),
    ):
        with pytest.raises(SystemExit):
            main(["calibrate", *wanted, "output=c.json", *words])
        assert says in capsys.readouterr().err


def test_a_prior_keeps_few_people_from_moving_a_calibration_far(options, capsys):
    wanted = [word for word in options if word != "plots=false"]
    main(["calibrate", *wanted, "output=free.json"])
    main(["calibrate", *wanted, "output=held.json", "prior=0.1"])
    free, held = (json.loads(Path(f"{name}.json").read_text()) for name in ("free", "held"))
    assert (free["prior"], held["prior"]) == (None, 0.1)
    assert abs(np.log(held["temperature"])) < abs(np.log(free["temperature"])) / 2
    assert held["held_out"] != free["held_out"]
    with pytest.raises(SystemExit):
        main(["calibrate", *wanted, "output=none.json", "prior=0"])
    assert "prior must be more than 0, got 0" in capsys.readouterr().err


def spoken_with_foreign_sound(options, folder, *pairs):
    """Frames that speak and all of them, of runs with the sound of another video."""
    run = [word for word in options if not word.startswith(("dataset", "plots"))]
    spoken = frames = 0
    for one, other in pairs:
        words = [*run, "writers=[]", f"sound={folder / other}.mp4"]
        for track in asdkit.run(folder / f"{one}.mp4", words).tracks:
            spoken += round(25 * sum(end - start for start, end in track.speaking))
            frames += len(track)
    return spoken, frames


def test_faces_with_the_sound_of_another_video(options, folder, capsys):
    found = evaluated(options)
    spoken, frames = spoken_with_foreign_sound(options, folder, ("one", "two"), ("two", "one"))
    assert frames == 4 * FRAMES
    assert 0 < spoken < frames
    assert found["metrics"]["foreign_sound_frames"] == frames
    assert found["metrics"]["foreign_sound_speaking"] == pytest.approx(spoken / frames)
    never = evaluated([*options, "segments.on=1", "segments.off=1"], "never")
    assert never["metrics"]["foreign_sound_speaking"] == 0
    without = evaluated([*options, "foreign_sound=false"], "without")
    assert not [key for key in without["metrics"] if key.startswith("foreign")]
    same = {key: found["metrics"][key] for key in without["metrics"]}
    assert same == without["metrics"]
    main(["evaluate", *options, "measure=foreign_sound_speaking", "output=measured"])
    assert (
        f"speaking, foreign sound     {spoken / frames:.4f}  <- the mea" in capsys.readouterr().out
    )
    assert json.loads(Path("measured/evaluation.json").read_text())["measure"] == {
        "name": "foreign_sound_speaking", "higher_is_better": False, "value": spoken / frames,
    }  # fmt: skip


def test_foreign_sound_counts_as_far_as_it_lasts(options, folder):
    Path("data").mkdir()
    for name in ("one.mp4", "one.json"):
        Path("data", name).write_bytes((folder / name).read_bytes())
    short = 50
    write_video(
        Path("data/short.mp4"),
        frames=short,
        image=lips,
        sounds=[(0, clicks(np.arange(0.1, 2, 0.2), 2.0))],
    )
    truth = {
        "shots": [[0, short]],
        "regions": REGIONS,
        "speaking": {k: v[:short] for k, v in SPEAKING.items()},
    }
    Path("data/short.json").write_text(json.dumps(truth))
    found = evaluated(["dataset.folder=data", *options[1:]])["metrics"]
    assert found["rows"] == 2 * (FRAMES + short)
    assert found["foreign_sound_frames"] == 4 * short


def test_no_other_video_has_no_foreign_sound(options, capsys):
    main(["evaluate", *options, "videos=[one]"])
    out = capsys.readouterr().out
    assert "speaking, foreign sound     not defined" in out
    assert "again with" not in out
    metrics = json.loads(Path("asd_evaluation/evaluation.json").read_text())["metrics"]
    assert (metrics["foreign_sound_speaking"], metrics["foreign_sound_frames"]) == (None, 0)


def test_a_run_in_which_everybody_speaks_says_so(options, folder, caplog):
    run = [word for word in options if not word.startswith(("dataset", "plots"))]
    always = ["segments.on=0", "segments.off=0", "writers=[json]", "output=out"]
    result = asdkit.run(folder / "one.mp4", [*run, *always])
    (note,) = json.loads(Path("out/result.json").read_text())["video"]["notes"]
    assert (note,) == result.video.notes
    assert "Everybody in sight seems to speak all the time (100 % of the faces in the 3.0 s" in note
    assert note in caplog.messages
    assert not asdkit.run(folder / "one.mp4", [*run, "writers=[]"]).video.notes


def test_a_calibration_of_another_scorer(options):
    Path("c.json").write_text(
        json.dumps(
            {"schema": "asdkit.calibration/1", "scorer": "lr_asd", "temperature": 2, "bias": 0}
        )
    )
    with pytest.raises(ConfigError, match="fitted on scorer=lr_asd, not lip_motion"):
        compose = [word for word in options if not word.startswith(("dataset", "plots"))]
        make_plan(compose_run([*compose, "scorer.calibration=c.json"], "x.mp4"))


def test_a_loaded_scorer_is_calibrated(options):
    Path("c.json").write_text(
        json.dumps(
            {"schema": "asdkit.calibration/1", "scorer": "lip_motion", "temperature": 2, "bias": 1}
        )
    )
    rng = np.random.default_rng(0)
    faces = rng.integers(0, 255, (20, 112, 112)).astype(np.uint8)
    clip = asdkit.Clip(faces, rng.integers(-999, 999, 20 * 640).astype(np.int16))
    plain = asdkit.load("scorer", "lip_motion").score([clip])[0]
    better = asdkit.load("scorer", "lip_motion", calibration="c.json").score([clip])[0]
    odds = np.log(plain.probability / (1 - plain.probability)).astype(np.float64)
    assert better.probability == pytest.approx(1 / (1 + np.exp(-(odds / 2 + 1))), abs=1e-4)
    assert np.array_equal(better.score, plain.score)


def test_a_result_is_repeated_from_its_folder_alone(options, folder, capsys, monkeypatch, tmp_path):
    run = [word for word in options if not word.startswith(("dataset", "plots"))]
    video = os.path.relpath(folder / "one.mp4")
    main(["run", video, *run, "segments.on=0.7", "seed=5", "output=first", "writers=[json]"])
    first = json.loads(Path("first/result.json").read_text())
    assert first["provenance"]["folder"] == str(tmp_path)
    assert first["settings"]["seed"] == 5
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    main(["repeat", str(tmp_path / "first")])
    assert "The same as before" in capsys.readouterr().out
    again = json.loads((tmp_path / "first-again" / "result.json").read_text())
    assert again["tracks"] == first["tracks"]
    assert again["settings"]["segments"]["on"] == 0.7
    main(["repeat", str(tmp_path / "first"), "segments.on=0.95", f"output={tmp_path / 'other'}"])
    assert "speaking: [[" in capsys.readouterr().out
    # Parts can be chosen anew; a path given now is one from here.
    monkeypatch.chdir(elsewhere)
    main(["repeat", "../first", "tracker.max_gap_frames=5", "writers=[rttm]", "output=third"])
    assert [path.name for path in (elsewhere / "third").iterdir()] == ["speakers.rttm"]
    monkeypatch.chdir(tmp_path / "first")
    main(["repeat", ".", f"output={tmp_path / 'fourth'}"])
    assert "The same as before" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "words", "says"),
    [
        (None, [], "cannot be read"),
        ("{}", [], "schema is missing"),
        ("no json", [], "is not a result of asd run: line 1, column 1"),
        ("old", [], "another version of asdkit made it"),
        ("torn", [], "damaged, or another version"),
        ("good", ["segments.no=1"], "There is no option"),
        ("good", ["detect_every=0"], "detect_every must be at least 1"),
        ("good", ["detect_every=1.5"], "detect_every"),
        ("good", ["threads=x"], "threads"),
        ("good", ["overwrite=maybe"], "overwrite"),
        ("good", ["device="], "device"),
        ("good", ["scorer=fly"], "There is no scorer 'fly'"),
        ("good", ["experiment=fast"], "does not take experiment=fast"),
        ("good", ["+x=1"], "does not take +x=1"),
    ],
)
def test_what_cannot_be_repeated(options, folder, text, words, says, capsys):
    if text in ("good", "old", "torn"):
        run = [word for word in options if not word.startswith(("dataset", "plots"))]
        asdkit.run(folder / "one.mp4", [*run, "output=first", "writers=[json]"])
        capsys.readouterr()
    elif text is not None:
        Path("first").mkdir()
        Path("first/result.json").write_text(text)
    if text == "torn":
        found = json.loads(Path("first/result.json").read_text())
        Path("first/result.json").write_text(json.dumps({**found, "tracks": None}))
    if text == "old":
        found = json.loads(Path("first/result.json").read_text())
        del found["settings"]["vad"]
        Path("first/result.json").write_text(json.dumps(found))
    with pytest.raises(SystemExit) as stopped:
        main(["repeat", "first", *words])
    assert stopped.value.code == 2
    assert says in capsys.readouterr().err


def test_models_are_loaded_once_for_many_videos(options, folder, monkeypatch):
    from asdkit.core.pipeline import execute

    run = [word for word in options if not word.startswith(("dataset", "plots"))]
    plans = [
        make_plan(compose_run([*run, "writers=[]"], str(folder / f"{name}.mp4")))
        for name in ("one", "two")
    ]
    models = Models(plans[0])
    scorer = models.part("scorer")
    assert models.part("scorer") is scorer
    assert models.part("tracker") is not models.part("tracker")
    together = [execute(plan, models=models) for plan in plans]
    apart = [execute(plan) for plan in plans]
    for one, other in zip(together, apart, strict=True):
        for a, b in zip(one.tracks, other.tracks, strict=True):
            assert np.array_equal(a.logits, b.logits)
        assert replace(one, tracks=(), timings_s={}).settings == other.settings
