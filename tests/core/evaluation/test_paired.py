"""Tests of two evaluations against each other: how often they err, what they are refused."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from drawn_rows import TYPICAL, of_videos
from evaluating import evaluated

from asdkit.core.cli.main import main
from asdkit.core.errors import InputError
from asdkit.core.evaluation.bootstrap import intervals
from asdkit.core.evaluation.compare import compare
from asdkit.core.evaluation.comparison_files import write_comparison
from asdkit.core.evaluation.evaluation_file import FILE, SCHEMA
from asdkit.core.evaluation.frames_file import FRAMES_FILE, read_frames, write_frames
from asdkit.core.evaluation.paired import difference, holm, pair_of, swaps
from asdkit.core.evaluation.rows import evaluate_rows
from asdkit.core.evaluation.scored import Scored, faces_of, units_of
from asdkit.core.labels import Judged


def system(rows, seed, noise=1.0, scale=1.0):
    """The rows as a system scores them that hears each with noise of its own."""
    rng = np.random.default_rng(seed)
    found = {}
    for video, one in rows.items():
        score = one.score + rng.normal(0, noise) * 0.3 + rng.normal(0, noise, len(one))
        logits = np.stack([-score, score], axis=1).astype(np.float32)
        logits[~one.found] = (0, -np.inf)
        decided = one.found & (score > 0.7)
        logits[one.found] *= scale
        found[video] = replace(one, logits=logits, decided=decided)
    return found


def compared(name, one, other, resamples=200, seed=0):
    units = units_of(*faces_of(one))
    pair = pair_of(name, *(Scored.of(list(rows.values())) for rows in (one, other)), units)
    return difference(pair, units.count, resamples, seed)


@pytest.mark.parametrize("name", ["average_precision", "f1", "expected_calibration_error"])
def test_systems_that_are_alike_are_told_apart_about_as_rarely_as_said(name):
    """150 experiments at a level of 10 %: 15 false alarms, and three standard errors about it.

    For the ranking the other system scores on another scale, which is no difference.
    """
    scale = 7.0 if name == "average_precision" else 1.0
    low, wrong, covered = 0, 0, 0
    for seed in range(150):
        rows = of_videos(12, 1000 + seed, **{**TYPICAL, "each": 30})
        found = compared(name, system(rows, 2 * seed), system(rows, 2 * seed + 1, scale=scale), 100)
        low += found.p <= 0.5
        wrong += found.p <= 0.1
        covered += found.interval.low <= 0 <= found.interval.high
    assert 4 <= wrong <= 26, wrong
    assert 57 <= low <= 93, low
    assert covered / 150 > 0.8, covered  # 95 % is not reached with 12 videos


def test_a_system_that_is_better_is_found():
    rows = of_videos(20, 3, **TYPICAL)
    found = compared("average_precision", system(rows, 1, noise=0.1), system(rows, 2, noise=3.0))
    assert found.p == pytest.approx(1 / 201)
    assert 0 < found.interval.low < found.value < found.interval.high
    back = compared("average_precision", system(rows, 2, noise=3.0), system(rows, 1, noise=0.1))
    assert back.value == -found.value


def test_pairs_tell_more_than_intervals_of_either():
    """Videos differ by more than the systems do, but alike for both."""
    rows = of_videos(20, 3, **{**TYPICAL, "level": 1.5})
    one, other = system(rows, 1, noise=0.05), system(rows, 2, noise=0.8)
    found = compared("average_precision", one, other)
    assert found.p < 0.05
    own, others = (
        intervals(each, {}, "f1", 200, 0)["metrics"]["average_precision"] for each in (one, other)
    )
    assert own["low"] < others["high"]
    same = compared("average_precision", one, one)
    assert (same.value, same.p) == (0.0, 1.0)


def test_few_units_are_swapped_in_all_ways():
    """One system is better in each of 7 faces: of 128 ways only two differ by as much."""
    rows = of_videos(7, 3, **TYPICAL)
    one, other = system(rows, 1, noise=0.01), system(rows, 2, noise=9.0)
    found = compared("average_precision", one, other, 1000)
    assert found.p == 2 / 128
    every = swaps(7, 1000, 0)
    assert len({tuple(row) for row in every.tolist()}) == len(every) == 127
    assert every.any(axis=1).all()
    assert swaps(10, 1000, 0).shape == (1000, 10)
    assert swaps(70, 1000, 0).shape == (1000, 70)


def test_a_metric_that_is_undefined_is_not_tested():
    rows = of_videos(3, 0, **TYPICAL)
    silent = {video: replace(one, truth=np.zeros(len(one), bool)) for video, one in rows.items()}
    assert compared("average_precision", silent, silent) is None


def test_holm():
    """By hand: 0.01 * 4; 0.02 * 3; 0.03 * 2, as much as the one before; 0.9 once."""
    assert holm([0.03, 0.01, 0.9, 0.02]) == pytest.approx([0.06, 0.04, 0.9, 0.06])
    assert holm([0.5, 0.6]) == [1.0, 1.0]
    assert holm([]) == []


# --- in a comparison


def test_rows_are_read_as_they_were_written(tmp_path):
    rows = {"=a": of_videos(1, 0)["v0"], "b": of_videos(1, 1)["v0"]}
    write_frames(tmp_path / FRAMES_FILE, rows)
    found = read_frames(tmp_path / FRAMES_FILE)
    assert found.faces == (("_=a", "ann"), ("_=a", "bo"), ("b", "ann"), ("b", "bo"))
    scored = Scored.of(list(rows.values()))
    for name, values in vars(scored).items():
        assert np.array_equal(getattr(found.scored, name), values), name
    assert np.array_equal(found.time_s[:40], rows["=a"].time_s)


def test_probabilities_that_rows_are_ranked_by_are_read_in_full(tmp_path):
    """Those of sure scores differ by less than float32 can tell."""
    rows = of_videos(1, 0)["v0"]
    sure = 1 - np.arange(1, len(rows) + 1) * 1e-12
    write_frames(tmp_path / FRAMES_FILE, {"v0": replace(rows, ranked_by=sure)})
    assert np.array_equal(read_frames(tmp_path / FRAMES_FILE).scored.score, sure)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no column video, person"),
        ("video,person\n", "no column time_s"),
        ("video,person,time_s,truth,score,probability,decided,found\n", "no rows"),
        ("video,person,time_s,truth,score,probability,decided,found\na,b,x,0,0,0,0,0\n", "'x'"),
        ("video,person,time_s,truth,score,probability,decided,found\na,b,0,0\n", "cannot be read"),
        ("video,person,time_s,truth,score,probability,decided,found\na,b,0,0,0,2,0,0\n", "range"),
    ],
)
def test_damaged_rows(tmp_path, text, says):
    (tmp_path / FRAMES_FILE).write_text(text)
    with pytest.raises(InputError, match=says):
        read_frames(tmp_path / FRAMES_FILE)


@pytest.fixture
def put(tmp_path):
    """Write an evaluation of rows; gives its folder."""

    def write(name, rows, measure="average_precision", **more):
        folder = tmp_path / "runs" / name
        folder.mkdir(parents=True)
        metrics = evaluate_rows(Judged.pooled(list(rows.values())))
        text = {
            "schema": SCHEMA,
            "dataset": "dialogue",
            "videos": list(rows),
            "measure": {"name": measure, "higher_is_better": True},
            "metrics": metrics,
            "cost": None,
            "settings": {"scorer": {"name": name}},
            "provenance": {},
            **more,
        }
        (folder / FILE).write_text(json.dumps(text))
        write_frames(folder / FRAMES_FILE, rows)
        return folder

    return write


@pytest.fixture
def three(put):
    rows = of_videos(12, 5, **TYPICAL)
    given = (("good", 0.05), ("same", 0.06), ("bad", 4.0))
    return [put(name, system(rows, k, noise)) for k, (name, noise) in enumerate(given)]


def cell(found, scorer, head):
    (row,) = (row for row in found.rows if row[0] == scorer)
    return row[found.heads.index(head)]


def test_others_are_tested_against_the_best(three, tmp_path):
    found = compare([tmp_path / "runs"], 200)
    best, *_, worst = (row[0] for row in found.rows)
    assert worst == "bad"
    assert cell(found, best, "difference") is None
    assert cell(found, best, "p") is None
    value, low, high, mark = cell(found, "bad", "difference")
    aps = [cell(found, name, "AP") for name in ("bad", best)]
    assert value == pytest.approx(aps[0] - aps[1])
    assert low < value < high < 0
    assert mark == "**"
    assert cell(found, "bad", "p") == pytest.approx(1 / 201)
    assert cell(found, "bad", "p (Holm)") == pytest.approx(2 / 201)
    other = "same" if best == "good" else "good"
    assert cell(found, other, "p") > 0.05
    (note,) = found.notes
    assert f"less that of {tmp_path / 'runs' / best}, with its 95% interval" in note
    assert "200 swaps of 12 videos" in note
    assert "few" not in note


def test_a_named_baseline(three, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    folders = [str(folder) for folder in three]
    main(["compare", *folders, f"baseline={three[2]}", "bootstrap=100", "output=out"])
    out = capsys.readouterr().out
    assert f"less that of {three[2]}, with its 95% interval" in out
    with Path("out/compare.csv").open(newline="") as file:
        rows = {row["scorer"]: row for row in csv.DictReader(file)}
    assert rows["bad"]["difference"] == rows["bad"]["p"] == ""
    told = next(
        line for line in Path("out/compare.tex").read_text().splitlines() if line[:4] == "same"
    )
    assert "-" not in told.replace("$-$", "")  # minus, not a hyphen
    good = rows["good"]
    assert 0 < float(good["difference low"]) < float(good["difference"])
    assert float(good["p"]) == pytest.approx(1 / 101)
    assert "\\*\\*" not in Path("out/compare.md").read_text().splitlines()[2]  # 2 / 101


def test_what_is_not_tested_is_said(put, tmp_path):
    rows = of_videos(3, 5)
    put("a", rows)
    put("b", {**rows, "v1": replace(rows["v1"], truth=~rows["v1"].truth)})
    late = replace(rows["v2"], time_s=rows["v2"].time_s + 1)
    put("c", {**rows, "v2": late})
    half = {
        name: getattr(rows["v2"], name)[:20]
        for name in Judged.__dataclass_fields__
        if name not in ("unlabelled", "ranked_by")
    }
    put("d", {**rows, "v2": Judged(**half)})
    (put("e", rows) / FRAMES_FILE).unlink()
    reference = tmp_path / "runs" / "a"
    found = compare([tmp_path / "runs"], 100)
    assert len(found.rows) == 5
    says = {
        "b": "another label of v1, ann, at 0 s",
        "c": r"no row of v2, ann, at 0 s",
        "d": "100 rows, not 120",
        "e": "has no frames.csv",
    }
    for name, text in says.items():
        with pytest.raises(InputError, match=text):
            compare([reference, tmp_path / "runs" / name], 100, reference)
    # Without a baseline that is named, there is a table all the same.
    notes = compare([reference, tmp_path / "runs" / "d"], 100).notes
    assert any("rows, not" in note and note.startswith("Not tested: ") for note in notes)


def test_rows_in_another_order_are_the_same_rows(put, tmp_path):
    rows = of_videos(3, 5)
    put("a", rows)
    order = np.random.default_rng(0).permutation(40)
    turned = {}
    for video, one in reversed(rows.items()):
        fields = {k: v[order] for k, v in vars(one).items() if k not in ("unlabelled", "ranked_by")}
        turned[video] = Judged(**fields)
    put("b", turned, videos=list(rows))
    found = compare([tmp_path / "runs"], 100)
    assert cell(found, "b", "difference").value == 0
    assert cell(found, "b", "p") == 1
    assert "p: of all 63 swaps of 6 faces; * p" in found.notes[0]
    assert found.notes[0].endswith("so few faces say little of others")


def test_a_measure_without_a_test(put, tmp_path):
    rows = of_videos(3, 5)
    folders = [put(name, rows, "best_f1") for name in "ab"]
    (note,) = compare(folders, 100).notes
    assert note.startswith("No tests: There is no test of best_f1. There are tests of average_prec")
    with pytest.raises(InputError, match="no test of best_f1"):
        compare(folders, 100, folders[0])


def test_the_diarization_error_rate_is_tested_by_videos(put, tmp_path):
    rows = of_videos(3, 5)
    measure = {"name": "diarization_error_rate", "higher_is_better": False}
    parts = {"missed_s": 0.0, "confusion_s": 0.0, "total_s": 2.0}
    for name, factor in (("a", 1.0), ("b", 1.5)):
        per_video = {
            f"v{k}": {"diarization_error_rate": 0.0, "false_alarm_s": k * factor, **parts}
            for k in range(1, 12)
        }
        metrics = {"diarization_error_rate": 3 * factor}
        put(name, rows, per_video=per_video, metrics=metrics).joinpath(FRAMES_FILE).unlink()
        path = tmp_path / "runs" / name / FILE
        path.write_text(json.dumps({**json.loads(path.read_text()), "measure": measure}))
    found = compare([tmp_path / "runs"], 500)
    assert cell(found, "b", "difference").value == pytest.approx(1.5)
    assert cell(found, "b", "p") < 0.01


@pytest.mark.usefixtures("own_alone")
@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["baseline=elsewhere"], "baseline=elsewhere holds 0 of the evaluations compared, not one"),
        (["baseline=runs"], "baseline=runs holds 3 of the evaluations compared, not one"),
        (["bootstrap=7"], "bootstrap must be 0 or from 100"),
        (["bootstrap=many"], "bootstrap must be a whole number, got many"),
        (["bootstrap=0", "baseline=runs/bad"], "with bootstrap=100 or more"),
    ],
)
def test_what_a_comparison_refuses(three, tmp_path, monkeypatch, words, says, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        main(["compare", "runs", *words])
    assert says in capsys.readouterr().err


def test_tables_have_intervals_and_the_best_in_bold(options, capsys):
    pytest.importorskip("matplotlib")
    evaluated(options, "a")
    evaluated([*options, "segments.on=0.9"], "b")
    found = write_comparison([Path("a"), Path("b")], Path("out"), 100)
    one = json.loads(Path("a/evaluation.json").read_text())
    ends = one["intervals"]["metrics"]["f1"]
    expected = f"{one['metrics']['f1']:.3f} [{ends['low']:.3f}, {ends['high']:.3f}]"
    text = Path("out/compare.md").read_text()
    assert expected in text
    f1s = [row[found.heads.index("F1")].value for row in found.rows]
    assert f1s[0] != f1s[1]
    assert f"**{max(f1s):.3f} [" in text
    assert f"\\textbf{{{max(f1s):.3f} [" in Path("out/compare.tex").read_text()
    with Path("out/compare.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {float(row["F1 low"]) for row in rows} >= {ends["low"]}
