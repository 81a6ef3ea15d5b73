"""AVA-ActiveSpeaker's files: the official script's figures, and what it refuses."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from checkout import DATA

from asdkit.core.ava_csv import (
    PREDICTION_COLUMNS,
    TRUTH_COLUMNS,
    read_ava_predictions,
    read_ava_truth,
)
from asdkit.core.errors import InputError
from asdkit.core.evaluation.metrics import average_precision
from asdkit.plugins.datasets import ava_official

TRUTH = [
    ["clip", "900.00", "0.1", "0.2", "0.3", "0.4", "SPEAKING_AUDIBLE", "clip:0"],
    ["clip", "900.00", "0.5", "0.2", "0.7", "0.4", "NOT_SPEAKING", "clip:1"],
    ["clip", "900.04", "0.1", "0.2", "0.3", "0.4", "SPEAKING_NOT_AUDIBLE", "clip:0"],
    ["clip", "900.04", "0.5", "0.2", "0.7", "0.4", "SPEAKING_AUDIBLE", "clip:1"],
]
SCORES = ["2.5", "-1", "0.5", "1e-3"]


def predictions() -> list[list[str]]:
    return [
        [*row[:6], "SPEAKING_AUDIBLE", row[7], score]
        for row, score in zip(TRUTH, SCORES, strict=True)
    ]


def write(path: Path, *rows: Any) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    return write(tmp_path / "truth.csv", TRUTH_COLUMNS, *TRUTH)


@pytest.mark.parametrize("name", ["random", "rare", "all_positive"])
def test_average_precision_equals_the_official_scripts(shared: Callable[[str], Path], name: str):
    folder = shared("reference/ava")
    expected = json.loads((folder / "expected.json").read_text())[name]
    scores, speaks = ava_official.join_predictions(
        folder / f"{name}_truth.csv", folder / f"{name}_predictions.csv"
    )
    assert 100 * average_precision(scores, speaks) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("name", ["random", "rare", "all_positive"])
def test_average_precision_of_the_same_rows_kept_here(name: str):
    """Scores and truth of those files, joined, and what the official script makes of them."""
    with np.load(DATA / "ava.npz") as kept:
        scores, truth, percent = (kept[f"{name}_{part}"] for part in ("scores", "truth", "percent"))
    assert 100 * average_precision(scores, truth) == pytest.approx(float(percent), abs=1e-6)


def test_with_ties_the_official_figure_lies_above(shared: Callable[[str], Path]):
    folder = shared("reference/ava")
    expected = json.loads((folder / "expected.json").read_text())["ties"]
    scores, speaks = ava_official.join_predictions(
        folder / "ties_truth.csv", folder / "ties_predictions.csv"
    )
    assert len(set(scores)) < len(scores)
    in_order = -np.arange(len(scores), dtype=float)
    worst, best = (
        average_precision(in_order, speaks[np.lexsort((last, -scores))])
        for last in (speaks, ~speaks)
    )
    assert 100 * worst <= expected <= 100 * best
    assert average_precision(scores, speaks) == pytest.approx(worst, abs=1e-12)


def test_predictions_are_joined_in_any_order(truth: Path, tmp_path: Path):
    path = write(tmp_path / "p.csv", PREDICTION_COLUMNS, *reversed(predictions()))
    scores, speaks = ava_official.join_predictions(truth, path)
    assert scores.tolist() == [2.5, -1.0, 0.5, 0.001]
    assert speaks.tolist() == [True, False, False, True]
    # From high to low: true, false, true, false: (1 + 2/3) / 2.
    assert average_precision(scores, speaks) == pytest.approx(5 / 6)


def changed(row: int, column: str, value: str) -> list[list[str]]:
    rows = predictions()
    rows[row][PREDICTION_COLUMNS.index(column)] = value
    return rows


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (predictions()[:3], "has 3 rows, but .*truth.csv has 4"),
        ([*predictions()[:3], predictions()[0]], "line 5 is about clip:0 at 900.0 s, and so is"),
        (changed(1, "video_id", "other"), None),
        (changed(3, "entity_id", "clip:7"), "line 5 is about clip:7 .* of which .* says nothing"),
        (changed(3, "frame_timestamp", "900.08"), "line 5 .* says nothing"),
        (changed(2, "entity_box_x2", "0.300000002"), r"line 4 has the box .* line 4 of .*truth"),
        (changed(2, "entity_box_x2", "0.3000000009"), None),
        (changed(0, "label", "NOT_SPEAKING"), "line 2 has the label 'NOT_SPEAKING'"),
        (changed(0, "score", ""), "line 2 has '' as score"),
        (changed(0, "score", "high"), "line 2 has 'high' as score"),
        (changed(0, "score", "nan"), "line 2 has 'nan' as score"),
        (changed(0, "score", "-inf"), None),
        (changed(0, "entity_box_y1", "inf"), "line 2 has 'inf' as entity_box_y1"),
        ([*predictions()[:3], predictions()[3][:8]], "line 5 has 8 values, too few"),
    ],
)  # fmt: skip
def test_the_official_refusals(
    truth: Path, tmp_path: Path, rows: list[list[str]], message: str | None
):
    path = write(tmp_path / "p.csv", PREDICTION_COLUMNS, *rows)
    if message is None:
        assert len(ava_official.join_predictions(truth, path)[0]) == 4
    else:
        with pytest.raises(InputError, match=message):
            ava_official.join_predictions(truth, path)


def test_truth_in_which_nobody_speaks_is_refused(tmp_path: Path):
    path = write(tmp_path / "p.csv", PREDICTION_COLUMNS, predictions()[1])
    silent = write(tmp_path / "silent.csv", TRUTH_COLUMNS, TRUTH[1])
    with pytest.raises(InputError, match=r"silent\.csv has no row with the label SPEAKING_AUDIBLE"):
        ava_official.join_predictions(silent, path)


def test_truth_is_read_with_and_without_header_and_with_more_columns(truth: Path, tmp_path: Path):
    bare = write(tmp_path / "bare.csv", *TRUTH)
    loaders = write(
        tmp_path / "train_orig.csv",
        [*TRUTH_COLUMNS, "label_id", "instance_id"], *([*row, "1", "clip:0:1"] for row in TRUTH),
    )  # fmt: skip
    marked = tmp_path / "marked.csv"
    marked.write_text("\n" + truth.read_text(), encoding="utf-8-sig")
    for path in (truth, bare, loaders, marked):
        rows = read_ava_truth(path)
        assert len(rows) == 4
        assert rows.entity_id.tolist() == ["clip:0", "clip:1", "clip:0", "clip:1"]
        assert rows.time_s.tolist() == [900.0, 900.0, 900.04, 900.04]
        assert rows.boxes[1].tolist() == [0.5, 0.2, 0.7, 0.4]
        assert rows.label.tolist() == [row[6] for row in TRUTH]
        assert set(rows.video_id.tolist()) == {"clip"}
    assert read_ava_truth(bare).line.tolist() == [1, 2, 3, 4]
    assert read_ava_truth(marked).line.tolist() == [3, 4, 5, 6]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "has no row"),
        ((",".join(TRUTH_COLUMNS) + "\n").encode(), "has no row"),
        (b"video_id,label\nclip,NOT_SPEAKING\n", "has no column frame_timestamp"),
        (b"a,b\n1,2\n", "has no header line; it begins with a,b"),
        (b"clip,900,0,0,1,1,TALKING,clip:0\n", "line 1 has the label 'TALKING'"),
        (b"clip,900,0,0,1,1,,clip:0\n", "line 1 has the label ''"),
        (b"clip,noon,0,0,1,1,NOT_SPEAKING,clip:0\n", "line 1 has 'noon' as frame_timestamp"),
        (b"\xff\xfe\x00", "is not a CSV in UTF-8"),
    ],
)
def test_what_is_no_truth_is_refused(tmp_path: Path, text: bytes, message: str):
    path = tmp_path / "truth.csv"
    path.write_bytes(text)
    with pytest.raises(InputError, match=message):
        read_ava_truth(path)


def test_predictions_need_their_header_and_a_file(tmp_path: Path):
    with pytest.raises(InputError, match="has no header line"):
        read_ava_predictions(write(tmp_path / "bare.csv", *predictions()))
    with pytest.raises(InputError, match="No such file"):
        read_ava_predictions(tmp_path / "none.csv")
