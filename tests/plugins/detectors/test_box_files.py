"""Files of boxes: JSON, CSV, MOTChallenge's form and results of asdkit, told apart by content."""

from __future__ import annotations

import json
from pathlib import Path

import by_hand
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import asdkit
from asdkit.core.errors import ConfigError, InputError
from asdkit.core.results import json_lines
from asdkit.plugins.detectors.box_files import faces_of
from asdkit.plugins.detectors.boxes import read_boxes

ROWS = [[3, 7, 10.0, 20.0, 40.5, 60.0, 0.5], [4, 7, 11.0, 20.0, 41.5, 60.0, 1.0]]
ROWS += [[4, 2, 70.0, 20.0, 90.0, 44.0, 0.25]]
"""Frame, id, box, score."""


def mot(rows):
    sized = [[f + 1, n, x1, y1, x2 - x1, y2 - y1, score] for f, n, x1, y1, x2, y2, score in rows]
    return "".join(",".join(map(repr, row)) + ",-1,-1,-1\n" for row in sized)


def table(rows, name):
    lines = (f"{n},{f},{x1},{y1},{x2},{y2},{score}\n" for f, n, x1, y1, x2, y2, score in rows)
    return f"{name},frame,x1,y1,x2,y2,score\n" + "".join(lines)


def rows_of(boxes):
    ids = [None] * len(boxes) if boxes.ids is None else boxes.ids.tolist()
    return sorted(
        [frame, number, *box, score]
        for frame, number, box, score in zip(
            boxes.frames.tolist(), ids, boxes.boxes.tolist(), boxes.confidence.tolist(), strict=True
        )
    )


def read(tmp_path, text, **how):
    path = tmp_path / "boxes"
    path.write_text(text, encoding="utf-8")
    return read_boxes(path, **how)


@pytest.mark.parametrize(
    ("text", "form", "clock"),
    [
        (mot(ROWS), "mot", "source"),
        (mot(ROWS).replace(",-1,-1,-1", ""), "mot", "source"),
        (mot(ROWS).replace(",", ", ") + "\n", "mot", "source"),
        (table(ROWS, "id"), "csv", "grid"),
        (table(ROWS, "track"), "csv", "grid"),
        ("\ufeff" + table(ROWS, "Track").replace("frame", "Frame"), "csv", "grid"),
    ],
)
def test_ids_and_boxes_of_a_file(tmp_path, text, form, clock):
    assert faces_of(text.lstrip("\ufeff"))[0] == form
    found = read(tmp_path, text)
    assert found.clock == clock
    assert rows_of(found) == sorted(ROWS)
    for other in ("grid", "source"):
        assert read(tmp_path, text, clock=other).clock == other
    without = read(tmp_path, text, ids=False)
    assert without.ids is None
    assert len(without) == len(ROWS)


def test_files_without_ids_have_none(tmp_path):
    plain = "3,10,20,40.5,60,0.5\n"
    no_ids = "4,-1,10,20,30.5,40,0.5,-1,-1,-1\n"
    listed = json.dumps([[], [], [], [[10, 20, 40.5, 60, 0.5]]])
    for text in (plain, no_ids, listed):
        assert rows_of(read(tmp_path, text)) == [[3, None, 10, 20, 40.5, 60, 0.5]]
    assert read(tmp_path, listed, clock="source").clock == "source"


def test_rows_that_are_not_to_be_considered_are_left_out(tmp_path):
    text = "1,1,10,20,30,40,1,1,0.5\n1,2,10,20,30,40,0,8,0.5\n"
    assert rows_of(read(tmp_path, text)) == [[0, 1, 10, 20, 40, 60, 1]]


def result_text(*tracks):
    return "".join(json_lines(by_hand.result(*tracks)))


def test_a_result_gives_its_tracks_back(tmp_path):
    boxes = [by_hand.square(20 + k, 20) for k in range(3)]
    one = by_hand.track(0, 5, boxes)
    other = by_hand.track(1, 6, boxes[:1], source_id=40)
    found = read(tmp_path, result_text(one, other))
    assert found.clock == "grid"
    assert rows_of(found) == [
        [5, 0, *boxes[0], 1],
        [6, 0, *boxes[1], 1],
        [6, 40, *boxes[0], 1],
        [7, 0, *boxes[2], 1],
    ]
    assert len(read(tmp_path, result_text())) == 0


