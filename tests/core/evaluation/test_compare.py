"""Evaluations side by side: what differs, which is best, what is refused; and the pictures."""

from __future__ import annotations

import copy
import csv
import json
import sys
from pathlib import Path
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest

from asdkit.core.component import RUN_KINDS
from asdkit.core.errors import InputError, MissingExtraError
from asdkit.core.evaluation.compare import compare
from asdkit.core.evaluation.comparison_files import write_comparison
from asdkit.core.evaluation.evaluation_file import FILE, SCHEMA
from asdkit.core.evaluation.metrics import expected_calibration_error, reliability
from asdkit.core.evaluation.plots import (
    draw_precision_recall,
    draw_quality_against_speed,
    draw_reliability,
)

SETTINGS = {
    **{kind: {"name": "none"} for kind in RUN_KINDS},
    "detector": {"name": "mtcnn", "min_face_px": 40},
    "scorer": {"name": "lr_asd", "weights": "ava"},
    "segments": {"on": 0.5, "off": 0.35},
    "output": "a",
    "overwrite": False,
}


@pytest.fixture
def put(tmp_path):
    """Write an evaluation, with other settings as dotted keys; gives its folder."""

    def write(name: str, value: float | None = 0.5, speed: float | None = 2.0, **more) -> Path:
        settings = copy.deepcopy(SETTINGS)
        settings["output"] = name
        for key, setting in more.pop("settings", {}).items():
            *above, last = key.split(".")
            node = settings
            for part in above:
                node = node[part]
            node[last] = setting
        cost = None
        if speed is not None:
            cost = {
                "times_real_time": speed,
                "ms_per_frame": {"detect": 10.0, "all": 40 / speed},
                "peak_memory_mib": 800.5,
                "model_mb": 3.4,
            }
        text = {
            "schema": SCHEMA,
            "dataset": "dialogue",
            "videos": ["one", "two"],
            "measure": {"name": "average_precision", "higher_is_better": True, "value": value},
            "metrics": {"average_precision": value, "f1": 0.25, "brier": value},
            "cost": cost,
            "settings": settings,
            "provenance": {},
            **more,
        }
        path = tmp_path / "runs" / name / FILE
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(text), encoding="utf-8")
        return path.parent

    return write


def runs(tmp_path: Path) -> list[Path]:
    return [tmp_path / "runs"]


def column(found, head: str) -> list:
    return [row[found.heads.index(head)] for row in found.rows]


def texts(path: Path) -> list[str]:
    """The texts of an SVG, which holds them as text."""
    tree = ElementTree.parse(path)
    return ["".join(node.itertext()) for node in tree.iter("{http://www.w3.org/2000/svg}text")]


# --- the table


def test_best_first_and_ties_as_they_came(put, tmp_path):
    folders = [put("a", 0.7), put("b", 0.9), put("c", None), put("d", 0.7)]
    found = compare(runs(tmp_path))
    assert column(found, "folder") == [str(folders[k]) for k in (1, 0, 3, 2)]
    assert column(found, "AP") == [0.9, 0.7, 0.7, None]


def test_a_measure_that_should_be_low(put, tmp_path):
    measure = {"name": "brier", "higher_is_better": False, "value": 0.0}
    for name, value in (("a", 0.3), ("b", 0.1), ("c", 0.2)):
        put(name, value, measure=measure)
    assert column(compare(runs(tmp_path)), "brier") == [0.1, 0.2, 0.3]


def test_off_screen_speech_has_columns_where_it_is_known(put, tmp_path):
    put("a", 0.7)
    assert not {"off-screen recall", "off-screen precision"} & {*compare(runs(tmp_path)).heads}
    known = {"average_precision": 0.6, "off_screen_recall": 0.25, "off_screen_precision": None}
    put("b", 0.6, metrics=known)
    found = compare(runs(tmp_path))
    assert column(found, "off-screen recall") == [None, 0.25]
    assert "off-screen precision" not in found.heads


def test_only_what_differs_is_a_column(put, tmp_path):
    put("a", settings={"detector": {"name": "yunet", "longer_side_px": 640}})
    put("b", settings={"segments.on": 0.6})
    put("c")
    found = compare(runs(tmp_path))
    # Parameters of different detectors, such as min_face_px, do not compare.
    assert found.heads[:2] == ("detector", "segments.on")
    assert not any(head.startswith(("scorer", "output", "detector.")) for head in found.heads)
    assert {"AP", "F1", "x real time", "ms/frame", "MiB", "model MB"} <= set(found.heads)
    assert "ECE" not in found.heads  # none has it


def test_parameters_that_differ_within_one_component(put, tmp_path):
    put("a", 0.9, settings={"detector": {"name": "yunet", "longer_side_px": 640}})
    put("b", 0.8)
    put("c", 0.7, settings={"detector.min_face_px": 20})
    found = compare(runs(tmp_path))
    assert found.heads[:2] == ("detector", "detector.min_face_px")
    assert [row[:2] for row in found.rows] == [("yunet", None), ("mtcnn", 40), ("mtcnn", 20)]


def test_an_evaluation_in_two_folders_counts_once(put, tmp_path):
    one = put("a")
    assert len(compare([tmp_path, one, one.parent]).rows) == 1


def test_an_evaluation_still_being_written_does_not_count(put, tmp_path):
    folder = put("a")
    put(".b.123/new")
    assert column(compare(runs(tmp_path)), "folder") == [str(folder)]


def test_files(put, tmp_path):
    put("a", 0.123456789, 4.0, settings={"scorer.weights": "x|y"})
    put("b", None, None)
    out = tmp_path / "out"
    found = write_comparison(runs(tmp_path), out)
    assert {path.name for path in out.iterdir()} == {
        f"compare.{kind}" for kind in ("csv", "md", "tex", "svg", "png")
    }
    with (out / "compare.csv").open(encoding="utf-8", newline="") as file:
        head, first, second = csv.reader(file)
    assert tuple(head) == found.heads
    assert "0.123456789" in first
    assert second.count("") == head.index("folder") - 2  # all but the weights and f1
    lines = (out / "compare.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 4
    assert lines[2].startswith("| x\\|y | 0.1235 |")
    assert len({line.replace("\\|", "").count("|") for line in lines}) == 1
    assert any(text.startswith("weights x|y") for text in texts(out / "compare.svg"))


def test_without_costs_there_is_no_picture(put, tmp_path):
    put("a", speed=None)
    write_comparison(runs(tmp_path), tmp_path / "out")
    assert not list(tmp_path.glob("out/*.svg"))


# --- what is refused


def test_no_evaluation(tmp_path):
    with pytest.raises(InputError, match=r"no evaluation.json in .*asd evaluate"):
        compare([tmp_path])


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", f'{{"schema": "{SCHEMA}"}}', "\udcff"])
def test_a_damaged_file(put, tmp_path, text):
    put("a")
    (put("b") / FILE).write_text(text, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(InputError, match=r"b.evaluation.json is not an evaluation"):
        compare(runs(tmp_path))


def test_another_form(put, tmp_path):
    put("a", schema="asdkit.evaluation/9")
    with pytest.raises(InputError, match=r"asdkit.evaluation/9', not 'asdkit.evaluation/1'"):
        compare(runs(tmp_path))


@pytest.mark.parametrize("other", [{"dataset": "ava"}, {"videos": ["one"]}])
def test_what_does_not_compare(put, tmp_path, other):
    put("a")
    put("b", **other)
    with pytest.raises(InputError, match=f"not of the same {next(iter(other))}"):
        compare(runs(tmp_path))


def test_without_matplotlib(put, tmp_path, monkeypatch):
    put("a")
    for name in [name for name in sys.modules if name.split(".")[0] == "matplotlib"]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r"matplotlib.*\[evaluate\]"):
        write_comparison(runs(tmp_path), tmp_path / "out")


# --- the pictures


def pictures(stem: Path) -> bytes:
    """Both files as one, after a look at whether they are pictures."""
    svg, png = (stem.with_name(f"{stem.name}.{kind}") for kind in ("svg", "png"))
    assert texts(svg)
    assert cv2.imread(str(png)).std() > 0
    return svg.read_bytes() + png.read_bytes()


def test_precision_recall(tmp_path):
    pytest.importorskip("matplotlib")
    scores, truth = np.array([3.0, 2.0, 1.0, -np.inf]), np.array([True, False, True, False])
    for name in "ab":
        files = draw_precision_recall(scores, truth, tmp_path / name)
        assert files == [tmp_path / f"{name}.svg", tmp_path / f"{name}.png"]
    # By hand: 1/2 * 1 + 1/2 * 2/3; half of all rows speak.
    assert {"average precision 0.8333", "guessing 0.5000"} <= set(texts(tmp_path / "a.svg"))
    assert pictures(tmp_path / "a") == pictures(tmp_path / "b")


def test_nobody_speaks(tmp_path):
    with pytest.raises(InputError, match="speak"):
        draw_precision_recall(np.zeros(3), np.zeros(3, bool), tmp_path / "a")
    assert not list(tmp_path.iterdir())


def test_reliability(tmp_path):
    pytest.importorskip("matplotlib")
    probability, truth = np.array([0.1, 0.2, 0.9]), np.array([False, True, True])
    bins = reliability(probability, truth)._asdict()
    found = {
        "reliability": {
            name: [None if np.isnan(value) else value for value in values.tolist()]
            for name, values in bins.items()
        },
        "expected_calibration_error": expected_calibration_error(probability, truth),
    }
    draw_reliability(found, tmp_path / "a")
    pictures(tmp_path / "a")
    # By hand: (0.1 + 0.8 + 0.1) / 3, each in a bin of its own.
    assert "expected calibration error 0.3333" in texts(tmp_path / "a.svg")


def test_reliability_without_rows(tmp_path):
    pytest.importorskip("matplotlib")
    nothing = {"probability": [None] * 15, "speaking": [None] * 15, "rows": [0] * 15}
    found = {"reliability": nothing, "expected_calibration_error": None}
    draw_reliability(found, tmp_path / "a")
    assert "no face found" in texts(tmp_path / "a.svg")


@pytest.mark.parametrize("count", [1, 12])
def test_labels_do_not_cover_each_other(tmp_path, count):
    pytest.importorskip("matplotlib")
    points = [(1 + k % 3, 0.5, f"$label_{k}$") for k in range(count)]
    for name in "ab":
        draw_quality_against_speed(points, "average_precision", tmp_path / name)
    assert pictures(tmp_path / "a") == pictures(tmp_path / "b")
    tree = ElementTree.parse(tmp_path / "a.svg")
    labels = [
        node
        for node in tree.iter("{http://www.w3.org/2000/svg}text")
        if "label_" in "".join(node.itertext())
    ]
    assert len(labels) == count
    heights = sorted(float(node.get("y")) for node in labels)
    assert count == 1 or np.diff(heights).min() > 9  # points; the letters are 10 high