def test_a_result_is_on_the_grid_alone(tmp_path):
    with pytest.raises(ConfigError, match=r"detector.clock=source cannot be: .* is a result"):
        read(tmp_path, result_text(), clock="source")


@given(
    st.lists(
        st.tuples(st.integers(0, 999), st.integers(0, 99), *[st.integers(0, 4000)] * 4),
        max_size=20,
        unique_by=lambda row: row[:2],
    )
)
def test_what_is_written_in_any_form_is_read_back(tmp_path_factory, rows):
    rows = [[f, n, x, y, x + w + 1, y + h + 0.5, 0.5] for f, n, x, y, w, h in rows]
    folder = tmp_path_factory.mktemp("any")
    for text in (mot(rows), table(rows, "id")):
        if rows:
            assert rows_of(read(folder, text)) == sorted(rows)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("0,1,5,5,9,9,1\n", "line 1 has '0' as frame, where a whole number from 1 on was expected"),
        ("1,1,5,5,9,9,1\n\n2,x,5,5,9,9,1\n", "line 3 has 'x' as id, where a whole number from -1"),
        ("1,1.5,5,5,9,9,1\n", "line 1 has '1.5' as id"),
        ("1,1,5,5,9,9,1\n2,1,5,5\n", "line 2 has 4 numbers, not frame, id, left, top, width"),
        ("1,1,5,5,0,9,1\n", r"line 1 has the box \[5.0, 5.0, 5.0, 14.0, 1.0\], which encloses"),
        ("1,1,5,5,9,x,1\n", "line 1 has a face with something else than numbers"),
        ("1,1,5,5,9,9,1\n1,1,6,5,9,9,1\n", "line 2 has the id 1 a second time in one frame"),
        ("1,1,5,5,9,9,1\n2,-1,5,5,9,9,1\n", "line 2 has no id, unlike the others"),
        ("1,-1,5,5,9,9,1\n2,1,5,5,9,9,1\n", "line 2 has an id, unlike the others"),
        ("frame,x1,y1,x2,y2,score,id\n3,1,2,3,4,1,ann\n", "line 2 has 'ann' as id"),
        ("frame,x1,y1,x2,y2,score,track\n3,1,2,3,4,1\n", "line 2 has '' as track"),
        ("frame,x1,y1,x2,score\n3,1,2,3,1\n", "the columns y2 are missing"),
        ("", "it is empty"),
        ('{"schema": "asdkit.batch/1"}', "its schema is 'asdkit.batch/1', not that of a result"),
        ("{}", "its schema is None"),
        ('{"schema": "asdkit.result/2"}', "it has no list of tracks"),
        ('{"schema": "asdkit.result/2", "tracks": [3]}', r"tracks\[0\] has no list of boxes"),
        (
            '{"schema": "asdkit.result/2", "tracks": [{"id": 0, "first_frame": -1, "boxes": []}]}',
            r"tracks\[0\] has -1 as first_frame",
        ),
        (
            '{"schema": "asdkit.result/2", '
            '"tracks": [{"id": 0, "first_frame": 4, "boxes": [[0, 0, 1, 1], [0, 0, 1]]}]}',
            r"tracks\[0\], frame 5 has a face of 4 numbers, not 5",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path, text, says):
    with pytest.raises(InputError, match=says) as caught:
        read(tmp_path, text)
    assert "MOTChallenge's frame,id,left,top" in str(caught.value)


def test_the_parameters(tmp_path):
    Path(tmp_path, "a.txt").write_text(mot(ROWS))
    with pytest.raises(ConfigError, match=r"detector.clock must be auto, grid, source, got 'file'"):
        asdkit.load("detector", "boxes", path=str(tmp_path / "a.txt"), clock="file")
    detector = asdkit.load("detector", "boxes", path=str(tmp_path / "a.txt"), clock="grid")
    assert detector.knows_ids
    (faces,) = detector.detect(np.zeros((1, 99, 99, 3), np.uint8), [4])
    assert faces.ids.tolist() == [2, 7]
    detector = asdkit.load("detector", "boxes", path=str(tmp_path / "a.txt"), ids=False)
    assert not detector.knows_ids
